"""Files that are handed in at the command line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from operations.files import store_file
from operations.stamp import Stamp

MAX_BYTES = 100_000_000
"""What an operator may file at once; the portal's own limit is lower."""


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
        Refused: a file cannot be taken.
        OSError: it cannot be read or kept.
    """
    found = []
    for path in paths:
        with path.open("rb") as content:
            stored = store_file(
                session,
                stamp,
                folder=uploads,
                name=path.name,
                stream=content,
                max_bytes=MAX_BYTES,
            )
        found.append(Filed(sha256=stored.sha256, name=stored.name))
    return tuple(found)
