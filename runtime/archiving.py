"""Writing old years of the log of reading into files, and removing them from the database."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from operations.reading_archive import YearRead, forget, lines_of, years_read
from operations.stamp import Stamp
from rules.events import plain
from runtime.backup_shelf import sync_folder
from runtime.wiring import Runtime

_FOLDER_MODE: Final = 0o700


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived:
    """A year that now lies in a file only."""

    year: int
    rows: int
    path: Path
    sha256: str


def due(runtime: Runtime, stamp: Stamp, *, keep: int) -> Sequence[YearRead]:
    """The years that would go; nothing is changed."""
    with runtime.database.read() as session:
        return years_read(session, stamp, keep=keep, time_zone=runtime.settings.time_zone)


def archive(runtime: Runtime, stamp: Stamp, *, keep: int) -> list[Archived]:
    """Write each old year into a file of the archive folder, then remove it: a year a transaction.

    The file is on the disk before the removal is committed; where that fails, both are there.

    Raises:
        NotPermitted: see :func:`operations.reading_archive.forget`.
        OSError: the file cannot be written; nothing was removed of that year.
    """
    folder, zone = runtime.settings.archive_dir, runtime.settings.time_zone
    folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    found = []
    for one in due(runtime, stamp, keep=keep):
        with runtime.database.write() as session:
            lines = (
                json.dumps(plain(line), ensure_ascii=False)
                for line in lines_of(session, one.year, zone)
            )
            path, sha256 = _write(folder, f"nhat-ky-truy-cap-{one.year}", lines)
            forget(session, stamp, one, time_zone=zone, file=path.name, sha256=sha256)
        found.append(Archived(year=one.year, rows=one.rows, path=path, sha256=sha256))
    return found


def _write(folder: Path, name: str, lines: Iterable[str]) -> tuple[Path, str]:
    """Write the lines into a new file, or find them in one that is there; its place and SHA-256."""
    number, part = tempfile.mkstemp(dir=folder, prefix=".part-")
    try:
        with os.fdopen(number, "wb") as raw:
            with gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as file:
                for line in lines:
                    file.write(f"{line}\n".encode())
            raw.flush()
            os.fsync(raw.fileno())
        sha256 = _digest(Path(part))
        turn = 1
        while (path := folder / f"{name}{f'-{turn}' if turn > 1 else ''}.jsonl.gz").exists():
            if _digest(path) == sha256:  # written before a removal that did not come to its end
                return path, sha256
            turn += 1
        Path(part).rename(path)
        sync_folder(folder)
        return path, sha256
    finally:
        Path(part).unlink(missing_ok=True)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
