"""One of a kind: a lock on a file, which the kernel gives back however its holder ends."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Self


class AlreadyHeld(Exception):
    """Another process holds the lock; ``told`` is what it wrote about itself."""

    def __init__(self, path: Path, told: Mapping[str, str]) -> None:
        self.path, self.told = path, told
        super().__init__(f"{path} is held by process {told.get('pid', '?')}")


class FolderLock:
    """A lock on ``path``, held from entering to leaving. The file stays; only the lock counts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = self.path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            told = _read(file)
            file.close()
            raise AlreadyHeld(self.path, told) from None
        self._file = file
        self.tell({})
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.truncate(0)
            self._file.close()
            self._file = None

    def tell(self, facts: Mapping[str, str]) -> None:
        """Write what others may want to know of the holder."""
        if self._file is None:
            raise RuntimeError("the lock is not held")
        self._file.seek(0)
        self._file.truncate(0)
        json.dump({"pid": str(os.getpid()), **facts}, self._file, ensure_ascii=False)
        self._file.flush()


def _read(file: IO[str]) -> Mapping[str, str]:
    file.seek(0)
    try:
        told = json.load(file)
    except ValueError:  # the holder is just writing
        return {}
    return {str(name): str(value) for name, value in told.items()} if isinstance(told, dict) else {}
