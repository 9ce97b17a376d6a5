"""Trying a restore: a backup that was never read back is a hope, not a backup.

Everything that a restore does, in a scratch place that is thrown away: a file on SQLite; on
PostgreSQL a database of its own, in one transaction that is rolled back.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
import pyrage
from psycopg import sql
from sqlalchemy import Connection, make_url

from models.copying import SQLITE_PART, UnlikeTheCopy
from models.engine import Database
from models.migrate import migrate, upgrade
from operations.log_found import Verified
from runtime.backup_shelf import BackupFailed, at_work, explained
from runtime.restore import refuse_tables
from runtime.restoring import Unpacked, fill, look_over, read_log, unpack
from runtime.seal_keys import KeyFolder
from runtime.wiring import Runtime

_NOTHING: Final = "Chưa khôi phục thử được"
_MARK: Final = "tiendo: restore trial, may be dropped"
_LONGEST: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A trial that went well: what was read back and compared, and the seconds it took."""

    rows: int
    events: int
    files: int
    checkpoint: int | None
    """The size that the last checkpoint signs, None before the first."""
    seconds: float


def try_restore(
    runtime: Runtime, path: Path, *, keys: Sequence[pyrage.x25519.Identity] = ()
) -> Tried:
    """Restore ``path`` into a scratch place, compare everything, and throw it away.

    Raises:
        BackupFailed, UnlikeTheCopy, ArchiveBroken, KeyNeeded: it could not be restored.
    """
    began, folder = time.monotonic(), runtime.settings.backups_dir
    sqlite = runtime.database.is_sqlite
    with explained(folder, _NOTHING), at_work(folder) as work:
        found = unpack(
            path, work, dialect="sqlite" if sqlite else "postgresql", uploads=None, keys=keys
        )
        if sqlite:
            history = _on_sqlite(found, runtime.key_folder)
        else:
            with _scratch(runtime) as url:
                history = _on_postgresql(found, url, runtime.key_folder)
    if history.first is not None:
        raise UnlikeTheCopy(
            f"Lịch sử trong bản sao lưu có {history.wrong} chỗ sai so với nhật ký niêm phong; "
            f"đầu tiên: {history.first.text} Đề nghị chạy “tiendo verify”."
        )
    log = found.manifest.log
    return Tried(
        rows=found.manifest.rows,
        events=log.events,
        files=len(found.manifest.files),
        checkpoint=log.checkpoint_size,
        seconds=time.monotonic() - began,
    )


def _on_sqlite(found: Unpacked, keys: KeyFolder) -> Verified:
    database = Database(f"sqlite:///{found.parts[SQLITE_PART]}", durable=False)
    try:
        with database.engine.connect() as connection:
            look_over(connection, found.manifest)
        upgrade(database)
        with database.engine.connect() as connection:
            return read_log(connection, found.manifest, keys)
    finally:
        database.close()


def _on_postgresql(found: Unpacked, url: str, keys: KeyFolder) -> Verified:
    database = Database(url)
    try:
        with database.engine.connect() as connection, _rolled_back(connection):
            refuse_tables(connection, database.shown_url)
            fill(connection, found)
            look_over(connection, found.manifest)
            migrate(connection)
            return read_log(connection, found.manifest, keys)
    finally:
        database.close()


@contextlib.contextmanager
def _rolled_back(connection: Connection) -> Iterator[None]:
    transaction = connection.begin()
    try:
        yield
    finally:
        transaction.rollback()


@contextlib.contextmanager
def _scratch(runtime: Runtime) -> Iterator[str]:
    """The address of an empty database: that of the settings, or one made here and dropped."""
    if runtime.settings.backup_trial_url is not None:
        yield runtime.settings.backup_trial_url
        return
    real = make_url(runtime.database.url)
    name = f"{str(real.database)[:_LONGEST]}__restore_trial"
    dsn = real.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(dsn, autocommit=True) as connection:
        _drop_ours(connection, name)
        try:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(
                    sql.Identifier(name)
                )
            )
        except psycopg.errors.InsufficientPrivilege:
            raise BackupFailed(
                "Tài khoản cơ sở dữ liệu không được tạo cơ sở dữ liệu để khôi phục thử. Đề nghị "
                "cấp quyền (ALTER ROLE … CREATEDB), hoặc tạo sẵn một cơ sở dữ liệu trống và đặt "
                "TIENDO_BACKUP_TRIAL_URL."
            ) from None
        connection.execute(
            sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(_MARK))
        )
        try:
            yield real.set(database=name).render_as_string(hide_password=False)
        finally:
            _drop_ours(connection, name)


def _drop_ours(connection: psycopg.Connection[tuple[object, ...]], name: str) -> None:
    """Drop a scratch database, also one that a killed trial left; never one that is somebody's."""
    there = connection.execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [name]
    ).fetchone()
    if there is None:
        return
    if there[0] != _MARK:
        raise BackupFailed(
            f"Đã có cơ sở dữ liệu {name} không phải do lần khôi phục thử tạo ra; đề nghị đổi tên "
            "nó, hoặc đặt TIENDO_BACKUP_TRIAL_URL."
        )
    connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
