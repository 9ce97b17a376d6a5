"""Which backups stay when new ones are made: the newest of each of the last days, weeks, months."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepRule:
    """How many days, weeks and months keep one backup each; those without any are not counted."""

    daily: int
    weekly: int
    monthly: int


def _week(made: datetime) -> tuple[int, int]:
    year, week, _ = made.isocalendar()
    return year, week


_PERIODS: tuple[tuple[str, Callable[[datetime], object]], ...] = (
    ("daily", datetime.date),
    ("weekly", _week),
    ("monthly", lambda made: (made.year, made.month)),
)


def kept(made: Iterable[datetime], rule: KeepRule) -> frozenset[datetime]:
    """Those of ``made`` (local instants) that stay; the newest always does.

    Applying the rule every day keeps what applying it once at the end would have kept, as long as
    at least one day is kept.
    """
    newest_first = sorted(set(made), reverse=True)
    found = set(newest_first[:1])
    for name, period_of in _PERIODS:
        taken: set[object] = set()
        for one in newest_first:
            period = period_of(one)
            if period in taken:
                continue
            if len(taken) >= getattr(rule, name):
                break
            taken.add(period)
            found.add(one)
    return frozenset(found)
