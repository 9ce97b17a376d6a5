"""Restoring for good, into an empty place and nowhere else, all of it or nothing."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pyrage
from sqlalchemy import Connection, inspect, make_url, select
from sqlalchemy.orm import Session

from models.copying import SQLITE_PART, UnlikeTheCopy
from models.engine import Database
from models.migrate import migrate, upgrade
from models.tables import StoredFile
from operations.backups import record_restored
from operations.files import path_of, quarantined_path
from operations.log_found import Verified
from operations.outward_restored import hold_outward
from operations.restored import HeldBack, hold_waiting
from operations.stamp import Stamp
from runtime.backup_manifest import Manifest
from runtime.backup_shelf import BackupFailed, explained, sync_folder
from runtime.restoring import fill, look_over, read_log, unpack

_NOTHING: Final = "Chưa khôi phục gì"
_STAGING: Final = ".restore-"
_FOLDER_MODE: Final = 0o750


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was put back."""

    manifest: Manifest
    history: Verified
    """What its log says of its events; signatures are looked at by ``tiendo verify`` afterwards."""
    database: str
    """Its address, without a password."""
    uploads: Path
    letters: HeldBack
    """What waited in the outbox: held now, for it may have gone after the backup."""


def restore(
    path: Path,
    database: Database,
    *,
    uploads: Path,
    stamp: Stamp,
    keys: Sequence[pyrage.x25519.Identity] = (),
) -> Restored:
    """Put a backup into ``database`` and ``uploads``, both empty, and bring it to this release.

    The history gets an event that says so (37), by ``stamp``; letters that waited are held.

    Raises:
        BackupFailed, UnlikeTheCopy, ArchiveBroken, KeyNeeded: nothing was restored; see there.
    """
    put = _sqlite if database.is_sqlite else _postgresql
    with explained(path.parent, _NOTHING), _incoming(uploads) as files:
        manifest, history, letters = put(path, database, files, stamp, keys)
    return Restored(
        manifest=manifest,
        history=history,
        database=database.shown_url,
        uploads=uploads,
        letters=letters,
    )


def _postgresql(
    path: Path,
    database: Database,
    files: _Files,
    stamp: Stamp,
    keys: Sequence[pyrage.x25519.Identity],
) -> tuple[Manifest, Verified, HeldBack]:
    with database.engine.connect() as connection, connection.begin():
        refuse_tables(connection, database.shown_url)
        with tempfile.TemporaryDirectory(dir=files.staging.parent, prefix=_STAGING) as name:
            found = unpack(path, Path(name), dialect="postgresql", uploads=files.staging, keys=keys)
            fill(connection, found)
        look_over(connection, found.manifest)
        migrate(connection)
        history = read_log(connection, found.manifest)
        letters = _finish(connection, found.manifest, path, files, stamp)
        files.put()  # before the commit: a database never names files that are not there
    return found.manifest, history, letters


def _sqlite(
    path: Path,
    database: Database,
    files: _Files,
    stamp: Stamp,
    keys: Sequence[pyrage.x25519.Identity],
) -> tuple[Manifest, Verified, HeldBack]:
    target = Path(str(make_url(database.url).database)).absolute()
    for one in (target, *(target.with_name(target.name + end) for end in ("-wal", "-shm"))):
        if one.exists() and one.stat().st_size:
            raise BackupFailed(
                f"{one} đã có dữ liệu. Khôi phục chỉ vào nơi trống, không ghi đè: đề nghị chuyển "
                "tệp này (và tệp -wal, -shm bên cạnh) đi nơi khác, hoặc chỉ một tệp mới bằng --into."
            )
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=_STAGING) as name:
        found = unpack(path, Path(name), dialect="sqlite", uploads=files.staging, keys=keys)
        part = found.parts[SQLITE_PART]
        staged = Database(f"sqlite:///{part}")
        try:
            with staged.engine.connect() as connection:
                look_over(connection, found.manifest)
            upgrade(staged)
            with staged.engine.begin() as connection:
                history = read_log(connection, found.manifest)
                letters = _finish(connection, found.manifest, path, files, stamp)
        finally:
            staged.close()  # the last connection writes the -wal back
        with part.open("rb") as file:
            os.fsync(file.fileno())
        files.put()
        target.unlink(missing_ok=True)  # empty
        os.link(part, target)  # fails where somebody else was quicker
        sync_folder(target.parent)
    return found.manifest, history, letters


def refuse_tables(connection: Connection, shown_url: str) -> None:
    """Refuse a PostgreSQL database that is not empty.

    Raises:
        BackupFailed: saying what would be right.
    """
    there = inspect(connection).get_table_names()
    if there:
        raise BackupFailed(
            f"{shown_url} đã có {len(there)} bảng ({', '.join(sorted(there)[:3])}…). Khôi phục chỉ "
            "vào nơi trống, không ghi đè: đề nghị tạo cơ sở dữ liệu mới (ví dụ createdb tiendo_moi) "
            "rồi chỉ nó bằng --into."
        )


def _finish(
    connection: Connection, manifest: Manifest, path: Path, files: _Files, stamp: Stamp
) -> HeldBack:
    """What was quarantined lies aside again, the history says that all this was restored, and no
    letter goes by itself that may have gone before."""
    quarantined = select(StoredFile.sha256).where(StoredFile.quarantined_at.is_not(None))
    for sha256 in connection.scalars(quarantined):
        files.set_aside(sha256)
    with Session(bind=connection, expire_on_commit=False) as session:
        record_restored(
            session,
            stamp,
            name=path.name,
            made_at=manifest.made_at,
            revision=manifest.revision,
            rows=manifest.rows,
            events=manifest.log.events,
            files=len(manifest.files),
        )
        held = hold_waiting(session, stamp)
        outward = hold_outward(session, stamp)
        session.flush()
    return replace(held, outward=outward)


class _Files:
    """Uploads on their way: in a folder beside their place until :meth:`put`."""

    def __init__(self, place: Path, staging: Path) -> None:
        self.place, self.staging, self.done = place, staging, False

    def set_aside(self, sha256: str) -> None:
        """Move a quarantined file to where such files lie."""
        source, target = path_of(self.staging, sha256), quarantined_path(self.staging, sha256)
        if source.exists():
            target.parent.mkdir(mode=_FOLDER_MODE, exist_ok=True)
            source.rename(target)

    def put(self) -> None:
        """Let them appear in their place."""
        self.staging.chmod(_FOLDER_MODE)
        if self.place.exists():
            for one in sorted(self.place.rglob("*"), reverse=True):
                one.rmdir()
            self.place.rmdir()
        self.staging.rename(self.place)
        self.done = True
        sync_folder(self.place.parent)


@contextlib.contextmanager
def _incoming(place: Path) -> Iterator[_Files]:
    """Where uploads are put first; what did not come to its end is removed.

    Raises:
        BackupFailed: there are files in their place already.
    """
    place = place.absolute()
    if any(one.is_file() for one in place.rglob("*")):
        raise BackupFailed(
            f"{place} đã có tệp. Khôi phục chỉ vào nơi trống, không ghi đè: đề nghị chuyển thư mục "
            "này đi nơi khác, hoặc chỉ thư mục mới bằng --files."
        )
    place.parent.mkdir(parents=True, exist_ok=True)
    files = _Files(place, Path(tempfile.mkdtemp(dir=place.parent, prefix=_STAGING)))
    try:
        yield files
    except BaseException:
        if files.done:  # the database did not follow
            shutil.rmtree(files.place)
        raise
    finally:
        shutil.rmtree(files.staging, ignore_errors=True)


__all__ = ["Restored", "UnlikeTheCopy", "refuse_tables", "restore"]
