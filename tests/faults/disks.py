"""A small disk of one's own that may be filled, emptied and made read-only."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.needs import missing

REMEDY: Final = (
    "run as root on Linux, where mount may be called (a container needs CAP_SYS_ADMIN, as "
    "“docker run --privileged” gives)"
)


@dataclass(frozen=True)
class Disk:
    """A small file system in memory."""

    folder: Path

    @property
    def _filler(self) -> Path:
        return self.folder / "filler"

    def fill(self, room: int) -> None:
        """Leave ``room`` bytes."""
        with suppress(OSError), self._filler.open("ab") as file:
            while True:
                found = os.statvfs(self.folder)
                free = found.f_bavail * found.f_frsize - room
                if free <= 0:
                    return
                file.write(b"\0" * min(free, 1_000_000))
                file.flush()

    def empty(self) -> None:
        """Make room again."""
        self._filler.unlink(missing_ok=True)

    def remount(self, how: str) -> None:
        """``ro`` or ``rw``."""
        subprocess.run(["mount", "-o", f"remount,{how}", str(self.folder)], check=True)


@contextmanager
def small_disk(folder: Path, size: str = "30m") -> Iterator[Disk]:
    """A disk of this size at ``folder``; the test is skipped where none may be mounted."""
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    try:
        made = subprocess.run(command, check=False, capture_output=True)
        said = made.stderr.decode(errors="replace")[:200] if made.returncode else ""
    except OSError as error:
        said = str(error)
    if said:
        missing(f"No disk may be mounted: {said.strip()}", REMEDY)
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
