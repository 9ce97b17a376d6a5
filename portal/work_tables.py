"""Lists of assignments, as values for their pages and their spreadsheets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property

from fastapi import Request
from sqlalchemy.orm import Session

from operations.dashboard import scoped_rows
from operations.queries import WorkRow
from operations.standing import Standing
from operations.state import PlanState, known_plans, known_state
from portal.filters import MARKS, Filters, read_filters
from portal.past import View
from portal.signs import DATE_WORDS
from portal.words import workdays
from reports.tables import Column, Kind, Line, Table, Value
from rules.lifecycle import STATUS_WORDS
from rules.timeliness import CELL_WORDS, Cell
from rules.values import ItemKind, Role


class Source:
    """What lists are made from: the filters of the request, and everything unfinished."""

    def __init__(
        self, session: Session, filters: Filters, now: datetime, *, is_past: bool = False
    ) -> None:
        self.session, self.filters, self.now = session, filters, now
        self.is_past = is_past
        self.several_plans = len(filters.plans) > 1

    @cached_property
    def standing(self) -> Standing:
        """What waits for somebody today, read when a list first asks."""
        return Standing(self.session, self.filters.today, self.states)

    @cached_property
    def states(self) -> Mapping[str, PlanState]:
        """The plans asked for, by key."""
        keys = [self.filters.plan] if self.filters.plan else self.filters.plans
        return {key: known_state(self.session, key) for key in keys}

    @property
    def today(self) -> date:
        """The business date."""
        return self.filters.today

    def item(self, row: WorkRow) -> str:
        """An item as lists name it."""
        state = self.states.get(row.plan)
        if state is None or not self.several_plans:
            return row.item
        return f"{state.plan.short_code} · {row.item}"

    def plan_link(self, plan: str, item: str) -> str:
        """The page of an item."""
        return f"/nhiem-vu/{plan}/{item}"

    def narrowed(self, rows: Iterable[WorkRow]) -> list[WorkRow]:
        """The rows of the item and agency that the filters name."""
        item, agency = self.filters.item, self.filters.agency
        return [
            row
            for row in rows
            if (item is None or row.item == item) and (agency is None or row.agency == agency)
        ]


def read_source(request: Request, view: View) -> Source:
    """What the address of a request asks for, over the active plans."""
    session = view.session
    plans = known_plans(session)
    keys = [plan.key for plan in plans]
    first = min((plan.first_year for plan in plans), default=view.today.year)
    last = max((plan.last_year for plan in plans), default=view.today.year)
    years = range(first, last + 1)
    filters = read_filters(request, today=view.today, years=years, plans=keys)
    return Source(session, filters, view.now, is_past=view.is_past)


ITEM = (Column(title="Nhiệm vụ", width=12), Column(title="Kỳ", width=14))
AGENCY = Column(title="Cơ quan", width=34)
_WORK = (
    *(AGENCY, *ITEM),
    *(Column(title="Vai trò", width=11), Column(title="Tình trạng", width=26)),
    *(Column(title="Ô theo dõi", width=26), Column(title="Hạn", kind=Kind.DATE, width=12)),
    Column(title="Hạn ban đầu", kind=Kind.DATE, width=12),
    Column(title="Quá hạn (ngày làm việc)", kind=Kind.NUMBER, width=12),
    Column(title="Loại hạn", width=22),
    Column(title="Gửi ngày", kind=Kind.DATE, width=12),
    Column(title="Ngày hoàn thành", kind=Kind.DATE, width=12),
    Column(title="Ghi chú", width=34),
)


def said(source: Source, row: WorkRow) -> tuple[Value, ...]:
    return (row.agency_name, source.item(row), row.period_label)


def notes_of(row: WorkRow) -> str | None:
    facts = (
        (row.self_confirmed, "cơ quan điều phối tự xác nhận"),
        (row.late_entry, "cập nhật chậm"),
        (bool(row.extensions), f"gia hạn {row.extensions} lần"),
        (bool(row.returns), f"đề nghị bổ sung {row.returns} lần"),
        (row.round > 1, f"thực hiện lần thứ {row.round}"),
    )
    return "; ".join(text for holds, text in facts if holds) or None


def _overdue_days(source: Source, row: WorkRow) -> int | None:
    if row.timeliness is not Cell.OPEN_OVERDUE or row.plan not in source.states:
        return None
    asked = source.filters
    return workdays(source.states[row.plan].calendar, asked.scope.due_of(row), asked.cutoff)


def _work_line(source: Source, row: WorkRow) -> Line:
    values = (
        *said(source, row),
        "Chủ trì" if row.role is Role.LEAD else "Phối hợp",
        row.status_word,
        None if row.timeliness is None else CELL_WORDS[row.timeliness],
        row.due_on,
        row.original_due_on,
        _overdue_days(source, row),
        DATE_WORDS[row.authority],
        row.submitted_on,
        row.completed_on,
        notes_of(row),
    )
    return Line(values=values, href=f"/viec/{row.id}")


def _work_table(key: str, title: str, source: Source, rows: Iterable[WorkRow]) -> Table:
    lines = tuple(_work_line(source, row) for row in rows)
    empty = "Không có phân công nào theo các mục lọc này."
    return Table(key=key, title=title, columns=_WORK, lines=lines, empty=empty)


def _in_cell(row: WorkRow, cell: Cell) -> bool:
    provisional = cell is Cell.OPEN_IN_TIME and row.timeliness is Cell.PAST_PROVISIONAL
    return row.timeliness is cell or provisional


def _marked(row: WorkRow, mark: str) -> bool:
    if mark == "thuong-xuyen":
        return row.kind is ItemKind.CHECK_IN
    if mark == "tu-xac-nhan":
        done = row.timeliness in {Cell.DONE_IN_TIME, Cell.DONE_LATE}
        return row.self_confirmed and done
    return row.late_entry and row.timeliness is not None


def assignments(source: Source) -> Table:
    asked = source.filters
    lead_only = asked.cell is not None or asked.outside or asked.mark is not None
    role = Role.LEAD if lead_only else asked.role
    both = asked.added is None and not asked.scope.beside and not lead_only
    rows = scoped_rows(
        source.session,
        replace(asked.scope, added=None) if both else asked.scope,
        items=None if asked.item is None else [asked.item],
        agency=asked.agency,
        roles=None if role is None else [role],
    )
    kept = [
        row
        for row in rows
        if (asked.cell is None or _in_cell(row, asked.cell))
        and (not asked.outside or row.timeliness is None)
        and (asked.status is None or row.status is asked.status)
        and (asked.mark is None or _marked(row, asked.mark))
    ]
    return _work_table("phan-cong", f"Phân công {asked.period_words}", source, kept)


def soon(source: Source) -> Table:
    title = "Đến hạn trong 30 ngày tới"
    return _work_table("sap-den-han", title, source, source.narrowed(source.standing.soon()))


def urge(source: Source) -> Table:
    title = "Cần văn bản đôn đốc (đã nhắc hết các bậc)"
    return _work_table("don-doc", title, source, source.narrowed(source.standing.to_urge()))


def overdue(source: Source) -> Table:
    title = "Đang quá hạn, mọi kỳ"
    return _work_table("qua-han", title, source, source.narrowed(source.standing.overdue()))


def own(source: Source) -> Table:
    title = "Việc của cơ quan điều phối"
    return _work_table("viec-dieu-phoi", title, source, source.narrowed(source.standing.own()))


def narrowing(filters: Filters) -> tuple[str, ...]:
    """What a list was narrowed to, for its heading."""
    named = (
        CELL_WORDS[filters.cell] if filters.cell else None,
        "Ngoài bốn ô" if filters.outside else None,
        MARKS[filters.mark] if filters.mark else None,
        f"Nhiệm vụ {filters.item}" if filters.item else None,
        "Việc nêu tại Đề án, ngoài Phụ lục" if filters.beside else None,
        {True: "Giao bổ sung, ngoài Phụ lục", False: "Nhiệm vụ của Phụ lục"}.get(filters.added)
        if filters.added is not None
        else None,
        STATUS_WORDS[filters.status] if filters.status else None,
        {Role.LEAD: "Chủ trì", Role.PARTNER: "Phối hợp"}.get(filters.role)
        if filters.role
        else None,
    )
    return tuple(one for one in named if one)
