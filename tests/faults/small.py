"""A small district on a Monday with open work and letters that wait: the ground of most faults."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final

from sqlalchemy import select

from models.engine import Database
from models.tables import Letter, LetterState
from notifications.smtp import MailSession, Security, SmtpSettings
from operations.opening import open_due
from operations.reminding import remind
from operations.sample_contacts import seed_sample_contacts
from runtime.clock import Clock, FixedClock
from runtime.delivery import PostOffice
from tests.databases import Copies, prepare_template
from tests.engine import SMALL, engine, stamp
from tests.faults.worker import SECRET, SENDER

START: Final = date(2027, 1, 1)
DAYS: Final = (date(2027, 2, 1), date(2027, 2, 24), date(2027, 3, 1))
DAY: Final = DAYS[-1]
NOW: Final = datetime.combine(DAY, time(2), UTC)
"""Nine in the morning of that Monday in Viet Nam."""
FINAL: Final = frozenset({LetterState.SENT, LetterState.UNDELIVERABLE, LetterState.UNKNOWN})


class SmallGround:
    """Databases of one store, all alike."""

    def __init__(self, copies: Copies, folder: Path) -> None:
        self._copies = Copies(
            server=copies.server, template=_prepare(copies, folder), names=count(800_001)
        )

    @contextmanager
    def one(self, folder: Path) -> Iterator[str]:
        """A fresh database as a URL."""
        with self._copies.one(folder, migrated=True) as url:
            yield url


def _prepare(copies: Copies, folder: Path) -> Path | str:
    if copies.server is None:
        template: Path | str = folder / "small.sqlite"
        url = f"sqlite:///{template}"
    else:
        template = "small_ground_of_faults"
        url = copies.server.create(template)
    prepare_template(url)
    with engine(url, folder=SMALL, start=START) as made:
        with made.database.write() as session:
            seed_sample_contacts(session, stamp(DAYS[0]), agencies_file="huyen_mau")
        for day in DAYS:
            with made.database.write() as session:
                open_due(session, stamp(day), made.plan)
            with made.database.write() as session:
                remind(session, stamp(day))
    return template


def office(
    database: Database,
    port: int,
    *,
    clock: Clock | None = None,
    timeout: float = 5.0,
    letter: float = 60.0,
) -> PostOffice:
    """Where letters leave from, to a mail server of this machine; times in seconds."""
    settings = SmtpSettings(
        host="127.0.0.1",
        port=port,
        security=Security.NONE,
        timeout_seconds=timeout,
        letter_seconds=letter,
        helo_name="localhost",
    )
    return PostOffice(
        database=database,
        open_mail=partial(MailSession, settings),
        clock=clock or FixedClock(NOW),
        sender=SENDER,
        secret=SECRET,
        real_server=False,
    )


def later(hours: float) -> FixedClock:
    """The clock of the same day, some hours later."""
    return FixedClock(NOW + timedelta(hours=hours))


def states(database: Database) -> dict[str, LetterState]:
    """The letters of the day, by Message-ID where they have one, else by key."""
    with database.read() as session:
        rows = session.scalars(select(Letter).where(Letter.day == DAY))
        return {row.message_id or row.key: LetterState(row.state) for row in rows}
