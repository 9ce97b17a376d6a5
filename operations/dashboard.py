"""The figures of "Tổng quan tiến độ" as values: the four cells of a period, and what waits.

Nothing here changes anything. The four cells come from one query that groups equal facts; which
cell they stand in is said by ``rules.timeliness`` alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.tables import Assignment, Occurrence
from operations.queries import WorkRow, work_list
from rules.added import ADDED_PREFIX, BESIDE_PREFIX, is_added, is_beside
from rules.lifecycle import OPEN, Status
from rules.periods import Period
from rules.timeliness import Cell, Work, cell_on
from rules.values import DateAuthority, ItemKind, PeriodKind, Role, TrackingMode

STANDING = OPEN | {Status.SUBMITTED, Status.SUSPENDED}
"""A lead's work that is not finished."""
SOON = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which work is counted, and as of which day.

    ``year`` keeps the periods of that year; with ``quarter`` it is the work due within that
    quarter. ``original`` counts by the first due date instead of the one in force (rule 4).
    Work outside the appendix is left out, for it is counted apart (rules 41, 44), unless ``added``
    asks for what was added alone (True) or for everything (None), or ``beside`` for what the
    decision itself asks for outside its appendix. A ``cutoff`` in the past leaves out what opened later and takes what was completed later for
    unfinished, by what is known now; None for both is everything.
    """

    cutoff: date
    plan: str | None = None
    year: int | None = None
    quarter: int | None = None
    original: bool = False
    added: bool | None = False
    beside: bool = False

    @property
    def span(self) -> tuple[date, date] | None:
        """The first and the last day of the quarter asked for."""
        if self.year is None or self.quarter is None:
            return None
        found = Period(PeriodKind.QUARTER, self.year, self.quarter)
        return found.first_day, found.last_day

    def due_of(self, row: WorkRow) -> date:
        """The date that counts."""
        return row.original_due_on if self.original else row.due_on

    def keeps(self, row: WorkRow) -> bool:
        """Whether a row of the right plan and year is counted."""
        span = self.span
        within = span is None or span[0] <= self.due_of(row) <= span[1]
        return within and self._wants(row.item) and row.opens_on <= self.cutoff

    def _wants(self, item: str) -> bool:
        if self.beside:
            return is_beside(item)
        return self.added is None or (self.added is is_added(item) and not is_beside(item))

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """The same for a query over assignments and occurrences."""
        yield Occurrence.opens_on <= self.cutoff
        if self.plan is not None:
            yield Occurrence.plan_key == self.plan
        beside = Occurrence.item_key.startswith(BESIDE_PREFIX)
        if self.beside:
            yield beside
        elif self.added is not None:
            outside = Occurrence.item_key.startswith(ADDED_PREFIX)
            yield outside if self.added else ~outside & ~beside
        span = self.span
        if span is not None:
            due = Assignment.original_due_on if self.original else Assignment.due_on
            yield due.between(*span)
        elif self.year is not None:
            yield Occurrence.period_first.between(date(self.year, 1, 1), date(self.year, 12, 31))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """``count`` leads' rows with equal facts; ``keys`` are the columns that were asked for."""

    keys: tuple[Any, ...]
    cell: Cell | None
    status: Status
    kind: ItemKind
    self_confirmed: bool
    late_entry: bool
    count: int
    first_id: int


def tallies(
    session: Session, scope: Scope, *columns: InstrumentedAttribute[Any]
) -> Iterator[Tally]:
    """The leads' rows of ``scope``, equal facts counted together, by ``columns``: one query."""
    due = Assignment.original_due_on if scope.original else Assignment.due_on
    facts = (
        *(Assignment.status, Occurrence.kind, Occurrence.mode, Assignment.authority, due),
        *(Assignment.completed_on, Assignment.respond_by, Assignment.suspended_on),
        *(Assignment.self_confirmed, Assignment.late_entry),
    )
    query = (
        select(*columns, *facts, func.count(), func.min(Assignment.id))
        .join_from(Assignment, Occurrence, Occurrence.id == Assignment.occurrence_id)
        .where(Assignment.role == Role.LEAD.value, *scope.conditions())
        .group_by(*columns, *facts)
    )
    for row in session.execute(query):
        yield _tally(tuple(row), len(columns), scope.cutoff)


def _tally(row: tuple[Any, ...], width: int, cutoff: date) -> Tally:
    status, kind, mode, authority, due, done, respond_by, suspended, own, late = row[width:-2]
    work = Work(
        status=Status(status),
        status_before=None,
        kind=ItemKind(kind),
        mode=TrackingMode(mode),
        provisional=authority == DateAuthority.PROVISIONAL,
        due_on=due,
        completed_on=done,
        respond_by=respond_by,
        suspended_on=suspended,
    )
    return Tally(
        keys=row[:width],
        cell=cell_on(work, cutoff),
        status=work.status,
        kind=work.kind,
        self_confirmed=own,
        late_entry=late,
        count=row[-2],
        first_id=row[-1],
    )


@dataclass(slots=True)
class Figures:
    """The four cells and what is counted apart from them.

    ``cells`` counts a passed provisional date with the open work that is in time and under its
    own word as well (rule 17). ``own`` are those of them that the coordinator confirmed itself
    (rule 20). ``check_ins`` and ``answered`` make the update rate (rule 16).
    """

    cells: Counter[Cell] = field(default_factory=Counter)
    own: Counter[Cell] = field(default_factory=Counter)
    late_entry: int = 0
    outside: int = 0
    check_ins: int = 0
    answered: int = 0

    @property
    def total(self) -> int:
        """Everything within the four cells."""
        return sum(count for key, count in self.cells.items() if key is not Cell.PAST_PROVISIONAL)

    def add(self, one: Tally) -> None:
        """Count some rows."""
        if one.kind is ItemKind.CHECK_IN:
            self.check_ins += one.count
            self.answered += one.count if one.status is Status.CONFIRMED else 0
        if one.cell is None:
            self.outside += one.count
            return
        self.cells[one.cell] += one.count
        if one.cell is Cell.PAST_PROVISIONAL:
            self.cells[Cell.OPEN_IN_TIME] += one.count
        if one.cell in {Cell.DONE_IN_TIME, Cell.DONE_LATE}:
            self.own[one.cell] += one.count if one.self_confirmed else 0
        self.late_entry += one.count if one.late_entry else 0


def figures(session: Session, scope: Scope) -> Figures:
    """The four cells of ``scope``."""
    return total(tallies(session, scope))


def total(found: Iterable[Tally]) -> Figures:
    """Tallies added up."""
    counted = Figures()
    for one in found:
        counted.add(one)
    return counted


def figures_by(
    session: Session, scope: Scope, *columns: InstrumentedAttribute[Any]
) -> dict[tuple[Any, ...], Figures]:
    """The four cells by ``columns``."""
    counted: dict[tuple[Any, ...], Figures] = {}
    for one in tallies(session, scope, *columns):
        counted.setdefault(one.keys, Figures()).add(one)
    return counted


def scoped_rows(
    session: Session,
    scope: Scope,
    *,
    items: Collection[str] | None = None,
    agency: str | None = None,
    roles: Collection[Role] | None = (Role.LEAD,),
) -> list[WorkRow]:
    """The rows behind the figures, with the cell that they were counted in."""
    rows = work_list(
        session,
        as_of=scope.cutoff,
        plan=scope.plan,
        year=None if scope.quarter else scope.year,
        items=items,
        agency=agency,
        roles=roles,
    )
    suspended = _suspended(session) if scope.original else {}
    return [_counted(row, scope, suspended.get(row.id)) for row in rows if scope.keeps(row)]


def _suspended(session: Session) -> dict[int, date | None]:
    query = select(Assignment.id, Assignment.suspended_on).where(
        Assignment.status == Status.SUSPENDED.value
    )
    return {row.id: row.suspended_on for row in session.execute(query)}


def _counted(row: WorkRow, scope: Scope, suspended_on: date | None) -> WorkRow:
    later = row.completed_on is not None and row.completed_on > scope.cutoff
    if row.role is not Role.LEAD or not (scope.original or later):
        return row
    work = Work(
        status=row.status,
        status_before=None,
        kind=row.kind,
        mode=row.mode,
        provisional=row.provisional,
        due_on=scope.due_of(row),
        completed_on=row.completed_on,
        respond_by=row.respond_by,
        suspended_on=suspended_on,
    )
    return replace(row, timeliness=cell_on(work, scope.cutoff))
