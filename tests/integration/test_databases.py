"""The databases that the other tests stand on."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from models.bulk import insert_rows
from models.engine import Database
from models.revision import code_revision, database_revision
from models.tables import Base, Mailbox
from tests import databases


def execute(url: str, *statements: str) -> list[object]:
    engine = sa.create_engine(url)
    try:
        with engine.begin() as connection:
            results = [connection.execute(sa.text(statement)) for statement in statements]
            return list(results[-1].scalars()) if results[-1].returns_rows else []
    finally:
        engine.dispose()


def test_url_names_the_database_the_test_runs_on(store: str, database_url: str) -> None:
    assert sa.make_url(database_url).get_backend_name() == store


def test_database_has_the_newest_schema(database_url: str, bare_database_url: str) -> None:
    migrated, bare = Database(database_url), Database(bare_database_url)
    assert database_revision(migrated) == code_revision()
    assert database_revision(bare) is None
    migrated.close()
    bare.close()


@pytest.mark.parametrize("turn", ["first", "second"])
def test_each_test_starts_without_rows_of_another(turn: str, database_url: str) -> None:
    execute(database_url, "CREATE TABLE turns (name text)")
    execute(database_url, f"INSERT INTO turns VALUES ('{turn}')")
    assert execute(database_url, "SELECT name FROM turns") == [turn]


def test_bare_and_migrated_databases_are_two(database_url: str, bare_database_url: str) -> None:
    execute(database_url, "CREATE TABLE only_here (name text)")
    with pytest.raises(sa.exc.DBAPIError, match="only_here"):
        execute(bare_database_url, "SELECT name FROM only_here")


def test_vietnamese_text_comes_back_as_it_went_in(database_url: str) -> None:
    words = "Sở Nội vụ: đề án, nhiệm vụ, kỳ thực hiện"
    assert execute(database_url, f"SELECT '{words}'") == [words]


def test_postgresql_has_the_extension_prefect_needs(
    postgres_copies: databases.Copies, tmp_path: Path
) -> None:
    with postgres_copies.one(tmp_path, migrated=False) as url:
        execute(url, "CREATE EXTENSION pg_trgm")
        assert execute(url, "SELECT similarity('tiến độ', 'tiến độ')") == [1.0]


def test_what_the_database_refuses_in_bulk_is_refused_as_anywhere(database_url: str) -> None:
    """COPY goes past SQLAlchemy; a full disk in it must be the same error as in a statement."""
    database = Database(database_url, durable=False)
    table = Base.metadata.tables[Mailbox.__tablename__]
    row = ("a@xa.test", "ok", datetime(2027, 3, 1, tzinfo=UTC))
    columns = ("address", "state", "updated_at")
    with pytest.raises(sa.exc.IntegrityError), database.write() as session:
        insert_rows(session, table, columns, [row, row])
    with database.write() as session:
        assert insert_rows(session, table, columns, [row]) == 1
    database.close()


def test_open_connection_does_not_keep_a_database_alive(
    postgres_server: databases.PostgresServer,
) -> None:
    engine = sa.create_engine(postgres_server.create("held_open"))
    with engine.connect():
        postgres_server.drop("held_open")
    engine.dispose()


def test_server_ends_with_its_processes_and_its_folder() -> None:
    with databases.postgres_server() as server:
        assert databases.processes_in(server.folder)
    assert not databases.processes_in(server.folder)
    assert not server.folder.exists()


def test_missing_postgresql_is_said_loudly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "_installations", lambda: iter([Path("/nonexistent")]))
    with (
        pytest.raises(databases.PostgresUnavailableError, match="apt-get install postgresql"),
        databases.postgres_server(),
    ):
        pass


def test_broken_installation_falls_back_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    working = list(databases._installations())
    monkeypatch.setattr(databases, "_installations", lambda: iter([Path("/nonexistent"), *working]))
    with databases.postgres_server() as server:
        assert server.version
