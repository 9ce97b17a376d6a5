"""At which migration a database stands, and whether it fits this code; no migration is loaded."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from models.engine import Database

_VERSIONS = Path(__file__).parent / "migrations" / "versions"


class NewerDatabase(Exception):
    """The database was made by a newer release than this code."""

    def __init__(self, found: str) -> None:
        self.found = found
        super().__init__(
            f"Cơ sở dữ liệu ở phiên bản {found}, mới hơn phần mềm này (phiên bản "
            f"{code_revision()}). Đề nghị cập nhật phần mềm trước khi chạy."
        )


class OlderDatabase(Exception):
    """The database stands at an earlier release and was not brought to this one yet."""

    def __init__(self, found: str | None, remedy: str | None = None) -> None:
        self.found = found
        stands = f"ở phiên bản {found}" if found else "chưa có bảng nào"
        usual = (
            "Đề nghị sao lưu (tiendo backup), rồi khởi động cổng thông tin hoặc chạy tiendo up: cơ "
            "sở dữ liệu được nâng cấp khi khởi động."
        )
        super().__init__(
            f"Cơ sở dữ liệu {stands}, phần mềm này cần phiên bản {code_revision()}. "
            f"{remedy or usual}"
        )


class NotTheOwner(OlderDatabase):
    """The database has to be brought to this release by the role that owns its tables."""

    def __init__(self, found: str | None) -> None:
        remedy = (
            "Vai trò đang kết nối không sở hữu các bảng. Đề nghị sao lưu (tiendo backup), rồi chạy "
            "“tiendo database upgrade” với --database là địa chỉ của vai trò sở hữu."
        )
        super().__init__(found, remedy)


@cache
def known_revisions() -> tuple[str, ...]:
    """All migrations of this code, the oldest first; their numbers are their names."""
    return tuple(sorted(path.name[:4] for path in _VERSIONS.glob("[0-9]*.py")))


def code_revision() -> str:
    """The newest migration that this code knows."""
    return known_revisions()[-1]


def revision_of(connection: Connection) -> str | None:
    """The migration that the database stands at; None when it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def database_revision(database: Database) -> str | None:
    """The same over a connection of its own."""
    with database.engine.connect() as connection:
        return revision_of(connection)


def refuse_newer(revision: str | None) -> None:
    """Raise :class:`NewerDatabase` for a migration that this code does not know."""
    if revision is not None and revision not in known_revisions():
        raise NewerDatabase(revision)


def check_revision(database: Database) -> None:
    """Let only a database pass that fits this code.

    Raises:
        NewerDatabase, OlderDatabase: it does not; the text says what to do.
    """
    found = database_revision(database)
    refuse_newer(found)
    if found != code_revision():
        raise OlderDatabase(found)
