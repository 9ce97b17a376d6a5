"""Due dates as calendars show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from notifications.clean import CleanText


@dataclass(frozen=True, slots=True, kw_only=True)
class DueEvent(CleanText):
    """A due date for a calendar; ``sequence`` grows with each change of the same round.

    The last four are for calendars that people subscribe to: ``label`` says it in place of
    "Hạn", ``link`` opens the page of the work, ``alarm_days`` before the date the calendar rings.
    """

    assignment_id: str
    round: int
    sequence: int
    due_on: date
    item: str
    item_task: str
    period_label: str
    agency_name: str
    provisional: bool = False
    cancelled: bool = False
    label: str = ""
    link: str = ""
    alarm_days: int = 0
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The events that ride with a letter; ``stamp`` is the aware instant of their writing."""

    events: tuple[DueEvent, ...]
    stamp: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscribedCalendar(CleanText):
    """A calendar that is read again and again; each event has its own ``changed_at``."""

    name: str
    events: tuple[DueEvent, ...]
