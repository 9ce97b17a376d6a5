"""Bringing a database to the tables of this code."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from models.engine import Database

_NO_RIGHT = "42501"
"""What PostgreSQL answers to whoever lacks a right."""
_HERE = Path(__file__).parent / "migrations"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.attributes["connection"] = connection
    return config


@cache
def code_revision() -> str | None:
    """The newest migration that this code knows."""
    return ScriptDirectory.from_config(_config()).get_current_head()


@cache
def known_revisions() -> tuple[str, ...]:
    """All migrations of this code, the oldest first."""
    found = ScriptDirectory.from_config(_config()).walk_revisions()
    return tuple(one.revision for one in found)[::-1]


def database_revision(database: Database) -> str | None:
    """The migration that the database stands at; None when it is empty."""
    with database.engine.connect() as connection:
        return revision_of(connection)


def revision_of(connection: Connection) -> str | None:
    """The same over a connection that is open."""
    return MigrationContext.configure(connection).get_current_revision()


class NewerDatabase(Exception):
    """The database was made by a newer release than this code."""

    def __init__(self, found: str) -> None:
        self.found = found
        super().__init__(
            f"Cơ sở dữ liệu ở phiên bản {found}, mới hơn phần mềm này. "
            "Đề nghị cập nhật phần mềm trước khi chạy."
        )


class OlderDatabase(Exception):
    """The database stands at an earlier release and was not brought to this one yet."""

    def __init__(self, found: str | None) -> None:
        self.found = found
        stands = f"ở phiên bản {found}" if found else "chưa có bảng nào"
        super().__init__(
            f"Cơ sở dữ liệu {stands}, phần mềm này cần phiên bản {code_revision()}. "
            "Đề nghị sao lưu (tiendo backup), rồi khởi động lại cổng thông tin hoặc chạy tiendo up: "
            "cơ sở dữ liệu được nâng cấp khi khởi động."
        )


class NotTheOwner(OlderDatabase):
    """The database has to be brought to this release by the role that owns its tables."""

    def __init__(self, found: str | None) -> None:
        super().__init__(found)
        text = (
            f"Cơ sở dữ liệu ở phiên bản {found}, phần mềm này cần phiên bản {code_revision()}, và vai "
            "trò đang kết nối không sở hữu các bảng. Đề nghị sao lưu, rồi chạy “tiendo database "
            "upgrade” với --database là địa chỉ của vai trò sở hữu."
        )
        self.args = (text,)


def check_revision(database: Database) -> None:
    """Let only a database pass that fits this code.

    Raises:
        NewerDatabase, OlderDatabase: it does not; the text says what to do.
    """
    found = database_revision(database)
    if found is None or found != code_revision():
        refuse_newer(found)
        raise OlderDatabase(found)


def refuse_newer(revision: str | None) -> None:
    """Raise ``NewerDatabase`` for a migration that this code does not know."""
    if revision is not None and revision not in known_revisions():
        raise NewerDatabase(revision)


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
    command.upgrade(_config(connection), to)
