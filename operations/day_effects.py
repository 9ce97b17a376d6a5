"""What other days off would change, looked at before anything is written (rule 3).

Applying a correction carries out exactly what stands here, so that a preview of it is what comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.tables import Assignment, Occurrence
from operations.state import PlanState, fixed_dates, load_state, plan_keys
from operations.transition import Work, next_reminder
from rules.lifecycle import MOVABLE, REMINDED
from rules.periods import Period
from rules.recurrence import expand
from rules.values import Roll
from rules.workdays import OutsideHorizon, WorkCalendar


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOrder:
    """What a document says of one day; ``field`` is the field of a form that it came in."""

    day: date
    working: bool
    field: str = "day"


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedDate:
    """A date of open work that gives way to a day off; ``name`` is its column."""

    assignment: int
    plan: str
    item: str
    period_label: str
    agency_name: str
    name: str
    before: date
    after: date


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedReminder:
    """The next reminder of open work on another day; None for the day: none is left."""

    assignment: int
    item: str
    period_label: str
    agency_name: str
    before: date | None
    after: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComingDate:
    """A period that has not opened yet and will open with another due date."""

    plan: str
    item: str
    period_label: str
    before: date
    after: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DayEffects:
    """All that follows from some corrections together."""

    moved: tuple[MovedDate, ...] = ()
    reminders: tuple[MovedReminder, ...] = ()
    coming: tuple[ComingDate, ...] = ()


def corrected(calendar: WorkCalendar, orders: Sequence[DayOrder]) -> WorkCalendar:
    """``calendar`` once these days are as the document says."""
    off = set(calendar.days_off) | {one.day for one in orders if not one.working}
    worked = set(calendar.worked) | {one.day for one in orders if one.working}
    return WorkCalendar(
        days_off=off - {one.day for one in orders if one.working},
        worked=worked - {one.day for one in orders if not one.working},
        first=calendar.first,
        last=calendar.last,
    )


def day_effects(session: Session, orders: Sequence[DayOrder], as_of: date) -> DayEffects:
    """What these corrections would do to open work, and to periods due from ``as_of`` on."""
    moved: list[MovedDate] = []
    reminders: list[MovedReminder] = []
    coming: list[ComingDate] = []
    for key in plan_keys(session):
        before = load_state(session, key)
        after = replace(before, calendar=corrected(before.calendar, orders))
        rolled = list(_moved(session, before, after, orders))
        moved += rolled
        reminders += _reminders(session, after, rolled)
        coming += _coming(session, before, after, as_of)
    return DayEffects(moved=tuple(moved), reminders=tuple(reminders), coming=tuple(coming))


def _moved(
    session: Session, before: PlanState, after: PlanState, orders: Sequence[DayOrder]
) -> Iterator[MovedDate]:
    off = [one.day for one in orders if not one.working]
    rows = session.execute(
        select(Assignment, Occurrence)
        .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
        .where(
            Occurrence.plan_key == before.plan.key,
            or_(Assignment.due_on.in_(off), Assignment.respond_by.in_(off)),
            Assignment.status.in_([status.value for status in MOVABLE]),
        )
        .order_by(Assignment.id)
        .execution_options(populate_existing=True)
    ).all()
    unrolled = {one.key for one in before.plan.every_item if one.calendar.roll is Roll.NONE}
    for row, occurrence in rows:
        if occurrence.item_key in unrolled:
            continue
        for name in ("due_on", "respond_by"):
            day = getattr(row, name)
            if day in off:
                yield MovedDate(
                    assignment=row.id,
                    plan=before.plan.key,
                    item=occurrence.item_key,
                    period_label=Period.parse(occurrence.period_key).label,
                    agency_name=row.agency_name,
                    name=name,
                    before=day,
                    after=after.calendar.next_working(day),
                )


def _reminders(
    session: Session, after: PlanState, moved: Sequence[MovedDate]
) -> Iterator[MovedReminder]:
    dates = {(one.assignment, one.name): one.after for one in moved}
    rows = session.execute(
        select(Assignment, Occurrence)
        .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
        .where(
            Occurrence.plan_key == after.plan.key,
            Assignment.status.in_([status.value for status in REMINDED]),
        )
        .order_by(Assignment.id)
    ).all()
    for row, occurrence in rows:
        found = next_reminder(
            Work(state=after, occurrence=occurrence, assignment=row),
            due_on=dates.get((row.id, "due_on"), row.due_on),
            respond_by=dates.get((row.id, "respond_by"), row.respond_by),
        )
        if found != row.next_reminder_on:
            yield MovedReminder(
                assignment=row.id,
                item=occurrence.item_key,
                period_label=Period.parse(occurrence.period_key).label,
                agency_name=row.agency_name,
                before=row.next_reminder_on,
                after=found,
            )


def _coming(
    session: Session, before: PlanState, after: PlanState, as_of: date
) -> Iterator[ComingDate]:
    plan = before.plan
    fixed = fixed_dates(session, plan.key)
    query = select(Occurrence.item_key, Occurrence.period_key)
    opened = {
        (one, two) for one, two in session.execute(query.where(Occurrence.plan_key == plan.key))
    }
    for item in plan.decided:
        for one in expand(item.calendar, plan.first_year, plan.last_year):
            key = (item.key, one.period.key)
            nominal = fixed[key].due_on if key in fixed else one.nominal_due_on
            if key in opened or nominal < as_of:
                continue
            try:
                days = [
                    state.calendar.roll(nominal, item.calendar.roll) for state in (before, after)
                ]
            except OutsideHorizon:
                continue
            if days[0] != days[1]:
                yield ComingDate(
                    plan=plan.key,
                    item=item.key,
                    period_label=one.period.label,
                    before=days[0],
                    after=days[1],
                )
