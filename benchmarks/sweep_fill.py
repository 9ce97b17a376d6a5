"""Years of work behind a thousand assignments that are due, written by the database itself.

Of ``size`` assignments the newest 1,000 are due on :data:`DAY`, a hundredth is open and not due,
the rest is confirmed. Every assignment that is not due was reminded of once; thirty reminders
went in one letter. Secondary indexes are dropped and made anew, and nothing waits for the disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection, create_engine, text

from benchmarks.work_fill import OPENED, found
from models.bulk import insert_rows
from models.engine import Database
from models.tables import Base

AGENCIES = 334
DUE = 1_000
DAY = date(2027, 3, 10)
DUE_ON = date(2027, 3, 17)
"""Five working days after :data:`DAY`: the rung of that day is owed."""
_A_LETTER = 30
_LETTER_DAYS = 200
_FILLED = ("occurrence", "assignment", "letter", "reminder")


@dataclass(frozen=True, slots=True)
class Filled:
    """What stands in the database before the sweep; larger ids are the sweep's."""

    size: int
    due_from: int
    letters: int
    reminders: int


def fill(database: Database, size: int) -> Filled:
    """Fill a migrated, empty database; ``size`` is at least 2,000."""
    found(database, AGENCIES)
    first = size - DUE
    made = Filled(size, due_from=first, letters=max(first // _A_LETTER, 1), reminders=first)
    _occurrences(database, -(-size // AGENCIES))
    with _unhurried(database) as connection, _without_indexes(connection):
        idle = first - size // 100
        closed = "'confirmed', '2026-06-08', -5, NULL"
        _assignments(connection, 0, idle, closed)
        _assignments(connection, idle, first, "'in_progress', '2027-12-31', NULL, '2027-12-01'")
        _assignments(connection, first, size, f"'in_progress', '{DUE_ON}', -15, '{DAY}'")
        _letters(connection, made.letters)
        _reminders(connection, made)
        if connection.dialect.name != "sqlite":
            for name, last in zip(_FILLED, (size, size, made.letters, first), strict=True):
                connection.execute(text(f"SELECT setval('{name}_id_seq', {last + 1})"))
    _settle(database)
    return made


def _occurrences(database: Database, count: int) -> None:
    columns = [column.name for column in Base.metadata.tables["occurrence"].columns]
    shared = dict.fromkeys(columns) | {
        "plan_key": _plan(database),
        "plan_version": 1,
        "item_key": "I.1",
        "period_first": date(2026, 1, 1),
        "period_last": date(2026, 12, 31),
        "opens_on": date(2026, 1, 4),
        "nominal_due_on": DUE_ON,
        "original_due_on": DUE_ON,
        "due_on": DUE_ON,
        "mode": "full",
        "kind": "task",
        "lead_mode": "each",
        "confirmation": "required",
        "ladder": "standard",
        "touched": True,
        "opened_at": OPENED,
        "version": 1,
    }
    for name in ("id", "period_key"):
        del shared[name]
    rows = ((number, f"{number:06}") for number in range(1, count + 1))
    with database.write() as session:
        table = Base.metadata.tables["occurrence"]
        insert_rows(session, table, ("id", "period_key"), rows, shared=shared)


def _plan(database: Database) -> str:
    with database.read() as session:
        return str(session.execute(text("SELECT key FROM plan")).scalar_one())


@contextmanager
def _unhurried(database: Database) -> Iterator[Connection]:
    """A connection whose writes wait for nothing, and that checks no foreign key."""
    sqlite = database.is_sqlite
    before = (
        ("foreign_keys = OFF", "journal_mode = MEMORY", "synchronous = OFF", "cache_size = -262144")
        if sqlite
        else ("session_replication_role = replica", "maintenance_work_mem = '512MB'")
    )
    database.engine.dispose()
    engine = create_engine(database.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for word in before:
            connection.exec_driver_sql(f"{'PRAGMA' if sqlite else 'SET'} {word}")
        yield connection
    engine.dispose()


@contextmanager
def _without_indexes(connection: Connection) -> Iterator[None]:
    indexes = [one for name in _FILLED for one in Base.metadata.tables[name].indexes]
    for one in indexes:
        one.drop(connection)
    yield
    for one in indexes:
        one.create(connection)


def _series(connection: Connection, first: int, last: int) -> str:
    """``n(i)`` from ``first`` up to ``last``, which is left out."""
    if connection.dialect.name == "sqlite":
        return (
            f"(WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL "  # noqa: S608 - whole numbers
            f"SELECT i + 1 FROM n WHERE i + 1 < {last}) SELECT i FROM n) AS n"
        )
    return f"generate_series({first}, {last - 1}) AS n(i)"


def _run(connection: Connection, statement: str) -> None:
    """``%`` is a sign of psycopg's own."""
    sqlite = connection.dialect.name == "sqlite"
    connection.exec_driver_sql(statement if sqlite else statement.replace("%", "%%"))


def _assignments(connection: Connection, first: int, last: int, how: str) -> None:
    """``how``: status, due date, last rung, day of the next reminder."""
    if first >= last:
        return
    agency = f"'them_' || substr(CAST(100000 + i % {AGENCIES} AS TEXT), 2, 5)"
    _run(
        connection,
        'INSERT INTO assignment (id, occurrence_id, agency_key, agency_name, role, "round",'  # noqa: S608 - whole numbers
        " nominal_due_on, original_due_on, authority, document_code, late_entry, self_confirmed,"
        " sampled, extensions, returns, updated_at, updated_by, version,"
        " status, due_on, last_rung, next_reminder_on)"
        f" SELECT i + 1, i / {AGENCIES} + 1, {agency}, 'Đơn vị thêm số ' || i % {AGENCIES}, 'lead',"
        f" 1, '{DUE_ON}', '{DUE_ON}', 'coordinator', '12/SNV-CCHC', FALSE, FALSE, FALSE, 0, 0,"
        f" '{OPENED:%Y-%m-%dT%H:%M:%S.%fZ}', 'Nguyễn Văn Đo', 1, {how}"
        f" FROM {_series(connection, first, last)}",
    )


def _letters(connection: Connection, count: int) -> None:
    step = max(-(-count // _LETTER_DAYS), 1)
    for place, first in enumerate(range(0, count, step)):
        day = date(2026, 1, 5) + timedelta(days=place)
        _run(
            connection,
            "INSERT INTO letter (id, key, kind, mailbox, agency_key, day, state, payload,"  # noqa: S608 - whole numbers
            " queued_at, sent_at, attempts, message_id)"
            f" SELECT i + 1, 'digest:{day}:' || i, 'digest', 'hop-thu-' || i % {AGENCIES},"
            f" 'them_00000', '{day}', 'sent', '{{}}', '{OPENED:%Y-%m-%dT%H:%M:%S.%fZ}',"
            f" '{OPENED:%Y-%m-%dT%H:%M:%S.%fZ}', 1, 'x'"
            f" FROM {_series(connection, first, min(first + step, count))}",
        )


def _reminders(connection: Connection, made: Filled) -> None:
    _run(
        connection,
        'INSERT INTO reminder (id, assignment_id, "round", due_on, rung, mailbox, letter_id)'  # noqa: S608 - whole numbers
        f" SELECT i + 1, i + 1, 1, '2026-06-08', -5, 'hop-thu-' || i % {AGENCIES},"
        f" i % {made.letters} + 1 FROM {_series(connection, 0, made.reminders)}",
    )


def _settle(database: Database) -> None:
    """What an idle database does by itself: pages written back, statistics taken."""
    words = ["PRAGMA wal_checkpoint(TRUNCATE)"] if database.is_sqlite else ["VACUUM ANALYZE"]
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for word in words:
            connection.exec_driver_sql(word)
