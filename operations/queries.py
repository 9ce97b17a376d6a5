"""Read-only views of work as values, for pages and the command line alike.

Nothing here changes anything; whoever calls decides what a person may see (rule 46).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from models.tables import Assignment, Occurrence
from operations.queries_history import HistoryFilter, HistoryLine, history, history_of
from rules.actors import Standing
from rules.events import plain
from rules.late_start import imported_word
from rules.lifecycle import OPEN, RETURNED_WORD, STATUS_WORDS, Status
from rules.periods import Period
from rules.timeliness import Cell, Work, cell
from rules.values import DateAuthority, ItemKind, LeadMode, Role, TrackingMode

__all__ = [
    "HistoryFilter",
    "HistoryLine",
    "WorkRow",
    "by_urgency",
    "cell_counts",
    "history",
    "history_of",
    "standing_of",
    "work_list",
    "work_one",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkRow:
    """One assignment as lists show it. Dates are business dates, instants UTC.

    ``timeliness`` is None for what stands outside the four cells, partners among them.
    """

    id: int
    occurrence: int
    plan: str
    plan_version: int
    item: str
    period: str
    kind: ItemKind
    mode: TrackingMode
    lead_mode: LeadMode
    milestone: str | None
    agency: str
    agency_name: str
    role: Role
    status: Status
    timeliness: Cell | None
    nominal_due_on: date
    original_due_on: date
    due_on: date
    opens_on: date
    authority: DateAuthority
    document_code: str | None
    respond_by: date | None
    submitted_at: datetime | None
    submitted_on: date | None
    completed_on: date | None
    late_entry: bool
    confirmed_at: datetime | None
    confirmed_by: str | None
    self_confirmed: bool
    extensions: int
    round: int
    returns: int
    handler: str | None
    request_text: str | None
    request_form: str | None
    request_document: str | None
    requested_by: str | None
    submitted_by: str | None
    updated_at: datetime
    updated_by: str
    version: int

    @property
    def provisional(self) -> bool:
        """Whether no document fixed the date yet (rule 17)."""
        return self.authority is DateAuthority.PROVISIONAL

    @property
    def returned(self) -> bool:
        """Whether the result came back and was not submitted again (rule 22)."""
        return self.role is Role.LEAD and self.status in OPEN and self.respond_by is not None

    @property
    def overdue(self) -> bool:
        """Whether it counts as overdue: never so for a provisional date (rule 17)."""
        return self.timeliness is Cell.OPEN_OVERDUE

    @property
    def asked_by(self) -> date:
        """The day that reminders speak of: the day to respond where there is one."""
        return self.respond_by or self.due_on

    @property
    def status_word(self) -> str:
        """The status as people read it; what came by import says so (rule 19)."""
        if self.returned:
            return RETURNED_WORD
        if self.mode is TrackingMode.IMPORTED:
            return imported_word(self.status)
        return STATUS_WORDS[self.status]

    @property
    def period_label(self) -> str:
        """The period as people read it: "năm 2027"."""
        return _label(self.period)

    def as_json(self) -> dict[str, object]:
        """The documented contract of ``work list --json``: ISO dates, UTC instants, words."""
        return {
            "id": self.id,
            "plan": self.plan,
            "item": self.item,
            "period": self.period,
            "agency": self.agency,
            "agency_name": self.agency_name,
            "role": self.role.value,
            "status": self.status.value,
            "timeliness": None if self.timeliness is None else self.timeliness.value,
            "nominal_due_on": plain(self.nominal_due_on),
            "original_due_on": plain(self.original_due_on),
            "due_on": plain(self.due_on),
            "opens_on": plain(self.opens_on),
            "provisional": self.provisional,
            "submitted_at": plain(self.submitted_at),
            "confirmed_at": plain(self.confirmed_at),
            "extensions": self.extensions,
            "round": self.round,
        }


@lru_cache(maxsize=256)
def _label(period: str) -> str:
    """Lists say the same few periods again and again."""
    return Period.parse(period).label


def work_list(
    session: Session,
    *,
    as_of: date,
    plan: str | None = None,
    items: Iterable[str] | None = None,
    periods: Iterable[str] | None = None,
    year: int | None = None,
    agency: str | None = None,
    roles: Iterable[Role] | None = None,
    statuses: Iterable[Status] | None = None,
    cells: Iterable[Cell] | None = None,
    occurrence: int | None = None,
) -> list[WorkRow]:
    """The assignments that fit every filter given, by due date, item and agency.

    ``year`` keeps the periods that lie in that year. ``cells`` are those of ``as_of``.
    """
    query = work_rows()
    if plan is not None:
        query = query.where(Occurrence.plan_key == plan)
    if items is not None:
        query = query.where(Occurrence.item_key.in_(list(items)))
    if periods is not None:
        query = query.where(Occurrence.period_key.in_(list(periods)))
    if year is not None:
        within = (Occurrence.period_key == str(year), Occurrence.period_key.like(f"{year}-%"))
        query = query.where(or_(*within))
    if agency is not None:
        query = query.where(Assignment.agency_key == agency)
    if roles is not None:
        query = query.where(Assignment.role.in_([one.value for one in roles]))
    if statuses is not None:
        query = query.where(Assignment.status.in_([one.value for one in statuses]))
    if occurrence is not None:
        query = query.where(Occurrence.id == occurrence)
    result = session.execute(query)
    names = tuple(result.keys())
    # Plain dictionaries: a row's own mapping looks each name up anew, and lists are long.
    found = [work_row(dict(zip(names, row, strict=True)), as_of) for row in result]
    if cells is None:
        return found
    wanted = frozenset(cells)
    return [row for row in found if row.timeliness in wanted]


def work_one(session: Session, assignment_id: int, *, as_of: date) -> WorkRow | None:
    """The assignment with this id, None when there is none."""
    query = work_rows().where(Assignment.id == assignment_id)
    found = session.execute(query).mappings().one_or_none()
    return None if found is None else work_row(found, as_of)


_SAME = (
    *("id", "agency_name", "nominal_due_on", "original_due_on", "due_on", "document_code"),
    *("respond_by", "submitted_at", "submitted_on", "submitted_by", "completed_on", "late_entry"),
    *("confirmed_at", "confirmed_by", "self_confirmed", "extensions", "round", "returns"),
    *(
        "handler",
        "request_text",
        "request_form",
        "request_document",
        "requested_by",
        "updated_at",
        "updated_by",
    ),
    "version",
)
"""Columns of an assignment that a row shows as they are."""
_READ = (*_SAME, "agency_key", "role", "status", "status_before", "authority", "suspended_on")
_OF_OCCURRENCE = ("plan_key", "plan_version", "item_key", "period_key", "kind", "mode", "lead_mode")


def work_rows() -> Select[Any]:
    own, above = Assignment.__table__.c, Occurrence.__table__.c
    return (
        select(
            *(own[name] for name in _READ),
            *(above[name] for name in (*_OF_OCCURRENCE, "milestone", "opens_on")),
            above.id.label("occurrence"),
        )
        .join_from(Assignment, Occurrence, Occurrence.id == Assignment.occurrence_id)
        .order_by(Assignment.due_on, Occurrence.item_key, Assignment.agency_name, Assignment.id)
    )


def work_row(values: Mapping[Any, Any], as_of: date) -> WorkRow:
    """A row as lists show it, from the columns of an assignment and its occurrence."""
    return WorkRow(
        occurrence=values["occurrence"],
        plan=values["plan_key"],
        plan_version=values["plan_version"],
        item=values["item_key"],
        period=values["period_key"],
        kind=ItemKind(values["kind"]),
        mode=TrackingMode(values["mode"]),
        lead_mode=LeadMode(values["lead_mode"]),
        milestone=values["milestone"],
        opens_on=values["opens_on"],
        agency=values["agency_key"],
        role=Role(values["role"]),
        status=Status(values["status"]),
        authority=DateAuthority(values["authority"]),
        timeliness=_timeliness(values, as_of),
        **{name: values[name] for name in _SAME},
    )


def _timeliness(values: Mapping[Any, Any], as_of: date) -> Cell | None:
    if values["role"] != Role.LEAD:
        return None
    before = values["status_before"]
    return cell(
        Work(
            status=Status(values["status"]),
            status_before=None if before is None else Status(before),
            kind=ItemKind(values["kind"]),
            mode=TrackingMode(values["mode"]),
            provisional=values["authority"] == DateAuthority.PROVISIONAL,
            due_on=values["due_on"],
            completed_on=values["completed_on"],
            respond_by=values["respond_by"],
            suspended_on=values["suspended_on"],
        ),
        as_of,
    )


_RANKS = {Cell.OPEN_OVERDUE: 0, Cell.PAST_PROVISIONAL: 2}


def by_urgency(rows: Iterable[WorkRow]) -> list[WorkRow]:
    """Overdue first (the longest first), then returned, then by the day asked for."""

    def order(row: WorkRow) -> tuple[int, date, str, int]:
        rank = _RANKS.get(row.timeliness or Cell.OPEN_IN_TIME, 3)
        rank = min(rank, 1) if row.returned else rank
        return (rank, row.asked_by, row.item, row.id)

    return sorted(rows, key=order)


def cell_counts(rows: Iterable[WorkRow]) -> Counter[Cell]:
    """How many rows stand in each cell; a passed provisional date counts as in time (rule 17),
    and is counted under its own word as well. Callers count added work apart (rule 44)."""
    counted: Counter[Cell] = Counter()
    for row in rows:
        if row.timeliness is None:
            continue
        counted[row.timeliness] += 1
        if row.timeliness is Cell.PAST_PROVISIONAL:
            counted[Cell.OPEN_IN_TIME] += 1
    return counted


def standing_of(session: Session, row: WorkRow, coordinator: str) -> Standing:
    """The facts from which the capacities towards ``row`` follow; see ``rules.actors``."""
    leads: Sequence[str] = ()
    if row.role is Role.PARTNER:
        leads = session.scalars(
            select(Assignment.agency_key).where(
                Assignment.occurrence_id == row.occurrence, Assignment.role == Role.LEAD.value
            )
        ).all()
    return Standing(
        agency=row.agency,
        partner=row.role is Role.PARTNER,
        leads=frozenset(leads),
        coordinator=coordinator,
    )
