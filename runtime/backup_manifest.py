"""What a backup says of itself: the head and the end of the archive, and the card beside it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

FORMAT: Final = 1
HEAD: Final = "head.json"
MANIFEST: Final = "manifest.json"
CHECKPOINT: Final = "checkpoint.txt"
DATABASE: Final = "database/"
"""Folder of the database's parts within the archive."""
FILES: Final = "files/"
"""Folder of the uploads, each named by its SHA-256."""


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Head(_Said):
    """The first member: enough to refuse a backup that does not fit."""

    format: int = FORMAT
    made_at: datetime
    software: str
    dialect: str
    revision: str


class Table(_Said):
    """A table: see :class:`models.copying.TableCopy`."""

    rows: int
    columns: tuple[str, ...] = ()
    sha256: str | None = None


class Part(_Said):
    """A file: its size in bytes and its SHA-256."""

    size: int
    sha256: str


class Log(_Said):
    """The history: how many events, how many of them sealed, and the last checkpoint."""

    events: int = 0
    pending: int = 0
    sealed: int = 0
    checkpoint_size: int | None = None
    checkpoint_root: str | None = None
    checkpoint_at: datetime | None = None


class Manifest(Head):
    """The last member: what the archive has to hold; without it the archive was cut.

    ``missing`` are uploads that the database names and the disk did not have, ``damaged`` those
    that were no longer what their name says.
    """

    server: str
    plans: dict[str, int]
    """Catalog: key of the plan to its version."""
    tables: dict[str, Table]
    """In an order in which they can be filled."""
    sequences: dict[str, int]
    parts: dict[str, Part]
    files: dict[str, int]
    """SHA-256 to size in bytes."""
    missing: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    log: Log

    @property
    def rows(self) -> int:
        """Of all tables."""
        return sum(one.rows for one in self.tables.values())

    @property
    def file_bytes(self) -> int:
        """Of all uploads."""
        return sum(self.files.values())


class Card(Head):
    """What stands beside a backup, readable without its key: nothing of the content."""

    size: int
    sha256: str
    encrypted: bool
    rows: int
    events: int
    files: int
    file_bytes: int
    missing: int
    damaged: int
    checkpoint_size: int | None = None
    checkpoint_root: str | None = None
    tried_at: datetime | None = None
    tried_well: bool | None = None
    """How the last trial restore of it ended; None before the first."""


def card_of(manifest: Manifest, *, size: int, sha256: str, encrypted: bool) -> Card:
    """The card of a backup that was just written."""
    return Card(
        **{name: getattr(manifest, name) for name in Head.model_fields},
        size=size,
        sha256=sha256,
        encrypted=encrypted,
        rows=manifest.rows,
        events=manifest.log.events,
        files=len(manifest.files),
        file_bytes=manifest.file_bytes,
        missing=len(manifest.missing),
        damaged=len(manifest.damaged),
        checkpoint_size=manifest.log.checkpoint_size,
        checkpoint_root=manifest.log.checkpoint_root,
    )
