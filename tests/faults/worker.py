"""What runs every day, as one process that can be killed at any moment.

``python -m tests.faults.worker URL HOST PORT DAY ...`` opens what is due, queues what is owed and
delivers it, day by day, to a real mail server. Each step, transaction and letter is announced on
standard output as it begins and ends, so that whoever kills the process knows what was hit. The
clock stands at eight in the morning of each day: two runs of the same days write the same rows.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from functools import partial

from sqlalchemy import event

from models.engine import Database
from notifications.answers import Outcome
from notifications.smtp import MailSession, Security, SmtpSettings
from notifications.values import Sender
from operations.opening import open_due
from operations.reminding import remind
from operations.stamp import Stamp
from operations.state import plan_keys
from rules.actors import flow_actor
from runtime.clock import FixedClock
from runtime.delivery import PostOffice, deliver

OPENING, REMINDING, DELIVERING = "opening", "reminding", "delivering"
PHASES = (OPENING, REMINDING, DELIVERING)
SECRET = "a secret of the fault tests only"

Say = Callable[..., None]
"""Announces words; the first says what kind of announcement it is."""

SENDER = Sender(
    office_name="Cơ quan điều phối",
    contact_line="Bộ phận một cửa",
    phone="0258 0000 000",
    from_name="Nhắc việc",
    from_address="nhac-viec@tiendo.test",
    portal_url="http://127.0.0.1:8718",
    uid_domain="tiendo.test",
    reply_to=None,
)


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where letters go; on this machine."""

    host: str
    port: int


def silent(*_: object) -> None:
    """Announces nothing."""


def instant(day: date) -> datetime:
    """Eight in the morning of ``day`` in Vietnam."""
    return datetime.combine(day, time_of_day(1), UTC)


def work(url: str, server: MailServer, days: Sequence[date], say: Say = silent) -> None:
    """Do what each day asks for, in order."""
    database = Database(url)
    _announce_transactions(database, say)
    say("ready")
    for day in days:
        stamp = Stamp(at=instant(day), as_of=day, actor=flow_actor("thử lỗi"))
        with _step(OPENING, day, say), database.write() as session:
            for plan in plan_keys(session):
                open_due(session, stamp, plan)
        with _step(REMINDING, day, say), database.write() as session:
            remind(session, stamp)
        with _step(DELIVERING, day, say):
            deliver(_office(database, server, day, say), as_of=day)
    database.close()
    say("over")


@contextmanager
def _step(phase: str, day: date, say: Say) -> Iterator[None]:
    say("step", phase, day, time.monotonic())
    yield
    say("done", phase, day, time.monotonic())


def _announce_transactions(database: Database, say: Say) -> None:
    event.listen(database.engine, "begin", lambda _: say("begin"))
    event.listen(database.engine, "commit", lambda _: say("commit"))


class _AnnouncedMail(MailSession):
    """Announces each letter as it is offered and as it was answered."""

    def __init__(self, settings: SmtpSettings, say: Say) -> None:
        super().__init__(settings)
        self._say = say

    def send(
        self,
        message: bytes,
        *,
        sender: str,
        to: str,
        before_data: Callable[[], None] | None = None,
    ) -> Outcome:
        self._say("offer")
        outcome = super().send(message, sender=sender, to=to, before_data=before_data)
        self._say("answer")
        return outcome


def _office(database: Database, server: MailServer, day: date, say: Say) -> PostOffice:
    settings = SmtpSettings(
        host=server.host, port=server.port, security=Security.NONE, helo_name="localhost"
    )
    return PostOffice(
        database=database,
        open_mail=partial(_AnnouncedMail, settings, say),
        clock=FixedClock(instant(day)),
        sender=SENDER,
        secret=SECRET,
        real_server=False,  # the addresses are made up, and the server takes them
    )


def _print(*words: object) -> None:
    os.write(1, (" ".join(map(str, words)) + "\n").encode())  # unbuffered: it survives a kill


def main(arguments: Sequence[str]) -> None:
    """Work as told by the command line."""
    url, host, port, *days = arguments
    work(url, MailServer(host, int(port)), [date.fromisoformat(day) for day in days], _print)


if __name__ == "__main__":
    main(sys.argv[1:])
