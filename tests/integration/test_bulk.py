"""The bulk path into the database writes what it was given (models.bulk)."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from models.bulk import CHUNK, allocate_ids, insert_rows
from models.engine import Database
from models.tables import Assignment, Base, DatabaseFact
from operations.history import snapshot_of
from rules.events import canonical_json
from tests.engine import engine

AT = datetime(2027, 2, 1, 1, 2, 3, 456789, tzinfo=UTC)
ODD = (
    "",
    "\\N",
    "\\",
    "\\x41",
    "a\tb\nc\rd\\te",
    "\\.",
    "Khánh Hòa “ngoặc” 'đơn' \"kép\"",
    '{"a":"\\\\\\"\\n"}',
    "\u2028\x0b\x7f%s%%",
)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    made = Database(database_url, durable=False)
    yield made
    made.close()


def _facts(database: Database) -> dict[str, tuple[str, datetime]]:
    with database.read() as session:
        rows = session.scalars(select(DatabaseFact).where(DatabaseFact.key.startswith("odd.")))
        return {row.key: (row.value, row.updated_at) for row in rows}


def test_any_text_comes_back_as_it_was_written(database: Database) -> None:
    """Whatever means something to COPY or to SQL, in values of a row and in shared ones."""
    table = Base.metadata.tables[DatabaseFact.__tablename__]
    own = {f"odd.{n}": value for n, value in enumerate(ODD)}
    shared = {f"odd.shared.{n}": value for n, value in enumerate(ODD)}
    with database.write() as session:
        insert_rows(session, table, ("key", "value"), own.items(), shared={"updated_at": AT})
        for key, value in shared.items():
            both = {"value": value, "updated_at": AT}
            insert_rows(session, table, ("key",), [(key,)], shared=both)
    assert _facts(database) == {key: (value, AT) for key, value in (own | shared).items()}


def test_rows_beyond_a_chunk_are_all_there_and_counted(database: Database) -> None:
    table = Base.metadata.tables[DatabaseFact.__tablename__]
    count = 2 * CHUNK + 7
    rows = ((f"odd.{n}", str(n), AT) for n in range(count))
    with database.write() as session:
        assert insert_rows(session, table, ("key", "value", "updated_at"), rows) == count
        assert insert_rows(session, table, ("key", "value", "updated_at"), []) == 0
    assert len(_facts(database)) == count


def test_ids_are_new_and_rising(database: Database) -> None:
    with database.write() as session:
        found = [*allocate_ids(session, "event", 3), *allocate_ids(session, "letter", 0)]
        assert found == sorted(set(found))
        assert len(found) == 3


def test_the_events_of_an_opening_hold_their_rows_as_they_stand(database_url: str) -> None:
    """(37) Snapshots that are written from a common frame are the snapshots of the rows."""
    with engine(database_url) as one:
        one.run(date(2026, 1, 31))
        events = {event.entity_id: event for event in one.events("assignment")}
        with one.database.read() as session:
            rows = session.scalars(select(Assignment)).all()
        assert {str(row.id) for row in rows} == set(events)
        for row in rows:
            assert events[str(row.id)].snapshot == canonical_json(snapshot_of(row))
            assert events[str(row.id)].agency_key == row.agency_key
