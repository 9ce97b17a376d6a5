"""Every list behind a number of the overview, by its name in addresses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from models.tables import LetterState
from operations.address_book import contact_gaps
from operations.queries import WorkRow, work_list
from operations.queries_detail import extensions, obstacles
from operations.state import known_directory
from portal.maps import items_table, map_table
from portal.one_date import one_date
from portal.words import EXTENSION_WORDS, OBSTACLE_WORDS, workdays
from portal.work_tables import (
    AGENCY,
    ITEM,
    Source,
    assignments,
    notes_of,
    overdue,
    own,
    said,
    soon,
    urge,
)
from reports.tables import Column, Kind, Line, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A list by its name in addresses. ``scoped`` follows period and cut-off day."""

    title: str
    build: Callable[[Source], Table]
    scoped: bool = False


def door_word(*, own: bool) -> str:
    """At whose door a result waits (rule 20)."""
    return "Lãnh đạo (tự xác nhận)" if own else "Chuyên viên"


def _waiting(source: Source) -> Table:
    columns = (
        *(AGENCY, *ITEM, Column(title="Gửi ngày", kind=Kind.DATE, width=12)),
        Column(title="Đã chờ (ngày làm việc)", kind=Kind.NUMBER, width=12),
        Column(title="Quá quy định (ngày làm việc)", kind=Kind.NUMBER, width=14),
        Column(title="Đang ở", width=24),
        Column(title="Ghi chú", width=28),
    )
    lines = [
        Line(
            values=(
                *said(source, one.row),
                *(one.row.submitted_on, one.days, one.over or None, door_word(own=one.own)),
                notes_of(one.row),
            ),
            href=f"/viec/{one.row.id}",
        )
        for one in source.standing.waiting()
    ]
    empty = "Không có kết quả nào chờ xác nhận."
    return _table("cho-xac-nhan", columns, lines, empty)


def _table(key: str, columns: tuple[Column, ...], lines: Iterable[Line], empty: str) -> Table:
    title = LISTINGS[key].title
    return Table(key=key, title=title, columns=columns, lines=tuple(lines), empty=empty)


def _rows_by_id(source: Source) -> Mapping[int, WorkRow]:
    found = work_list(source.session, as_of=source.today, plan=source.filters.plan)
    return {row.id: row for row in found}


def _extensions(source: Source) -> Table:
    columns = (
        *(AGENCY, *ITEM, Column(title="Hạn hiện nay", kind=Kind.DATE, width=12)),
        Column(title="Xin đến", kind=Kind.DATE, width=12),
        Column(title="Đề nghị ngày", kind=Kind.DATE, width=12),
        *(Column(title="Lý do", width=50), Column(title="Đang ở", width=26)),
        Column(title="Ghi chú", width=22),
    )
    asked = extensions(source.session, states=("asked", "proposed"))
    rows = {row.id: row for row in source.standing.everything}
    lines = [
        Line(
            values=(
                *said(source, row),
                *(row.due_on, one.requested_due_on, one.asked_on, one.reason),
                EXTENSION_WORDS[one.state],
                "đề nghị khi đã quá hạn" if one.asked_overdue else None,
            ),
            href=f"/viec/{row.id}",
        )
        for one in reversed(asked)
        if (row := rows.get(one.assignment)) is not None
    ]
    return _table("gia-han", columns, lines, "Không có đề nghị gia hạn nào đang chờ.")


def _obstacles(source: Source) -> Table:
    columns = (
        *(AGENCY, *ITEM, Column(title="Phản ánh lúc", kind=Kind.MOMENT, width=18)),
        *(Column(title="Nội dung", width=60), Column(title="Tình trạng", width=30)),
        Column(title="Văn bản báo cáo", width=18),
    )
    found = obstacles(source.session, states=("raised", "consolidated"))
    rows = _rows_by_id(source) if any(one.assignment for one in found) else {}
    directory = known_directory(source.session)
    lines = []
    for one in reversed(found):
        row = rows.get(one.assignment or 0)
        if row is None and (one.assignment is not None and source.filters.plan):
            continue  # of another plan
        about = (
            (directory.agency(one.agency).name, None, None) if row is None else said(source, row)
        )
        values = (*about, one.raised_at, one.text, OBSTACLE_WORDS[one.state], one.document_code)
        lines.append(Line(values=values, href=None if row is None else f"/viec/{row.id}"))
    return _table("vuong-mac", columns, lines, "Không có vướng mắc nào đang chờ trả lời.")


LETTER_WORDS: Final[Mapping[LetterState, str]] = {
    LetterState.UNDELIVERABLE: "Không gửi được",
    LetterState.UNKNOWN: "Không rõ đã đến hay chưa",
    LetterState.HELD: "Đang giữ lại",
}


NO_PAST_LETTERS: Final = (
    "Không dựng lại được cho lúc trước: trạng thái kỹ thuật của thư đổi theo máy chủ thư, "
    "không phải là quyết định nên lịch sử không giữ từng bước. Đề nghị xem trang Thư."
)


def _letters(source: Source) -> Table:
    if source.is_past:
        return _table("thu", (Column(title="Hộp thư", width=36),), (), NO_PAST_LETTERS)
    columns = (
        Column(title="Hộp thư", width=36),
        *(AGENCY, Column(title="Ngày", kind=Kind.DATE, width=12)),
        *(Column(title="Thư", width=50), Column(title="Tình trạng", width=26)),
        *(Column(title="Trả lời của máy chủ thư", width=40), Column(title="Địa chỉ", width=22)),
    )
    lines = [
        Line(
            values=(
                *(one.mailbox, one.agency_name, one.day, one.subject, LETTER_WORDS[one.state]),
                *(one.answer, "đã sửa, nhận được thư" if one.mended else None),
            )
        )
        for one in source.standing.letters()
    ]
    return _table("thu", columns, lines, "30 ngày qua không có thư nào bị trả lại hoặc giữ lại.")


def _gaps(source: Source) -> Table:
    columns = (AGENCY, Column(title="Hộp thư cơ quan", width=20), Column(title="Đầu mối", width=20))
    words = {True: "có", False: "chưa có, hoặc không nhận được thư"}
    lines = [
        Line(values=(one.agency_name, words[one.mailbox], words[one.focal]))
        for one in contact_gaps(source.session, source.today)
    ]
    return _table("thieu-hop-thu", columns, lines, "Mọi cơ quan đều có hộp thư và đầu mối.")


def _runs(source: Source) -> Table:
    columns = (
        *(Column(title="Nhiệm vụ", width=14),),
        Column(title="Lần chạy gần nhất", kind=Kind.MOMENT, width=20),
        *(Column(title="Trạng thái lần chạy", width=30), Column(title="Cảnh báo", width=40)),
    )
    lines = []
    for one in source.standing.runs(source.now):
        alarm = "phải chạy mà không chạy trong 36 giờ qua" if one.missed else None
        if not one.missed and one.alarming:
            alarm = "lần chạy gần nhất bị lỗi"
        plan = source.states[one.plan].plan
        name = f"{plan.short_code} · {one.item}" if source.several_plans else one.item
        href = source.plan_link(one.plan, one.item)
        lines.append(Line(values=(name, one.at, one.state or "chưa có", alarm), href=href))
    return _table("luot-chay", columns, lines, "Chưa nạp đề án nào.")


def _provisional(source: Source) -> Table:
    columns = (
        *(*ITEM, Column(title="Mốc dự kiến", kind=Kind.DATE, width=14)),
        Column(title="Còn (ngày làm việc)", kind=Kind.NUMBER, width=12),
        Column(title="Phân công đang mở", kind=Kind.NUMBER, width=12),
        *(Column(title="Chờ ai ấn định", width=26), Column(title="Ghi chú", width=20)),
    )
    lines = []
    for one in source.standing.provisional():
        state, row = source.states[one.row.plan], one.row
        days = None if one.past else workdays(state.calendar, source.today, row.due_on)
        centre = state.directory.agency(state.coordinator(source.today)).name
        awaited = state.plan.item(row.item).calendar.fixed_by or centre
        note = "qua mốc dự kiến" if one.past else None
        values = (source.item(row), row.period_label, row.due_on, days, one.count, awaited, note)
        decided = any(item.key == row.item for item in state.plan.decided)
        line = Line(
            values=values,
            href=source.plan_link(row.plan, row.item),
            todo=one_date(row.plan, row.item, row.period) if decided else None,
            todo_word=f"Ấn định hạn {row.period_label}",
        )
        lines.append(line)
    return _table(
        "moc-du-kien",
        columns,
        lines,
        "Không có kỳ nào đang theo dõi mà còn chờ văn bản ấn định ngày.",
    )


LISTINGS: Final[Mapping[str, Listing]] = {
    "phan-cong": Listing(title="Phân công", build=assignments, scoped=True),
    "qua-han": Listing(title="Đang quá hạn", build=overdue),
    "sap-den-han": Listing(title="Đến hạn trong 30 ngày tới", build=soon),
    "cho-xac-nhan": Listing(title="Chờ xác nhận", build=_waiting),
    "gia-han": Listing(title="Đề nghị gia hạn đang chờ", build=_extensions),
    "vuong-mac": Listing(title="Vướng mắc đang chờ", build=_obstacles),
    "don-doc": Listing(title="Cần văn bản đôn đốc", build=urge),
    "viec-dieu-phoi": Listing(title="Việc của cơ quan điều phối", build=own),
    "moc-du-kien": Listing(title="Mốc còn dự kiến", build=_provisional),
    "thu": Listing(title="Thư không gửi được, không rõ, đang giữ", build=_letters),
    "thieu-hop-thu": Listing(title="Cơ quan chưa có hộp thư hoặc đầu mối", build=_gaps),
    "nhiem-vu": Listing(title="Nhiệm vụ", build=items_table, scoped=True),
    "ban-do": Listing(title="Bản đồ tiến độ", build=map_table, scoped=True),
    "luot-chay": Listing(title="Lượt chạy theo nhiệm vụ", build=_runs),
}
