"""The periods of an item: years, quarters and months, and how they are written (rule 10)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import total_ordering
from typing import Self

from rules.values import PeriodKind

_PER_YEAR = {PeriodKind.YEAR: 1, PeriodKind.QUARTER: 4, PeriodKind.MONTH: 12}
_QUARTERS = ("I", "II", "III", "IV")
_WRITTEN = re.compile(r"(?P<year>[1-9][0-9]{3})(?:-Q(?P<quarter>[1-4])|-(?P<month>[0-9]{2}))?")


@total_ordering
@dataclass(frozen=True, slots=True)
class Period:
    """A year, or the ``number``-th quarter or month of it (from 1; a year's number is 1).

    Periods are ordered by their first day, then by their last: a quarter comes before the year
    that begins with it.
    """

    kind: PeriodKind
    year: int
    number: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.number <= _PER_YEAR[self.kind]:
            raise ValueError(f"a year has no {self.kind} {self.number}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``2027``, ``2027-Q4`` or ``2027-03``; ValueError says what would be right."""
        match = _WRITTEN.fullmatch(text)
        if match is not None:
            year, quarter, month = int(match["year"]), match["quarter"], match["month"]
            if quarter is not None:
                return cls(PeriodKind.QUARTER, year, int(quarter))
            if month is None:
                return cls(PeriodKind.YEAR, year)
            if 1 <= int(month) <= 12:
                return cls(PeriodKind.MONTH, year, int(month))
        raise ValueError(
            f"{text!r} is not a period; write a year (2027), a quarter (2027-Q1 to 2027-Q4) "
            "or a month (2027-01 to 2027-12)"
        )

    @classmethod
    def containing(cls, day: date, kind: PeriodKind) -> Self:
        """The period of this kind in which ``day`` lies."""
        months = 12 // _PER_YEAR[kind]
        return cls(kind, day.year, (day.month - 1) // months + 1)

    @property
    def key(self) -> str:
        """How the period is written and stored: ``2027``, ``2027-Q4``, ``2027-03``."""
        match self.kind:
            case PeriodKind.YEAR:
                return f"{self.year}"
            case PeriodKind.QUARTER:
                return f"{self.year}-Q{self.number}"
            case PeriodKind.MONTH:
                return f"{self.year}-{self.number:02d}"

    @property
    def label(self) -> str:
        """How people read it: ``năm 2027``, ``quý IV/2027``, ``tháng 3/2027``."""
        match self.kind:
            case PeriodKind.YEAR:
                return f"năm {self.year}"
            case PeriodKind.QUARTER:
                return f"quý {_QUARTERS[self.number - 1]}/{self.year}"
            case PeriodKind.MONTH:
                return f"tháng {self.number}/{self.year}"

    @property
    def first_day(self) -> date:
        """The first day of the period."""
        return date(self.year, (self.number - 1) * (12 // _PER_YEAR[self.kind]) + 1, 1)

    @property
    def last_day(self) -> date:
        """The last day of the period."""
        if self.number == _PER_YEAR[self.kind]:
            return date(self.year, 12, 31)
        return self.shift(1).first_day - timedelta(days=1)

    def shift(self, count: int) -> Self:
        """The period ``count`` periods later (earlier when negative)."""
        per_year = _PER_YEAR[self.kind]
        years, number = divmod(self.year * per_year + self.number - 1 + count, per_year)
        return type(self)(self.kind, years, number + 1)

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Period):
            return NotImplemented
        return (self.first_day, self.last_day) < (other.first_day, other.last_day)

    def __str__(self) -> str:
        return self.key
