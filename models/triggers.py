"""The triggers that keep history append-only (rule 38), as DDL for each database.

A migration that rebuilds one of these tables calls :func:`create_triggers` again; a test changes
a row of each table behind the engine's back and expects to be refused.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, text

APPEND_ONLY: dict[str, str] = {"event": "id", "log_leaf": '"index"', "checkpoint": "size"}
"""Table to its primary key."""


def _sqlite(table: str, key: str) -> Iterator[str]:
    refused = f"RAISE(ABORT, '{table} is append-only')"
    for verb in ("update", "delete"):
        yield f"DROP TRIGGER IF EXISTS {table}_no_{verb}"
        yield (
            f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
            f"BEGIN SELECT {refused}; END"
        )
    yield f"DROP TRIGGER IF EXISTS {table}_no_replace"
    yield (
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "  # noqa: S608 - our own names
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key}) "
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
    """(Re)create the append-only triggers of all tables of history."""
    for table, key in APPEND_ONLY.items():
        dialect = connection.dialect.name
        statements = _sqlite(table, key) if dialect == "sqlite" else _postgresql(table)
        for statement in statements:
            connection.execute(text(statement))
