"""In which state an item stands on a day: the name that its flow run ends with.

A flow run that did its work is completed; what the work itself looks like is said by the name of
that state, one of a closed set. A technical fault is the only failure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from rules.lifecycle import OPEN, Status, is_complete
from rules.timeliness import Cell, Work, cell
from rules.values import TrackingMode


class RunState(StrEnum):
    """The closed set of names, as people read them."""

    IN_PROGRESS = "Đang thực hiện"
    """Work is open and nothing of it is overdue; a provisional date may have passed (rule 17)."""
    DONE_IN_TIME = "Hoàn thành đúng hạn"
    DONE_LATE = "Hoàn thành quá hạn"
    OVERDUE = "Chưa hoàn thành, quá hạn"
    NOTHING_OPEN = "Không có kỳ mở"
    """No period is open, or nobody owes anything in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodWork:
    """An occurrence with the work of its leads; partners owe nothing here (rule 14)."""

    period_key: str
    period_last: date
    due_on: date
    works: tuple[Work, ...]

    @property
    def complete(self) -> bool:
        """Whether every counted lead is done with it (rule 13)."""
        return is_complete(work.status for work in self.works)

    def current_on(self, as_of: date) -> bool:
        """Whether it still speaks for the item: unfinished, or its period is not over.

        A year that is only recorded speaks until its end: nobody owes anything in it (rule 19).
        """
        open_still = any(
            _unfinished(work) and work.mode is TrackingMode.FULL for work in self.works
        )
        return open_still or as_of <= max(self.period_last, self.due_on)


_UNFINISHED = OPEN | {Status.SUBMITTED, Status.SUSPENDED}


def _unfinished(work: Work) -> bool:
    return work.status in _UNFINISHED


def _done(work: Work) -> bool:
    return work.status in {Status.CONFIRMED, Status.COVERED}


def run_state(periods: Iterable[PeriodWork], as_of: date) -> RunState:
    """The name of the state in which an item stands on ``as_of``.

    The worst counts: one overdue assignment makes the item overdue, one unfinished one keeps it
    in progress, one late result makes its completion late. Nothing is late in a year that is only
    recorded, nor in a check-in (rules 16, 19).
    """
    works = [work for one in current(periods, as_of) for work in one.works]
    cells = [cell(work, as_of) for work in works]
    if Cell.OPEN_OVERDUE in cells:
        return RunState.OVERDUE
    if any(map(_unfinished, works)):
        return RunState.IN_PROGRESS
    if Cell.DONE_LATE in cells:
        return RunState.DONE_LATE
    return RunState.DONE_IN_TIME if any(map(_done, works)) else RunState.NOTHING_OPEN


def current(periods: Iterable[PeriodWork], as_of: date) -> Sequence[PeriodWork]:
    """The periods that speak for an item on ``as_of``, in the order of their keys."""
    return sorted((one for one in periods if one.current_on(as_of)), key=lambda one: one.period_key)


def figures(periods: Iterable[PeriodWork], as_of: date) -> Mapping[Cell | None, int]:
    """How many current assignments stand in each cell; None counts those outside the cells."""
    return Counter(cell(work, as_of) for one in current(periods, as_of) for work in one.works)
