"""Events as their canonical form and digest, read as the driver gives them (rule 38)."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy.orm import Session

from models.tables import Event
from rules.events import canonical_row_v1

COLUMNS: Final = tuple(
    sorted(column.name for column in Event.__table__.columns if column.name != "digest")
)
Made = TypeVar("Made")
_write = canonical_row_v1(COLUMNS)


def column_texts(dialect: str, table: str = "e") -> str:
    """The columns of an event as SQL that gives each in the spelling of the canonical form."""
    found = []
    for name in COLUMNS:
        column = f'{table}."{name}"'
        if dialect != "sqlite" and name == "at":
            column = f"to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
        elif dialect != "sqlite" and name == "effective_on":
            column = f"to_char({column}, 'YYYY-MM-DD')"
        found.append(column)
    return ", ".join(found)


def canonical_of(values: Sequence[Any]) -> bytes:
    """The canonical form v1 of an event whose values come as :func:`column_texts` asks for them."""
    return _write(values)


def digest_of(values: Sequence[Any]) -> bytes:
    """The leaf digest of an event whose values come as :func:`column_texts` asks for them.

    What stands in the row after them is left alone.
    """
    return hashlib.sha256(b"\x00" + _write(values)).digest()


def rows(session: Session, statement: str, *values: int) -> Sequence[tuple[Any, ...]]:
    """All rows of ``statement`` (marks ``?``) as the driver gives them: the hot path."""
    return rows_as(_as_they_are, session, statement, *values)


def rows_as(
    make: Callable[[tuple[Any, ...]], Made], session: Session, statement: str, *values: int
) -> list[Made]:
    """What ``make`` makes of each row of ``statement`` while the row is fresh; none is kept."""
    raw: Any = session.connection().connection.dbapi_connection
    if session.get_bind().dialect.name == "sqlite":
        return _sqlite_rows(make, raw, statement, values)
    with raw.cursor(binary=True) as cursor:
        cursor.execute(statement.replace("?", "%s"), values)
        return [make(row) for row in cursor]


def _as_they_are(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return row


def _sqlite_rows(
    make: Callable[[tuple[Any, ...]], Made], raw: Any, statement: str, values: Sequence[int]
) -> list[Made]:
    try:
        return [make(row) for row in raw.execute(statement, values)]
    except sqlite3.OperationalError as error:
        if "UTF-8" not in str(error):
            raise
    # Somebody wrote bytes that are no text: read on, their digest is another for certain.
    usual, raw.text_factory = raw.text_factory, lambda raw: raw.decode("utf-8", "replace")
    try:
        return [make(row) for row in raw.execute(statement, values)]
    finally:
        raw.text_factory = usual
