"""Files that are uploaded: looked into, stored under their own digest, quarantined (rules 20, 25).

A file lies at ``folder/ab/abcdef…``, named by its SHA-256, so that the same content is stored once
and a changed one is noticed. It is complete on the disk before its row is written; a transaction
that is rolled back leaves a file without a row, which the next upload of it finds in place.
"""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.tables import StoredFile
from operations.errors import NotFound, Refused
from operations.file_kinds import UnfitFile, clean_name, recognise
from operations.guards import need_admin, need_text
from operations.history import Change, record, snapshot_of
from operations.stamp import Stamp

CHUNK = 1024 * 1024
_INCOMING = "incoming"
_QUARANTINE = "quarantine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A file that is stored, under its cleaned name. ``size`` is in bytes."""

    sha256: str
    name: str
    size: int
    media_type: str


def store_file(
    session: Session, stamp: Stamp, *, folder: Path, name: str, stream: BinaryIO, max_bytes: int
) -> Stored:
    """Store what ``stream`` holds under ``folder``; storing the same again changes nothing.

    Raises:
        Refused: too large, empty, of a kind that is not taken, with macros, quarantined before,
            or the disk is full.
    """
    with _disk_errors(), _incoming(folder) as (path, file):
        sha256, size = _take(stream, file, max_bytes)
        try:
            kind = recognise(file)
        except UnfitFile as error:
            raise Refused(f"“{_shown(name)}”: {error}", field="file") from error
        known = session.get(StoredFile, sha256, populate_existing=True)
        if known is not None and known.quarantined_at is not None:
            msg = "Tệp này đã được quản trị hệ thống cách ly; đề nghị tải lên tệp đúng."
            raise Refused(msg, field="file")
        target = path_of(folder, sha256)
        if not target.exists():
            _move(path, target)
    stored = Stored(
        sha256=sha256, name=clean_name(name, kind), size=size, media_type=kind.media_type
    )
    if known is None:
        _write_row(session, stamp, stored)
    return stored


def path_of(folder: Path, sha256: str) -> Path:
    """Where the file with this digest lies; it need not be there."""
    if len(sha256) != 64 or set(sha256) - set("0123456789abcdef"):
        msg = f"not a SHA-256 in hexadecimal: {sha256!r}"
        raise ValueError(msg)
    return folder / sha256[:2] / sha256


def quarantined_path(folder: Path, sha256: str) -> Path:
    """Where the file with this digest lies once it is quarantined."""
    return folder / _QUARANTINE / path_of(folder, sha256).name


def place_of(folder: Path, sha256: str) -> Path:
    """Where the file lies now: in its place, or quarantined. FileNotFoundError: nowhere."""
    for path in (path_of(folder, sha256), quarantined_path(folder, sha256)):
        if path.is_file():
            return path
    raise FileNotFoundError(errno.ENOENT, "no such upload", sha256)


def find_file(session: Session, sha256: str, *, folder: Path) -> tuple[StoredFile, Path]:
    """The row and the place of a stored file, for a download.

    Raises:
        NotFound: there is none, it is quarantined, or it is missing on the disk.
    """
    row = session.get(StoredFile, sha256)
    if row is None or row.quarantined_at is not None:
        msg = "Không có tệp này, hoặc tệp đã được cách ly."
        raise NotFound(msg, field="file")
    path = path_of(folder, row.sha256)
    if not path.is_file():
        msg = "Tệp không còn trên máy chủ; đề nghị báo quản trị hệ thống khôi phục từ bản sao lưu."
        raise NotFound(msg, field="file")
    return row, path


def quarantine_file(
    session: Session, stamp: Stamp, sha256: str, *, folder: Path, reason: str
) -> None:
    """Move a file that was filed by mistake aside; its digest and its history stay (rule 25).

    Doing it again moves a file that is still in place and changes nothing else.

    Raises:
        NotFound: there is no such file.
        NotPermitted: not an administrator.
        Refused: a reason is missing, or the disk is full.
    """
    need_admin(stamp)
    why = need_text(reason, "Đề nghị nêu lý do cách ly tệp.", field="reason")
    row = session.get(StoredFile, sha256, with_for_update=True, populate_existing=True)
    if row is None:
        msg = "Không có tệp này."
        raise NotFound(msg, field="file")
    if row.quarantined_at is None:
        row.quarantined_at, row.quarantine_reason = stamp.at, why
        session.flush()
        _note(session, stamp, row, "quarantine", reason=why)
    source = path_of(folder, row.sha256)
    if source.exists():
        with _disk_errors():
            _move(source, quarantined_path(folder, row.sha256))


def _take(stream: BinaryIO, file: BinaryIO, max_bytes: int) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while chunk := stream.read(CHUNK):
        size += len(chunk)
        if size > max_bytes:
            msg = (
                f"Tệp lớn hơn {_megabytes(max_bytes)} MB; đề nghị nén ảnh trong tệp, "
                "hoặc tách thành nhiều tệp nhỏ hơn."
            )
            raise Refused(msg, field="file")
        digest.update(chunk)
        file.write(chunk)
    file.flush()
    os.fsync(file.fileno())
    return digest.hexdigest(), size


def _megabytes(size: int) -> str:
    return f"{size / 1024 / 1024:.1f}".removesuffix(".0").replace(".", ",")


def _shown(name: str) -> str:
    short = "".join(one for one in name if one.isprintable())
    return short.replace("\\", "/").rpartition("/")[2][:80] or "(không tên)"


@contextmanager
def _incoming(folder: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """A file to write into; whatever is not moved away by the end is removed."""
    place = folder / _INCOMING
    place.mkdir(mode=0o750, parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(dir=place)
    path = Path(name)
    try:
        with os.fdopen(number, "w+b") as file:
            yield path, file
    finally:
        path.unlink(missing_ok=True)


def _move(source: Path, target: Path) -> None:
    """Rename within one file system, and wait until the disk has it."""
    target.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    source.chmod(0o440)
    source.replace(target)
    for place in (target.parent, target.parent.parent):
        number = os.open(place, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        msg = (
            "Máy chủ không còn chỗ lưu tệp; nội dung chưa được ghi. Đề nghị báo quản trị hệ thống "
            "và tải lên lại sau."
        )
        raise Refused(msg, field="file") from error


def _write_row(session: Session, stamp: Stamp, stored: Stored) -> None:
    """Add the row unless somebody stored the same file at this very moment."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    added = session.execute(
        dialect.insert(StoredFile)
        .values(
            sha256=stored.sha256,
            size=stored.size,
            media_type=stored.media_type,
            stored_at=stamp.at,
        )
        .on_conflict_do_nothing()
        .returning(StoredFile.sha256)
    ).scalar_one_or_none()
    if added is not None:
        row = session.get_one(StoredFile, stored.sha256)
        _note(session, stamp, row, "store", name=stored.name)


def _note(
    session: Session,
    stamp: Stamp,
    row: StoredFile,
    word: str,
    *,
    reason: str | None = None,
    name: str | None = None,
) -> None:
    snapshot = snapshot_of(row) | ({"name": name} if name else {})
    change = Change(
        entity="file",
        entity_id=row.sha256,
        action=word,
        snapshot=snapshot,
        agency=stamp.actor.agency,
        reason=reason,
    )
    record(session, stamp, [change])
