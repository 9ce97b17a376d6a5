""" "Một trang A4 phục vụ giao ban": what a meeting needs, on one sheet of paper."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fastapi import APIRouter, Request
from fastapi.responses import Response

from notifications.formats import shorten, vn_date, vn_number
from operations.dashboard import figures
from operations.standing import Standing
from portal.filters import CELL_KEYS
from portal.maps import OUTSIDE
from portal.past import looking
from portal.portal import portal_of
from portal.signs import CELL_SIGNS
from portal.tables import LISTINGS
from portal.together import together
from portal.work_tables import read_source
from rules.timeliness import Cell

router = APIRouter()
_READ = ["GET", "HEAD"]
FOUR = (Cell.DONE_IN_TIME, Cell.DONE_LATE, Cell.OPEN_IN_TIME, Cell.OPEN_OVERDUE)
OVERDUE_LINES, STUCK_LINES, SOON_LINES, TEXT = 5, 3, 3, 130
"""What fits on one page: lines of a list, characters of a text."""


def proposals(standing: Standing, stuck: int, asked: int) -> Iterator[str]:
    """What is proposed to the meeting, from what waits."""
    urged = standing.to_urge()
    if urged:
        yield (
            f"Ban hành văn bản đôn đốc {vn_number(len({row.agency for row in urged}))} cơ quan "
            f"với {vn_number(len(urged))} việc đã nhắc hết các bậc mà chưa hoàn thành."
        )
    late = [one for one in standing.waiting() if one.over]
    if late:
        yield (
            f"Xem xét ngay {vn_number(len(late))} kết quả chờ xác nhận quá quy định; "
            f"lâu nhất {vn_number(max(one.days for one in late))} ngày làm việc."
        )
    if asked:
        yield f"Quyết định {vn_number(asked)} đề nghị gia hạn đang chờ."
    if stuck:
        yield f"Trả lời hoặc tổng hợp, báo cáo UBND tỉnh {vn_number(stuck)} vướng mắc."
    dates = standing.provisional()
    if dates:
        past = sum(1 for one in dates if one.past)
        more = f", trong đó {vn_number(past)} kỳ đã qua mốc" if past else ""
        yield f"Ấn định ngày cho {vn_number(len(dates))} kỳ còn mốc dự kiến{more}."
    pending = standing.proposals()
    if pending:
        yield f"Lãnh đạo duyệt {vn_number(len(pending))} đề xuất của chuyên viên."


@router.api_route("/giao-ban", methods=_READ, name="briefing")
def briefing(request: Request) -> Response:
    """The sheet, as it prints."""
    portal = portal_of(request)
    with looking(request) as view:
        source = read_source(request, view)
        counted = figures(view.session, source.filters.scope)
        outside = {part: figures(view.session, part.of(source.filters.scope)) for part in OUTSIDE}
        standing = source.standing
        late = standing.overdue()
        stuck = LISTINGS["vuong-mac"].build(source)
        asked = LISTINGS["gia-han"].build(source)
        said = list(proposals(standing, len(stuck.lines), len(asked.lines)))
        plans = [state.plan for state in source.states.values()]
        overdue, soon = together(source, late), together(source, standing.soon())
    return portal.pages(
        request,
        "briefing.html",
        filters=source.filters,
        plans=plans,
        counted=counted,
        outside=outside,
        four=[(cell, CELL_SIGNS[cell]) for cell in FOUR],
        cell_keys={cell: key for key, cell in CELL_KEYS.items()},
        late=len(late),
        overdue=overdue[:OVERDUE_LINES],
        overdue_more=overdue[OVERDUE_LINES:],
        soon=soon[:SOON_LINES],
        soon_more=len(soon[SOON_LINES:]),
        stuck=[_shortened(line.values) for line in stuck.lines[:STUCK_LINES]],
        stuck_more=len(stuck.lines[STUCK_LINES:]),
        proposals=said,
        today_word=vn_date(view.today),
        now=source.now,
        action="/giao-ban",
    )


def _shortened(values: Sequence[object]) -> dict[str, str]:
    agency, item, _, _, text, state, _ = values
    return {
        "agency": str(agency),
        "item": str(item or ""),
        "text": shorten(str(text), TEXT),
        "state": str(state),
    }
