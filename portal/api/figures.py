"""Reading for those who watch: the four cells, findings, and the history event by event."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session

from models.tables import Assignment
from operations.api_reading import EventsAsked, events_page
from operations.dashboard import Scope, figures_by
from operations.findings import STATE_WORDS, findings, is_overdue
from operations.known_at import work_known_at
from operations.queries import cell_counts
from portal.api.door import BASE, By, Caller
from portal.api.lists import own_or_asked, page_of
from portal.api.parameters import (
    After,
    AgencyKey,
    Entity,
    ItemKey,
    Limit,
    PlanKey,
    Quarter,
    Since,
    Year,
)
from portal.api.problems import BadInput, FieldProblem
from portal.api.shapes import CellsOut, EventOut, FindingOut, Page, SummaryOut
from portal.api.taken import Day
from rules.timeliness import Cell
from rules.values import Role

router = APIRouter(prefix=BASE)
_CELLS: Final = (Cell.DONE_IN_TIME, Cell.DONE_LATE, Cell.OPEN_IN_TIME, Cell.OPEN_OVERDUE)


def _cells(counted: Counter[Cell]) -> CellsOut:
    return CellsOut(
        total=sum(counted[one] for one in _CELLS),
        **{one.value: counted[one] for one in (*_CELLS, Cell.PAST_PROVISIONAL)},
    )


def _instant(given: datetime | None, name: str, *, now: datetime) -> datetime | None:
    """An instant in UTC, not after now.

    Raises:
        BadInput: it has no time zone, or lies in the future or before this century.
    """
    if given is None:
        return None
    if given.tzinfo is not None and 2000 <= given.year <= 2100 and given <= now:
        return given.astimezone(UTC)
    right = "thời điểm đã qua, có múi giờ, dạng 2027-03-31T01:30:00Z"
    told = f"Trường “{name}” không phải một thời điểm đã qua có múi giờ."
    raise BadInput([FieldProblem(field=name, detail=told, expected=right)])


@router.get("/summary", name="v1_summary")
def summary(
    by: By,
    *,
    plan: PlanKey = None,
    year: Year = None,
    quarter: Quarter = None,
    cutoff: Annotated[Day | None, Query(description="Ngày chốt; mặc định hôm nay.")] = None,
    original: Annotated[bool, Query(description="Theo hạn ban đầu thay vì hạn hiện nay.")] = False,
    known_at: Annotated[
        datetime | None, Query(description="Như hệ thống đã biết lúc đó; theo hạn khi ấy.")
    ] = None,
    agency: AgencyKey = None,
    by_agency: bool = False,
) -> SummaryOut:
    """Bốn ô theo dõi của một kỳ; mã của cơ quan chỉ thấy số của cơ quan mình."""
    moment = _instant(known_at, "known_at", now=by.portal.runtime.clock.now())
    day = _cutoff(by, cutoff)
    _need_sense(year=year, quarter=quarter, original=original, known=moment)
    scope = Scope(cutoff=day, plan=plan, year=year, quarter=quarter, original=original)
    wanted = own_or_asked(by, agency)
    with by.portal.runtime.database.read() as session:
        counted = _counted(session, scope, moment)
    if wanted is not None:
        counted = {key: one for key, one in counted.items() if key == wanted}
    together: Counter[Cell] = Counter()
    for one in counted.values():
        together.update(one)
    each = {key: _cells(one) for key, one in sorted(counted.items())} if by_agency else None
    return SummaryOut(
        **_cells(together).model_dump(),
        plan=plan,
        year=year,
        quarter=quarter,
        cutoff=day,
        original=original,
        known_at=moment,
        agency=wanted,
        by_agency=each,
    )


def _cutoff(by: Caller, given: date | None) -> date:
    if given is None or given <= by.portal.today:
        return given or by.portal.today
    told = "Ngày chốt chưa đến."
    right = f"đến {by.portal.today.isoformat()}"
    raise BadInput([FieldProblem(field="cutoff", detail=told, expected=right)])


def _need_sense(
    *, year: int | None, quarter: int | None, original: bool, known: datetime | None
) -> None:
    if quarter is not None and year is None:
        told = "Quý cần đi cùng năm."
        raise BadInput([FieldProblem(field="year", detail=told, expected="năm của quý")])
    if known is not None and original:
        told = "“known_at” không dùng cùng “original”."
        raise BadInput([FieldProblem(field="original", detail=told, expected="false")])


def _counted(session: Session, scope: Scope, moment: datetime | None) -> dict[str, Counter[Cell]]:
    """The cells of leads by agency, as known now or at ``moment``."""
    if moment is None:
        found = figures_by(session, scope, Assignment.agency_key)
        return {keys[0]: one.cells for keys, one in found.items()}
    rows = work_known_at(
        session,
        moment,
        as_of=scope.cutoff,
        plan=scope.plan,
        year=None if scope.quarter else scope.year,
        roles=(Role.LEAD,),
    )
    kept = [row for row in rows if scope.keeps(row)]
    return {
        key: cell_counts(row for row in kept if row.agency == key)
        for key in {row.agency for row in kept}
    }


@router.get("/findings", name="v1_findings")
def findings_list(by: By, agency: AgencyKey = None) -> list[FindingOut]:
    """Kiến nghị kiểm tra và việc khắc phục; mã của cơ quan chỉ thấy của cơ quan mình."""
    today = by.portal.today
    with by.portal.runtime.database.read() as session:
        return [
            FindingOut(
                id=row.id,
                document=row.document_code,
                issued_on=row.issued_on,
                text=row.text,
                agency=row.agency_key,
                assignment=row.assignment_id,
                due_on=row.due_on,
                state=row.state,
                state_text=STATE_WORDS[row.state],
                overdue=is_overdue(row, today),
            )
            for row in findings(session, agency=own_or_asked(by, agency))
        ]


@router.get("/events", name="v1_events")
def events(
    by: By,
    *,
    entity: Entity = None,
    plan: PlanKey = None,
    item: ItemKey = None,
    agency: AgencyKey = None,
    since: Since = None,
    after: After = 0,
    limit: Limit = 50,
) -> Page[EventOut]:
    """Lịch sử theo thứ tự số sự kiện, kèm dạng chuẩn v1 và mã băm; chậm hai phút."""
    now = by.portal.runtime.clock.now()
    asked = EventsAsked(
        entity=entity,
        plan=plan,
        item=item,
        agency=agency,
        since=_instant(since, "since", now=now),
    )
    with by.portal.runtime.database.read() as session:
        found = events_page(session, asked, now=now, after=after, limit=limit + 1)
    shown = [
        EventOut(
            canonical=one.canonical,
            **{n: getattr(one.line, n) for n in EventOut.model_fields if n != "canonical"},
        )
        for one in found
    ]
    return page_of(shown, (one.id for one in shown), limit)
