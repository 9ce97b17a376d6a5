"""Disks that fill up or may only be read: told, nothing half, and all goes on with room again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import make_url, select
from sqlalchemy.exc import OperationalError

from models.tables import Evidence, LetterState
from runtime.delivery import deliver
from tests.faults.conftest import SmallGrounds
from tests.faults.disks import Disk, small_disk
from tests.faults.portals import PERSON, Browser, NotOpened, in_thread, links, text_of, works
from tests.faults.small import DAY, FINAL, later, office, states
from tests.faults.test_mail_server import numbers
from tests.faults.test_portal_killed import raised
from tests.faults.test_together import opened
from tests.faults.tried import Tried
from tests.integration.test_smtp_session import ScriptedServer
from tests.invariants import check_invariants
from tests.portal_site import PDF

Note = Callable[[Tried], None]
pytestmark = pytest.mark.timeout(180)
ROOM = 200_000
"""Bytes that the full disk still has at the beginning."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A disk of 30 MB."""
    with small_disk(tmp_path / "disk") as made:
        yield made


@pytest.fixture
def on_disk(small_grounds: SmallGrounds, tmp_path: Path, disk: Disk) -> Iterator[str]:
    """A SQLite database on that disk; a PostgreSQL one has a disk of its server."""
    with small_grounds("sqlite").one(tmp_path) as url:
        target = disk.folder / "tiendo.sqlite"
        target.write_bytes(Path(str(make_url(url).database)).read_bytes())
        yield f"sqlite:///{target}"


def send_until(browser: Browser, work: int, statuses: set[int], name: str) -> list[str]:
    """Send forms until one is answered so; the texts that were taken."""
    taken: list[str] = []
    for number in range(400):
        text = f"{name} {number} " + "nội dung " * 200
        try:
            forms = browser.open(work)
        except NotOpened:  # even that a page was opened could not be written down
            return taken
        answer = browser.post(work, "vuong-mac", {**PERSON, **forms, "text": text})
        assert answer.status_code in {303, *statuses}, text_of(answer)[:300]
        if answer.status_code != 303:
            return taken
        taken.append(text)
        if number % 40 == 39:  # a link takes so many forms in five minutes
            return taken
    return taken


def test_a_full_disk_is_told_and_costs_nothing_that_was_answered(
    on_disk: str, tmp_path: Path, disk: Disk, note: Note
) -> None:
    """Rules 26, 37, on SQLite, whose file is on the disk that fills up."""
    with in_thread(on_disk, tmp_path / "var") as (runtime, at):
        database = runtime.database
        work = works(database)[-1]
        browsers = [Browser(at, link) for link in links(database, 4)]
        disk.fill(ROOM)
        taken = [text for one in browsers[:3] for text in send_until(one, work, {503}, one.link)]
        disk.empty()
        last = browsers[3].post(
            work, "vuong-mac", {**PERSON, **browsers[3].open(work), "text": "Có chỗ trở lại"}
        )
        rows = raised(database)
        check_invariants(database)
    lost = sum(not rows[" ".join(text.split())] and not rows[text.strip()] for text in taken)
    note(
        Tried(
            fault="disk full under the database",
            store="sqlite",
            happened=f"{len(taken)} forms taken, then told to try again; taken again with room",
            lost=lost,
            doubled=sum(times - 1 for times in rows.values()),
        )
    )
    assert last.status_code == 303
    assert lost == 0


def test_a_full_disk_under_uploads_files_nothing_half(
    small_url: str, store: str, tmp_path: Path, disk: Disk, note: Note
) -> None:
    """Rule 25: an upload that does not fit is refused whole, and no file of it is left."""
    big = PDF[:-6] + b"%" + b"x" * 3_000_000 + b"\n%%EOF\n"
    with in_thread(small_url, disk.folder / "var") as (runtime, url):
        database = runtime.database
        work = works(database)[-1]
        browser = Browser(url, links(database, 1)[0])
        forms = {**PERSON, **browser.open(work), "text": "Có tệp", "figure.ho_so": "1"}
        disk.fill(ROOM)
        answer = browser.post(work, "cap-nhat", forms, files=[("a.pdf", big)])
        left = [one for one in runtime.uploads.rglob("*") if one.is_file()]
        disk.empty()
        assert answer.status_code == 422, text_of(answer)[:600]
        assert "không còn chỗ lưu tệp" in text_of(answer)
        again = browser.post(work, "cap-nhat", forms, files=[("a.pdf", big)])
        with database.read() as session:
            filed = session.scalars(select(Evidence.sha256).where(Evidence.sha256.is_not(None)))
            names = set(filed)
        kept = {one.name for one in runtime.uploads.rglob("*") if one.is_file()}
        check_invariants(database)
    said = "told, the form kept, nothing half is left; taken with room"
    note(Tried(fault="disk full under uploads", store=store, happened=said))
    assert left == []
    assert again.status_code == 303, text_of(again)[:300]
    assert names == kept


def test_a_delivery_on_a_full_disk_sends_nothing_twice(
    on_disk: str, disk: Disk, note: Note
) -> None:
    """Rule 33: what cannot be written down as on its way is not sent."""
    with ScriptedServer() as server:
        tries = 0
        for room in (0, 20_000, 60_000, 120_000, 200_000):
            disk.fill(room)
            with opened(on_disk) as database, suppress(OperationalError):
                tries += 1
                deliver(office(database, server.port, clock=later(tries / 10)), as_of=DAY)
            disk.empty()
        with opened(on_disk) as database:
            for hours in (7, 8):
                deliver(office(database, server.port, clock=later(hours)), as_of=DAY)
            check_invariants(database)
            ended = states(database)
        taken = numbers(server)
    doubled = sum(times - 1 for times in taken.values())
    unknown = sum(state is LetterState.UNKNOWN for state in ended.values())
    said = f"letters sent, {unknown} “không rõ”"
    fault = "delivery on a full disk"
    note(Tried(fault=fault, store="sqlite", times=tries, happened=said, doubled=doubled))
    assert all(state in FINAL for state in ended.values())
    assert doubled == 0


def test_a_disk_that_may_only_be_read_is_told(
    on_disk: str, tmp_path: Path, disk: Disk, note: Note
) -> None:
    """Whoever sends a form hears of it, and everything works once it may be written again."""
    with in_thread(on_disk, tmp_path / "var") as (runtime, at):
        database = runtime.database
        work = works(database)[-1]
        browser = Browser(at, links(database, 1)[0])
        forms = {**PERSON, **browser.open(work), "text": "Chỉ đọc"}
        database.close()  # a disk cannot be remounted under a file that is open for writing
        disk.remount("ro")
        answer = browser.post(work, "vuong-mac", forms)
        database.close()
        disk.remount("rw")
        again = browser.post(work, "vuong-mac", forms)
        rows = raised(database)
        check_invariants(database)
    said = f"told ({answer.status_code}); taken once it may be written"
    note(Tried(fault="disk that may only be read", store="sqlite", happened=said))
    assert answer.status_code == 503, text_of(answer)[:300]
    assert again.status_code == 303
    assert sum(rows.values()) == 1
