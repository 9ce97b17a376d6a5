"""A clock that the simulator sets, and that never stands quite still."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
_TICK = timedelta(microseconds=1)


@dataclass(slots=True)
class SimulatedClock:
    """Time moves by a tick each time that it is asked for, and by leaps in between."""

    instant: datetime

    def now(self) -> datetime:
        """The instant in UTC; no two are the same."""
        self.instant += _TICK
        return self.instant

    def today(self, time_zone: str) -> date:
        """The calendar date in ``time_zone``."""
        return self.instant.astimezone(ZoneInfo(time_zone)).date()

    @property
    def day(self) -> date:
        """The calendar date where the plan is at home."""
        return self.instant.astimezone(LOCAL).date()

    def set(self, day: date, at: time) -> None:
        """Go on to a time of ``day``, unless it is later already: time never goes back."""
        wanted = datetime.combine(day, at, LOCAL).astimezone(UTC)
        self.instant = max(self.instant, wanted)

    def wait(self, span: timedelta) -> None:
        """Let time pass."""
        self.instant += span
