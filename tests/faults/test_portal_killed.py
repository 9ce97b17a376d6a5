"""A portal that is killed while people send forms: what was answered is there, once."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from models.engine import Database
from models.tables import Obstacle, StoredFile
from tests.faults.portals import PERSON, Browser, NotOpened, PortalProcess, as_process, links, works
from tests.faults.test_together import opened
from tests.faults.tried import Tried
from tests.invariants import check_invariants
from tests.portal_site import PDF

Note = Callable[[Tried], None]
PEOPLE = 4
SAMPLE, ALL = 1, 30
"""Kills on each database: in every run, and in ``make faults``."""
LONGEST = 0.6
"""Seconds from the first answer to a kill, drawn evenly from none to this."""


@dataclass
class People:
    """Somebody behind each of some links, sending one form after the other."""

    url: str
    links: list[str]
    work: int
    answered: Counter[str] = field(default_factory=Counter)
    unanswered: set[str] = field(default_factory=set)
    faults: list[int] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def run(self, round_: int) -> list[threading.Thread]:
        """Begin; each form carries a text of its own."""
        self._over.clear()
        made = [
            threading.Thread(target=self._one, args=(link, f"{round_}.{number}"), daemon=True)
            for number, link in enumerate(self.links)
        ]
        for one in made:
            one.start()
        return made

    def until_answered(self) -> None:
        """Wait for the first answer: before it there is nothing to hit."""
        deadline = time.monotonic() + 60
        while not self.answered and time.monotonic() < deadline:
            time.sleep(0.01)

    def stop(self, threads: list[threading.Thread]) -> None:
        """No more forms; wait for those that are on their way."""
        self._over.set()
        for one in threads:
            one.join(100)

    def _one(self, link: str, name: str) -> None:
        browser = Browser(self.url, link)
        for count in range(1000):
            if self._over.is_set():
                return
            text = f"Vướng mắc {name}.{count}"
            try:
                forms = browser.open(self.work)
            except NotOpened as error:
                self.faults.append(error.status)
                time.sleep(0.05)
                continue
            except httpx.HTTPError:
                return
            self.unanswered.add(text)
            try:
                answer = browser.post(self.work, "vuong-mac", {**PERSON, **forms, "text": text})
            except httpx.HTTPError:
                return
            self.unanswered.discard(text)
            if answer.status_code == 303:
                self.answered[text] += 1
            elif answer.status_code >= 500:
                self.faults.append(answer.status_code)


def raised(database: Database) -> Counter[str]:
    with database.read() as session:
        return Counter(session.scalars(select(Obstacle.text)))


def kill_at_random(
    portal: PortalProcess, database: Database, draw: random.Random, round_: int
) -> tuple[int, int, float]:
    """One kill; what was lost, what was doubled, and how long until it answered again."""
    people = People(portal.url, links(database, PEOPLE), works(database)[-1])
    threads = people.run(round_)
    people.until_answered()
    time.sleep(draw.uniform(0.0, LONGEST))
    portal.kill()
    people.stop(threads)
    seconds = portal.start()
    rows = raised(database)
    lost = sum(not rows[text] for text in people.answered)
    doubled = sum(max(rows[one] - 1, 0) for one in (*people.answered, *people.unanswered))
    assert not people.faults
    check_invariants(database)
    return lost, doubled, seconds


def kill_often(url: str, folder: Path, store: str, note: Note, *, kills: int) -> None:
    draw = random.Random(f"portal {store}")
    with as_process(url, folder) as portal, opened(url) as database:
        for round_ in range(kills):
            lost, doubled, seconds = kill_at_random(portal, database, draw, round_)
            note(
                Tried(
                    fault="portal killed while forms are sent",
                    store=store,
                    happened="what was answered is there",
                    lost=lost,
                    doubled=doubled,
                    seconds=seconds,
                )
            )
            assert (lost, doubled) == (0, 0), round_
        assert raised(database)


@pytest.mark.timeout(180)
def test_what_was_answered_is_there_once(
    small_url: str, store: str, tmp_path: Path, note: Note
) -> None:
    """Rules 26, 37: a sample."""
    kill_often(small_url, tmp_path / "portal", store, note, kills=SAMPLE)


@pytest.mark.faults
@pytest.mark.timeout(1200)
def test_thirty_kills_of_a_portal(small_url: str, store: str, tmp_path: Path, note: Note) -> None:
    """All of them."""
    kill_often(small_url, tmp_path / "portal", store, note, kills=ALL)


@pytest.mark.timeout(180)
def test_a_file_whose_upload_was_cut_is_not_filed(
    small_url: str, store: str, tmp_path: Path, note: Note
) -> None:
    """Rule 25: what the history names is there whole; what was cut is named nowhere."""
    big = PDF[:-6] + b"%" + b"x" * 8_000_000 + b"\n%%EOF\n"
    with as_process(small_url, tmp_path / "portal") as portal, opened(small_url) as database:
        [link] = links(database, 1)
        work = works(database)[-1]
        browser = Browser(portal.url, link)
        forms = {**PERSON, **browser.open(work), "text": "Có tệp", "figure.ho_so": "1"}

        def send() -> None:
            try:
                browser.post(work, "cap-nhat", forms, files=[("a.pdf", big)])
            except httpx.HTTPError:
                return

        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        time.sleep(0.03)
        portal.kill()
        thread.join(60)
        seconds = portal.start()
        with database.read() as session:
            named = set(session.scalars(select(StoredFile.sha256)))
        kept = {
            one.name: one for one in (tmp_path / "portal" / "uploads").rglob("*") if one.is_file()
        }
        lost = len(named - set(kept))
        check_invariants(database)
    said = "nothing half is named"
    fault = "portal killed during an upload"
    note(Tried(fault=fault, store=store, happened=said, lost=lost, seconds=seconds))
    assert lost == 0
