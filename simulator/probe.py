"""Whether a run would find anything to do: a few cheap questions, so that idle days cost nothing."""

from __future__ import annotations

import random
from datetime import date

from sqlalchemy import select, text

from flows.naming import ItemFlow, item_flows
from models.engine import Database
from models.tables import Occurrence
from operations.state import load_state
from rules.recurrence import expand
from rules.workdays import WorkCalendar

_WAITING = text(
    "SELECT EXISTS (SELECT 1 FROM assignment WHERE next_reminder_on <= :day)"
    " OR EXISTS (SELECT 1 FROM finding WHERE next_reminder_on <= :day)"
    " OR EXISTS (SELECT 1 FROM notice WHERE letter_id IS NULL AND NOT void AND at_once)"
    " OR EXISTS (SELECT 1 FROM letter WHERE state IN ('queued', 'retrying', 'claimed', 'sending'))"
    " OR EXISTS (SELECT 1 FROM letter WHERE state = 'held' AND day < :day"
    " AND kind IN ('digest', 'monday_summary'))"
    " OR EXISTS (SELECT 1 FROM reorganisation WHERE settled_on IS NULL AND effective_on <= :day)"
)
_MISSED = text(
    "SELECT EXISTS (SELECT 1 FROM notice WHERE letter_id IS NULL AND NOT void"
    " AND created_on < :monday)"
)
"""What should have ridden on a Monday that was missed (rule 27)."""
_AT_ONCE = text(
    "SELECT EXISTS (SELECT 1 FROM notice WHERE letter_id IS NULL AND NOT void AND kind = 'receipt')"
)
_SETTLES = text(
    "SELECT EXISTS (SELECT 1 FROM reorganisation WHERE settled_on IS NULL AND effective_on <= :day)"
)
_NEWEST = text(
    "SELECT COALESCE(MAX(id), 0) FROM event WHERE entity IN ('plan', 'added_work', 'day')"
)


class Probe:
    """Asks the database what waits. What it keeps is read anew when plan or calendar change."""

    def __init__(self, database: Database, plan: str) -> None:
        self._database, self._plan = database, plan
        self._newest = -1
        self._coming: list[tuple[date, str, str]] = []
        self.flows: list[ItemFlow] = []
        self.calendar: WorkCalendar
        self.look()

    def look(self) -> None:
        """See whether the plan or the days have changed."""
        with self._database.read() as session:
            newest = session.scalar(_NEWEST) or 0
            if newest == self._newest:
                return
            self._newest = newest
            state = load_state(session, self._plan)
            existing = set(session.execute(select(Occurrence.item_key, Occurrence.period_key)))
            self.calendar = state.calendar
            self.flows = item_flows(session)
            self._coming = sorted(
                (one.opens_on, item.key, one.period.key)
                for item in state.plan.every_item
                for one in expand(item.calendar, state.plan.first_year, state.plan.last_year)
                if (item.key, one.period.key) not in existing
                and one.period.last_day >= state.tracking_start
            )

    def wants_a_run(self, day: date) -> bool:
        """Whether a run of ``day`` would find anything."""
        with self._database.read() as session:
            if not self.calendar.is_working(day):
                return bool(session.scalar(_AT_ONCE))
            monday = self.calendar.first_working_of_week(day)
            if day == monday:
                return True
            if monday < day and session.scalar(_MISSED, {"monday": monday.isoformat()}):
                return True
            if self._coming and self._coming[0][0] <= day:
                return True
            return bool(session.scalar(_WAITING, {"day": day.isoformat()}))

    def items_to_run(self, day: date, chance: random.Random) -> list[str]:
        """The items that have something to open, and one or two others."""
        due = {item for opens_on, item, _ in self._coming if opens_on <= day}
        if due:
            self._newest = -1  # what opens leaves the list
        keys = [one.item.key for one in self.flows]
        some = set(chance.sample(keys, chance.choice((0, 0, 1, 2))))
        return [key for key in keys if key in due | some]

    def settles(self, day: date) -> bool:
        """Whether agencies change by ``day``."""
        with self._database.read() as session:
            return bool(session.scalar(_SETTLES, {"day": day.isoformat()}))
