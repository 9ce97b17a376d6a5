"""On PostgreSQL portal and flows work under a role that cannot change history (rule 38)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url, select, text
from sqlalchemy.exc import DatabaseError

from models.engine import Database
from models.migrate import upgrade
from models.revision import NotTheOwner, code_revision
from models.roles import BadRoleName, roles_sql
from models.tables import Assignment
from rules.actors import AccountRole
from rules.lifecycle import Action
from rules.values import Role
from runtime.sealing import seal_now
from tests.databases import Copies, PostgresServer
from tests.engine import Engine, engine, person
from tests.sealed import sealed_log

WORKER, OWNER = "tiendo_lam_viec", "tiendo_so_huu"


@pytest.fixture
def worker_url(postgres_copies: Copies, tmp_path: Path) -> Iterator[str]:
    """A migrated database under the working role; it began as its owner."""
    with postgres_copies.one(tmp_path, migrated=True) as url:
        dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(dsn, autocommit=True) as admin:
            admin.execute(f"DROP ROLE IF EXISTS {WORKER}")
            admin.execute(f"CREATE ROLE {WORKER} LOGIN")
            for (table,) in admin.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            ).fetchall():
                admin.execute(f"ALTER TABLE {table} OWNER TO {WORKER}")
            for _ in range(2):  # harmless to run again
                admin.execute(roles_sql(WORKER, OWNER))
            yield make_url(url).set(username=WORKER).render_as_string(hide_password=False)
            for role in (WORKER, OWNER):
                admin.execute(f"REASSIGN OWNED BY {role} TO postgres")
                admin.execute(f"DROP OWNED BY {role}")
                admin.execute(f"DROP ROLE {role}")


def _acts(made: Engine) -> None:
    made.run(date(2026, 1, 31))
    with made.database.read() as session:
        row = session.scalars(
            select(Assignment).where(
                Assignment.role == Role.LEAD.value, Assignment.agency_key != made.coordinator
            )
        ).first()
    assert row is not None
    made.act(row, Action.START, person(AccountRole.AGENCY, row.agency_key), date(2026, 2, 2))


def test_the_working_role_does_a_whole_day_and_seals_it(worker_url: str, tmp_path: Path) -> None:
    """(38) Catalog, opening, an act, sealing, verifying."""
    with engine(worker_url) as made:
        _acts(made)
    with sealed_log(worker_url, tmp_path) as log:
        assert seal_now(log.runtime).events > 10
        assert log.verify().whole


FORBIDDEN = (
    "UPDATE event SET reason = 'x'",
    "DELETE FROM event",
    "TRUNCATE event CASCADE",
    "UPDATE log_leaf SET event_id = event_id",
    "DELETE FROM checkpoint",
    "UPDATE log_subtree SET root = root",
    "UPDATE verification SET wrong = 0",
    "UPDATE log_pending SET event_id = event_id",
    "TRUNCATE log_pending",
    "UPDATE alembic_version SET version_num = '0001'",
    "DROP TRIGGER event_no_change ON event",
    "ALTER TABLE event DISABLE TRIGGER ALL",
    "ALTER TABLE event ADD COLUMN x int",
    "DROP TABLE event CASCADE",
    "SET session_replication_role = replica",
    "CREATE OR REPLACE FUNCTION tiendo_append_only() RETURNS trigger LANGUAGE sql AS ''",
    "CREATE RULE x AS ON INSERT TO event DO INSTEAD NOTHING",
    "CREATE TABLE event2 (id int)",
    f"SET ROLE {OWNER}",
)


def test_it_can_neither_change_history_nor_what_guards_it(worker_url: str) -> None:
    """(38) Each is refused for want of the right, before any trigger is asked."""
    database = Database(worker_url, durable=False)
    try:
        for statement in FORBIDDEN:
            with pytest.raises(DatabaseError) as error, database.write() as session:
                session.execute(text(statement))
            assert getattr(error.value.orig, "sqlstate", None) == "42501", error.value
    finally:
        database.close()


def test_a_pending_event_is_not_taken_off_the_list_by_it(worker_url: str) -> None:
    """(38) It may delete there, for it seals; the trigger says what."""
    with engine(worker_url) as made:
        made.run(date(2026, 1, 31))
        with (
            pytest.raises(DatabaseError, match="append-only until sealed"),
            made.database.write() as session,
        ):
            session.execute(text("DELETE FROM log_pending"))


@pytest.mark.parametrize("name", ["x; DROP", 'a"b', "Tên", ""])
def test_a_name_that_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(BadRoleName):
        roles_sql(name)


def test_the_owner_still_migrates(worker_url: str, postgres_server: PostgresServer) -> None:
    """The tables are the owner's; what it adds later is open to the working role as well."""
    owner = Database(make_url(worker_url).set(username=OWNER).render_as_string(hide_password=False))
    worker = Database(worker_url)
    try:
        with owner.write() as session:
            session.execute(text("CREATE TABLE later_on (id int)"))
            session.execute(text("UPDATE alembic_version SET version_num = '0015'"))
        with worker.write() as session:
            session.execute(text("INSERT INTO later_on VALUES (1)"))
        if code_revision() != "0015":
            with pytest.raises(NotTheOwner, match="tiendo database upgrade"):
                upgrade(worker)
    finally:
        owner.close()
        worker.close()
