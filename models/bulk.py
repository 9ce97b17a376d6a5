"""The hot paths' way into the database: ids in blocks, rows by the driver's bulk path.

Measured: Core with driver tuples reaches 0.94 of a raw ``executemany``, the ORM 0.05 to 0.23; on
PostgreSQL COPY is 2.2 times as fast as ``executemany``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from itertools import chain, islice
from typing import Any

from sqlalchemy import Column, Connection, Dialect, LargeBinary, Table, TextClause, insert, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

CHUNK = 2_000
"""Rows handed to SQLite's driver at a time; bounds memory, not the transaction."""
_FEW = 4
"""Rows that PostgreSQL takes sooner by a prepared statement than by a COPY, which is never prepared."""
BLOCK = 100
"""Rows passed to PostgreSQL at a time: the server takes them in while the next are made."""


def allocate_ids(session: Session, table: str, count: int) -> Sequence[int]:
    """Reserve ``count`` new ids of ``table``, in rising order, within the transaction.

    On SQLite the writer is alone, so the next ids follow the largest one; on PostgreSQL they are
    drawn from the sequence, which takes no lock: gaps stay where a transaction is rolled back.
    """
    if count == 0:
        return range(0)
    if session.get_bind().dialect.name == "sqlite":
        last = session.execute(_largest(table)).scalar_one()
        return range(last + 1, last + 1 + count)
    # One array is read several times as fast as that many rows.
    found: list[int] = session.execute(_drawn(table), {"count": count}).scalar_one()
    return sorted(found)


@cache
def _largest(table: str) -> TextClause:
    return text(f'SELECT COALESCE(MAX(id), 0) FROM "{table}"')  # noqa: S608 - a table's own name


@cache
def _drawn(table: str) -> TextClause:
    drawn = f"SELECT nextval('{table}_id_seq') AS id FROM generate_series(1, :count)"  # noqa: S608 - a table's own name
    return text(f"SELECT array_agg(id) FROM ({drawn}) AS drawn")  # noqa: S608 - put together here


def insert_rows(
    session: Session,
    table: Table,
    columns: Sequence[str],
    rows: Iterable[tuple[Any, ...]],
    *,
    shared: Mapping[str, Any] | None = None,
) -> int:
    """Insert ``rows`` (values in the order of ``columns``) and return how many there were.

    ``shared`` are further columns, whose values all rows have in common. Values are Python's:
    instants and dates are turned into what the driver wants here. The rows are taken in chunks,
    so a generator of any length needs no more memory than one chunk.
    """
    dialect = session.get_bind().dialect
    connection = session.connection()
    common = shared or {}
    every = [*columns, *common]
    binders = [_binder(table.c[name], dialect) for name in every]
    own, tails = binders[: len(columns)], binders[len(columns) :]
    tail = _bound(tails, [tuple(common.values())])[0]
    names = ", ".join(f'"{name}"' for name in every)
    into = f'"{table.name}" ({names})'
    sqlite = dialect.name == "sqlite"
    parts = _parts(own, rows, CHUNK if sqlite else BLOCK)
    first = next(parts, None)
    if first is None:
        return 0
    if sqlite:
        marks = ", ".join("?" * len(every))
        statement = f"INSERT INTO {into} VALUES ({marks})"  # noqa: S608 - a table's own name
        return sum(_executemany(connection, statement, one, tail) for one in chain([first], parts))
    if len(first) <= _FEW:
        marks = ", ".join(["%s"] * len(every))
        statement = f"INSERT INTO {into} VALUES ({marks})"  # noqa: S608 - a table's own name
        return _executemany(connection, statement, first, tail)
    total = 0
    raw: Any = connection.connection.dbapi_connection
    asked = f"COPY {into} FROM STDIN"
    with driver_errors(connection, asked), raw.cursor() as cursor, cursor.copy(asked) as copy:
        for one in chain([first], parts):
            total += len(one)
            copy.write(copy_text(one, tail))
    return total


@contextmanager
def driver_errors(connection: Connection, statement: str) -> Iterator[None]:
    """Errors of the driver, used past SQLAlchemy, become SQLAlchemy's, as everybody expects them.

    Without it a full disk in a COPY would be no ``OperationalError`` but a fault of the program.

    Raises:
        DBAPIError: of the kind that belongs to the driver's error.
    """
    dialect = connection.dialect
    base: Any = dialect.loaded_dbapi.Error
    try:
        yield
    except base as error:
        found = DBAPIError.instance(statement, None, error, base, dialect=dialect)
        raise found.with_traceback(error.__traceback__) from error


def reads_by_index(session: Session) -> None:
    """For the rest of the transaction PostgreSQL reads by index wherever there is one.

    It keeps the plans by which it checks foreign keys: one made while a table held a few rows
    reads the whole table for every row of a long insert, though it has grown by thousands since.
    Neither do its statistics know yet what the day has brought. SQLite has no such memory.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL enable_seqscan = off"))
        session.execute(text("DISCARD PLANS"))


@lru_cache(maxsize=1024)
def _binder(column: Column[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """What turns a value into the driver's; bytes both drivers take as they are."""
    if isinstance(column.type, LargeBinary):
        return None
    return column.type.dialect_impl(dialect).bind_processor(dialect)


def _parts(
    binders: Sequence[Callable[[Any], Any] | None], rows: Iterable[tuple[Any, ...]], size: int
) -> Iterator[Sequence[tuple[Any, ...]]]:
    iterator = iter(rows)
    while part := list(islice(iterator, size)):
        yield _bound(binders, part)


def _executemany(
    connection: Connection,
    statement: str,
    rows: Sequence[tuple[Any, ...]],
    tail: tuple[Any, ...],
) -> int:
    connection.exec_driver_sql(statement, [row + tail for row in rows])
    return len(rows)


def _bound(
    binders: Sequence[Callable[[Any], Any] | None], rows: Sequence[tuple[Any, ...]]
) -> Sequence[tuple[Any, ...]]:
    """The rows as the driver wants them, column by column: dates and instants come again and again."""
    if not any(binders):
        return rows
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    for place, bind in enumerate(binders):
        if bind is not None:
            columns[place] = list(map(lru_cache(maxsize=None)(bind), columns[place]))
    return list(zip(*columns, strict=True))


def copy_text(rows: Iterable[tuple[Any, ...]], tail: tuple[Any, ...] = ()) -> str:
    """The rows, ``tail`` behind each, in the text format of PostgreSQL's COPY.

    psycopg's own ``write_row`` works out every value of every row; here what the rows have in
    common is written once, which halves the cost of a row of forty columns.
    """
    end = "".join(f"\t{_copy_value(value)}" for value in tail) + "\n"
    return "".join(["\t".join([_copy_value(value) for value in row]) + end for row in rows])


def _copy_value(value: object) -> str:
    if value is None:
        return r"\N"
    if isinstance(value, bytes):
        return rf"\\x{value.hex()}"
    if not isinstance(value, str):
        return str(value)
    if "\\" in value:
        value = value.replace("\\", r"\\")
    for sign, word in (("\t", r"\t"), ("\n", r"\n"), ("\r", r"\r")):
        if sign in value:
            value = value.replace(sign, word)
    return value


def insert_dicts(session: Session, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert a handful of rows by Core; for paths that are not hot."""
    if rows:
        session.execute(insert(table), rows)
