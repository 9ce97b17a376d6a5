"""What a catalog means on a day: who leads, what opens and falls due next, on what basis."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from rules.directory import Directory, parties_on
from rules.recurrence import expand
from rules.values import DateAuthority, Item, ItemKind, LeadMode, Plan
from rules.workdays import WorkCalendar


@dataclass(frozen=True, slots=True, kw_only=True)
class NextDate:
    """The next day of its kind: the period, the day, and the calendar's own day before rolling."""

    period: str
    """For people: ``năm 2027``."""
    day: date
    nominal: date
    milestone: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemMeaning:
    """An item as of a day. ``leads`` and ``partners`` are names of agencies of that day."""

    key: str
    task: str
    kind: ItemKind
    lead_mode: LeadMode
    leads: tuple[str, ...]
    partners: tuple[str, ...]
    next_opening: NextDate | None
    next_due: NextDate | None
    authority: DateAuthority
    fixed_by: str | None
    ladder: str
    calendar_basis: str
    parties_basis: str


def describe_plan(
    plan: Plan, directory: Directory, calendar: WorkCalendar, as_of: date
) -> tuple[ItemMeaning, ...]:
    """What each item means on ``as_of``; a date of today still counts as next.

    None stands for no further date within the plan. ``OutsideHorizon`` when the days off are not
    resolved far enough.
    """
    return tuple(_describe(item, plan, directory, calendar, as_of) for item in plan.every_item)


def _describe(
    item: Item, plan: Plan, directory: Directory, calendar: WorkCalendar, as_of: date
) -> ItemMeaning:
    leads, partners = parties_on(item, directory, as_of)
    opening, due = _next_dates(item, plan, calendar, as_of)
    return ItemMeaning(
        key=item.key,
        task=item.text.task,
        kind=item.calendar.kind,
        lead_mode=item.parties.lead_mode,
        leads=tuple(directory.agency(key).name for key in leads),
        partners=tuple(directory.agency(key).name for key in partners),
        next_opening=opening,
        next_due=due,
        authority=item.calendar.authority,
        fixed_by=item.calendar.fixed_by,
        ladder=item.calendar.ladder,
        calendar_basis=item.calendar.basis,
        parties_basis=item.parties.basis,
    )


def _next_dates(
    item: Item, plan: Plan, calendar: WorkCalendar, as_of: date
) -> tuple[NextDate | None, NextDate | None]:
    opening: NextDate | None = None
    due: NextDate | None = None
    for one in expand(item.calendar, plan.first_year, plan.last_year):
        if opening is None and one.opens_on >= as_of:
            opening = NextDate(
                period=one.period.label,
                day=one.opens_on,
                nominal=one.opens_on,
                milestone=one.milestone,
            )
        if due is None and one.nominal_due_on.year >= as_of.year - 1:
            rolled = calendar.roll(one.nominal_due_on, item.calendar.roll)
            if rolled >= as_of:
                due = NextDate(
                    period=one.period.label,
                    day=rolled,
                    nominal=one.nominal_due_on,
                    milestone=one.milestone,
                )
    return opening, due
