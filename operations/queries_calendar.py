"""The calendar of every item: what is in force, and the next periods on their days (rules 4, 17)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Occurrence
from operations.state import PlanState, fixed_dates
from rules.planning import FixedDate
from rules.recurrence import Scheduled, expand
from rules.values import DateAuthority, Item, Ladder
from rules.workdays import OutsideHorizon

SHOWN = 3
"""Periods that are shown of each item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodDates:
    """One period: ``nominal`` is what the calendar or a document asks for, ``due_on`` the working
    day it means, None outside the known days. ``occurrence`` None while it has not opened."""

    key: str
    label: str
    opens_on: date
    nominal: date
    due_on: date | None
    authority: DateAuthority
    document: str | None
    occurrence: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemDates:
    """An item with its ladder and the periods that are due from a day on."""

    item: Item
    ladder: Ladder | None
    periods: tuple[PeriodDates, ...]


def item_dates(session: Session, state: PlanState, as_of: date) -> list[ItemDates]:
    """Every item of the decision with its next periods, those that are due from ``as_of`` on."""
    plan = state.plan
    fixed = fixed_dates(session, plan.key)
    query = select(Occurrence).where(Occurrence.plan_key == plan.key)
    opened = {(row.item_key, row.period_key): row for row in session.scalars(query)}
    found = []
    for item in plan.decided:
        periods = [
            _period(
                state,
                item,
                one,
                fixed.get((item.key, one.period.key)),
                opened.get((item.key, one.period.key)),
            )
            for one in expand(item.calendar, plan.first_year, plan.last_year)
        ]
        coming = [one for one in periods if (one.due_on or one.nominal) >= as_of]
        ladder = plan.ladders.get(item.calendar.ladder)
        found.append(ItemDates(item=item, ladder=ladder, periods=tuple(coming[:SHOWN])))
    return found


def _period(
    state: PlanState,
    item: Item,
    one: Scheduled,
    fixed: FixedDate | None,
    occurrence: Occurrence | None,
) -> PeriodDates:
    nominal = fixed.due_on if fixed else one.nominal_due_on
    opens_on = fixed.opens_on if fixed and fixed.opens_on else one.opens_on
    try:
        due_on: date | None = state.calendar.roll(nominal, item.calendar.roll)
    except OutsideHorizon:
        due_on = None
    if occurrence is not None:
        nominal, due_on = occurrence.nominal_due_on, occurrence.due_on
        opens_on = occurrence.opens_on
    return PeriodDates(
        key=one.period.key,
        label=one.period.label,
        opens_on=opens_on,
        nominal=nominal,
        due_on=due_on,
        authority=fixed.authority if fixed else item.calendar.authority,
        document=fixed.document.code if fixed else None,
        occurrence=None if occurrence is None else occurrence.id,
    )
