"""PostgreSQL on a disk of its own that fills up, under its tables or under its write-ahead log.

Under the tables a statement fails and the server stays; under the log the server gives up and is
started again, as systemd does, once there is room.
"""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from sqlalchemy.exc import InterfaceError, OperationalError

from models.engine import Database
from models.tables import LetterState
from operations.opening import open_due
from operations.reminding import remind
from operations.state import plan_keys
from runtime.delivery import deliver
from tests.databases import postgres_copies
from tests.engine import stamp
from tests.faults.disks import Disk, small_disk
from tests.faults.portals import PERSON, Browser, NotOpened, in_thread, links, text_of, works
from tests.faults.servers import Restartable, restartable
from tests.faults.small import DAY, FINAL, SmallGround, later, office, states
from tests.faults.test_mail_server import numbers
from tests.faults.test_portal_killed import raised
from tests.faults.test_together import opened
from tests.faults.tried import Tried
from tests.integration.test_smtp_session import ScriptedServer
from tests.invariants import check_invariants

pytestmark = [pytest.mark.timeout(300), pytest.mark.faults]
SIZE = {"data": "200m", "wal": "100m"}
ROOM = {"data": 200_000, "wal": 0}
WORDS = {"data": "PostgreSQL's tables", "wal": "PostgreSQL's write-ahead log"}
KEPT_LOG = ("--wal-segsize=1", "--set=min_wal_size=2MB", "--set=wal_keep_size=1GB")
"""As when an archive or a replica no longer takes the log: nothing of it is used again."""


@contextmanager
def on_small_disk(part: str) -> Iterator[tuple[Restartable, Disk]]:
    """A server whose ``data``, or whose ``wal`` alone, is on a small disk."""
    disks: list[Disk] = []
    with ExitStack() as stack:

        def prepare(folder: Path) -> Sequence[str]:
            disks.append(stack.enter_context(small_disk(folder / part, SIZE[part])))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            log = folder / "wal"
            return (f"--waldir={log}", *KEPT_LOG)

        with restartable(prepare) as server:
            yield server, disks[0]
            disks[0].empty()


@pytest.mark.parametrize("part", ["data", "wal"])
def test_a_full_disk_of_postgresql_is_told_and_costs_nothing_that_was_answered(
    part: str, tmp_path: Path, note: Callable[[Tried], None]
) -> None:
    """Rules 26, 33, 37: portal, sweep and delivery while it is full, and with room again."""
    with on_small_disk(part) as (server, disk), ScriptedServer() as mail:
        ground = SmallGround(postgres_copies(server.server), tmp_path)
        with ground.one(tmp_path) as url:
            lost, doubled, seconds, said = fill_up(server, disk, part, url, mail, tmp_path)
    fault = f"disk full under {WORDS[part]}"
    note(
        Tried(
            fault=fault,
            store="postgresql",
            happened=said,
            lost=lost,
            doubled=doubled,
            seconds=seconds,
        )
    )
    assert (lost, doubled) == (0, 0)


def fill_up(  # noqa: PLR0917
    server: Restartable, disk: Disk, part: str, url: str, mail: ScriptedServer, folder: Path
) -> tuple[int, int, float, str]:
    """What was lost and doubled, how long it took until a form was taken again, and in words."""
    with in_thread(url, folder / "portal") as (runtime, at):
        database = runtime.database
        work = works(database)[-1]
        *browsers, late = [Browser(at, link) for link in links(database, 6)]
        disk.fill(ROOM[part])
        taken = send_until_full(browsers, work)
        tell(late, work)
        write_meanwhile(database, mail)
        stood = server.runs
        disk.empty()
        began = time.monotonic()
        if not stood:
            server.start()
        last = until_taken(late, work)
        seconds = time.monotonic() - began
        rows = raised(database)
        assert rows["Có chỗ trở lại"] == 1
        doubled = sum(times - 1 for times in rows.values())
        lost = sum(not rows[" ".join(text.split())] and not rows[text.strip()] for text in taken)
    assert last.status_code == 303
    with opened(url) as direct:
        for hours in (7, 8):
            deliver(office(direct, mail.port, clock=later(hours)), as_of=DAY)
        check_invariants(direct)
        ended = states(direct)
    sent = numbers(mail)
    lost += sum(state not in FINAL for state in ended.values())
    lost += sum(state is LetterState.SENT and not sent[key] for key, state in ended.items())
    doubled += sum(times - 1 for times in sent.values())
    how = "the server stayed" if stood else "the server ended and was started again with room"
    said = f"{len(taken)} forms taken, then told to try again; {how}; taken again"
    return lost, doubled, seconds, said


def send_until_full(browsers: Sequence[Browser], work: int) -> list[str]:
    """Send long forms until one is answered with "try again"; the texts that were taken."""
    draw = random.Random(1718)
    taken: list[str] = []
    for number in range(40 * len(browsers)):  # a link takes so many forms in five minutes
        browser = browsers[number // 40]
        text = f"{number} {draw.randbytes(8000).hex()}"  # nothing that the database could shorten
        try:
            forms = {**PERSON, **browser.open(work), "text": text}
        except NotOpened as error:  # even that a page was opened could not be written down
            assert error.status == 503, error  # noqa: PT017
            return taken
        answer = browser.post(work, "vuong-mac", forms)
        assert answer.status_code in {303, 503}, text_of(answer)[:500]
        if answer.status_code == 503:
            return taken
        taken.append(text)
    raise AssertionError("the disk never was full")


def tell(browser: Browser, work: int) -> None:
    """Somebody comes while it is full: a page in Vietnamese that says to try again, never a fault.

    Reading may work as well, where nothing had to be written.
    """
    page = browser.client.get(f"{browser.link}/viec/{work}")
    if page.status_code == 200:
        with suppress(NotOpened):
            forms = {**PERSON, **browser.open(work), "text": "Lúc đầy " + "đĩa " * 2000}
            page = browser.post(work, "vuong-mac", forms)
    assert page.status_code in {303, 503}, text_of(page)[:500]
    if page.status_code == 503:
        assert "Hệ thống tạm thời chưa trả lời" in text_of(page)
        assert "Mã yêu cầu" in text_of(page)


def write_meanwhile(database: Database, mail: ScriptedServer) -> None:
    """What flows do on such a day: each is whole or not there."""
    with suppress(OperationalError, InterfaceError):
        with database.read() as session:
            keys = plan_keys(session)
        for key in keys:
            with database.write() as session:
                open_due(session, stamp(DAY), key)
        with database.write() as session:
            remind(session, stamp(DAY))
    with suppress(OperationalError, InterfaceError):
        deliver(office(database, mail.port, clock=later(0.1)), as_of=DAY)


def until_taken(browser: Browser, work: int) -> httpx.Response:
    """Send one form until it is taken, as the page asks people to."""
    for _ in range(200):
        try:
            forms = {**PERSON, **browser.open(work), "text": "Có chỗ trở lại"}
        except NotOpened as error:
            assert error.status == 503  # noqa: PT017
        else:
            answer = browser.post(work, "vuong-mac", forms)
            if answer.status_code == 303:
                return answer
            assert answer.status_code == 503, text_of(answer)[:500]
        time.sleep(0.1)
    raise AssertionError("never taken again")
