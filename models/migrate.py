"""Bringing a database to the tables of this code."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from models.engine import Database

_HERE = Path(__file__).parent / "migrations"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.attributes["connection"] = connection
    return config


def code_revision() -> str | None:
    """The newest migration that this code knows."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def database_revision(database: Database) -> str | None:
    """The migration that the database stands at; None when it is empty."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


class NewerDatabase(Exception):
    """The database was made by a newer release than this code."""

    def __init__(self, found: str) -> None:
        self.found = found
        super().__init__(
            f"Cơ sở dữ liệu ở phiên bản {found}, mới hơn phần mềm này. "
            "Đề nghị cập nhật phần mềm trước khi chạy."
        )


def upgrade(database: Database) -> bool:
    """Bring ``database`` to the newest tables; True when anything had to be done.

    One transaction: a migration that fails leaves the database as it was.

    Raises:
        NewerDatabase: it stands at a migration that this code does not know.
    """
    current = database_revision(database)
    known = {one.revision for one in ScriptDirectory.from_config(_config()).walk_revisions()}
    if current is not None and current not in known:
        raise NewerDatabase(current)
    if current == code_revision():
        return False
    with database.write() as session:
        connection = session.connection()
        if connection.dialect.name != "sqlite":
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(1718)")
        command.upgrade(_config(connection), "head")
    return True
