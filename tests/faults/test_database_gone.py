"""A database that is away for a while: restarted, cut off, locked (PostgreSQL and SQLite)."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy import event, make_url, text
from sqlalchemy.exc import InterfaceError, OperationalError

from models.engine import Database
from models.tables import LetterState
from operations.history import Change, record
from runtime.delivery import deliver
from tests.databases import postgres_copies
from tests.engine import stamp
from tests.faults.portals import PERSON, Browser, in_thread, links, text_of, works
from tests.faults.servers import Line, Restartable, line, restartable
from tests.faults.small import DAY, FINAL, SmallGround, later, office, states
from tests.faults.test_mail_server import numbers
from tests.faults.test_portal_killed import People, raised
from tests.faults.test_together import opened
from tests.faults.tried import Tried
from tests.integration.test_smtp_session import ScriptedServer
from tests.invariants import check_invariants

Note = Callable[[Tried], None]
pytestmark = pytest.mark.timeout(300)


@dataclass
class Shaky:
    """A PostgreSQL that can be harmed: the database directly, and behind a line."""

    server: Restartable
    wire: Line
    direct: str
    wired: str

    def terminate(self) -> None:
        """End every session of the database, as an operator might."""
        dsn = self.server.server.dsn("postgres")
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname LIKE 'test_%' AND pid <> pg_backend_pid()"
            )


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Restartable, SmallGround]]:
    """A PostgreSQL of this module's own, with the small district in it."""
    with restartable() as made:
        yield made, SmallGround(postgres_copies(made.server), tmp_path_factory.mktemp("shaky"))


@pytest.fixture
def shaky(ground: tuple[Restartable, SmallGround], tmp_path: Path) -> Iterator[Shaky]:
    """A fresh database of it."""
    server, small = ground
    with small.one(tmp_path) as direct, line(server.server) as wire:
        name = make_url(direct).database
        wired = f"postgresql+psycopg://postgres@127.0.0.1:{wire.port}/{name}"
        yield Shaky(server, wire, direct, wired)


HARMS: dict[str, Callable[[Shaky], object]] = {
    "sessions ended (pg_terminate_backend)": Shaky.terminate,
    "connections cut (TCP reset)": lambda one: one.wire.cut(),
    "PostgreSQL crashed and started again": lambda one: one.server.again(),
    "PostgreSQL restarted": lambda one: one.server.again(signal.SIGINT),
}


def harm_while_people_work(shaky: Shaky, what: str, times: int, folder: Path, note: Note) -> None:
    draw = random.Random(what)
    with in_thread(shaky.wired, folder / "portal") as (runtime, url):
        database = runtime.database
        work = works(database)[-1]
        for round_ in range(times):
            people = People(url, links(database, 3), work)
            threads = people.run(round_)
            people.until_answered()
            time.sleep(draw.uniform(0.0, 0.3))
            HARMS[what](shaky)
            began = time.monotonic()
            answers = people.answered.total()
            while people.answered.total() == answers and time.monotonic() - began < 60:
                time.sleep(0.01)
            seconds = time.monotonic() - began
            people.stop(threads)
            with opened(shaky.direct) as direct:
                rows = raised(direct)
                check_invariants(direct)
            lost = sum(not rows[one] for one in people.answered)
            doubled = sum(max(times - 1, 0) for times in rows.values())
            said = "whoever met it was told to try again; what was answered is there"
            note(
                Tried(
                    fault=what,
                    store="postgresql",
                    happened=said,
                    lost=lost,
                    doubled=doubled,
                    seconds=seconds,
                )
            )
            assert (lost, doubled) == (0, 0)
            assert set(people.faults) <= {503}, people.faults


@pytest.mark.parametrize("what", HARMS)
def test_people_lose_nothing_that_was_answered(
    shaky: Shaky, what: str, tmp_path: Path, note: Note
) -> None:
    """Rules 26, 37: a sample."""
    harm_while_people_work(shaky, what, 1, tmp_path, note)


@pytest.mark.faults
@pytest.mark.parametrize("what", HARMS)
def test_people_lose_nothing_however_often(
    shaky: Shaky, what: str, tmp_path: Path, note: Note
) -> None:
    """All of them."""
    harm_while_people_work(shaky, what, 10, tmp_path, note)


def deliver_through_harm(shaky: Shaky, what: str, statement: int) -> str:
    """A delivery whose database is harmed before its n-th statement; how it went."""
    left = [statement]

    def count(*_: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            HARMS[what](shaky)

    with ScriptedServer() as server:
        with opened(shaky.wired) as database:
            event.listen(database.engine, "before_cursor_execute", count)
            try:
                deliver(office(database, server.port), as_of=DAY)
                said = "went on by itself"
            except (OperationalError, InterfaceError):
                said = "ended; the next one went on"
        assert left[0] <= 0, "the delivery has fewer statements"
        with opened(shaky.direct) as database:
            # The owner of the claims lives (it is this process): they are given up in time.
            for hours in (1, 7, 8):
                deliver(office(database, server.port, clock=later(hours)), as_of=DAY)
            check_invariants(database)
            ended = states(database)
        taken = numbers(server)
    assert all(state in FINAL for state in ended.values()), ended
    assert set(taken.values()) == {1}
    unknown = sum(state is LetterState.UNKNOWN for state in ended.values())
    assert unknown <= 1
    return f"{said}, one letter “không rõ”" if unknown else said


def note_delivery(shaky: Shaky, what: str, statement: int, note: Note) -> None:
    said = deliver_through_harm(shaky, what, statement)
    note(Tried(fault=f"delivery: {what}", store="postgresql", happened=said))


@pytest.mark.parametrize("what", HARMS)
def test_a_delivery_that_loses_its_database_sends_nothing_twice(
    shaky: Shaky, what: str, note: Note
) -> None:
    """Rule 33: it may end; the next one goes on, and at most the letter on its way is unknown."""
    note_delivery(shaky, what, random.Random(what).randint(30, 46), note)


@pytest.mark.faults
@pytest.mark.parametrize("statement", range(4, 47, 2))
@pytest.mark.parametrize("what", HARMS)
def test_a_delivery_may_lose_its_database_at_any_statement(
    shaky: Shaky, what: str, statement: int, note: Note
) -> None:
    """All of them."""
    note_delivery(shaky, what, statement, note)


def restart_within(database: Database, shaky: Shaky, change: Change) -> None:
    with database.write() as session:
        record(session, stamp(DAY), [change])
        session.flush()
        shaky.server.again()


def test_a_restart_inside_a_transaction_leaves_nothing_of_it(shaky: Shaky, note: Note) -> None:
    """What was not committed was never there; the next transaction goes through."""
    change = Change(entity="setting", entity_id="x", action="set", snapshot={})
    with opened(shaky.direct) as database:
        with database.read() as session:
            before = session.scalar(text("SELECT count(*) FROM event"))
        with pytest.raises(OperationalError):
            restart_within(database, shaky, change)
        began = time.monotonic()
        with database.write() as session:
            record(session, stamp(DAY), [change])
        seconds = time.monotonic() - began
        with database.read() as session:
            after = session.scalar(text("SELECT count(*) FROM event"))
        check_invariants(database)
    assert before is not None
    assert after == before + 1
    note(
        Tried(
            fault="PostgreSQL restarted inside a transaction",
            store="postgresql",
            happened="nothing of it stays",
            seconds=seconds,
        )
    )


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Another program holds the database: SQLite's writer, or PostgreSQL's table of obstacles."""
    with opened(url) as database, database.write() as session:
        if not database.is_sqlite:
            session.execute(text("LOCK TABLE obstacle IN ACCESS EXCLUSIVE MODE"))
        session.execute(text("SELECT 1"))  # SQLite's BEGIN IMMEDIATE comes with the first
        yield


def wait_for_lock(url: str, folder: Path, seconds: float) -> tuple[int, float, int]:
    """Send a form while the database is locked; its status, how long it took, and the rows."""
    with in_thread(url, folder / "portal") as (runtime, address):
        database = runtime.database
        work = works(database)[-1]
        browser = Browser(address, links(database, 1)[0])
        forms = {**PERSON, **browser.open(work), "text": "Trong lúc bị khóa"}
        found: list[httpx.Response] = []
        began = time.monotonic()
        with locked(url):
            thread = threading.Thread(
                target=lambda: found.append(browser.post(work, "vuong-mac", forms)), daemon=True
            )
            thread.start()
            thread.join(seconds)
        thread.join(100)
        took = time.monotonic() - began
        assert "Internal Server Error" not in text_of(found[0])
        check_invariants(database)
        return found[0].status_code, took, sum(raised(database).values())


def test_a_form_waits_for_a_database_that_is_locked(
    small_url: str, store: str, tmp_path: Path, note: Note
) -> None:
    """Two seconds are nothing that anybody has to hear of."""
    status, took, rows = wait_for_lock(small_url, tmp_path, 2.0)
    said = "the form waited and was taken"
    note(Tried(fault="database locked for 2 s", store=store, happened=said, seconds=took))
    assert (status, rows) == (303, 1)


@pytest.mark.faults
def test_a_database_that_is_locked_for_more_than_a_minute_is_told(
    small_url: str, store: str, tmp_path: Path, note: Note
) -> None:
    """SQLite gives up after a minute and the page says so; PostgreSQL waits."""
    status, took, rows = wait_for_lock(small_url, tmp_path, 65.0)
    said = "told to try again" if status == 503 else "the form waited and was taken"
    note(Tried(fault="database locked for 65 s", store=store, happened=said, seconds=took))
    assert (status, rows) == ((503, 0) if store == "sqlite" else (303, 1))
