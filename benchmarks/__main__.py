"""``python -m benchmarks [AGENCIES]``: the hot paths beside raw inserts of the same rows.

Each figure is a ratio of two times taken in the same run on the same machine; the raw side writes
the same rows, into the same tables with their indexes and triggers, with the same digests.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select, text

from models.bulk import insert_rows
from models.engine import Database
from models.tables import Base
from operations.catalog import apply_catalog
from operations.opening import open_due
from operations.reminding import remind
from operations.sample_contacts import seed_sample_contacts
from rules.directory import Directory
from rules.events import canonical_v1, leaf_digest
from rules.values import Agency, Member
from tasks_catalog.loader import LoadedCatalog, load_plan
from tests import databases
from tests.engine import PROVINCE, stamp

START = date(2027, 1, 1)
LAST = date(2027, 12, 31)
COPIED = ("occurrence", "assignment", "notice", "event", "log_pending")


def widened(agencies: int) -> LoadedCatalog:
    """The shipped catalog with ``agencies`` more of them in the group that every unit is in."""
    shipped = load_plan(PROVINCE)
    more = [
        Agency(key=f"them_{n:05}", name=f"Đơn vị thêm số {n}", kind="commune")
        for n in range(agencies)
    ]
    groups = [
        replace(one, members=(*one.members, *(Member(ref=new.key) for new in more)))
        if one.key == "communes"
        else one
        for one in shipped.directory.groups
    ]
    directory = Directory(
        agencies=[*shipped.directory.agencies, *more],
        groups=groups,
        successions=shipped.directory.successions,
    )
    return replace(shipped, directory=directory)


def timed(work: Callable[[], object]) -> float:
    """Seconds that ``work`` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: the engine's seconds beside those of the plainest way."""

    store: str
    job: str
    rows: int
    ours: float
    raw: float

    def __str__(self) -> str:
        """A row of a Markdown table."""
        share = self.raw / self.ours if self.ours else 0.0
        return (
            f"| {self.job} | {self.store} | {self.rows:,} "
            f"| {self.ours:.2f} s | {self.raw:.2f} s | {share:.2f} |"
        )


def opened(database: Database, catalog: LoadedCatalog) -> float:
    """Open a whole year in one transaction; the seconds it took."""
    with database.write() as session:
        apply_catalog(session, stamp(START), catalog, tracking_start=START)
        seed_sample_contacts(session, stamp(START), agencies_file=catalog.plan.agencies_file)

    def work() -> None:
        with database.write() as session:
            open_due(session, stamp(LAST), catalog.plan.key)

    return timed(work)


def copied(source: Database, target: Database, catalog: LoadedCatalog) -> tuple[float, int]:
    """Write the same rows raw, digests made anew; seconds, and how many rows there were."""
    with target.write() as session:
        apply_catalog(session, stamp(START), catalog, tracking_start=START)
        seed_sample_contacts(session, stamp(START), agencies_file=catalog.plan.agencies_file)
        known = session.execute(text("SELECT max(id) FROM event")).scalar_one()
    rows: dict[str, list[tuple[Any, ...]]] = {}
    with source.read() as session:
        for name in COPIED:
            table = Base.metadata.tables[name]
            found = session.execute(select(table)).all()
            first = {"event": "id", "log_pending": "event_id"}.get(name)
            rows[name] = [
                tuple(row) for row in found if first is None or getattr(row, first) > known
            ]
    columns = {name: [c.name for c in Base.metadata.tables[name].columns] for name in COPIED}
    digest = columns["event"].index("digest")

    def with_digest(row: tuple[Any, ...]) -> tuple[Any, ...]:
        fields = dict(zip(columns["event"], row, strict=True))
        del fields["digest"]
        return (*row[:digest], leaf_digest(canonical_v1(fields)), *row[digest + 1 :])

    def work() -> None:
        with target.write() as session:
            for name in COPIED:
                made = map(with_digest, rows[name]) if name == "event" else rows[name]
                insert_rows(session, Base.metadata.tables[name], columns[name], made)

    return timed(work), sum(map(len, rows.values()))


def swept(database: Database) -> tuple[float, float, int]:
    """Queue a day's reminders, then sweep again; seconds of both, and how many were queued."""
    day = date(2027, 3, 10)
    queued = 0

    def first() -> None:
        nonlocal queued
        with database.write() as session:
            queued = remind(session, stamp(day)).rungs

    def second() -> None:
        with database.write() as session:
            remind(session, stamp(day))

    return timed(first), timed(second), queued


@contextmanager
def stores() -> Iterator[Iterator[tuple[str, databases.Copies, Path]]]:
    """Both kinds of database, migrated and empty."""
    with tempfile.TemporaryDirectory() as name, databases.postgres_server() as server:
        folder = Path(name)
        yield iter(
            [
                ("SQLite", databases.sqlite_copies(folder), folder),
                ("PostgreSQL", databases.postgres_copies(server), folder),
            ]
        )


def main(agencies: int) -> None:
    """Measure and print the tables."""
    catalog = widened(agencies)
    print(f"A year of 12 items, {agencies:,} agencies more than the province has.\n")
    print("| job | database | rows | engine | raw | raw / engine |\n|---|---|---|---|---|---|")
    sweeps = []
    with stores() as each:
        for store, copies, folder in each:
            with (
                copies.one(folder, migrated=True) as ours,
                copies.one(folder, migrated=True) as raw,
            ):
                database, other = Database(ours), Database(raw)
                seconds = opened(database, catalog)
                plain, rows = copied(database, other, catalog)
                print(Figure(store, "open a year", rows, seconds, plain))
                sweeps.append((store, *swept(database)))
                database.close()
                other.close()
    print("\n| sweep | rungs queued | seconds | again, nothing owed |\n|---|---|---|---|")
    for store, one, two, queued in sweeps:
        print(f"| {store} | {queued:,} | {one:.2f} s | {two:.3f} s |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000)
