"""A clock that is wrong, a year that ends, a long holiday, a host that lives elsewhere (rule 1)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from flows.shell import Job, Outcome, perform, today
from models.engine import Database
from models.tables import Event, LetterState, Occurrence, RunLog
from operations.opening import open_due
from operations.reminding import remind
from operations.stamp import Stamp
from operations.state import load_calendar, plan_keys
from rules.actors import flow_actor
from runtime.clock import FixedClock
from runtime.delivery import deliver
from runtime.wiring import open_runtime
from tests.faults.conftest import SmallGrounds
from tests.faults.kills import mail_server
from tests.faults.pictures import differences, picture, received
from tests.faults.portals import settings
from tests.faults.small import DAY, NOW, office, states
from tests.faults.test_mail_server import numbers
from tests.faults.test_together import opened
from tests.faults.tried import Tried
from tests.integration.test_smtp_session import ScriptedServer
from tests.invariants import check_invariants

Note = Callable[[Tried], None]
ZONES = ("UTC", "America/Los_Angeles", "Pacific/Kiritimati")
ROOT = Path(__file__).parents[2]


def day_of(database: Database, server: ScriptedServer, at: datetime) -> None:
    """What a day's flows do when the machine's clock says ``at``."""
    clock = FixedClock(at)
    day = clock.today("Asia/Ho_Chi_Minh")
    stamp = Stamp(at=at, as_of=day, actor=flow_actor("thử"))
    with database.write() as session:
        for plan in plan_keys(session):
            open_due(session, stamp, plan)
    with database.write() as session:
        remind(session, stamp)
    deliver(office(database, server.port, clock=clock), as_of=day)


def sent_twice(server: ScriptedServer) -> int:
    return sum(times - 1 for times in numbers(server).values())


def test_a_clock_that_goes_back_an_hour_sends_nothing_twice(
    small_url: str, store: str, note: Note
) -> None:
    """Rules 28, 33."""
    with ScriptedServer(BODY=["250 ok", "451 later", "250 ok"]) as server:
        with opened(small_url) as database:
            for hours in (0.0, 2.0, 1.0, 0.5, 3.0):
                day_of(database, server, NOW + timedelta(hours=hours))
                check_invariants(database)
            assert set(states(database).values()) == {LetterState.SENT}
        twice = sent_twice(server) - 1  # the one that was refused for the moment came again
    said = "each letter sent once"
    note(Tried(fault="clock back by an hour", store=store, happened=said, doubled=twice))
    assert twice == 0


def test_a_clock_that_was_a_year_ahead_leaves_a_database_that_works(
    small_url: str, store: str, note: Note
) -> None:
    """What opened too early stays, visibly; nothing is said twice and nothing breaks."""
    with ScriptedServer() as server, opened(small_url) as database:
        before = _periods(database)
        day_of(database, server, NOW + timedelta(days=365))
        early = _periods(database) - before
        for days in range(3):
            day_of(database, server, NOW + timedelta(days=days))
            check_invariants(database)
        assert _periods(database) == before + early
        twice = sent_twice(server)
    said = f"{early} periods opened early, no letter twice"
    note(Tried(fault="clock a year ahead for a day", store=store, happened=said, doubled=twice))
    assert (twice, early > 0) == (0, True)


def _periods(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(Occurrence)) or 0


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (datetime(2027, 12, 31, 16, 59, 59, tzinfo=UTC), date(2027, 12, 31)),
        (datetime(2027, 12, 31, 17, 0, 0, tzinfo=UTC), date(2028, 1, 1)),
    ],
)
def test_the_year_turns_at_midnight_in_viet_nam(
    small_url: str, store: str, tmp_path: Path, *, note: Note, at: datetime, day: date
) -> None:
    """Rule 1."""
    job = Job(word="nightly", title="thử")
    with open_runtime(settings(small_url, tmp_path, 1), clock=FixedClock(at)) as runtime:
        assert today(runtime, job) == day
        perform(
            runtime, job, lambda *_: Outcome(state="Xong", message="Xong."), run=None, as_of=None
        )
        with runtime.database.read() as session:
            assert session.scalars(select(RunLog.as_of)).all() == [day]
    said = "the business date of Viet Nam"
    note(Tried(fault="31 December to 1 January", store=store, happened=said))


def test_tet_is_a_week_without_letters_and_without_losses(
    small_url: str, store: str, note: Note
) -> None:
    """Rules 5, 29: what is owed on a day off goes on the next working day (Tết 2028)."""
    first = date(2028, 1, 19)
    with ScriptedServer() as server, opened(small_url) as database:
        off = 0
        for number in range(16):
            at = datetime(first.year, first.month, first.day, 2, tzinfo=UTC)
            day = first + timedelta(days=number)
            with database.read() as session:
                off += not load_calendar(session).is_working(day)
            day_of(database, server, at + timedelta(days=number))
        check_invariants(database)
        with database.read() as session:
            query = select(Event.effective_on).where(
                Event.entity == "letter", Event.action == "sent"
            )
            days = Counter(session.scalars(query))
            working = load_calendar(session)
            assert days
            assert all(working.is_working(day) for day in days)
        twice = sent_twice(server)
    said = f"{off} of 16 days off, letters on working days only"
    note(Tried(fault="Tết", store=store, times=16, happened=said, doubled=twice))
    assert twice == 0
    assert off >= 7


def _worker(url: str, server: Sequence[str], zone: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "tests.faults.worker", url, *server, "2027-03-02", "2027-03-31"],
        check=True,
        cwd=ROOT,
        env={**os.environ, "TZ": zone},
        stdout=subprocess.DEVNULL,
    )


def test_a_host_in_another_time_zone_writes_the_same_rows(
    small_grounds: SmallGrounds, store: str, tmp_path: Path, note: Note
) -> None:
    """Rule 1: dates are those of Viet Nam wherever the machine stands."""
    found = []
    for zone in ("Asia/Ho_Chi_Minh", *ZONES):
        folder = tmp_path / zone.replace("/", "-")
        folder.mkdir()
        with small_grounds(store).one(folder) as url, mail_server(folder / "mail") as server:
            _worker(url, (server.host, str(server.port)), zone)
            with opened(url) as database:
                check_invariants(database)
                found.append((picture(database), received(folder / "mail", database)))
    rows, letters = found[0]
    differs = [line for other, _ in found[1:] for line in differences(rows, other)]
    note(
        Tried(
            fault="host in another time zone",
            store=store,
            times=len(ZONES),
            happened="the same rows and letters",
            lost=len(differs),
        )
    )
    assert differs == []
    assert all(other == letters for _, other in found[1:])
    assert DAY.year == 2027
