"""History cannot be changed behind the engine's back (rules 37, 38)."""

import hashlib
import json
from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from models.tables import Base
from operations.opening import open_due
from rules.events import canonical_v1
from tests.engine import Engine, engine, stamp

APPEND_ONLY = ("event", "log_leaf", "checkpoint", "log_subtree")


@pytest.fixture
def one(database_url: str) -> Iterator[Engine]:
    with engine(database_url) as made:
        made.run(date(2026, 1, 31))
        with made.database.write() as session:
            session.execute(
                text('INSERT INTO log_leaf ("index", event_id, digest) VALUES (0, 1, :d)'),
                {"d": b"x"},
            )
            session.execute(
                text("INSERT INTO checkpoint (size, root, at, note) VALUES (1, :d, :at, 'x')"),
                {"d": b"x", "at": "2026-01-31T00:00:00.000000Z"},
            )
            session.execute(
                text('INSERT INTO log_subtree (tier, "index", root) VALUES (1, 0, :d)'), {"d": b"x"}
            )
        yield made


def _refused(one: Engine, statement: str) -> str:
    with pytest.raises(DatabaseError) as error, one.database.write() as session:
        session.execute(text(statement))
    return str(error.value)


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_a_row_of_history_cannot_be_updated(one: Engine, table: str) -> None:
    """(38)"""
    columns = {"event": "reason", "log_leaf": "event_id", "checkpoint": "note"}
    column = columns.get(table, "root")
    assert "append-only" in _refused(one, f"UPDATE {table} SET {column} = {column}")


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_a_row_of_history_cannot_be_deleted(one: Engine, table: str) -> None:
    """(38)"""
    assert "append-only" in _refused(one, f"DELETE FROM {table}")


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_history_cannot_be_truncated_or_replaced(one: Engine, table: str) -> None:
    """(38) TRUNCATE where the engine has it; on SQLite REPLACE, with recursive triggers on."""
    if one.database.is_sqlite:
        statement = f"REPLACE INTO {table} SELECT * FROM {table}"
    else:
        statement = f"TRUNCATE {table} CASCADE"
    assert "append-only" in _refused(one, statement)


def test_every_digest_is_that_of_the_canonical_form_of_the_stored_columns(one: Engine) -> None:
    """(38) Made again from what the database gives back."""
    events = one.events()
    assert events
    for event in events:
        fields = {
            column.name: getattr(event, column.name)
            for column in Base.metadata.tables["event"].columns
            if column.name != "digest"
        }
        assert event.digest == hashlib.sha256(b"\x00" + canonical_v1(fields)).digest()
        assert isinstance(json.loads(event.snapshot), dict)


def test_a_failed_operation_leaves_neither_row_nor_event(one: Engine) -> None:
    """(37) Status and history are one write."""
    before = (one.work(), len(one.events()))
    with pytest.raises(RuntimeError, match="died"):
        _die_after_opening(one)
    assert (one.work(), len(one.events())) == before


def _die_after_opening(one: Engine) -> None:
    with one.database.write() as session:
        open_due(session, stamp(date(2026, 6, 30)), one.plan)
        raise RuntimeError("died")


def test_an_assignment_cannot_hold_a_status_that_does_not_exist(one: Engine) -> None:
    """A bug cannot do what a constraint forbids."""
    assert "ck_assignment" in _refused(one, "UPDATE assignment SET status = 'done'")
    assert "ck_assignment" in _refused(
        one, "UPDATE assignment SET status = 'dormant' WHERE role = 'lead'"
    )
