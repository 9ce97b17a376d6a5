"""The hot paths' way into the database: ids in blocks, rows by the driver's bulk path.

Measured: Core with driver tuples reaches 0.94 of a raw ``executemany``, the ORM 0.05 to 0.23; on
PostgreSQL COPY is 2.2 times as fast as ``executemany``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain, islice
from typing import Any

from sqlalchemy import Column, Connection, Dialect, LargeBinary, Table, insert, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

CHUNK = 2_000
"""Rows handed to SQLite's driver at a time; bounds memory, not the transaction."""
_FEW = 4
"""Rows that go by one prepared statement; PostgreSQL takes more sooner by a COPY, which is none."""
BLOCK = 100
"""Rows passed to PostgreSQL at a time: the server takes them in while the next are made."""


def allocate_ids(session: Session, table: str, count: int) -> Sequence[int]:
    """Reserve ``count`` new ids of ``table``, in rising order, within the transaction.

    On SQLite the writer is alone, so the next ids follow the largest one; on PostgreSQL they are
    drawn from the sequence, which takes no lock: gaps stay where a transaction is rolled back.
    """
    if count == 0:
        return range(0)
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        largest = f'SELECT COALESCE(MAX(id), 0) FROM "{table}"'  # noqa: S608 - a table's own name
        last = connection.exec_driver_sql(largest).scalar_one()
        return range(last + 1, last + 1 + count)
    # One array is read several times as fast as that many rows.
    drawn = f"SELECT nextval('{table}_id_seq') AS id FROM generate_series(1, %s)"  # noqa: S608 - a table's own name
    asked = f"SELECT array_agg(id) FROM ({drawn}) AS drawn"  # noqa: S608 - put together here
    found: list[int] = connection.exec_driver_sql(asked, (count,)).scalar_one()
    return sorted(found)


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
    connection = session.connection()
    common = shared or {}
    way = _way(table, (*columns, *common), connection.dialect)
    iterator = iter(rows)
    first = list(islice(iterator, _FEW + 1))
    if len(first) <= _FEW:
        return _insert_few(connection, way, first, tuple(common.values()))
    own, tails = way.binders[: len(columns)], way.binders[len(columns) :]
    tail = _bound(tails, [tuple(common.values())])[0]
    parts = _parts(own, chain(first, iterator), CHUNK if way.sqlite else BLOCK)
    if way.sqlite:
        return sum(_executemany(connection, way.statement(1), one, tail) for one in parts)
    total = 0
    raw: Any = connection.connection.dbapi_connection
    asked = f"COPY {way.into} FROM STDIN"
    with driver_errors(connection, asked), raw.cursor() as cursor, cursor.copy(asked) as copy:
        for one in parts:
            total += len(one)
            copy.write(copy_text(one, tail))
    return total


class _Way:
    """How rows of some columns go into a table: worked out once, used for every act."""

    def __init__(self, table: Table, columns: Sequence[str], dialect: Dialect) -> None:
        self.binders = [_binder(table.c[name], dialect) for name in columns]
        self.bound = [(place, bind) for place, bind in enumerate(self.binders) if bind is not None]
        names = ", ".join(f'"{name}"' for name in columns)
        self.into = f'"{table.name}" ({names})'
        self.sqlite = dialect.name == "sqlite"
        marks = ", ".join(["?" if self.sqlite else "%s"] * len(columns))
        self._statements = [
            f"INSERT INTO {self.into} VALUES {', '.join([f'({marks})'] * count)}"  # noqa: S608 - a table's own name
            for count in range(1, _FEW + 1)
        ]

    def statement(self, count: int) -> str:
        """The statement that inserts ``count`` rows, a few at most, in one go."""
        return self._statements[count - 1]


@lru_cache(maxsize=256)
def _way(table: Table, columns: tuple[str, ...], dialect: Dialect) -> _Way:
    return _Way(table, columns, dialect)


def _insert_few(
    connection: Connection, way: _Way, rows: Sequence[tuple[Any, ...]], common: tuple[Any, ...]
) -> int:
    """One statement for all: what an act of a person writes."""
    values: list[Any] = []
    for row in rows:
        whole = [*row, *common]
        for place, bind in way.bound:
            whole[place] = bind(whole[place])
        values += whole
    if rows:
        connection.exec_driver_sql(way.statement(len(rows)), tuple(values))
    return len(rows)


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
