"""What mailboxes are owed on a day, as values between collecting it and writing it (rules 28, 30)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from notifications.lines import LineKind
from rules.digest import NoticeKind, Recipient


@dataclass(frozen=True, slots=True, kw_only=True)
class RungLine:
    """A rung owed to one mailbox. ``anchor`` is the date that the rung speaks of."""

    assignment_id: int
    round: int
    anchor: date
    rung: int
    kind: LineKind
    mailbox: str
    maybe_said: bool = False
    """It may have gone before the database was restored from a backup."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeLine:
    """A notice that rides in a digest, or goes as a letter of its own."""

    notice_id: int
    assignment_id: int | None
    """None for what is about no assignment (``operations.loose_lines``)."""
    kind: NoticeKind
    mailbox: str
    maybe_said: bool = False
    """As of a rung."""


@dataclass(slots=True)
class Parcel:
    """What one mailbox is owed."""

    recipient: Recipient
    rungs: list[RungLine] = field(default_factory=list)
    notices: list[NoticeLine] = field(default_factory=list)

    @property
    def maybe_said(self) -> bool:
        """Whether some of it may have gone before the database was restored from a backup."""
        rungs = any(line.maybe_said for line in self.rungs)
        return rungs or any(line.maybe_said for line in self.notices)


@dataclass(frozen=True, slots=True)
class Climb:
    """Where an assignment's ladder goes once its rung is queued; None for the day: it ends."""

    rung: int | None
    next_on: date | None


@dataclass(slots=True)
class Collected:
    """Everything owed on a day, before anything of it is written."""

    parcels: dict[str, Parcel] = field(default_factory=dict)
    """Digests, by mailbox."""
    at_once: list[tuple[Recipient, NoticeLine]] = field(default_factory=list)
    """Letters of their own."""
    climbs: dict[int, Climb] = field(default_factory=dict)
    """By assignment."""
    void: list[int] = field(default_factory=list)
    """Notices that mean nothing any more."""
    unreachable: int = 0
    """Rungs and notices for which not even the coordinator has an address; they stay owed."""

    def parcel(self, recipient: Recipient) -> Parcel:
        """The parcel of this mailbox."""
        found = self.parcels.get(recipient.address)
        if found is None:
            found = self.parcels[recipient.address] = Parcel(recipient)
        return found
