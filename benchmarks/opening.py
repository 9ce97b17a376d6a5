"""``python -m benchmarks.opening [AGENCIES ...]``: opening a period beside raw inserts of its rows.

Twelve items open for every agency in one transaction: occurrences, assignments, notices, events
with their digests, and what waits to be sealed. The limit writes the same rows into the same
tables, indexes and triggers, in one transaction, by ``executemany`` (SQLite) or COPY (PostgreSQL),
from values that the driver takes as they are; it makes the same digests on the way. The first
size is measured beside it, the others beside the own rate at the first.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import psycopg
from sqlalchemy import make_url

from benchmarks.asked import sizes_and_stores
from benchmarks.ratios import Aim, Ratio, Spent, Store, machine, spent, stores, write_table
from models.base import INSTANT_FORMAT
from models.engine import BUSY_TIMEOUT_MS, Database
from models.tables import Base
from operations.catalog import apply_catalog
from operations.opening import open_due
from rules.directory import Directory
from rules.events import canonical_row_v1, leaf_digest
from rules.values import (
    Agency,
    Group,
    Item,
    ItemKind,
    LeadMode,
    Member,
    PartySpan,
    PeriodKind,
)
from tasks_catalog.loader import LoadedCatalog, load_plan
from tests.engine import PROVINCE, stamp

START = date(2027, 1, 1)
DAY = date(2027, 2, 1)
WRITTEN = ("occurrence", "assignment", "event", "log_pending", "notice")
AIM, OWN_RATE = Aim(at_least=0.6), Aim(at_least=0.9)


def plan_of(agencies: int) -> LoadedCatalog:
    """Twelve yearly items, each led by every one of ``agencies``; the shipped ones, simplified."""
    shipped = load_plan(PROVINCE)
    more = [
        Agency(key=f"them_{n:05}", name=f"Đơn vị thêm số {n}", kind="commune")
        for n in range(agencies)
    ]
    everybody = Group(key="tat_ca", name="Tất cả", members=tuple(Member(ref=a.key) for a in more))
    items = tuple(_for_everybody(one) for one in shipped.plan.items[:12])
    return replace(
        shipped,
        plan=replace(shipped.plan, items=items),
        directory=Directory(
            agencies=[*shipped.directory.agencies, *more],
            groups=[*shipped.directory.groups, everybody],
            successions=(),
        ),
    )


def _for_everybody(item: Item) -> Item:
    return replace(
        item,
        calendar=replace(
            item.calendar,
            kind=ItemKind.TASK,
            period=PeriodKind.YEAR,
            every=1,
            first_period=None,
            last_period=None,
            opens="0 0 15 1 *",
            due="0 0 31 3 *",
            due_in_next=0,
            ladder="standard",
        ),
        parties=replace(
            item.parties,
            lead_mode=LeadMode.EACH,
            leads=(PartySpan(refs=("@tat_ca",)),),
            partners=(),
        ),
    )


def opened(database: Database, catalog: LoadedCatalog) -> tuple[Spent, int]:
    """Open the period; what it cost, and how many rows it wrote."""
    _prepared(database, catalog)
    before = _sizes(database)
    with spent() as found, database.write() as session:
        open_due(session, stamp(DAY), catalog.plan.key)
    return found, _sizes(database) - before


def _prepared(database: Database, catalog: LoadedCatalog) -> None:
    with database.write() as session:
        apply_catalog(session, stamp(START), catalog, tracking_start=START)
    _settled(database)


def _settled(database: Database) -> None:
    """What was written before is on disk and known to the planner before the clock starts."""
    words = ["PRAGMA wal_checkpoint(TRUNCATE)"] if database.is_sqlite else ["CHECKPOINT", "ANALYZE"]
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for word in words:
            connection.exec_driver_sql(word)


def _sizes(database: Database) -> int:
    with database.engine.connect() as connection:
        counts = (
            connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one()  # noqa: S608 - our own names
            for name in WRITTEN
        )
        return sum(counts)


Rows = dict[str, list[tuple[Any, ...]]]


def rows_of(source: Database) -> Rows:
    """What opening wrote, as the driver gives it; whole in memory before the clock starts."""
    first = {"event": "id", "log_pending": "event_id"}
    raw = source.engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("SELECT max(id) FROM event WHERE entity NOT IN ('occurrence', 'assignment')")
        known = (cursor.fetchone() or (0,))[0]
        found: Rows = {}
        for name in WRITTEN:
            narrow = f" WHERE {first[name]} > {known}" if name in first else ""
            columns = ", ".join(f'"{column}"' for column in _columns(name))
            cursor.execute(f'SELECT {columns} FROM "{name}"{narrow}')  # noqa: S608 - our own names
            found[name] = list(cursor.fetchall())
        return found
    finally:
        raw.close()


def _columns(table: str) -> list[str]:
    """The columns, an event's digest last."""
    names = [column.name for column in Base.metadata.tables[table].columns]
    return sorted(names, key="digest".__eq__)


def _named(table: str) -> str:
    """The table with its columns, as INSERT and COPY name them."""
    columns = ", ".join(f'"{column}"' for column in _columns(table))
    return f'"{table}" ({columns})'


def canonical_values(events: Sequence[tuple[Any, ...]]) -> list[tuple[str | int | None, ...]]:
    """The events without their digests, instants and dates as the canonical form spells them."""
    return [
        tuple(
            value
            if isinstance(value, str | int | None)
            else value.strftime(INSTANT_FORMAT if hasattr(value, "hour") else "%Y-%m-%d")
            for value in row[:-1]
        )
        for row in events
    ]


def copied(database: Database, catalog: LoadedCatalog, rows: Rows) -> Spent:
    """The limit: the same rows written raw, their digests made anew."""
    _prepared(database, catalog)
    canonical = canonical_values(rows["event"])
    write = canonical_row_v1(_columns("event")[:-1])

    def events() -> Iterator[tuple[Any, ...]]:
        for row, values in zip(rows["event"], canonical, strict=True):
            yield (*row[:-1], leaf_digest(write(values)))

    def each() -> Iterator[tuple[str, Iterator[tuple[Any, ...]]]]:
        for name in WRITTEN:
            yield name, events() if name == "event" else iter(rows[name])

    if database.is_sqlite:
        return _executemany(str(make_url(database.url).database), each())
    return _copy(
        make_url(database.url).set(drivername="postgresql").render_as_string(hide_password=False),
        each(),
    )


def _executemany(file: str, tables: Iterator[tuple[str, Iterator[tuple[Any, ...]]]]) -> Spent:
    connection = sqlite3.connect(file, isolation_level=None)
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "recursive_triggers = ON",
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
    ):
        connection.execute(f"PRAGMA {pragma}")
    with spent() as found:
        connection.execute("BEGIN IMMEDIATE")
        for name, rows in tables:
            marks = ", ".join("?" * len(_columns(name)))
            connection.executemany(f"INSERT INTO {_named(name)} VALUES ({marks})", rows)  # noqa: S608 - our own names
        connection.execute("COMMIT")
    connection.close()
    return found


def _copy(dsn: str, tables: Iterator[tuple[str, Iterator[tuple[Any, ...]]]]) -> Spent:
    with psycopg.connect(dsn) as connection, connection.cursor() as cursor, spent() as found:
        for name, rows in tables:
            with cursor.copy(f"COPY {_named(name)} FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        connection.commit()
    return found


def measured(store: Store, sizes: Sequence[int]) -> Iterator[Ratio]:
    """The first size beside the limit, every other one beside the rate at the first."""
    own: Spent | None = None
    first_rows = 0
    for agencies in sizes:
        catalog = plan_of(agencies)
        with store.one() as url:
            database = Database(url)
            ours, count = opened(database, catalog)
            rows = rows_of(database) if own is None else {}
            database.close()
        size = f"12 × {agencies:,} ({count:,} rows)"
        if own is None:
            with store.one() as url:
                database = Database(url)
                limit = copied(database, catalog, rows)
                database.close()
            yield Ratio(
                job="open a period", store=store.name, size=size, ours=ours, limit=limit, aim=AIM
            )
            own, first_rows = ours, count
            continue
        scale = count / first_rows
        expected = Spent(own.seconds * scale, own.cpu * scale, own.peak, own.grown)
        yield Ratio(
            job="open a period, own rate at the first size",
            store=store.name,
            size=size,
            ours=ours,
            limit=expected,
            aim=OWN_RATE,
        )


def main(sizes: Sequence[int], wanted: Sequence[str]) -> None:
    """Measure and print the table."""
    print(f"{machine()}\n")
    with stores(wanted=wanted) as found:
        for store in found:
            print(f"{store.name}: {store.durability}.")
        print()
        write_table(line for store in found for line in measured(store, sizes))


if __name__ == "__main__":
    main(*sizes_and_stores(__doc__, (5_000, 50_000)))
