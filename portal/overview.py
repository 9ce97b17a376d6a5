"""The figures and lists of "Tổng quan tiến độ", as values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from operations.queries import WorkRow, by_urgency, cell_counts, work_list, work_one
from operations.queries_detail import extensions, obstacles
from operations.queries_views import ExtensionView, ObstacleView
from operations.state import plan_keys
from portal.views import Card, Reader
from portal.words import workdays
from rules.lifecycle import Status
from rules.timeliness import Cell, confirmer_days
from rules.values import Role

LISTED = 100
"""Rows of one list; the rest is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A result that waits for confirmation: for how long, and how long over what is allowed."""

    card: Card
    days: int
    over: int
    own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request or an obstacle beside the work it speaks of."""

    card: Card
    request: ExtensionView | ObstacleView


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What somebody who follows everybody's work sees first."""

    year: int
    counts: Counter[Cell]
    outside: int
    """Leads' rows outside the four cells: check-ins, recorded years, ended work."""
    overdue: tuple[tuple[Card, ...], ...]
    """By item, period and due date, the longest overdue first."""
    overdue_count: int
    waiting: tuple[Waiting, ...]
    requests: tuple[Asked, ...]
    stuck: tuple[Asked, ...]
    provisional: Mapping[tuple[str, str, str], int]
    """How many open rows have a provisional date, by plan code, item and period label."""
    several_plans: bool


def overview(session: Session, as_of: date, year: int) -> Overview:
    """The four cells of ``year`` and what waits for somebody, whichever year it is of."""
    reader = Reader(session, as_of)
    leads = work_list(session, as_of=as_of, year=year, roles=[Role.LEAD])
    late = by_urgency(work_list(session, as_of=as_of, cells=[Cell.OPEN_OVERDUE]))
    submitted = work_list(session, as_of=as_of, statuses=[Status.SUBMITTED])
    return Overview(
        year=year,
        counts=cell_counts(leads),
        outside=sum(1 for row in leads if row.timeliness is None),
        overdue=_grouped(reader, late),
        overdue_count=len(late),
        waiting=tuple(_waiting(reader, row) for row in _longest_first(submitted)),
        requests=_asked(session, reader, extensions(session, states=("asked", "proposed"))),
        stuck=_asked(session, reader, obstacles(session, states=("raised", "consolidated"))),
        provisional=_provisional(reader, leads),
        several_plans=len(plan_keys(session)) > 1,
    )


def _grouped(reader: Reader, rows: list[WorkRow]) -> tuple[tuple[Card, ...], ...]:
    groups: dict[tuple[object, ...], list[WorkRow]] = {}
    for row in rows:
        groups.setdefault((row.due_on, row.plan, row.item, row.period), []).append(row)
    return tuple(reader.cards(groups[key]) for key in groups)


def _longest_first(rows: list[WorkRow]) -> list[WorkRow]:
    return sorted(rows, key=lambda row: (row.submitted_on or row.due_on, row.id))[:LISTED]


def _waiting(reader: Reader, row: WorkRow) -> Waiting:
    state, since = reader.state(row.plan), row.submitted_on or reader.as_of
    allowed = state.plan.policies.confirm_workdays
    return Waiting(
        card=reader.card(row),
        days=workdays(state.calendar, since, reader.as_of) or 0,
        over=confirmer_days(since, reader.as_of, state.calendar, allowed=allowed),
        own=row.agency == state.coordinator(reader.as_of),
    )


def _asked(
    session: Session, reader: Reader, found: tuple[ExtensionView | ObstacleView, ...]
) -> tuple[Asked, ...]:
    asked = []
    for one in found[:LISTED]:
        row = (
            None
            if one.assignment is None
            else work_one(session, one.assignment, as_of=reader.as_of)
        )
        if row is not None:
            asked.append(Asked(card=reader.card(row), request=one))
    return tuple(reversed(asked))


def _provisional(reader: Reader, rows: list[WorkRow]) -> Mapping[tuple[str, str, str], int]:
    counted: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        if row.provisional and row.timeliness in {Cell.OPEN_IN_TIME, Cell.PAST_PROVISIONAL}:
            code = reader.state(row.plan).plan.short_code
            counted[code, row.item, row.period_label] += 1
    return counted
