"""Bringing a database to the tables of this code."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from models.engine import Database
from models.revision import NotTheOwner, code_revision, database_revision, refuse_newer

_HERE = Path(__file__).parent / "migrations"
_NO_RIGHT = "42501"
"""What PostgreSQL answers to whoever lacks a right."""


def upgrade(database: Database) -> bool:
    """Bring ``database`` to the newest tables; True when anything had to be done.

    One transaction: a migration that fails leaves the database as it was.

    Raises:
        NewerDatabase: it stands at a migration that this code does not know.
        NotTheOwner: its tables are another role's.
    """
    current = database_revision(database)
    refuse_newer(current)
    if current == code_revision():
        return False
    try:
        with database.write() as session:
            migrate(session.connection())
    except DatabaseError as error:
        if getattr(error.orig, "sqlstate", None) == _NO_RIGHT:
            raise NotTheOwner(current) from error
        raise
    return True


def migrate(connection: Connection, to: str = "head") -> None:
    """Run the migrations up to ``to`` inside the transaction that is open."""
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(1718)")
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
