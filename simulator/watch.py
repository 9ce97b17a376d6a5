"""Looks at what must be true: cheaply each day, at everything each month and at the end.

The day's look reads what is new since the last one; the month's reads whole tables, but works the
digests of events out only once, for history is never changed (rule 38); the last reads everything.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from models.engine import Database
from operations.known_at import unlike_history, work_known_at
from operations.past import as_known_at
from operations.queries import WorkRow, work_list
from runtime.verifying import verify
from runtime.wiring import Runtime
from simulator import daily, monthly
from simulator.clock import SimulatedClock
from simulator.invariants import CHECKS
from simulator.mail import MailServer
from simulator.promises_of_work import events_are_in_the_log

_LETTERS = text("SELECT COUNT(*) FROM letter")


class Broken(Exception):
    """A promise is broken; ``lines`` say which, in plain words."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        super().__init__("\n".join(lines))


class Watch:
    """What was looked at so far, and how often."""

    def __init__(
        self,
        database: Database,
        server: MailServer,
        clock: SimulatedClock,
        chance: random.Random,
        checks: Counter[str],
    ) -> None:
        self._database, self._server, self._clock = database, server, clock
        self._chance, self._checks = chance, checks
        self._seen = daily.Seen()
        self._then: tuple[datetime, date, list[WorkRow]] | None = None

    def letters(self) -> int:
        """How many letters there are."""
        with self._database.read() as session:
            return session.scalar(_LETTERS) or 0

    def day(self, day: date) -> None:
        """The cheap looks, at what is new. Raises Broken."""
        with self._database.read() as session:
            for check in daily.CHECKS:
                self._ask(check.__name__, check(session, self._seen, self._server, day))
            self._seen.move_on(session, self._server)

    def month(self) -> None:
        """All looks but the digests of old events. Raises Broken."""
        with self._database.read() as session:
            for promise in CHECKS:
                if promise is not events_are_in_the_log:
                    self._ask(promise.__name__, promise(session))
            for look in monthly.CHECKS:
                self._ask(look.__name__, look(session, self._clock.day))
            self._ask("unlike_history", _unlike(session, self._clock.now()))
            self._past(session)

    def whole(self, runtime: Runtime) -> None:
        """Everything, at the end of a life. Raises Broken."""
        self.month()
        with self._database.read() as session:
            self._ask("events_are_in_the_log", events_are_in_the_log(session))
            for look in monthly.AT_THE_END:
                self._ask(look.__name__, look(session, self._clock.day))
            anew = daily.Seen()
            for check in daily.CHECKS:
                self._ask(check.__name__, check(session, anew, self._server, self._clock.day))
        self._ask("the_log_verifies", _log(runtime))

    def nothing_left(self) -> None:
        """After a sweep that came to its end, nothing that can be said is owed (28). Raises Broken."""
        with self._database.read() as session:
            self._ask("nothing_left_to_say", monthly.still_owed(session, self._clock.day))

    def _past(self, session: Session) -> None:
        """The list as it was known at an instant equals what it was then (39)."""
        now = self._clock.now()
        if self._then is not None and self._chance.random() < 0.5:
            instant, day, rows = self._then
            told = work_known_at(session, instant, as_of=day)
            self._ask("past_is_what_it_was", monthly.other_rows(rows, told, instant))
            with as_known_at(session, instant) as past:
                drawn = work_list(past, as_of=day)
                self._ask("past_as_a_whole", monthly.other_rows(rows, drawn, instant))
        if self._then is None or self._chance.random() < 0.3:
            day = self._clock.day
            self._then = now, day, work_list(session, as_of=day)

    def _ask(self, name: str, found: Iterator[str]) -> None:
        self._checks[name] += 1
        if lines := list(found):
            raise Broken([f"{name}: {line}" for line in lines[:20]])


def _log(runtime: Runtime) -> Iterator[str]:
    """(38) The log is whole, by its own verification."""
    found = verify(runtime, by="mô phỏng")
    for one in (*found.faults, *found.remarks):
        yield f"the log: {one}"


def _unlike(session: Session, instant: datetime) -> Iterator[str]:
    for number, names in unlike_history(session, instant):
        yield f"assignment {number}: the table and its history differ in {', '.join(names) or 'all'}"
