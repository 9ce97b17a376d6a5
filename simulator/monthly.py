"""Promises that read whole tables: each simulated month (rules 10, 13, 21, 32, 35, 39)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from models.tables import Assignment, Letter, LetterState, Occurrence, Submission
from operations.collecting import collect
from operations.dashboard import Scope, figures
from operations.outbox import digest_key
from operations.queries import WorkRow, work_list
from operations.state import fixed_dates, load_state, plan_keys
from rules.lifecycle import MOVABLE, Status
from rules.planning import openings
from rules.timeliness import Cell
from rules.values import Role

Check = Callable[[Session, date], Iterator[str]]
_OPEN = (LetterState.QUEUED, LetterState.HELD, LetterState.RETRYING, LetterState.DROPPED)
"""States of a digest that takes more lines."""


def statuses_are_legal(session: Session, _day: date) -> Iterator[str]:
    """(20) Confirmed work was submitted in its round; submitted work has its result."""
    filed = aliased(Submission)
    query = (
        select(Assignment.id, Assignment.status)
        .outerjoin(
            filed, (filed.assignment_id == Assignment.id) & (filed.round == Assignment.round)
        )
        .where(
            Assignment.status.in_((Status.SUBMITTED.value, Status.CONFIRMED.value)),
            Assignment.role == Role.LEAD.value,
            filed.id.is_(None),
        )
    )
    for number, status in session.execute(query):
        yield f"assignment {number} is {status} without a result in its round"
    query = select(Assignment.id, Assignment.status).where(
        Assignment.status == Status.CONFIRMED.value,
        Assignment.confirmed_by == Assignment.submitted_by,
    )
    for number, _ in session.execute(query):
        yield f"assignment {number} was confirmed by whoever submitted it"


def one_occurrence_for_each_key(session: Session, _day: date) -> Iterator[str]:
    """(10) By plan, item and period."""
    key = (Occurrence.plan_key, Occurrence.item_key, Occurrence.period_key)
    for row in session.execute(select(*key, func.count()).group_by(*key).having(func.count() > 1)):
        yield f"{' '.join(row[:3])}: {row[3]} occurrences"
    query = (
        select(Occurrence.item_key, Occurrence.period_key)
        .outerjoin(Assignment, Assignment.occurrence_id == Occurrence.id)
        .where(Assignment.id.is_(None))
    )
    for item, period in session.execute(query):
        yield f"{item} · {period}: an occurrence of nobody"


def what_moved_has_a_successor(session: Session, _day: date) -> Iterator[str]:
    """(35) In the same occurrence, and nothing else has one."""
    heir = aliased(Assignment)
    query = select(
        Assignment.id, Assignment.status, Assignment.occurrence_id, heir.id, heir.occurrence_id
    ).outerjoin(heir, heir.id == Assignment.successor_id)
    moved = Status.TRANSFERRED.value
    rows = session.execute(
        query.where((Assignment.status == moved) | Assignment.successor_id.is_not(None))
    )
    for number, status, occurrence, successor, place in rows:
        if status == moved and successor is None:
            yield f"assignment {number} moved on to nobody"
        elif successor is not None and place != occurrence:
            yield f"assignment {number} moved on into another period"
        elif successor == number:
            yield f"assignment {number} moved on to itself"


def cells_sum_up(session: Session, day: date) -> Iterator[str]:
    """(21) Each lead's row stands in one cell or outside, by whichever way it is counted."""
    for plan in plan_keys(session):
        rows = [
            row
            for row in work_list(session, as_of=day, plan=plan)
            if row.role is Role.LEAD and row.opens_on <= day
        ]
        counted: Counter[Cell] = Counter(row.timeliness for row in rows if row.timeliness)
        outside = sum(row.timeliness is None for row in rows)
        counted[Cell.OPEN_IN_TIME] += counted[Cell.PAST_PROVISIONAL]  # counted with it (rule 17)
        whole = figures(session, Scope(cutoff=day, plan=plan, added=None))
        cells = Counter({cell: count for cell, count in whole.cells.items() if count})
        if cells != +counted or whole.outside != outside:
            yield (
                f"{plan}: {dict(cells)} and {whole.outside} in the figures, "
                f"{dict(+counted)} and {outside} in the rows"
            )


def still_owed(session: Session, day: date) -> Iterator[str]:
    """(28) What a sweep would queue now, but for mailboxes whose digest has gone."""
    owed = collect(session, day)
    for address, parcel in owed.parcels.items():
        state = session.scalar(select(Letter.state).where(Letter.key == digest_key(day, address)))
        if parcel.rungs and (state is None or state in _OPEN):
            yield f"{address} is owed {len(parcel.rungs)} reminders after a sweep"
    if owed.at_once:
        yield f"{len(owed.at_once)} letters that go at once are owed after a sweep"


def other_rows(
    then: Sequence[WorkRow], told: Sequence[WorkRow], instant: datetime
) -> Iterator[str]:
    """(39) Where the list as known at ``instant`` differs from what it was."""
    before, now = ({row.id: row for row in rows} for rows in (then, told))
    for number in sorted(before.keys() ^ now.keys()):
        yield f"assignment {number} is {'gone from' if number in before else 'new in'} the past of {instant}"
    for number in sorted(before.keys() & now.keys()):
        names = [
            name
            for name in WorkRow.__slots__
            if getattr(before[number], name) != getattr(now[number], name)
        ]
        if names:
            yield f"assignment {number} in the past of {instant} differs in {', '.join(names)}"


def everything_due_is_open(session: Session, day: date) -> Iterator[str]:
    """(10, 11) After a run that came to its end, no period is missing."""
    for plan in plan_keys(session):
        state = load_state(session, plan)
        there = select(Occurrence.item_key, Occurrence.period_key).where(
            Occurrence.plan_key == plan
        )
        missing = openings(
            state.plan,
            state.directory,
            state.calendar,
            existing={(item, period) for item, period in session.execute(there)},
            fixed=fixed_dates(session, plan),
            tracking_start=state.tracking_start,
            as_of=day,
        )
        for one in missing:
            yield f"{one.item.key} · {one.period.key} should be open since {one.opens_on}"


def no_ended_agency_owns_open_work(session: Session, day: date) -> Iterator[str]:
    """(35) It has moved on, or ended with the agency."""
    for plan in plan_keys(session):
        directory = load_state(session, plan).directory
        gone = {one.predecessor for one in directory.successions if one.effective_on <= day}
        for row in work_list(session, as_of=day, plan=plan):
            if row.status in MOVABLE and row.agency in gone:
                entries = directory.successors_of(row.agency, day)
                if any(not one.items or row.item in one.items for one in entries):
                    yield f"assignment {row.id} is {row.status} with {row.agency}, which has ended"


AT_THE_END: tuple[Check, ...] = (everything_due_is_open, no_ended_agency_owns_open_work)
"""Asked after one more run of everything."""

CHECKS: tuple[Check, ...] = (
    statuses_are_legal,
    one_occurrence_for_each_key,
    what_moved_has_a_successor,
    cells_sum_up,
)
