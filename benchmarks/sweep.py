"""``python -m benchmarks.sweep [SIZE ...] [--only sqlite]``: a thousand due of many.

Queueing a day's reminders while ten thousand, a million or ten million assignments are stored.
The limit is a plain script on the same database: it asks for what is due, writes the letters,
their lines and the reminders, moves the ladders on, and commits. A second limit only asks and
writes the reminders. What a run wrote is taken back before the next; each figure is the median.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

import psycopg
from sqlalchemy import make_url, text

from benchmarks.asked import sizes_and_stores
from benchmarks.ratios import Aim, Ratio, Spent, Store, machine, spent, stores, write_table
from benchmarks.sweep_fill import DAY, DUE, DUE_ON, Filled, fill
from models.engine import Database
from operations.reminding import remind
from tests.engine import stamp

RUNS = 7
SIZES = (10_000, 1_000_000, 10_000_000)
NEXT = date(2027, 3, 16)
AGAINST, GROWTH = Aim(at_most=3), Aim(at_most=1.5)
_OPENED = "2027-03-10T01:00:00.000000Z"


def median(runs: Sequence[Spent]) -> Spent:
    """The run in the middle, by the clock."""
    return sorted(runs, key=lambda one: one.seconds)[len(runs) // 2]


def ours(database: Database, filled: Filled) -> tuple[Spent, Spent]:
    """The sweep, and the sweep again with nothing owed; the latter must write no row."""
    firsts, seconds = [], []
    for place in range(RUNS + 1):
        with spent() as one, database.write() as session:
            queued = remind(session, stamp(DAY)).rungs
        with spent() as two, database.write() as session:
            before = _writes(session, database)
            remind(session, stamp(DAY))
            more = _writes(session, database) - before
        if queued != DUE or more:
            msg = f"{queued} reminders queued, {more} rows written again"
            raise SystemExit(msg)
        if place:  # the first run reads plan and agencies, as a process does once
            firsts.append(one)
            seconds.append(two)
        taken_back(database, filled)
    return median(firsts), median(seconds)


def _writes(session: Any, database: Database) -> int:
    """How many rows this connection has written so far."""
    asked = (
        "SELECT total_changes()"
        if database.is_sqlite
        else "SELECT COALESCE(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)"
        " FROM pg_stat_xact_user_tables"
    )
    return int(session.execute(text(asked)).scalar_one())


def taken_back(database: Database, filled: Filled) -> None:
    """The database as it was before the sweep."""
    with database.write() as session:
        for name, last in (
            ("reminder", filled.reminders),
            ("letter_line", 0),
            ("letter", filled.letters),
        ):
            session.execute(text(f"DELETE FROM {name} WHERE id > {last}"))  # noqa: S608 - our own
        session.execute(
            text("UPDATE assignment SET last_rung = -15, next_reminder_on = :day WHERE id > :id"),
            {"day": str(DAY) if database.is_sqlite else DAY, "id": filled.due_from},
        )


Ask = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]
WriteMany = Callable[[str, Sequence[tuple[Any, ...]]], object]
_DUE = (
    'SELECT id, agency_key, "round", due_on, last_rung FROM assignment'
    " WHERE next_reminder_on <= {m}"
)


def plainly(ask: Ask, many: WriteMany, mark: str, filled: Filled, *, whole: bool) -> None:
    """The plain script; ``whole`` False asks and writes the reminders alone."""
    due = ask(_DUE.format(m=mark), (str(DAY),))
    boxes = {row[1]: f"{row[1].replace('_', '-')}@co-quan.test" for row in due}
    letters = {key: filled.letters + 1_000 + n for n, key in enumerate(boxes)}
    if whole:
        columns = "id, key, kind, mailbox, agency_key, day, state, payload, queued_at, attempts"
        many(
            f"INSERT INTO letter ({columns}, message_id) VALUES ({', '.join([mark] * 11)})",  # noqa: S608 - our own names
            [
                (
                    letters[key],
                    f"digest:{DAY}:{box}",
                    "digest",
                    box,
                    key,
                    str(DAY),
                    "queued",
                    '{"audience":"mailbox","name":null}',
                    _OPENED,
                    0,
                    "",
                )
                for key, box in boxes.items()
            ],
        )
        many(
            "INSERT INTO letter_line (id, letter_id, assignment_id, kind, rung)"  # noqa: S608 - our own names
            f" VALUES ({', '.join([mark] * 5)})",
            [(n + 1, letters[row[1]], row[0], "due", -5) for n, row in enumerate(due)],
        )
    some = next(iter(range(1, filled.letters + 1)))
    many(
        'INSERT INTO reminder (id, assignment_id, "round", due_on, rung, mailbox, letter_id)'  # noqa: S608 - our own names
        f" VALUES ({', '.join([mark] * 7)})",
        [
            (
                filled.reminders + 1_000 + n,
                row[0],
                row[2],
                str(DUE_ON),
                -5,
                boxes[row[1]],
                letters[row[1]] if whole else some,
            )
            for n, row in enumerate(due)
        ],
    )
    if whole:
        many(
            f"UPDATE assignment SET last_rung = {mark}, next_reminder_on = {mark} WHERE id = {mark}",  # noqa: S608 - our own names
            [(-5, str(NEXT), row[0]) for row in due],
        )


def limits(database: Database, filled: Filled) -> tuple[Spent, Spent]:
    """The plain script: with all that the sweep writes, and with the reminders alone."""
    found = []
    for whole in (True, False):
        runs = []
        for place in range(RUNS + 1):
            one = (_sqlite if database.is_sqlite else _postgresql)(database, filled, whole)
            if place:
                runs.append(one)
            taken_back(database, filled)
        found.append(median(runs))
    return found[0], found[1]


def _sqlite(database: Database, filled: Filled, whole: bool) -> Spent:  # noqa: FBT001 - one of two limits
    connection = sqlite3.connect(str(make_url(database.url).database), isolation_level=None)
    for word in ("synchronous = FULL", "foreign_keys = ON", "recursive_triggers = ON"):
        connection.execute(f"PRAGMA {word}")

    def ask(asked: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        return connection.execute(asked, values).fetchall()

    ask("SELECT count(*) FROM plan", ())  # the schema is read
    with spent() as one:
        connection.execute("BEGIN IMMEDIATE")
        plainly(ask, connection.executemany, "?", filled, whole=whole)
        connection.execute("COMMIT")
    connection.close()
    return one


def _postgresql(database: Database, filled: Filled, whole: bool) -> Spent:  # noqa: FBT001 - one of two limits
    address = make_url(database.url).set(drivername="postgresql")
    with (
        psycopg.connect(address.render_as_string(hide_password=False)) as connection,
        connection.cursor() as cursor,
    ):

        def ask(asked: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
            return cursor.execute(asked.encode(), values).fetchall()

        def many(asked: str, rows: Sequence[tuple[Any, ...]]) -> None:
            cursor.executemany(asked.encode(), rows)

        ask("SELECT count(*) FROM plan", ())
        connection.commit()
        with spent() as one:
            plainly(ask, many, "%s", filled, whole=whole)
            connection.commit()
    return one


def measured(store: Store, sizes: Sequence[int]) -> Iterator[Ratio]:
    """Each size beside the limits, and the others beside the own time at the first."""
    first: Spent | None = None
    for size in sizes:
        with store.one() as url:
            database = Database(url)
            filled = fill(database, size)
            mine, again = ours(database, filled)
            whole, least = limits(database, filled)
            database.close()
        jobs: list[tuple[str, Spent, Spent, Aim | None]] = [
            ("sweep, same rows raw", mine, whole, AGAINST),
            ("sweep, raw reminders alone", mine, least, None),
            ("sweep again, nothing owed", again, least, None),
        ]
        if first is not None:
            jobs.append(("sweep, own time at the first size", mine, first, GROWTH))
        for job, one, limit, aim in jobs:
            of = f"{DUE:,} of {size:,}"
            yield Ratio(job=job, store=store.name, size=of, ours=one, limit=limit, aim=aim)
        first = first or mine


def main(sizes: Sequence[int], wanted: Sequence[str]) -> None:
    """Measure and print the table."""
    print(f"{machine()}\n")
    with stores(wanted=wanted) as found:
        for store in found:
            print(f"{store.name}: {store.durability}.")
        print()
        write_table(line for store in found for line in measured(store, sizes))


if __name__ == "__main__":
    main(*sizes_and_stores(__doc__, SIZES))
