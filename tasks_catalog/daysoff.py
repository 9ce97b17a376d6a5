"""Which days are off in Viet Nam: the library's answer, corrected by documents (rule 3).

Resolved days are stored by the caller, so that a later version of the library moves no old date.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from holidays import country_holidays

from rules.workdays import DaySource, ResolvedDay, WorkCalendar, is_weekend

MAKE_UP_DAY = "Ngày làm việc bù"
"""The name of a weekend day that the library says is worked; it gives none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A day about which the coordinator knows better than the library, and by which document."""

    day: date
    working: bool
    name: str
    document: str


def resolve_days(
    first: date, last: date, corrections: Iterable[Correction] = ()
) -> tuple[ResolvedDay, ...]:
    """The exceptions to the week from ``first`` to ``last``, by day.

    These are the weekdays that are off and the weekend days that are worked; a correction goes
    before the library, and one that makes a weekday an ordinary one again leaves nothing.
    """
    days = {day.day: day for day in _library(first, last)}
    for correction in corrections:
        if not first <= correction.day <= last:
            continue
        if correction.working is is_weekend(correction.day):
            days[correction.day] = ResolvedDay(
                day=correction.day,
                working=correction.working,
                name=correction.name,
                source=DaySource.CORRECTION,
                document=correction.document,
            )
        else:
            days.pop(correction.day, None)
    return tuple(days[day] for day in sorted(days))


def work_calendar(first: date, last: date, corrections: Iterable[Correction] = ()) -> WorkCalendar:
    """The working days from ``first`` to ``last``, resolved now."""
    return WorkCalendar.from_days(resolve_days(first, last, corrections), first=first, last=last)


def _library(first: date, last: date) -> Iterable[ResolvedDay]:
    known = country_holidays("VN", years=range(first.year, last.year + 1), language="vi")
    for day, name in known.items():
        if first <= day <= last and not is_weekend(day):
            yield ResolvedDay(day=day, working=False, name=name, source=DaySource.LIBRARY)
    for day in known.weekend_workdays:
        if first <= day <= last:
            yield ResolvedDay(day=day, working=True, name=MAKE_UP_DAY, source=DaySource.LIBRARY)
