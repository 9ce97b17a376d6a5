"""The time between a backup and its restore, of which the database knows nothing (rules 28, 33).

What came due within it may have been sent, and nobody can tell from the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from rules.digest import AT_ONCE, NoticeKind, rides_on
from rules.workdays import WorkCalendar

_OPENINGS: Final = frozenset({NoticeKind.OPENED, NoticeKind.RECORD_INVITE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """From the business date of the backup, ``since``, to that of the restore, ``until``.

    Backup and restore were done at the instants ``made_at`` and ``at``.
    """

    since: date
    until: date
    made_at: datetime
    at: datetime
    last_working: date | None
    """Its last working day; None when it has none, so that no reminder can have gone."""
    calendar: WorkCalendar

    def rung_may_have_gone(self, anchor: date, offset: int) -> bool:
        """Whether the day of a rung lies before its end; ``offset`` in working days."""
        return self.day_may_have_gone(self.calendar.add(anchor, offset))

    def notice_may_have_gone(
        self,
        kind: NoticeKind,
        *,
        at_once: bool,
        created_on: date,
        created_at: datetime,
        opens_on: date | None,
    ) -> bool:
        """Whether something said once could ride, or go at once, on a day of it.

        ``opens_on`` is of its work. What opened in the gap opens again after it, and its notice is
        young: its work's own day counts.
        """
        said_on = created_on
        if kind in _OPENINGS and opens_on is not None:
            said_on = min(said_on, opens_on)
        elif created_at > self.at:
            return False
        immediate = at_once and kind in AT_ONCE
        return any(
            rides_on(kind, at_once=immediate, created_on=said_on, as_of=day, calendar=self.calendar)
            for day in self._days()
        )

    def week_may_have_gone(self, monday: date) -> bool:
        """Whether the summary of the week that begins with this working day may have gone."""
        return self.day_may_have_gone(monday)

    def day_may_have_gone(self, day: date) -> bool:
        """Whether something that is said from this day on may have been said."""
        return self.last_working is not None and day <= self.last_working

    def _days(self) -> set[date]:
        """The days on which whatever could go in the gap could go: its last ones say it all."""
        found = {self.until}
        if self.last_working is not None:
            week = self.calendar.first_working_of_week(self.last_working)
            found |= {self.last_working, week}
        return {day for day in found if self.since <= day <= self.until}


def last_working(calendar: WorkCalendar, since: date, until: date) -> date | None:
    """The last working day from ``since`` to ``until``, both counted; None where there is none.

    Raises:
        OutsideHorizon: the calendar does not know a day of them.
    """
    day = until
    while day >= since and not calendar.is_working(day):
        day -= timedelta(days=1)
    return day if day >= since else None
