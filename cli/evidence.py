"""Files that are handed in at the command line, kept under their SHA-256."""

from __future__ import annotations

import hashlib
import mimetypes
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from models.tables import StoredFile
from operations.errors import Refused
from operations.stamp import Stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """A stored file: its SHA-256 (hex) and the name it came under."""

    sha256: str
    name: str


def store_files(
    session: Session, stamp: Stamp, paths: Iterable[Path], uploads: Path
) -> tuple[Filed, ...]:
    """Keep each file in ``uploads`` and note it; the same content is kept once.

    Raises:
        Refused: a file is empty.
        OSError: it cannot be read or kept.
    """
    return tuple(_store(session, stamp, path, uploads) for path in paths)


def _store(session: Session, stamp: Stamp, path: Path, uploads: Path) -> Filed:
    content = path.read_bytes()
    if not content:
        msg = f"Tệp {path.name} rỗng; đề nghị chọn lại tệp."
        raise Refused(msg, field="file")
    digest = hashlib.sha256(content).hexdigest()
    place = uploads / digest[:2] / digest
    if not place.exists():
        _write_whole(place, content)
    if session.get(StoredFile, digest) is None:
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        session.add(
            StoredFile(sha256=digest, size=len(content), media_type=kind, stored_at=stamp.at)
        )
        session.flush()
    return Filed(sha256=digest, name=path.name)


def _write_whole(place: Path, content: bytes) -> None:
    """Under another name first, so that nobody ever reads half a file."""
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, part = tempfile.mkstemp(dir=place.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(part).replace(place)
