"""Making a backup: the database at one instant, the uploads it names, and what it says of itself.

Everybody goes on working meanwhile. The archive is written under another name, waited for until
the disk has it, and renamed: what stands on the shelf is whole.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import pyrage
from sqlalchemy import Connection, func, select, text

from models.copying import Frozen, NothingToCopy, frozen
from models.engine import Database
from models.tables import Checkpoint, Event, LogLeaf, LogPending, PlanVersion, StoredFile
from notifications.formats import vn_number
from operations.files import place_of
from runtime.archive import Writer, writing
from runtime.backup_manifest import (
    CHECKPOINT,
    DATABASE,
    FILES,
    HEAD,
    MANIFEST,
    Card,
    Head,
    Log,
    Manifest,
    Part,
    Table,
    card_of,
)
from runtime.backup_shelf import (
    BackupFailed,
    at_work,
    checkpoint_path,
    explained,
    name_of,
    sync_folder,
    write_card,
    write_whole,
)
from runtime.wiring import Runtime

_NOTHING: Final = "Chưa có bản sao lưu mới"
_GIGABYTE: Final = 1024**3
_ROOM: Final = 1.3
"""Room for the copy of the database and its compressed form, in sizes of the database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A backup that stands on the shelf.

    ``once`` opens it too, as long as this process keeps it: an encrypted backup is tried with it
    right after it was made, and never again on this machine.
    """

    path: Path
    card: Card
    missing: Sequence[str]
    damaged: Sequence[str]
    once: pyrage.x25519.Identity | None = field(default=None, repr=False)


def make_backup(runtime: Runtime, *, at: datetime) -> Made:
    """Back up the database and the uploads into the folder of the settings; ``at`` names it.

    The database is taken as it is, whatever its migration: nothing is written into it.

    Raises:
        BackupFailed: nothing was made, and nothing half is left; the text says why.
    """
    settings, folder = runtime.settings, runtime.settings.backups_dir
    public = [pyrage.x25519.Recipient.from_str(one) for one in settings.backup_keys]
    once = pyrage.x25519.Identity.generate() if public else None
    target = folder / name_of(at, encrypted=bool(public))
    with explained(folder, _NOTHING), at_work(folder) as work:
        if target.exists():
            raise BackupFailed(f"Đã có {target.name}; đề nghị chạy lại sau một giây.")
        _need_room(runtime.database, folder)
        part = work / "archive"
        recipients = [*public, *([once.to_public()] if once else [])]
        with (
            frozen(runtime.database, work) as state,
            writing(part, recipients) as (archive, written),
        ):
            manifest, note = _fill(archive, state, at=at, uploads=runtime.uploads)
        card = card_of(manifest, size=written.size, sha256=written.sha256, encrypted=bool(public))
        if note is not None:
            write_whole(checkpoint_path(target), note)
        write_card(target, card)
        part.rename(target)
        sync_folder(folder)
    return Made(
        path=target, card=card, missing=manifest.missing, damaged=manifest.damaged, once=once
    )


def _fill(
    archive: Writer, state: Frozen, *, at: datetime, uploads: Path
) -> tuple[Manifest, str | None]:
    """Write all members; the manifest, and the note of the last checkpoint."""
    head = Head(
        made_at=at, software=version("tiendo"), dialect=state.dialect, revision=state.revision
    )
    archive.add_text(HEAD, head.model_dump_json())
    parts: dict[str, Part] = {}
    for path in state.parts:
        size, sha256 = archive.add_file(f"{DATABASE}{path.name}", path)
        parts[path.name] = Part(size=size, sha256=sha256)
        if state.dialect != "sqlite":  # that one is still read below
            path.unlink()
    log, note = _log(state)
    if note is not None:
        archive.add_text(CHECKPOINT, note)
    files, missing, damaged = _files(archive, state, uploads)
    manifest = Manifest(
        **head.model_dump(),
        server=state.server,
        plans=_plans(state),
        tables={
            name: Table(rows=one.rows, columns=one.columns, sha256=one.sha256)
            for name, one in state.tables.items()
        },
        sequences=dict(state.sequences),
        parts=parts,
        files=files,
        missing=tuple(missing),
        damaged=tuple(damaged),
        left_out=tuple(state.left_out),
        log=log,
    )
    archive.add_text(MANIFEST, manifest.model_dump_json())
    return manifest, note


def _files(
    archive: Writer, state: Frozen, uploads: Path
) -> tuple[dict[str, int], list[str], list[str]]:
    """Write the uploads that the copied database names, and no others: they lie there since then."""
    files: dict[str, int] = {}
    missing: list[str] = []
    damaged: list[str] = []
    if "stored_file" not in state.tables:
        return files, missing, damaged
    for sha256 in state.connection.scalars(select(StoredFile.sha256).order_by(StoredFile.sha256)):
        try:
            size, found = _add_upload(archive, uploads, sha256)
        except FileNotFoundError:
            missing.append(sha256)
            continue
        files[sha256] = size
        if found != sha256:
            damaged.append(sha256)
    return files, missing, damaged


def _add_upload(archive: Writer, uploads: Path, sha256: str) -> tuple[int, str]:
    try:
        return archive.add_file(f"{FILES}{sha256}", place_of(uploads, sha256))
    except FileNotFoundError:  # it may just have been quarantined
        return archive.add_file(f"{FILES}{sha256}", place_of(uploads, sha256))


def _plans(state: Frozen) -> dict[str, int]:
    if "plan_version" not in state.tables:
        return {}
    query = select(PlanVersion.plan_key, func.max(PlanVersion.version)).group_by(
        PlanVersion.plan_key
    )
    return dict(state.connection.execute(query).tuples().all())


def log_of(connection: Connection) -> Log:
    """How far the history goes, as this connection sees it."""
    last = connection.execute(
        select(Checkpoint.size, Checkpoint.root, Checkpoint.at).order_by(Checkpoint.size.desc())
    ).first()
    return Log(
        events=connection.scalar(select(func.count()).select_from(Event.__table__)) or 0,
        pending=connection.scalar(select(func.count()).select_from(LogPending.__table__)) or 0,
        sealed=connection.scalar(select(func.count()).select_from(LogLeaf.__table__)) or 0,
        checkpoint_size=None if last is None else last.size,
        checkpoint_root=None if last is None else bytes(last.root).hex(),
        checkpoint_at=None if last is None else last.at,
    )


def _log(state: Frozen) -> tuple[Log, str | None]:
    found = log_of(state.connection)
    if found.checkpoint_size is None:
        return found, None
    query = select(Checkpoint.note).where(Checkpoint.size == found.checkpoint_size)
    return found, state.connection.scalar(query)


def _need_room(database: Database, folder: Path) -> None:
    """Refuse before a disk is filled on which the database itself may live."""
    asked = (
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        if database.is_sqlite
        else "SELECT pg_database_size(current_database())"
    )
    with database.engine.connect() as connection:
        size = int(connection.execute(text(asked)).scalar_one())
        if not database.engine.dialect.has_table(connection, "stored_file"):
            raise NothingToCopy
        files = connection.scalar(select(func.coalesce(func.sum(StoredFile.size), 0)))
    need, free = int(size * _ROOM) + int(files or 0), shutil.disk_usage(folder).free
    if free < need:
        msg = (
            f"Ổ đĩa của {folder} còn {_gigabytes(free)} GB, lần sao lưu này cần khoảng "
            f"{_gigabytes(need)} GB. Chưa ghi gì; đề nghị dọn chỗ, hoặc đặt TIENDO_BACKUP_DIR "
            "sang ổ đĩa khác."
        )
        raise BackupFailed(msg)


def _gigabytes(size: int) -> str:
    return vn_number(size / _GIGABYTE, 1)
