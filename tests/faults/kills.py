"""Killing the worker at random moments, and comparing what is left with a run left in peace.

A moment is drawn evenly from the time that an undisturbed run spends in a phase, so that long
steps are hit more often than short ones, as they are in life. After the kill the work of that day
and of those that follow is done once more; then nothing may be missing and nothing twice.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import count
from pathlib import Path

from sqlalchemy import func, select

from models.engine import Database
from models.tables import AgencyRow, ContactKind, Letter, LetterState
from notifications.mailbox import LocalMailbox
from operations.catalog import apply_catalog
from operations.contacts import ContactInput, store_contacts
from tasks_catalog.loader import load_plan
from tests.databases import STORES, Copies, prepare_template
from tests.engine import PROVINCE, stamp
from tests.faults.pictures import Picture, differences, picture, received, unknown_keys
from tests.faults.worker import PHASES, MailServer, work
from tests.invariants import InvariantsBroken, check_invariants

START = date(2026, 12, 31)
DAYS = (date(2027, 1, 4), date(2027, 3, 1), date(2027, 3, 10))
"""A Monday on which yearly work opens, one on which more opens, and the day of a first rung."""
REACHED = 12
"""Agencies with contacts of their own; what the others are owed goes to the coordinator."""
SEEDS = range(50)
TRIES, NEXT_TRY = 6, 600
"""How often a moment is drawn anew when it hit nothing, and how far the next seed is."""
SAMPLE = (0, 1, 2, 3, 4, 5)
"""One kill in each phase on each store."""


@dataclass(frozen=True, slots=True)
class Target:
    """A random moment: so many seconds after a step of this phase began on this day."""

    phase: str
    day: date
    delay: float


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """What a run in peace did, and how long its steps took (seconds)."""

    picture: Picture
    letters: Counter[str]
    spans: dict[tuple[str, date], float]


@dataclass(slots=True)
class Kill:
    """One kill and what came of it.

    ``phase`` and ``day`` are those that were struck, ``where`` what the worker was doing.
    """

    seed: int
    store: str
    phase: str
    day: date
    where: str
    in_hand: int = 0
    """Letters that the dead worker had claimed, or was sending, at its end."""
    unknown: int = 0
    unknown_arrived: int = 0
    """Of the unknown letters those that the mail server has."""
    letters: int = 0
    broken: list[str] = field(default_factory=list)
    """What differs from the undisturbed run, and every promise that is broken."""

    @property
    def hit(self) -> bool:
        """Whether work was under way; a kill before or after it proves nothing."""
        return self.where not in NOTHING_HIT


def store_of(seed: int) -> str:
    """The store on which the kill of ``seed`` runs."""
    return STORES[seed % len(STORES)]


def phase_of(seed: int) -> str:
    """The phase in which the kill of ``seed`` strikes."""
    return PHASES[seed // len(STORES) % len(PHASES)]


class Ground:
    """Databases of one store, all alike: the province on the last day before its work begins."""

    def __init__(self, copies: Copies, folder: Path) -> None:
        self._folder = folder
        self._numbers = count(1)
        self._copies = Copies(
            server=copies.server, template=self._prepare(copies, folder), names=count(900_001)
        )

    @staticmethod
    def _prepare(copies: Copies, folder: Path) -> Path | str:
        if copies.server is None:
            template: Path | str = folder / "ground.sqlite"
            url = f"sqlite:///{template}"
        else:
            template = "ground_of_faults"
            url = copies.server.create(template)
        prepare_template(url)
        database = Database(url)
        catalog = load_plan(PROVINCE)
        with database.write() as session:
            apply_catalog(session, stamp(START), catalog, tracking_start=START)
            agencies = list(
                session.scalars(
                    select(AgencyRow.key).where(AgencyRow.letters).order_by(AgencyRow.key)
                )
            )
            chosen = sorted({catalog.plan.coordinator, *agencies[:: len(agencies) // REACHED]})
            store_contacts(session, stamp(START), [one for key in chosen for one in _contacts(key)])
        database.close()
        return template

    @contextmanager
    def one(self) -> Iterator[tuple[str, Path]]:
        """A fresh database as a URL, and an empty folder for its letters."""
        folder = self._folder / f"run_{next(self._numbers)}"
        folder.mkdir()
        with self._copies.one(folder, migrated=True) as url:
            yield url, folder / "mail"


def _contacts(agency: str) -> Iterator[ContactInput]:
    label = agency.replace("_", "-")
    yield ContactInput(agency_key=agency, kind=ContactKind.MAILBOX, email=f"{label}@co-quan.test")
    yield ContactInput(
        agency_key=agency,
        kind=ContactKind.FOCAL,
        name="Nguyễn Văn A",
        post="Chuyên viên",
        email=f"dau-moi.{label}@co-quan.test",
    )


@contextmanager
def mail_server(folder: Path) -> Iterator[MailServer]:
    """A real SMTP server in this process, which is never killed."""
    box = LocalMailbox(folder)
    box.start()
    try:
        yield MailServer(box.host, box.port)
    finally:
        box.stop()


def _start(url: str, server: MailServer) -> subprocess.Popen[str]:
    days = [day.isoformat() for day in DAYS]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.worker", url, server.host, str(server.port), *days],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


def leave_in_peace(ground: Ground) -> Undisturbed:
    """Run the worker undisturbed, twice: what it does must not differ, and its times do.

    The shorter time of each step counts, so that a moment drawn from it seldom comes too late.
    """
    first, again = _run(ground), _run(ground)
    differs = differences(first.picture, again.picture)
    if differs or first.letters != again.letters:
        raise RuntimeError("\n".join(["two undisturbed runs differ:", *differs]))
    spans = {key: min(seconds, again.spans[key]) for key, seconds in first.spans.items()}
    return replace(first, spans=spans)


def _run(ground: Ground) -> Undisturbed:
    spans: dict[tuple[str, date], float] = {}
    with ground.one() as (url, folder), mail_server(folder) as server:
        with _start(url, server) as worker:
            assert worker.stdout is not None
            for word, *rest in (line.split() for line in worker.stdout):
                if word in {"step", "done"}:
                    key = (rest[0], date.fromisoformat(rest[1]))
                    spans[key] = float(rest[2]) - spans.get(key, 0.0)
        if worker.returncode != 0:
            raise RuntimeError(f"the worker failed by itself: {worker.returncode}")
        database = Database(url)
        try:
            check_invariants(database)
            if unknown := unknown_keys(database):
                raise RuntimeError(f"unknown letters without a kill: {sorted(unknown)}")
            return Undisturbed(picture(database), received(folder, database), spans)
        finally:
            database.close()


def draw(seed: int, peace: Undisturbed) -> Target:
    """A random moment of the phase of this seed."""
    phase = phase_of(seed)
    chance = random.Random(seed)
    spans = [(day, seconds) for (word, day), seconds in peace.spans.items() if word == phase]
    moment = chance.uniform(0, sum(seconds for _, seconds in spans))
    for day, seconds in spans:
        if moment <= seconds:
            return Target(phase, day, moment)
        moment -= seconds
    return Target(phase, spans[-1][0], spans[-1][1])


def kill_until_hit(seed: int, ground: Ground, peace: Undisturbed) -> list[Kill]:
    """Kill until work is hit: the kills that hit nothing first, then one that did.

    The moments that follow belong to the same phase on the same store.
    """
    kills = [kill(seed, ground, peace)]
    while not kills[-1].hit and len(kills) < TRIES:
        kills.append(kill(seed + len(kills) * NEXT_TRY, ground, peace))
    return kills


def kill(seed: int, ground: Ground, peace: Undisturbed) -> Kill:
    """Kill a worker at the moment drawn, run once more in peace, and compare."""
    target = draw(seed, peace)
    with ground.one() as (url, folder), mail_server(folder) as server:
        heard = _strike(_start(url, server), target)
        phase, day, where = _where(heard)
        result = Kill(seed=seed, store=store_of(seed), phase=phase, day=day, where=where)
        database = Database(url)
        try:
            result.in_hand = _count_in_hand(database)
            work(url, server, [one for one in DAYS if one >= day])
            _compare(result, database, folder, peace)
        finally:
            database.close()
    return result


def _strike(worker: subprocess.Popen[str], target: Target) -> list[list[str]]:
    """Kill the worker at the target; all that it announced, before and after the target began."""
    heard: list[list[str]] = []
    with worker:
        assert worker.stdout is not None
        for line in worker.stdout:
            heard.append(line.split())
            if heard[-1][:3] == ["step", target.phase, target.day.isoformat()]:
                time.sleep(target.delay)
                break
        worker.kill()
        heard += [line.split() for line in worker.stdout]
    return heard


IN_TRANSACTION = "in a transaction"
AT_COMMIT = "at a commit or just after it"
IN_THE_AIR = "with a letter on its way"
BETWEEN = "between transactions"
TOO_EARLY = "before the first transaction"
TOO_LATE = "after the last transaction"
NOTHING_HIT = (TOO_EARLY, TOO_LATE)
PLACES = (IN_TRANSACTION, AT_COMMIT, BETWEEN, IN_THE_AIR)


def _where(heard: Sequence[Sequence[str]]) -> tuple[str, date, str]:
    """The phase and the day that were under way when the worker died, and what it was doing.

    Lines are shorter than what a pipe takes at once, so that none is cut by the kill.
    """
    started = max(number for number, words in enumerate(heard) if words[0] == "step")
    _, phase, day, _ = heard[started]
    since = [words[0] for words in heard[started + 1 :]]
    return phase, date.fromisoformat(day), _doing(since)


def _doing(since: Sequence[str]) -> str:
    if "done" in since:
        return TOO_LATE
    if "begin" not in since:
        return TOO_EARLY
    offered = False
    for word in since:
        offered = word == "offer" or (offered and word != "answer")
    # Within an offer there is one transaction: it says that the letter is on its way now.
    if offered and since[-1] == "commit":
        return IN_THE_AIR
    return {"begin": IN_TRANSACTION, "commit": AT_COMMIT}.get(since[-1], BETWEEN)


def _count_in_hand(database: Database) -> int:
    with database.read() as session:
        return (
            session.scalar(
                select(func.count())
                .select_from(Letter)
                .where(Letter.state.in_((LetterState.CLAIMED.value, LetterState.SENDING.value)))
            )
            or 0
        )


def _compare(result: Kill, database: Database, folder: Path, peace: Undisturbed) -> None:
    unknown = unknown_keys(database)
    got = received(folder, database)
    result.letters, result.unknown = got.total(), len(unknown)
    try:
        check_invariants(database)
    except InvariantsBroken as broken:
        result.broken += broken.broken
    wanted = _left_out(peace, unknown)
    result.broken += differences(wanted, picture(database, without=unknown))
    numbers = _message_ids(database, unknown)
    twice = [head(letter) for letter, times in got.items() if times > 1]
    result.broken += [f"received twice: {letter}" for letter in twice]
    lost = peace.letters - got
    result.broken += [
        f"lost: {head(one)}" for one in lost if not head(one).startswith(tuple(numbers))
    ]
    result.broken += [
        f"never asked for: {head(one)}" for one in got - peace.letters if got[one] == 1
    ]
    result.unknown_arrived = sum(1 for one in got if head(one).startswith(tuple(numbers)))
    if len(unknown) > 1:
        result.broken.append(f"{len(unknown)} unknown letters after one kill")


def head(letter: str) -> str:
    """Message-ID and address of a received letter."""
    return letter.partition("\n")[0]


def _left_out(peace: Undisturbed, unknown: frozenset[str]) -> Picture:
    """The undisturbed picture without what became of these letters."""
    if not unknown:
        return peace.picture
    wanted = dict(peace.picture)
    for table, mark in (("letter", "key={} "), ("event", "letter {} ")):
        marks = tuple(mark.format(key) for key in unknown)
        wanted[table] = Counter(
            {row: times for row, times in wanted[table].items() if not row.startswith(marks)}
        )
    return wanted


def _message_ids(database: Database, keys: frozenset[str]) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(Letter.message_id).where(Letter.key.in_(keys))))
