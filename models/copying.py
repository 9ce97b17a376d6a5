"""A consistent copy of a whole database, taken while everybody works, and put back elsewhere.

SQLite is copied page by page inside one read transaction. PostgreSQL is read by ``COPY``, table by
table, in one snapshot (``REPEATABLE READ``), and put back into tables that the migrations make:
no program of the server's version is needed (docs/decisions/0008-backups.md).
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, create_engine, inspect, make_url, text

from models.bulk import driver_errors
from models.engine import BUSY_TIMEOUT_MS, Database
from models.revision import code_revision, revision_of
from models.tables import Base

SQLITE_PART = "database.sqlite"
_BLOCK = 1024 * 1024
_STEADY = (
    "SET LOCAL timezone = 'UTC'",
    "SET LOCAL datestyle = 'ISO, YMD'",
    "SET LOCAL bytea_output = 'hex'",
    "SET LOCAL extra_float_digits = 1",
)
"""What the text of COPY depends on: set alike for copying and for comparing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableCopy:
    """What is known of one table. ``sha256`` is that of its COPY text in the order of its key.

    SQLite's tables have none: its one file has.
    """

    rows: int
    columns: tuple[str, ...] = ()
    sha256: str | None = None


@dataclass(slots=True, kw_only=True)
class Frozen:
    """A database as it stood at one instant. ``connection`` reads that state and nothing newer."""

    connection: Connection
    dialect: str
    server: str
    revision: str
    tables: Mapping[str, TableCopy]
    sequences: Mapping[str, int]
    parts: Sequence[Path]
    """The files of the copy; whoever uses one up may remove it."""
    left_out: Sequence[str] = field(default=())
    """Tables in the same place that are not ours."""


class NothingToCopy(Exception):
    """The database has no tables of this system."""

    def __init__(self) -> None:
        super().__init__("Cơ sở dữ liệu chưa có bảng nào của hệ thống, chưa có gì để sao lưu.")


class UnlikeTheCopy(Exception):
    """What was put back is not what was copied; the text names the first difference."""


@contextmanager
def frozen(database: Database, folder: Path) -> Iterator[Frozen]:
    """Copy ``database`` into files of ``folder``; its state can be read while this is open.

    Raises:
        NothingToCopy: it has no tables.
        OSError, sqlalchemy.exc.DBAPIError, sqlite3.Error: it cannot be read, or the disk is full.
    """
    if database.is_sqlite:
        with _frozen_sqlite(database, folder) as found:
            yield found
    else:
        with _frozen_postgresql(database, folder) as found:
            yield found


@contextmanager
def _frozen_sqlite(database: Database, folder: Path) -> Iterator[Frozen]:
    source, target = Path(str(make_url(database.url).database)), folder / SQLITE_PART
    if not source.is_file():
        raise NothingToCopy
    seconds = BUSY_TIMEOUT_MS / 1000
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", seconds, uri=True)) as one,
        closing(sqlite3.connect(target)) as two,
    ):
        two.execute("PRAGMA synchronous = OFF")  # the archive made of it is what is synced
        one.backup(two)  # all pages in one step: one read transaction, writers go on
        two.execute("PRAGMA journal_mode = DELETE")
    engine = create_engine(f"sqlite:///{target.absolute()}")
    try:
        with engine.connect() as connection:
            names, left_out, revision = _tables(connection)
            yield Frozen(
                connection=connection,
                dialect="sqlite",
                server=sqlite3.sqlite_version,
                revision=revision,
                tables={name: TableCopy(rows=_count(connection, name)) for name in names},
                sequences={},
                parts=[target],
                left_out=left_out,
            )
    finally:
        engine.dispose()


@contextmanager
def _frozen_postgresql(database: Database, folder: Path) -> Iterator[Frozen]:
    how = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with database.engine.connect().execution_options(**how) as connection, connection.begin():
        names, left_out, revision = _tables(connection)
        parts, tables = [], {}
        for name in names:
            part = folder / f"{name}.copy"
            with part.open("wb") as file:
                tables[name] = copy_table(connection, name, file)
            parts.append(part)
        yield Frozen(
            connection=connection,
            dialect="postgresql",
            server=str(connection.execute(text("SHOW server_version")).scalar_one()),
            revision=revision,
            tables=tables,
            sequences=sequences(connection),
            parts=parts,
            left_out=left_out,
        )


def _tables(connection: Connection) -> tuple[list[str], list[str], str]:
    """Our tables in an order in which they can be filled, those not ours, and the migration."""
    revision = revision_of(connection)
    if revision is None:
        raise NothingToCopy
    found = ordered_tables(connection)
    known = {*Base.metadata.tables, "alembic_version"}
    # Of an older database all tables are taken: what later migrations dropped is not known here.
    left_out = [name for name in found if name not in known] if revision == code_revision() else []
    return [name for name in found if name not in left_out], sorted(left_out), revision


def ordered_tables(connection: Connection) -> list[str]:
    """The names of all tables, those that are referred to before those that refer."""
    order = inspect(connection).get_sorted_table_and_fkc_names()
    return [name for name, _ in order if name is not None]


def sequences(connection: Connection) -> Mapping[str, int]:
    """The last value of each sequence that was ever used."""
    rows = connection.execute(
        text(
            "SELECT sequencename, last_value FROM pg_sequences "
            "WHERE schemaname = current_schema() AND last_value IS NOT NULL ORDER BY 1"
        )
    )
    return {str(name): int(value) for name, value in rows}


def _count(connection: Connection, table: str) -> int:
    return int(connection.execute(text(f'SELECT count(*) FROM "{table}"')).scalar_one())  # noqa: S608 - a table's own name


def copy_table(connection: Connection, table: str, out: IO[bytes] | None) -> TableCopy:
    """Write a table's COPY text into ``out`` (None: nowhere), and say what was written."""
    for one in _STEADY:
        connection.execute(text(one))
    look = inspect(connection)
    columns = tuple(one["name"] for one in look.get_columns(table))
    key = look.get_pk_constraint(table)["constrained_columns"] or columns
    asked = f"SELECT {_names(columns)} FROM {_names([table])} ORDER BY {_names(key)}"  # noqa: S608 - names of our own tables
    digest, rows = hashlib.sha256(), 0
    raw: Any = connection.connection.dbapi_connection
    asked = f"COPY ({asked}) TO STDOUT (FORMAT text, ENCODING 'UTF8')"
    with driver_errors(connection, asked), raw.cursor() as cursor, cursor.copy(asked) as copy:
        for block in copy:
            data = bytes(block)
            digest.update(data)
            rows += data.count(b"\n")  # within a value a line's end is written as \n
            if out is not None:
                out.write(data)
    return TableCopy(rows=rows, columns=columns, sha256=digest.hexdigest())


def fill_table(
    connection: Connection, table: str, columns: Sequence[str], text_: IO[bytes]
) -> None:
    """Read a table's COPY text back into an empty table."""
    raw: Any = connection.connection.dbapi_connection
    asked = f"COPY {_names([table])} ({_names(columns)}) FROM STDIN (FORMAT text, ENCODING 'UTF8')"
    with driver_errors(connection, asked), raw.cursor() as cursor, cursor.copy(asked) as copy:
        while block := text_.read(_BLOCK):
            copy.write(block)


def set_sequences(connection: Connection, last: Mapping[str, int]) -> None:
    """Let each sequence go on after the value that it had given last, and after every id.

    A role that may not read a sequence is told nothing of it; the ids are there all the same.
    """
    owned = connection.execute(
        text(
            "SELECT s.relname, t.relname, a.attname FROM pg_depend d "
            "JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' "
            "JOIN pg_class t ON t.oid = d.refobjid "
            "JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid "
            "WHERE d.deptype IN ('a', 'i') "
            "AND s.relnamespace = CAST(current_schema() AS regnamespace)"
        )
    ).all()
    for name, table, column in owned:
        asked = f'SELECT COALESCE(max("{column}"), 0) FROM "{table}"'  # noqa: S608 - names of our own
        value = max(last.get(name, 0), int(connection.execute(text(asked)).scalar_one()))
        if value:
            connection.execute(
                text("SELECT setval(CAST(:name AS regclass), :value)"),
                {"name": f'"{name}"', "value": value},
            )


def compare(connection: Connection, wanted: Mapping[str, TableCopy]) -> None:
    """Count every table again, and on PostgreSQL read it again, against what was copied.

    Raises:
        UnlikeTheCopy: naming the first table that differs.
    """
    for name, copied in wanted.items():
        found = (
            TableCopy(rows=_count(connection, name))
            if copied.sha256 is None
            else copy_table(connection, name, None)
        )
        if found.rows != copied.rows:
            msg = f"Bảng {name}: bản sao có {copied.rows} dòng, khôi phục được {found.rows} dòng."
            raise UnlikeTheCopy(msg)
        if found.sha256 != copied.sha256:
            raise UnlikeTheCopy(f"Bảng {name}: nội dung khôi phục khác bản sao.")
    if connection.dialect.name == "sqlite":
        for asked in ("PRAGMA integrity_check(1)", "PRAGMA foreign_key_check"):
            said = connection.execute(text(asked)).first()
            if said is not None and said[0] != "ok":
                raise UnlikeTheCopy(
                    f"SQLite báo lỗi trong tệp khôi phục: {' '.join(map(str, said))}."
                )


def _names(names: Sequence[str]) -> str:
    return ", ".join(f'"{one}"' for one in names)
