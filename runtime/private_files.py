"""Small files that are there whole or not at all, readable by nobody else unless told."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_once(path: Path, text: str) -> None:
    """Write a private file that is not there yet; another process that is first wins.

    Written whole under another name (mode 0600), so that nobody ever reads half of it.
    """
    part = _part(path, text)
    try:
        os.link(part, path)
    except FileExistsError:
        pass  # another process was first; its file counts
    finally:
        part.unlink()


def replace_file(path: Path, text: str, mode: int) -> None:
    """Write a file whole, in place of what was there."""
    part = _part(path, text)
    part.chmod(mode)
    part.replace(path)


def _part(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)
