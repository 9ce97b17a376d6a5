"""A zip that is made while it is sent: memory stays flat, and the same content gives the same
bytes, for every entry has the same date, mode and no compression of its own."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SUMS: Final = "SHA-256SUMS"
"""The last entry: what ``sha256sum -c`` reads."""
CHUNK: Final = 256 * 1024
_DATE: Final = (1980, 1, 1, 0, 0, 0)
_MODE: Final = 0o644 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An entry. ``sha256`` is what its content was when it was filed: the sums hold that digest,
    so that a file that was changed since does not pass."""

    name: str
    content: Iterable[bytes]
    sha256: str | None = None


class _Sink:
    """Takes what the zip writes, until it is sent on."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, part: bytes) -> int:
        """Keep a part."""
        self._parts.append(bytes(part))
        return len(part)

    def flush(self) -> None:
        """Nothing waits anywhere else."""

    def take(self) -> bytes:
        """What was written since."""
        found = b"".join(self._parts)
        self._parts.clear()
        return found


def stream_zip(members: Iterable[Member]) -> Iterator[bytes]:
    """The zip of ``members`` in their order, and at its end their digests."""
    sink, sums = _Sink(), list[str]()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as target:  # type: ignore[call-overload]
        for member in members:
            digest = hashlib.sha256()
            with target.open(_entry(member.name), "w") as entry:
                for part in member.content:
                    digest.update(part)
                    entry.write(part)
                    yield sink.take()
            yield sink.take()
            sums.append(f"{member.sha256 or digest.hexdigest()}  {member.name}\n")
        with target.open(_entry(SUMS), "w") as entry:
            entry.write("".join(sums).encode())
    yield sink.take()


def _entry(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _DATE)
    info.create_system, info.external_attr = 3, _MODE
    return info


def file_parts(path: Path) -> Iterator[bytes]:
    """The content of a file, a part at a time."""
    with path.open("rb") as file:
        while part := file.read(CHUNK):
            yield part
