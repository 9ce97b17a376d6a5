"""Reading a backup back: what a restore for good and a trial have in common.

The archive is unpacked and every digest compared; the database is filled, counted, compared with
what was copied, and its history looked at.
"""

from __future__ import annotations

import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

import pyrage
from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from models.copying import (
    TableCopy,
    UnlikeTheCopy,
    compare,
    fill_table,
    ordered_tables,
    set_sequences,
)
from models.migrate import migrate
from models.revision import NewerDatabase, refuse_newer
from operations.files import path_of
from operations.log_found import Outside, Verified
from runtime.archive import ArchiveBroken, Member, reading
from runtime.backup import log_of
from runtime.backup_manifest import (
    CHECKPOINT,
    DATABASE,
    FILES,
    FORMAT,
    HEAD,
    MANIFEST,
    Head,
    Manifest,
)
from runtime.backup_shelf import BackupFailed
from runtime.seal_keys import KeyFolder
from runtime.sealing import first_event_at
from runtime.verifying import verified

_FILE_MODE: Final = 0o440
_FOLDER_MODE: Final = 0o750
_WORDS: Final = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
_Said = TypeVar("_Said", bound=BaseModel)


@dataclass(slots=True, kw_only=True)
class Unpacked:
    """An archive that was read to its end, nothing missing and every digest as it should be.

    ``parts`` are the files of the database by name. An upload that was damaged when the backup was
    made is in no place.
    """

    manifest: Manifest
    parts: Mapping[str, Path] = field(default_factory=dict)


def unpack(
    path: Path,
    staging: Path,
    *,
    dialect: str,
    uploads: Path | None,
    keys: Sequence[pyrage.x25519.Identity] = (),
) -> Unpacked:
    """Read the whole of a backup: the database into ``staging``, uploads into ``uploads``.

    ``uploads`` None reads them and keeps none.

    Raises:
        ArchiveBroken, KeyNeeded: see :mod:`runtime.archive`.
        BackupFailed: it is of another kind of database, or of a newer release.
    """
    parts: dict[str, Path] = {}
    digests: dict[str, str] = {}
    files: dict[str, str] = {}
    manifest: Manifest | None = None
    with reading(path, keys) as members:
        for one in members:
            if one.name == HEAD:
                _refuse_unfit(_said(one, Head, path), dialect)
            elif one.name == MANIFEST:
                manifest = _said(one, Manifest, path)
            elif one.name.startswith(DATABASE):
                target = staging / Path(one.name).name
                with target.open("xb") as file:
                    digests[target.name] = one.copy_to(file)
                parts[target.name] = target
            elif one.name.startswith(FILES):
                name = one.name.removeprefix(FILES)
                files[name] = _take_file(one, name, uploads)
            elif one.name != CHECKPOINT:
                raise tarfile.ReadError(f"{one.name} is not of a backup")
    if manifest is None:
        raise ArchiveBroken(path)
    _refuse_incomplete(path, manifest, digests, files)
    return Unpacked(manifest=manifest, parts=parts)


def _said(member: Member, kind: type[_Said], path: Path) -> _Said:
    try:
        return kind.model_validate_json(member.text())
    except ValidationError as error:
        raise ArchiveBroken(path, "không đọc được phần mô tả") from error


def _refuse_unfit(head: Head, dialect: str) -> None:
    if head.format > FORMAT:
        raise BackupFailed(
            f"Bản sao lưu do phần mềm mới hơn tạo ra ({head.software}); đề nghị cập nhật phần mềm."
        )
    if head.dialect != dialect:
        of, into = _WORDS.get(head.dialect, head.dialect), _WORDS.get(dialect, dialect)
        raise BackupFailed(
            f"Đây là bản sao lưu của {of}, nơi khôi phục là {into}; "
            f"đề nghị chỉ một cơ sở dữ liệu {of} bằng --into."
        )
    try:
        refuse_newer(head.revision)
    except NewerDatabase as error:
        raise BackupFailed(
            f"Bản sao lưu ở phiên bản {error.found}, mới hơn phần mềm này; "
            "đề nghị cập nhật phần mềm rồi khôi phục."
        ) from None


def _take_file(member: Member, name: str, uploads: Path | None) -> str:
    """Read an upload, into its place if there is one; its digest."""
    try:
        target = None if uploads is None else path_of(uploads, name)
    except ValueError as error:
        raise tarfile.ReadError(str(error)) from error
    if target is None:
        return member.copy_to(None)
    target.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    with target.open("xb") as file:
        found = member.copy_to(file)
    if found == name:
        target.chmod(_FILE_MODE)
    else:
        target.unlink()
    return found


def _refuse_incomplete(
    path: Path, manifest: Manifest, parts: Mapping[str, str], files: Mapping[str, str]
) -> None:
    wanted = {name: one.sha256 for name, one in manifest.parts.items()}
    changed = {name for name, digest in files.items() if name != digest}
    if parts != wanted or files.keys() != manifest.files.keys():
        raise ArchiveBroken(path, "thiếu phần so với bản kê")
    if changed != set(manifest.damaged):
        raise ArchiveBroken(path, "có tệp tài liệu khác bản kê")


def fill(connection: Connection, found: Unpacked) -> None:
    """Make the tables of the backup's release in an empty PostgreSQL database, and fill them.

    Raises:
        BackupFailed: the backup has a table that those migrations do not make.
    """
    manifest = found.manifest
    migrate(connection, manifest.revision)
    unknown = set(manifest.tables) - set(ordered_tables(connection))
    if unknown:
        raise BackupFailed(
            f"Bản sao lưu có bảng mà phần mềm không biết: {', '.join(sorted(unknown))}."
        )
    for name, table in manifest.tables.items():
        if name == "alembic_version":  # the migrations wrote it; it is compared with the others
            continue
        part = found.parts[f"{name}.copy"]
        with part.open("rb") as file:
            fill_table(connection, name, table.columns, file)
        part.unlink()
    set_sequences(connection, manifest.sequences)


def read_log(connection: Connection, manifest: Manifest, keys: KeyFolder | None = None) -> Verified:
    """Verify the history of what was put back (38), after it was brought to this release.

    With ``keys``, the signatures of the checkpoints too, and those kept beside the key that speak
    of no longer a log than the backup has.
    """
    with Session(bind=connection) as session:
        if keys is None:
            return verified(session)
        size = manifest.log.checkpoint_size or 0
        kept = keys.kept(not_before=first_event_at(session))
        outside = [Outside(source=name, note=note) for name, note in kept if note.head.size <= size]
        return verified(session, keys.verifying(), outside)


def look_over(connection: Connection, manifest: Manifest) -> None:
    """Compare what was filled with the manifest, before anything of it is changed.

    Raises:
        UnlikeTheCopy: naming what differs.
    """
    wanted = {
        name: TableCopy(rows=one.rows, columns=one.columns, sha256=one.sha256)
        for name, one in manifest.tables.items()
    }
    compare(connection, wanted)
    if log_of(connection) != manifest.log:
        raise UnlikeTheCopy("Lịch sử khôi phục được không dài bằng bản sao, hoặc khác niêm phong.")
