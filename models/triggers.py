"""The triggers that keep history append-only (rule 38), as DDL for each database.

A migration that rebuilds one of these tables calls :func:`create_triggers` again; a test changes
a row of each table behind the engine's back and expects to be refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, text

APPEND_ONLY: dict[str, tuple[str, ...]] = {
    "event": ("id",),
    "log_leaf": ("index",),
    "checkpoint": ("size",),
}
"""Table to its primary key, for the tables of the first migration."""
APPEND_ONLY_LOG: dict[str, tuple[str, ...]] = {"log_subtree": ("tier", "index")}
"""The same for those that came with the sealer."""


def _sqlite(table: str, key: tuple[str, ...]) -> Iterator[str]:
    refused = f"RAISE(ABORT, '{table} is append-only')"
    for verb in ("update", "delete"):
        yield f"DROP TRIGGER IF EXISTS {table}_no_{verb}"
        yield (
            f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
            f"BEGIN SELECT {refused}; END"
        )
    there = " AND ".join(f'"{name}" = NEW."{name}"' for name in key)
    yield f"DROP TRIGGER IF EXISTS {table}_no_replace"
    yield (
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "  # noqa: S608 - our own names
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {there}) "
        f"BEGIN SELECT {refused}; END"
    )


def _postgresql(table: str) -> Iterator[str]:
    function = "tiendo_append_only"
    yield (
        f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    yield f"DROP TRIGGER IF EXISTS {table}_no_change ON {table}"
    yield (
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {function}()"
    )
    yield f"DROP TRIGGER IF EXISTS {table}_no_truncate ON {table}"
    yield (
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
    )


def create_triggers(connection: Connection) -> None:
    """(Re)create the append-only triggers of the tables of history that the first migration made."""
    _keep(connection, APPEND_ONLY)


def create_log_triggers(connection: Connection) -> None:
    """(Re)create the triggers that came with the sealer.

    A row of ``log_pending`` leaves only when its event has a leaf.
    """
    _keep(connection, APPEND_ONLY_LOG)
    sqlite = connection.dialect.name == "sqlite"
    for statement in _PENDING_SQLITE if sqlite else _PENDING_POSTGRESQL:
        connection.execute(text(statement))


def _keep(connection: Connection, tables: Mapping[str, tuple[str, ...]]) -> None:
    for table, key in tables.items():
        dialect = connection.dialect.name
        statements = _sqlite(table, key) if dialect == "sqlite" else _postgresql(table)
        for statement in statements:
            connection.execute(text(statement))


_PENDING_SQLITE = (
    "DROP TRIGGER IF EXISTS log_pending_no_update",
    (
        "CREATE TRIGGER log_pending_no_update BEFORE UPDATE ON log_pending "
        "BEGIN SELECT RAISE(ABORT, 'log_pending is append-only until sealed'); END"
    ),
    "DROP TRIGGER IF EXISTS log_pending_until_sealed",
    (
        "CREATE TRIGGER log_pending_until_sealed BEFORE DELETE ON log_pending "
        "WHEN NOT EXISTS (SELECT 1 FROM log_leaf WHERE event_id = OLD.event_id) "
        "BEGIN SELECT RAISE(ABORT, 'log_pending is append-only until sealed'); END"
    ),
)
_PENDING_POSTGRESQL = (
    (
        "CREATE OR REPLACE FUNCTION tiendo_until_sealed() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN IF EXISTS (SELECT 1 FROM gone LEFT JOIN log_leaf ON log_leaf.event_id = gone.event_id "
        "WHERE log_leaf.event_id IS NULL) THEN "
        "RAISE EXCEPTION 'log_pending is append-only until sealed'; END IF; RETURN NULL; END $$"
    ),
    "DROP TRIGGER IF EXISTS log_pending_until_sealed ON log_pending",
    (
        "CREATE TRIGGER log_pending_until_sealed AFTER DELETE ON log_pending "
        "REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION tiendo_until_sealed()"
    ),
    "DROP TRIGGER IF EXISTS log_pending_no_update ON log_pending",
    (
        "CREATE TRIGGER log_pending_no_update BEFORE UPDATE ON log_pending "
        "FOR EACH ROW EXECUTE FUNCTION tiendo_append_only()"
    ),
    "DROP TRIGGER IF EXISTS log_pending_no_truncate ON log_pending",
    (
        "CREATE TRIGGER log_pending_no_truncate BEFORE TRUNCATE ON log_pending "
        "FOR EACH STATEMENT EXECUTE FUNCTION tiendo_append_only()"
    ),
)
