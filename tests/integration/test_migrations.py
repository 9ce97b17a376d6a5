"""Every earlier release's database, with rows that its own code wrote, comes to this release whole.

The rows are those of ``tests/releases``; a table that its story does not reach has one made-up row.
"""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from sqlalchemy.orm import Session

from deployments import portal as portal_process
from deployments import serve
from flows.shell import opened
from models import migrate
from models.base import INSTANT_FORMAT
from models.engine import Database
from models.migrate import upgrade
from models.revision import (
    NewerDatabase,
    OlderDatabase,
    check_revision,
    code_revision,
    database_revision,
    known_revisions,
)
from models.tables import Event
from rules.events import canonical_v1, leaf_digest
from runtime.backup import make_backup
from runtime.restore import restore
from runtime.settings import Settings
from runtime.verifying import verified
from runtime.wiring import open_runtime
from tests import databases, engine
from tests.command_line import CommandLine, command_line
from tests.releases.make import files

RELEASES = dict(files())
OLD = sorted(RELEASES)
_FIELDS = tuple(column.name for column in Event.__table__.columns if column.name != "digest")
APPEND_ONLY = ("event", "log_leaf", "checkpoint")

Rows = dict[str, dict[str, Any]]


def rows_of(release: str) -> Rows:
    """What a release left: each table with its columns and rows."""
    tables = json.loads(gzip.decompress(RELEASES[release].read_bytes()))
    return {
        name: one for name, one in tables.items() if "rows" in one and name != "alembic_version"
    }


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Any]:
    """Empty databases at each migration, made once and copied."""
    return {("folder", ""): tmp_path_factory.mktemp("releases")}


@contextmanager
def at_release(
    release: str, copies: databases.Copies, bases: dict[tuple[str, str], Any], folder: Path
) -> Iterator[Database]:
    """A database as ``release`` left it."""
    if copies.server is None:
        base = bases["folder", ""] / f"{release}.sqlite"
        if not base.exists():
            _make(f"sqlite:///{base}", release)
        file = folder / "release.sqlite"
        shutil.copyfile(base, file)
        database = Database(f"sqlite:///{file}", durable=False)
    else:
        name = f"release_{release}"
        if ("postgresql", release) not in bases:
            _make(copies.server.create(name), release)
            bases["postgresql", release] = name
        database = Database(copies.server.create(f"copy_{release}", template=name))
    try:
        with database.engine.begin() as connection:
            load(connection, rows_of(release))
        yield database
    finally:
        database.close()
        if copies.server is not None:
            copies.server.drop(f"copy_{release}")


def _make(url: str, release: str) -> None:
    database = Database(url, durable=False)
    with database.write() as session:
        migrate.migrate(session.connection(), release)
    database.close()


def load(connection: sa.Connection, rows: Rows) -> None:
    """Put the rows in as they are: references among them hold already."""
    sqlite = connection.dialect.name == "sqlite"
    if not sqlite:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
    look = sa.inspect(connection)
    order = [name for name, _ in look.get_sorted_table_and_fkc_names() if name in rows]
    if sqlite:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
    for name in order:
        kinds = {one["name"]: one["type"] for one in look.get_columns(name)}
        columns = rows[name]["columns"]
        marks = ", ".join(f":c{place}" for place in range(len(columns)))
        names = ", ".join(f'"{one}"' for one in columns)
        values = [
            {f"c{place}": _in(value, kinds[columns[place]]) for place, value in enumerate(row)}
            for row in rows[name]["rows"]
        ]
        connection.execute(sa.text(f'INSERT INTO "{name}" ({names}) VALUES ({marks})'), values)
        if not sqlite and "id" in kinds and isinstance(kinds["id"], sa.Integer):
            last = max(row[columns.index("id")] for row in rows[name]["rows"])
            connection.execute(sa.text(f"SELECT setval('{name}_id_seq', {last})"))


def _in(value: Any, kind: Any) -> Any:
    if isinstance(value, dict):
        return bytes.fromhex(value["hex"])
    return bool(value) if isinstance(kind, sa.Boolean) and value is not None else value


def _out(value: Any) -> Any:
    """A value as the files spell it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime(INSTANT_FORMAT)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return {"hex": bytes(value).hex()}
    return int(value) if isinstance(value, bool) else value


def shown(connection: sa.Connection, name: str, columns: list[str]) -> list[list[Any]]:
    """The rows of a table now, in the columns that it had then."""
    names = ", ".join(f'"{one}"' for one in columns)
    found = connection.execute(sa.text(f'SELECT {names} FROM "{name}"'))
    return sorted(([_out(value) for value in row] for row in found), key=str)


def schema(connection: sa.Connection) -> object:
    """Tables, columns, indexes and triggers, for comparing before and after."""
    look = sa.inspect(connection)
    tables = {
        name: (
            sorted(one["name"] for one in look.get_columns(name)),
            sorted(str(one["name"]) for one in look.get_indexes(name)),
        )
        for name in look.get_table_names()
    }
    asked = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger' ORDER BY 1"
        if connection.dialect.name == "sqlite"
        else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1"
    )
    return tables, connection.scalars(sa.text(asked)).all()


def refuses_changes(database: Database, tables: tuple[str, ...]) -> None:
    for table in tables:
        with database.engine.connect() as connection:
            if not connection.scalar(sa.text(f'SELECT count(*) FROM "{table}"')):
                continue
        column = "note" if table == "checkpoint" else "digest"
        for statement in (f'DELETE FROM "{table}"', f'UPDATE "{table}" SET {column} = NULL'):
            with (
                pytest.raises(sa.exc.DBAPIError, match="append-only"),
                database.engine.begin() as connection,
            ):
                connection.execute(sa.text(statement))


def test_each_earlier_release_has_its_rows() -> None:
    """A migration that landed without ``python -m tests.releases.make`` is seen here."""
    assert list(known_revisions()[: len(OLD)]) == OLD
    assert len(known_revisions()) - len(OLD) <= 2


@pytest.mark.parametrize("release", OLD)
def test_a_database_of_an_earlier_release_comes_along_whole(
    release: str,
    copies: databases.Copies,
    bases: dict[tuple[str, str], Any],
    tmp_path: Path,
) -> None:
    """(38) Every row as it was, every event with its digest, history still append-only."""
    with at_release(release, copies, bases, tmp_path) as database:
        upgrade(database)
        assert database_revision(database) == code_revision()
        with database.engine.connect() as connection:
            for name, one in rows_of(release).items():
                then = sorted(one["rows"], key=str)
                assert shown(connection, name, one["columns"]) == then, name
        with database.read() as session:
            for row in session.scalars(sa.select(Event)):
                said = {name: getattr(row, name) for name in _FIELDS}
                assert leaf_digest(canonical_v1(said)) == row.digest
            assert verified(session).whole
        refuses_changes(database, APPEND_ONLY)


def failing_after(count: int) -> Callable[..., None]:
    """Lets the power go at a statement of the migrations."""
    left = [count]

    def at_statement(_c: object, _u: object, statement: str, *_: object) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "PRAGMA")):
            return
        left[0] -= 1
        if left[0] < 0:
            raise RuntimeError("the machine fails here")

    return at_statement


@pytest.mark.parametrize("release", ["0001", "0008"])
def test_a_migration_that_fails_leaves_the_old_database_working(
    release: str,
    copies: databases.Copies,
    bases: dict[tuple[str, str], Any],
    tmp_path: Path,
) -> None:
    """Whichever statement it fails at; and the next try goes through."""
    with at_release(release, copies, bases, tmp_path) as database:
        with database.engine.connect() as connection:
            before = schema(connection)
        for count in (0, 1, 2, 5, 9, 14, 20):
            hook = failing_after(count)
            sa.event.listen(database.engine, "before_cursor_execute", hook)
            try:
                with pytest.raises(RuntimeError, match="fails here"):
                    upgrade(database)
            finally:
                sa.event.remove(database.engine, "before_cursor_execute", hook)
            assert database_revision(database) == release
        with database.engine.connect() as connection:
            assert schema(connection) == before
            for name, one in rows_of(release).items():
                assert shown(connection, name, one["columns"]) == sorted(one["rows"], key=str)
        refuses_changes(database, ("event",))
        assert upgrade(database)


def test_numbers_of_migrations_are_what_alembic_reads() -> None:
    script = ScriptDirectory(str(Path(migrate.__file__).parent / "migrations"))
    found = [one.revision for one in script.walk_revisions()][::-1]
    assert found == list(known_revisions())
    assert script.get_current_head() == code_revision()


def set_revision(url: str, revision: str) -> None:
    database = Database(url, durable=False)
    with database.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :r"), {"r": revision})
    database.close()


@pytest.fixture
def tiendo(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return command_line(database_url, tmp_path, monkeypatch)


@pytest.mark.parametrize("stands", ["0005", "9999"])
def test_what_does_not_fit_is_refused_with_a_sentence_by_everything_that_starts(
    tiendo: CommandLine, stands: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The flows never upgrade; the portal does, where it can, and refuses what is newer."""
    tiendo.good("open")
    set_revision(tiendo.url, stands)
    kind, words = (
        (NewerDatabase, "mới hơn phần mềm này")
        if stands == "9999"
        else (OlderDatabase, "cần phiên bản")
    )
    with pytest.raises(kind, match=words), opened():
        pass
    with pytest.raises(kind, match=words), tiendo.database() as database:
        check_revision(database)
    assert serve.main([]) == 1
    assert words in capsys.readouterr().err
    (found,) = tiendo("doctor", "--json").lines
    assert (found["check"], found["level"]) == ("database", "wrong")
    assert words in found["text"]
    with tiendo.database() as database:
        assert database_revision(database) == stands  # looking changed nothing
    if stands == "9999":
        assert portal_process.main([]) == 1
        assert words in capsys.readouterr().err
        refused = tiendo("work", "list")
        assert (refused.code, words in refused.err) == (1, True)


def test_an_old_database_is_backed_up_as_it_is_and_restored_into_this_release(
    copies: databases.Copies, bases: dict[tuple[str, str], Any], tmp_path: Path
) -> None:
    release = OLD[1]
    with at_release(release, copies, bases, tmp_path) as old:
        settings = Settings(_env_file=None, data_dir=tmp_path / "var", database_url=old.url)
        with open_runtime(settings) as runtime:
            made = make_backup(runtime, at=datetime(2027, 3, 1, tzinfo=UTC))
        assert database_revision(old) == release
        assert made.card.revision == release
        with copies.one(tmp_path, migrated=False) as url:
            new = Database(url, durable=False)
            stamp = engine.stamp(date(2027, 3, 2))
            done = restore(made.path, new, uploads=tmp_path / "uploads", stamp=stamp)
            assert database_revision(new) == code_revision()
            with Session(new.engine) as session:
                count = session.scalar(sa.select(sa.func.count()).select_from(Event))
            told = 1 + done.letters.held + done.letters.unknown  # the restore, and each letter
            assert count == len(rows_of(release)["event"]["rows"]) + told
            new.close()
