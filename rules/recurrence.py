"""When an item opens and is due, period by period (rules 4, 9, 10, 18).

The cron expressions are read once for an item and never once for an agency: the dates of an
item are the same for everybody. Only their dates are used, as naive local time of the plan.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal

from croniter import CroniterBadCronError, CroniterError, croniter

from rules.periods import Period
from rules.values import ItemCalendar, PeriodKind

CronField = Literal["opens", "due"]
"""Which expression of the calendar an error is about."""

PeriodField = Literal["first_period", "last_period", "milestones"]
"""Which period of the calendar an error is about."""

_FIVE_FIELDS = re.compile(r"[0-9A-Za-z*,/#-]+(?: [0-9A-Za-z*,/#-]+){4}")
_RANDOM_OR_HASHED = re.compile(r"(?:^|[ ,])[RH](?:$|[ ,/(])", re.IGNORECASE)


class RecurrenceError(Exception):
    """A calendar gives no usable dates."""


class BadCron(RecurrenceError):
    """``expression`` is no cron expression of five fields; ``reason`` says why."""

    def __init__(self, *, field: CronField, expression: str, reason: str) -> None:
        self.field, self.expression, self.reason = field, expression, reason
        super().__init__(
            f"{field} {expression!r}: {reason}; "
            "write minute, hour, day, month, weekday, e.g. '0 17 31 3 *'"
        )


class NeverFires(RecurrenceError):
    """The expression never fires within ``period``, as 31 February never does."""

    def __init__(self, *, field: CronField, expression: str, period: Period) -> None:
        self.field, self.expression, self.period = field, expression, period
        super().__init__(
            f"{field} {expression!r} never fires within {period.key} "
            f"({period.first_day} to {period.last_day}); L is the last day of a month"
        )


class DueBeforeOpening(RecurrenceError):
    """In ``period`` the work would be due on ``due_on``, before it opens on ``opens_on``."""

    def __init__(self, *, period: Period, opens_on: date, due_on: date) -> None:
        self.period, self.opens_on, self.due_on = period, opens_on, due_on
        super().__init__(
            f"{period.key} is due on {due_on}, before it opens on {opens_on}; "
            "open it earlier, or let due_in_next say in which later period it is due"
        )


class PeriodOutsidePlan(RecurrenceError):
    """``written`` is not a period of this item within the years of the plan."""

    def __init__(
        self,
        *,
        field: PeriodField,
        written: str,
        kind: PeriodKind,
        first_year: int,
        last_year: int,
    ) -> None:
        self.field, self.written, self.kind = field, written, kind
        self.first_year, self.last_year = first_year, last_year
        super().__init__(
            f"{field} {written!r} is no {kind} of this item between {first_year} and {last_year}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """An item in a period: when it opens, and what the calendar asks for before rolling (rule 4).

    ``milestone`` is the label of the period where it has one, e.g. ``so_ket`` (rule 18).
    """

    period: Period
    opens_on: date
    nominal_due_on: date
    milestone: str | None = None


def expand(calendar: ItemCalendar, first_year: int, last_year: int) -> tuple[Scheduled, ...]:
    """Every period of the item within the plan, in order; remembered for each calendar.

    Raises ``BadCron``, ``NeverFires``, ``DueBeforeOpening`` or ``PeriodOutsidePlan``.
    """
    return _expand(calendar, tuple(sorted(calendar.milestones.items())), first_year, last_year)


@lru_cache(maxsize=1024)
def _expand(
    calendar: ItemCalendar, milestones: tuple[tuple[str, str], ...], first_year: int, last_year: int
) -> tuple[Scheduled, ...]:
    if calendar.every < 1:
        raise ValueError(f"every {calendar.every} periods is no step; write 1 or more")
    opens, due = _Cron("opens", calendar.opens), _Cron("due", calendar.due)
    labels = dict(milestones)
    found: list[Scheduled] = []
    for period in _periods(calendar, first_year, last_year):
        opens_on = opens.first_in(period)
        due_on = due.first_in(period.shift(calendar.due_in_next))
        if due_on < opens_on:
            raise DueBeforeOpening(period=period, opens_on=opens_on, due_on=due_on)
        found.append(
            Scheduled(
                period=period,
                opens_on=opens_on,
                nominal_due_on=due_on,
                milestone=labels.pop(period.key, None),
            )
        )
    for written in labels:
        raise PeriodOutsidePlan(
            field="milestones",
            written=written,
            kind=calendar.period,
            first_year=first_year,
            last_year=last_year,
        )
    return tuple(found)


def _periods(calendar: ItemCalendar, first_year: int, last_year: int) -> Iterator[Period]:
    plan_first = Period.containing(date(first_year, 1, 1), calendar.period)
    plan_last = Period.containing(date(last_year, 12, 31), calendar.period)

    def within_plan(field: PeriodField, written: str | None, otherwise: Period) -> Period:
        if written is None:
            return otherwise
        try:
            period = Period.parse(written)
        except ValueError:
            period = None
        if (
            period is None
            or period.kind is not calendar.period
            or not plan_first <= period <= plan_last
        ):
            raise PeriodOutsidePlan(
                field=field,
                written=written,
                kind=calendar.period,
                first_year=first_year,
                last_year=last_year,
            )
        return period

    period = within_plan("first_period", calendar.first_period, plan_first)
    last = within_plan("last_period", calendar.last_period, plan_last)
    while period <= last:
        yield period
        period = period.shift(calendar.every)


class _Cron:
    """One expression of five fields, read once."""

    def __init__(self, field: CronField, expression: str) -> None:
        self.field, self.expression = field, expression
        if _FIVE_FIELDS.fullmatch(expression) is None:
            raise BadCron(field=field, expression=expression, reason="not five fields")
        if _RANDOM_OR_HASHED.search(expression):
            raise BadCron(field=field, expression=expression, reason="R and H fire by chance")
        try:
            self.cron = croniter(expression, datetime(2000, 1, 1))  # noqa: DTZ001 - naive local time
        except (CroniterBadCronError, ValueError, KeyError) as error:
            raise BadCron(field=field, expression=expression, reason=str(error)) from error

    def first_in(self, period: Period) -> date:
        """The day on which the expression first fires within the period."""
        just_before = datetime.combine(period.first_day, time.min) - timedelta(seconds=1)
        try:
            fires: datetime = self.cron.get_next(datetime, start_time=just_before)
        except CroniterError as error:
            raise self._never(period) from error
        if fires.date() > period.last_day:
            raise self._never(period)
        return fires.date()

    def _never(self, period: Period) -> NeverFires:
        return NeverFires(field=self.field, expression=self.expression, period=period)
