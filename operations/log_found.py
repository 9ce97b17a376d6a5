"""What a verification is given and what it finds, as values; and that it is written down (38)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from models.tables import Verification
from operations.log_faults import Fault
from rules.notes import Note

PASTED: Final = "niêm phong dán vào trang"
"""The source of a checkpoint that somebody pasted into the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """A checkpoint that was kept outside the database; ``source`` names where."""

    source: str
    note: Note


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What a verification found. ``wrong`` counts all faults, ``faults`` names the first ones."""

    sealed: int
    pending: int
    wrong: int
    faults: tuple[Fault, ...]
    remarks: tuple[Fault, ...]
    checkpoints: int
    outside: int
    signatures: bool
    """Whether the checkpoints' signatures could be looked at."""
    root: bytes | None
    pending_since: datetime | None

    @property
    def first(self) -> Fault | None:
        """The first thing that is wrong."""
        return self.faults[0] if self.faults else None

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return self.wrong == 0


def note_verification(
    session: Session, found: Verified, *, at: datetime, finished: datetime, by: str
) -> Verification:
    """Write down that it was looked, and what was found."""
    row = Verification(
        at=at,
        finished_at=finished,
        by=by,
        sealed=found.sealed,
        pending=found.pending,
        outside=found.outside,
        wrong=found.wrong,
        said="\n".join(one.text for one in (*found.faults, *found.remarks)),
    )
    session.add(row)
    session.flush()
    return row
