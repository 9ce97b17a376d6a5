"""Opening a database: SQLite or PostgreSQL, read and write transactions.

SQLite runs with WAL, foreign keys, a busy timeout and ``recursive_triggers``, and begins each
write with ``BEGIN IMMEDIATE``: two writers queue up instead of failing in the middle.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from models.seeing import CHECKED, SEEN, SIGHT, session_class, watch

BUSY_TIMEOUT_MS = 60_000
_BEGIN = "sqlite_begin"
SHARED = "shared"
"""Where a reading session keeps what all reading sessions of its database share, in its ``info``."""
BEFORE_WRITING = "before_writing"
"""Where a writing session finds the same, for what it reads before its first change."""
_CHANGES = "changes"


class DatabaseUrlError(ValueError):
    """A database address that cannot be used; the text says what would be right."""


def normalise_url(url: str) -> str:
    """``url`` with the driver that this project uses.

    ``sqlite:///path``, ``postgresql://user@host/name`` and a bare path of a file are taken.

    Raises:
        DatabaseUrlError: anything else.
    """
    if "://" not in url:
        url = f"sqlite:///{Path(url).expanduser()}"
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return parsed.set(drivername="sqlite+pysqlite").render_as_string(hide_password=False)
    if backend in {"postgresql", "postgres"}:
        return parsed.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    msg = (
        f"TIENDO_DATABASE_URL: “{backend}” không dùng được; "
        "cần dạng sqlite:///duong/dan/tiendo.db hoặc postgresql://nguoidung@maychu/csdl"
    )
    raise DatabaseUrlError(msg)


def _prepare_sqlite(engine: Engine, *, durable: bool) -> None:
    @event.listens_for(engine, "connect")
    def _connect(raw: Any, _record: Any) -> None:
        raw.isolation_level = None  # the driver's own BEGIN is off; ours says IMMEDIATE
        cursor = raw.cursor()
        for pragma in (
            "journal_mode = WAL",
            f"synchronous = {'FULL' if durable else 'OFF'}",
            "foreign_keys = ON",
            "recursive_triggers = ON",
            f"busy_timeout = {BUSY_TIMEOUT_MS}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        how = connection.get_execution_options().get(_BEGIN, "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {how}")
        connection.info[_CHANGES] = _changes(connection)


def _changes(connection: Connection) -> int:
    """How many rows this connection to SQLite ever changed."""
    raw: Any = connection.connection.dbapi_connection
    return int(raw.total_changes)


def wrote_nothing(session: Session) -> bool:
    """Whether this transaction holds no change back, and on SQLite whether it made none yet.

    PostgreSQL is asked by ``pg_current_xact_id_if_assigned``, in the question itself.
    """
    if session.new or session.dirty or session.deleted:
        return False
    connection = session.connection()
    sqlite = connection.dialect.name == "sqlite"
    return not sqlite or _changes(connection) == connection.info.get(_CHANGES)


class Database:
    """One database and its transactions. ``durable`` off is for scratch databases only."""

    def __init__(self, url: str, *, durable: bool = True) -> None:
        self.url = normalise_url(url)
        parsed = make_url(self.url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        options: dict[str, Any] = {}
        if self.is_sqlite:
            if parsed.database in {None, "", ":memory:"}:
                options = {
                    "poolclass": StaticPool,
                    "connect_args": {"check_same_thread": False},
                }
            else:
                Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
        else:
            options = {"pool_pre_ping": True}
        # Parameters hold names and addresses: they stay out of error texts and logs (rule 40).
        self.engine: Engine = create_engine(self.url, hide_parameters=True, **options)
        if self.is_sqlite:
            _prepare_sqlite(self.engine, durable=durable)
        watch(self.engine)
        self._shared: dict[str, Any] = {}
        self._writer = self.engine.execution_options(**{_BEGIN: "IMMEDIATE"})
        checked = {CHECKED: True}
        self._seeing = self.engine.execution_options(**checked)
        self._seeing_writer = self._writer.execution_options(**checked)

    @property
    def shown_url(self) -> str:
        """The address without its password, for people and logs."""
        return make_url(self.url).render_as_string(hide_password=True)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that writes: committed at the end, rolled back on any exception."""
        sight = SIGHT.get()
        seen = None if sight is None else sight.writing
        engine = self._writer if seen is None else self._seeing_writer
        info = {BEFORE_WRITING: self._shared, SEEN: seen}
        opened = session_class(seen)(engine, expire_on_commit=False, info=info)
        with opened as session, session.begin():
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that reads; whatever it did is rolled back, what it read stays usable."""
        sight = SIGHT.get()
        seen = None if sight is None else sight.reading
        info = {SHARED: self._shared, SEEN: seen}
        engine = self.engine if seen is None else self._seeing
        with session_class(seen)(engine, expire_on_commit=False, info=info) as session:
            yield session
            session.expunge_all()
            session.rollback()

    def close(self) -> None:
        """Give back all connections."""
        self.engine.dispose()
