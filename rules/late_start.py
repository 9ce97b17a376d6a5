"""Periods from before tracking began: how they are opened afterwards, and who held them (rule 19).

They come by import only. Parties and names are those of their own opening day, and successions
replay from there (rules 11, 35), so that what was done then stands under the name of then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from rules.directory import Directory, parties_on
from rules.lifecycle import STATUS_WORDS, Status
from rules.periods import Period
from rules.planning import Opening, mode_of, opening_of
from rules.recurrence import Scheduled, expand
from rules.values import Item, Plan, Roll, Succession, TrackingMode
from rules.workdays import WorkCalendar

AFTERWARDS = "ghi nhận sau"
"""What is said beside everything that came by import."""
NO_DATA = "Chưa có dữ liệu"
"""What people read for work of before that no sheet said anything about; never counted as done."""


def imported_word(status: Status) -> str:
    """The status of a lead's work of before, as people read it."""
    if status is Status.NOT_STARTED:
        return NO_DATA
    flagged = status in {Status.CONFIRMED, Status.NOT_APPLICABLE}
    return f"{STATUS_WORDS[status]} ({AFTERWARDS})" if flagged else STATUS_WORDS[status]


def past_periods(plan: Plan, item: Item, tracking_start: date) -> Iterator[Scheduled]:
    """The periods of ``item`` that ended before tracking began, within the decision's time.

    A period that ended before the decision took effect was never asked for.
    """
    for one in expand(item.calendar, plan.first_year, plan.last_year):
        ended = one.period.last_day >= plan.effective_from
        if ended and is_past(plan, one.period, tracking_start):
            yield one


def is_past(plan: Plan, period: Period, tracking_start: date) -> bool:
    """Whether ``period`` comes only by import."""
    mode = mode_of(period, tracking_start, plan.policies.full_tracking_cutoff)
    return mode is TrackingMode.IMPORTED


def past_opening(
    plan: Plan,
    directory: Directory,
    calendar: WorkCalendar,
    *,
    item: Item,
    scheduled: Scheduled,
    tracking_start: date,
) -> Opening:
    """How a period of before is opened: as of its opening day, or the decision's where later.

    A date from before the decision asks for nothing: the period's last working day stands for it.
    """
    opens_on = max(scheduled.opens_on, plan.effective_from)
    found = opening_of(
        plan,
        directory,
        calendar,
        item=item,
        scheduled=scheduled,
        opens_on=opens_on,
        override=None,
        tracking_start=tracking_start,
    )
    if found.original_due_on < opens_on:
        last = max(calendar.roll(scheduled.period.last_day, Roll.PREVIOUS), opens_on)
        found = replace(found, nominal_due_on=scheduled.period.last_day, original_due_on=last)
    return replace(found, mode=TrackingMode.IMPORTED)


class Holders:
    """Who holds one occurrence of before as its results and successions come, day by day.

    Mirrors what the replay of successions does to rows (rule 35): open work moves, closed work
    stays, and a successor that holds it already keeps its own.
    """

    def __init__(self, item: Item, directory: Directory, opens_on: date) -> None:
        self._open = dict.fromkeys(parties_on(item, directory, opens_on)[0], True)
        self._ahead = [
            one
            for one in directory.successions
            if one.effective_on > opens_on and (not one.items or item.key in one.items)
        ]
        self.moved: dict[str, Succession] = {}
        """What took work from whom."""
        self.ever = set(self._open)
        """Everybody who held it at some time."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Who holds it now, with a result or without."""
        return tuple(self._open)

    def go_to(self, day: date) -> None:
        """Let the successions up to ``day`` take effect."""
        while self._ahead and self._ahead[0].effective_on <= day:
            one = self._ahead.pop(0)
            if not self._open.get(one.predecessor, False):
                continue
            del self._open[one.predecessor]
            self.moved[one.predecessor] = one
            if one.successor is not None:
                self._open.setdefault(one.successor, True)
                self.ever.add(one.successor)

    def close(self, key: str) -> bool:
        """Give ``key`` its result; False when it holds nothing open."""
        if not self._open.get(key, False):
            return False
        self._open[key] = False
        return True
