"""What should be open on a day: the difference between the plan and what is there.

Level-triggered (rules 10, 11): :func:`openings` compares the schedule of every item with the
occurrences that exist and returns what is missing. Missing ten runs or running ten times in a row
ends in the same rows, because everything is resolved as of the opening day and not of the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date

from rules.added import is_added
from rules.directory import Directory, parties_on
from rules.periods import Period
from rules.recurrence import Scheduled, expand
from rules.values import (
    DateAuthority,
    Document,
    Item,
    ItemKind,
    Plan,
    Role,
    Roll,
    TrackingMode,
)
from rules.workdays import WorkCalendar

OccurrenceKey = tuple[str, str]
"""(item key, period key): what an occurrence of one plan is known by (rule 10)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedDate:
    """A date of one period that a document fixed (rule 17)."""

    due_on: date
    authority: DateAuthority
    document: Document
    opens_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """An agency in an occurrence, under its name of the opening day (rule 12)."""

    agency: str
    name: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """An occurrence that should be there and is not."""

    item: Item
    period: Period
    opens_on: date
    nominal_due_on: date
    original_due_on: date
    authority: DateAuthority
    document: Document | None
    mode: TrackingMode
    milestone: str | None
    parties: tuple[Party, ...]


def full_tracking_from(tracking_start: date, cutoff: str) -> date:
    """The first day of full tracking (rule 19).

    ``cutoff`` is ``MM-DD``: a start before that day of its year tracks that year in full, a
    later one only records it, and full tracking begins with the next 1 January.
    """
    month, day = (int(part) for part in cutoff.split("-"))
    if tracking_start < date(tracking_start.year, month, day):
        return date(tracking_start.year, 1, 1)
    return date(tracking_start.year + 1, 1, 1)


def mode_of(period: Period, tracking_start: date, cutoff: str) -> TrackingMode:
    """How an occurrence of ``period`` is followed, given when tracking began (rule 19)."""
    if period.last_day < tracking_start:
        return TrackingMode.IMPORTED
    if period.first_day < full_tracking_from(tracking_start, cutoff):
        return TrackingMode.RECORD
    return TrackingMode.FULL


def ladder_key(
    item_ladder: str, *, kind: ItemKind, mode: TrackingMode, role: Role, provisional: bool
) -> str | None:
    """Which ladder an assignment follows (rules 16, 17, 19, 27); None for none at all."""
    if role is Role.PARTNER:
        return "request"
    if mode is TrackingMode.IMPORTED:
        return None
    if mode is TrackingMode.RECORD:
        return None if kind is ItemKind.CHECK_IN else "record"
    if kind is ItemKind.CHECK_IN:
        return item_ladder
    return "provisional" if provisional else item_ladder


def openings(
    plan: Plan,
    directory: Directory,
    calendar: WorkCalendar,
    *,
    existing: AbstractSet[OccurrenceKey],
    fixed: Mapping[OccurrenceKey, FixedDate],
    tracking_start: date,
    as_of: date,
    only_item: str | None = None,
) -> Iterator[Opening]:
    """The occurrences missing on ``as_of``, in the order of their opening days.

    ``existing`` holds what is there; ``fixed`` the dates that documents fixed. Periods before
    ``tracking_start`` come only by import and are never opened here (rule 19).
    """
    due: list[tuple[date, Item, Scheduled]] = []
    for item in plan.every_item:
        if only_item is not None and item.key != only_item:
            continue
        for one in expand(item.calendar, plan.first_year, plan.last_year):
            key = (item.key, one.period.key)
            override = fixed.get(key)
            opens_on = override.opens_on if override and override.opens_on else one.opens_on
            missing = key not in existing and opens_on <= as_of
            if missing and one.period.last_day >= tracking_start and plan.effective_from <= as_of:
                due.append((opens_on, item, one))
    for opens_on, item, one in sorted(due, key=lambda row: (row[0], row[1].position)):
        yield opening_of(
            plan,
            directory,
            calendar,
            item=item,
            scheduled=one,
            opens_on=opens_on,
            override=fixed.get((item.key, one.period.key)),
            tracking_start=tracking_start,
        )


def opening_of(
    plan: Plan,
    directory: Directory,
    calendar: WorkCalendar,
    *,
    item: Item,
    scheduled: Scheduled,
    opens_on: date,
    override: FixedDate | None,
    tracking_start: date,
) -> Opening:
    """A period of ``item`` as it opens on ``opens_on``: dates rolled, parties of that day."""
    mode = mode_of(scheduled.period, tracking_start, plan.policies.full_tracking_cutoff)
    if is_added(item.key):  # given with a date of its own, and so followed in full (rule 44)
        mode = TrackingMode.FULL
    nominal = override.due_on if override else scheduled.nominal_due_on
    original = calendar.roll(nominal, item.calendar.roll)
    if mode is TrackingMode.RECORD and item.calendar.kind is ItemKind.TASK:
        # Nothing recorded is late: the year's last working day is the day asked for (rule 19).
        original = calendar.roll(date(tracking_start.year, 12, 31), Roll.PREVIOUS)
    return Opening(
        item=item,
        period=scheduled.period,
        opens_on=opens_on,
        nominal_due_on=nominal,
        original_due_on=original,
        authority=override.authority if override else item.calendar.authority,
        document=override.document if override else None,
        mode=mode,
        milestone=scheduled.milestone,
        parties=tuple(_parties(item, directory, opens_on)),
    )


def _parties(item: Item, directory: Directory, on: date) -> Iterable[Party]:
    leads, partners = parties_on(item, directory, on)
    for role, keys in ((Role.LEAD, leads), (Role.PARTNER, partners)):
        for key in keys:
            yield Party(agency=key, name=directory.agency(key).name, role=role)
