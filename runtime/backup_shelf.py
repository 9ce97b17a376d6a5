"""The folder of backups: what lies there, what each says of itself, and which ones stay."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from models.copying import NothingToCopy
from rules.keeping import KeepRule, kept
from runtime.backup_manifest import Card
from runtime.locks import AlreadyHeld, FolderLock

_NAME: Final = re.compile(r"tiendo-(\d{8}T\d{6}Z)\.tar\.gz(\.age)?")
_STAMP: Final = "%Y%m%dT%H%M%SZ"
_UNFINISHED: Final = ".part-"
LOCK: Final = ".backup.lock"
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class BackupFailed(Exception):
    """No backup was made, or none restored; the text says why and what would be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A backup on the shelf. ``card`` is None where it is missing or cannot be read."""

    path: Path
    made_at: datetime
    size: int
    encrypted: bool
    card: Card | None


def name_of(made_at: datetime, *, encrypted: bool) -> str:
    """The file name of a backup made at this instant."""
    return f"tiendo-{made_at.astimezone(UTC):{_STAMP}}.tar.gz{'.age' if encrypted else ''}"


def card_path(path: Path) -> Path:
    """Where the card of a backup lies."""
    return path.with_name(f"{path.name}.json")


def checkpoint_path(path: Path) -> Path:
    """Where the last checkpoint of that moment lies, for whoever verifies against it (38)."""
    return path.with_name(f"{path.name}.checkpoint")


def shelf(folder: Path) -> list[Kept]:
    """All backups in ``folder``, the newest first."""
    if not folder.is_dir():
        return []
    found = []
    for path in folder.iterdir():
        match = _NAME.fullmatch(path.name)
        if match is None or not path.is_file():
            continue
        made_at = datetime.strptime(match[1], _STAMP).replace(tzinfo=UTC)
        found.append(
            Kept(
                path=path,
                made_at=made_at,
                size=path.stat().st_size,
                encrypted=match[2] is not None,
                card=read_card(path),
            )
        )
    return sorted(found, key=lambda one: one.made_at, reverse=True)


def read_card(path: Path) -> Card | None:
    """The card of a backup, None where there is none that can be read."""
    try:
        return Card.model_validate_json(card_path(path).read_bytes())
    except (OSError, ValidationError):
        return None


def write_whole(path: Path, content: str) -> None:
    """Write a small file so that it is there whole or not at all."""
    number, part = tempfile.mkstemp(dir=path.parent, prefix=_UNFINISHED)
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(part).replace(path)
    finally:
        Path(part).unlink(missing_ok=True)


def write_card(path: Path, card: Card) -> None:
    """Put the card beside its backup."""
    write_whole(card_path(path), card.model_dump_json(indent=1))


def note_trial(path: Path, *, at: datetime, well: bool) -> None:
    """Write on the card how a trial restore ended; a backup without a card has none to write on."""
    card = read_card(path)
    if card is not None:
        write_card(path, card.model_copy(update={"tried_at": at, "tried_well": well}))


def thin_out(folder: Path, rule: KeepRule, time_zone: str) -> list[str]:
    """Remove what the rule does not keep; the names of what was removed.

    The newest backup whose trial restore went well stays whatever the rule says, and so does one
    without a card: it is not known what it is.
    """
    found = [one for one in shelf(folder) if one.card is not None]
    proven = next((one for one in found if one.card is not None and one.card.tried_well), None)
    local = {one.made_at.astimezone(ZoneInfo(time_zone)): one for one in found}
    stays = kept(local, rule)
    gone = [one for at, one in local.items() if at not in stays and one is not proven]
    for one in gone:
        one.path.unlink()
        checkpoint_path(one.path).unlink(missing_ok=True)
        card_path(one.path).unlink(missing_ok=True)
    return [one.path.name for one in gone]


@contextlib.contextmanager
def at_work(folder: Path) -> Iterator[Path]:
    """A private folder to work in on the shelf, alone; gone at the end, as are those of the killed.

    Raises:
        BackupFailed: somebody else works there, or the folder cannot be written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FolderLock(folder / LOCK):
            for left in folder.glob(f"{_UNFINISHED}*"):
                shutil.rmtree(left) if left.is_dir() else left.unlink()
            with tempfile.TemporaryDirectory(dir=folder, prefix=_UNFINISHED) as name:
                yield Path(name)
    except AlreadyHeld as busy:
        msg = (
            f"Đang có một lần sao lưu hoặc khôi phục thử khác ở {folder} (tiến trình "
            f"{busy.told.get('pid', '?')}); đề nghị đợi xong rồi chạy lại."
        )
        raise BackupFailed(msg) from None


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in ``folder``."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextlib.contextmanager
def explained(folder: Path, nothing: str) -> Iterator[None]:
    """What the disk and the database refuse, in a sentence; ``nothing`` says what did not come.

    Raises:
        BackupFailed: in place of their errors.
    """
    try:
        yield
    except NothingToCopy as error:
        raise BackupFailed(str(error)) from None
    except (OSError, sqlite3.Error, DBAPIError) as error:
        cause = getattr(error, "orig", None) or error
        if getattr(error, "errno", None) in _FULL or "disk is full" in str(cause):
            msg = (
                f"Ổ đĩa của {folder} đã đầy. {nothing}, phần ghi dở đã bỏ. "
                "Đề nghị dọn chỗ, hoặc dùng ổ đĩa khác (TIENDO_BACKUP_DIR)."
            )
            raise BackupFailed(msg) from error
        said = " ".join(str(cause).split())[:300]
        raise BackupFailed(f"{said} ({folder}). {nothing}.") from error
