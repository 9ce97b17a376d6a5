"""``python -m benchmarks.verifying [EVENTS ...]``: verifying a sealed history beside a plain loop.

The plain loop reads the same rows in the same order by the driver alone, makes the same digests by
the same function, compares each with its leaf and works out the root: no checkpoints, signatures,
subtrees, order, clocks, pending events or names of faults. All take turns, each pass is a process
of its own, so that the memory told is that pass's alone; of several turns the quickest counts.

``--folder`` keeps the filled SQLite files, for 10 million take an hour of a crowded machine.
"""

from __future__ import annotations

import argparse
import json
import resource
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url

from benchmarks.log_fill import fill_sealed
from benchmarks.ratios import Aim, Ratio, Spent, machine, stores, write_table
from models.engine import Database
from models.migrate import upgrade
from operations.log_rows import column_texts, digest_of
from rules.merkle import Frontier, fold
from runtime.settings import Settings
from runtime.verifying import verify
from runtime.wiring import Runtime, open_runtime

SIZES = (100_000, 1_000_000)
BESIDE = Aim(at_least=0.8)
"""One process beside the plain loop."""
TWICE = Aim(at_least=1.2)
"""Two processes beside one."""
PASSES = ("plain", "one", "two")


def _runtime(url: str, folder: Path) -> Runtime:
    return open_runtime(Settings(_env_file=None, data_dir=folder / "var", database_url=url))


def _rows(url: str) -> Iterator[tuple[Any, ...]]:
    """Leaf and values of every sealed event, by the driver's own cursor."""
    sqlite = url.startswith("sqlite")
    columns = column_texts("sqlite" if sqlite else "postgresql")
    query = (
        f"SELECT l.digest, {columns} FROM log_leaf l JOIN event e ON e.id = l.event_id "  # noqa: S608 - our own columns
        'ORDER BY l."index"'
    )
    if sqlite:
        yield from sqlite3.connect(str(make_url(url).database)).execute(query)
        return
    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with (
        psycopg.connect(dsn) as connection,
        connection.cursor(name="plain", binary=True) as cursor,
    ):
        cursor.itersize = 2_000
        yield from cursor.execute(query)


def plain(url: str) -> int:
    """Hash every sealed event, compare it with its leaf; returns how many there were.

    Raises:
        AssertionError: one differs.
    """
    tree = Frontier()
    for leaf, *values in _rows(url):
        digest = digest_of(values)
        if digest != leaf:
            raise AssertionError(f"leaf {tree.size} differs")
        tree.add(digest)
    fold(tree.peaks)
    return tree.size


def step(word: str, url: str, folder: Path) -> None:
    """Do one pass here; print what it cost: this process's, and that of the processes it started."""
    with _runtime(url, folder) as runtime:
        began, busy = time.perf_counter(), time.process_time()
        if word == "plain":
            events = plain(url)
        else:
            found = verify(runtime, by="đo hiệu năng", workers=1 if word == "one" else 2)
            events = found.sealed
            if found.wrong or found.remarks:
                raise AssertionError(f"the history that was filled in is not whole: {found}")
        seconds, cpu = time.perf_counter() - began, time.process_time() - busy
    here, there = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    if word == "two":
        cpu += there.ru_utime + there.ru_stime
    peak = max(here.ru_maxrss, there.ru_maxrss if word == "two" else 0) / 1024
    print(json.dumps({"events": events, "seconds": seconds, "cpu": cpu, "peak": peak}))


def _apart(word: str, url: str, folder: Path) -> tuple[int, Spent]:
    """A pass in a process of its own."""
    words = [sys.executable, "-m", "benchmarks.verifying", "--step", word, url, str(folder)]
    said = subprocess.run(words, check=True, capture_output=True, text=True)  # noqa: S603 - ourselves
    found = json.loads(said.stdout.splitlines()[-1])
    return found.pop("events"), Spent(**found)


def measure(store: str, url: str, folder: Path, turns: int) -> Iterator[Ratio]:
    """The lines of one filled database; what each pass cost of CPU goes to standard error."""
    best: dict[str, Spent] = {}
    events = 0
    for _ in range(turns):
        for word in PASSES:
            events, one = _apart(word, url, folder)
            told = f"{store}, {events:,}, {word}: {one.seconds:.1f} s, of CPU {one.cpu:.1f} s"
            print(told, file=sys.stderr, flush=True)
            if word not in best or one.seconds < best[word].seconds:
                best[word] = one
    size = f"{events:,} events"
    one, beside, two = best["one"], best["plain"], best["two"]
    yield Ratio(job="verify", store=store, size=size, ours=one, limit=beside, aim=BESIDE)
    job = "the same by two processes, beside one"
    yield Ratio(job=job, store=store, size=size, ours=two, limit=one, aim=TWICE)


def filled(url: str, events: int, folder: Path) -> None:
    """Fill a database, migrated or empty, with so many sealed events."""
    database = Database(url, durable=False)
    upgrade(database)
    database.close()
    with _runtime(url, folder) as runtime:
        fill_sealed(runtime, events)


def _kept(events: int, folder: Path) -> tuple[str, Path]:
    """The SQLite file of this size in ``folder``, filled unless it is there."""
    place = folder / str(events)
    url, done = f"sqlite:///{place / 'log.sqlite'}", place / "filled"
    if not done.exists():
        place.mkdir(parents=True, exist_ok=True)
        filled(url, events, place)
        done.touch()
    return url, place


def lines(
    sizes: Sequence[int], only: str | None, folder: Path | None, turns: int
) -> Iterator[Ratio]:
    """Fill and measure, one database after the other."""
    if folder is not None:
        for events in sizes:
            yield from measure("SQLite", *_kept(events, folder), turns)
        return
    with stores(wanted=[only] if only else ("sqlite", "postgresql")) as each:
        for store in each:
            for events in sizes:
                place = store.folder / f"{store.name}-{events}"
                with store.one() as url:
                    filled(url, events, place)
                    yield from measure(store.name, url, place, turns)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", nargs="*", type=int, default=SIZES)
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    parser.add_argument("--folder", type=Path, help="keep filled SQLite files here, and use them")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--step", nargs=3, metavar=("WORD", "URL", "FOLDER"))
    given = parser.parse_args()
    if given.step:
        step(given.step[0], given.step[1], Path(given.step[2]))
    else:
        print(machine(), "\n")
        write_table(lines(given.events, given.only, given.folder, given.turns))
