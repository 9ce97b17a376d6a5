"""The key that signs checkpoints, and the checkpoints kept beside it: outside the database.

In the folder of ``TIENDO_SEAL_DIR``: ``seal.key`` (the private key, mode 0600), ``seal.pub`` (the
public keys that count, a line each, the newest last) and ``checkpoints/`` (the last checkpoint of
each day). Whoever can write the database and not this folder cannot make a checkpoint.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from rules.notes import BadNote, Note, SigningKey, VerifyingKey, parse_note
from runtime.private_files import replace_file, write_once

PRIVATE: Final = "seal.key"
PUBLIC: Final = "seal.pub"
NEXT: Final = "seal.key.next"
"""The new key while it is being changed: it counts as soon as the history says so."""
_CHECKPOINTS: Final = "checkpoints"


@dataclass(frozen=True, slots=True)
class KeyFolder:
    """The folder of the key, and what is in it."""

    path: Path

    @property
    def private_file(self) -> Path:
        """Where the private key lies."""
        return self.path / PRIVATE

    def signing(self) -> SigningKey | None:
        """The private key; None: there is none here.

        Raises:
            BadNote: the file holds no key.
        """
        return self._read(PRIVATE)

    def next(self) -> SigningKey | None:
        """The key of a change that was not finished, or None."""
        return self._read(NEXT)

    def _read(self, name: str) -> SigningKey | None:
        path = self.path / name
        return SigningKey.parse(path.read_text(encoding="ascii")) if path.is_file() else None

    def verifying(self) -> tuple[VerifyingKey, ...]:
        """The public keys that count, the newest last.

        Raises:
            BadNote: a line is no key.
        """
        path = self.path / PUBLIC
        if not path.is_file():
            return ()
        lines = path.read_text(encoding="utf-8").splitlines()
        return tuple(VerifyingKey.parse(line) for line in lines if line and line[0] != "#")

    @property
    def private(self) -> bool:
        """Whether nobody else may read the private key."""
        return self.private_file.stat().st_mode & 0o077 == 0

    def make(self, name: str) -> SigningKey:
        """The private key, made now where there was none.

        Raises:
            BadNote: the name does not do for a key.
        """
        write_once(self.private_file, SigningKey.make(name, secrets.token_bytes(32)).text + "\n")
        key = self.signing()
        if key is None:
            raise FileNotFoundError(self.private_file)
        self.trust(key.verifying)
        return key

    def make_next(self, name: str) -> SigningKey:
        """A new key beside the one in use, trusted already."""
        key = SigningKey.make(name, secrets.token_bytes(32))
        replace_file(self.path / NEXT, key.text + "\n", 0o600)
        self.trust(key.verifying)
        return key

    def take_next(self) -> None:
        """Let the new key be the one in use; the old private key is gone from here on."""
        (self.path / NEXT).replace(self.private_file)

    def trust(self, *keys: VerifyingKey) -> None:
        """Add public keys to those that count."""
        known = self.verifying()
        new = [key for key in keys if key not in known]
        if new:
            lines = [key.text for key in (*known, *new)]
            replace_file(self.path / PUBLIC, "\n".join(lines) + "\n", 0o644)

    def keep(self, note_text: str, *, time_zone: str, not_before: datetime | None) -> None:
        """Keep a checkpoint as its day's last, unless the file speaks of a longer log.

        ``not_before`` is the first event's instant: a file from before it is of another database.
        """
        head = parse_note(note_text).head
        day = head.at.astimezone(ZoneInfo(time_zone)).date()
        path = self.path / _CHECKPOINTS / f"{day.isoformat()}.txt"
        with contextlib.suppress(BadNote, OSError):
            kept = parse_note(path.read_text(encoding="utf-8")).head
            ours = not_before is None or kept.at >= not_before
            if ours and kept.size > head.size:
                return
        replace_file(path, note_text, 0o644)

    def kept(self, *, not_before: datetime | None) -> Iterator[tuple[str, Note]]:
        """The checkpoints kept here with their file names, oldest first.

        Those from before ``not_before`` are of another database and left out.

        Raises:
            BadNote: a file holds no checkpoint.
        """
        for path in sorted((self.path / _CHECKPOINTS).glob("*.txt")):
            try:
                note = parse_note(path.read_text(encoding="utf-8"))
            except BadNote as error:
                raise BadNote(f"{path}: {error}") from error
            if not_before is None or note.head.at >= not_before:
                yield path.name, note
