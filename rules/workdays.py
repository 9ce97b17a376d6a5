"""Working days: which days people work, and how to count in them (rules 3-5).

A calendar knows only resolved days: who resolved them, the library or a correction with its
document, is kept in the days themselves and does not matter to the counting.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Self

from rules.values import Roll

SATURDAY = 5
"""``date.weekday()`` of the first day of the weekend."""


class DaySource(StrEnum):
    """Where a resolved day comes from (rule 3)."""

    LIBRARY = "library"
    """The library of public holidays."""
    CORRECTION = "correction"
    """The coordinator's table, each entry with its document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedDay:
    """An exception to the week: a weekday that is off, or a weekend day that is worked."""

    day: date
    working: bool
    name: str
    source: DaySource
    document: str | None = None


class OutsideHorizon(Exception):
    """A day was asked about for which no days off have been resolved.

    ``asked`` is the day, ``shift`` the working days that were to be added to it (0 when the day
    itself lies outside), ``first`` and ``last`` the days that are known.
    """

    def __init__(self, *, asked: date, shift: int, first: date, last: date) -> None:
        self.asked, self.shift, self.first, self.last = asked, shift, first, last
        what = f"{asked}" if shift == 0 else f"{asked} {shift:+d} working days"
        super().__init__(
            f"{what} lies outside the resolved days {first} to {last}; "
            "resolve the days off of the missing year first, then ask again"
        )


def is_weekend(day: date) -> bool:
    """Whether ``day`` is a Saturday or a Sunday."""
    return day.weekday() >= SATURDAY


@dataclass(frozen=True, init=False)
class WorkCalendar:
    """The working days from ``first`` to ``last``, inclusive.

    ``days_off`` are weekdays that are off, ``worked`` weekend days that are worked. Entries that
    change nothing (a holiday on a Sunday) or lie outside the horizon are left out, so that two
    calendars are equal when they say the same. Every question about a day outside the horizon
    raises ``OutsideHorizon``.
    """

    days_off: frozenset[date]
    worked: frozenset[date]
    first: date
    last: date
    _days: tuple[date, ...] = field(repr=False, compare=False)

    def __init__(
        self, *, days_off: Iterable[date], worked: Iterable[date], first: date, last: date
    ) -> None:
        if last < first:
            raise ValueError(f"the horizon ends on {last}, before it begins on {first}")
        off = frozenset(d for d in days_off if first <= d <= last and not is_weekend(d))
        extra = frozenset(d for d in worked if first <= d <= last and is_weekend(d))
        span = (first + timedelta(days=n) for n in range((last - first).days + 1))
        days = tuple(d for d in span if (d in extra if is_weekend(d) else d not in off))
        values = {"days_off": off, "worked": extra, "first": first, "last": last, "_days": days}
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @classmethod
    def from_days(cls, days: Iterable[ResolvedDay], *, first: date, last: date) -> Self:
        """The calendar of these resolved days."""
        known = tuple(days)
        return cls(
            days_off=(d.day for d in known if not d.working),
            worked=(d.day for d in known if d.working),
            first=first,
            last=last,
        )

    def is_working(self, day: date) -> bool:
        """Whether people work on ``day``."""
        self._require(day)
        return day in self.worked if is_weekend(day) else day not in self.days_off

    def next_working(self, day: date) -> date:
        """``day`` itself when it is worked, else the first working day after it."""
        return day if self.is_working(day) else self.add(day, 1)

    def roll(self, day: date, roll: Roll) -> date:
        """Where ``day`` goes when it is off (rule 4); a working day stays where it is."""
        if roll is Roll.NONE or self.is_working(day):
            self._require(day)
            return day
        return self.add(day, 1 if roll is Roll.NEXT else -1)

    def add(self, day: date, count: int) -> date:
        """The working day ``count`` working days after ``day`` (before it when negative).

        The day after a Friday is Monday. Counting starts beyond ``day`` whether or not it is
        worked: from a Sunday, +1 is Monday and -1 is Friday. A count of 0 gives ``day`` itself.
        """
        self._require(day)
        if count == 0:
            return day
        start = bisect_right(self._days, day) - 1 if count > 0 else bisect_left(self._days, day)
        if not 0 <= start + count < len(self._days):
            raise OutsideHorizon(asked=day, shift=count, first=self.first, last=self.last)
        return self._days[start + count]

    def between(self, start: date, end: date) -> int:
        """How many working days ``end`` lies after ``start``; negative when it lies before.

        Inverse of ``add``: ``between(day, add(day, n)) == n``. The day of departure is never
        counted and the day of arrival is, when it is worked: a Friday's work is 0 working days
        overdue on Sunday and 1 on Monday.
        """
        self._require(start)
        self._require(end)
        if start <= end:
            return bisect_right(self._days, end) - bisect_right(self._days, start)
        return bisect_left(self._days, end) - bisect_left(self._days, start)

    def first_working_of_week(self, day: date) -> date:
        """The day on which the week's letters go: the first one worked from Monday on.

        A week that is off as a whole, as at Tết, has none: then it is the first working day
        after that week.
        """
        self._require(day)
        monday = day - timedelta(days=day.weekday())
        return self.next_working(max(monday, self.first))

    def _require(self, day: date) -> None:
        if not self.first <= day <= self.last:
            raise OutsideHorizon(asked=day, shift=0, first=self.first, last=self.last)
