"""The clock, read at the edges only (rule 1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """What tells the time: the system's, or one that a test or a rehearsal sets."""

    def now(self) -> datetime:
        """The instant, aware, in UTC with microseconds."""
        ...

    def today(self, time_zone: str) -> date:
        """The calendar date in ``time_zone`` (an IANA name)."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """The instant, in UTC."""
        return datetime.now(UTC)

    def today(self, time_zone: str) -> date:
        """The calendar date in ``time_zone``."""
        return self.now().astimezone(ZoneInfo(time_zone)).date()


@dataclass(slots=True)
class FixedClock:
    """A clock that stands still until ``instant`` is set anew. ValueError for a naive instant."""

    instant: datetime

    def __post_init__(self) -> None:
        if self.instant.tzinfo is None:
            raise ValueError("a clock tells aware instants")

    def now(self) -> datetime:
        """The instant it was set to, in UTC."""
        return self.instant.astimezone(UTC)

    def today(self, time_zone: str) -> date:
        """The calendar date in ``time_zone`` at that instant."""
        return self.now().astimezone(ZoneInfo(time_zone)).date()
