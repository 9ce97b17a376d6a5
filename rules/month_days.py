"""A day of a period in words of days and months, as people say it, and as cron has it (rule 7)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from rules.values import PeriodKind

MONTHS: Final = {PeriodKind.YEAR: 12, PeriodKind.QUARTER: 3, PeriodKind.MONTH: 1}
"""How many months a period has."""
_TIMED: Final = re.compile(r"(\d+ \d+) (\d+|L) (\*|\d+(?:,\d+)*) \*")


@dataclass(frozen=True, slots=True, kw_only=True)
class DayInPeriod:
    """A day of the ``month``-th month of a period (from 1); ``day`` None is that month's last."""

    day: int | None
    month: int


def day_of(expression: str, kind: PeriodKind) -> DayInPeriod | None:
    """What a cron expression says, None where days and months of a period cannot say it."""
    found = _TIMED.fullmatch(expression)
    if found is None:
        return None
    day = None if found[2] == "L" else int(found[2])
    month = 1 if found[3] == "*" else int(found[3].split(",")[0])
    said = DayInPeriod(day=day, month=month)
    return said if expression_of(said, kind, like=expression) == expression else None


def expression_of(said: DayInPeriod, kind: PeriodKind, *, like: str) -> str:
    """The cron expression of a day, at the hour of the expression ``like``.

    Raises:
        ValueError: a period of this kind has no such month, or no month such a day.
    """
    length = MONTHS[kind]
    if not 1 <= said.month <= length:
        raise ValueError(f"a {kind} has no month {said.month}")
    if said.day is not None and not 1 <= said.day <= 31:
        raise ValueError(f"no month has a day {said.day}")
    hour = re.match(r"\d+ \d+ ", like)
    months = [str(month) for month in range(said.month, 13, length)]
    day = "L" if said.day is None else str(said.day)
    return f"{hour[0] if hour else '0 8 '}{day} {'*' if length == 1 else ','.join(months)} *"
