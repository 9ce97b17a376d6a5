"""History that is only ever added to (rules 37-39), the log over it, and the flow runs."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import BIG, Base, Id, Key, Line, Word, one_of
from rules.actors import ActorKind


class Event(Base):
    """One line of history. Triggers refuse UPDATE, DELETE and replacement (rule 38).

    ``at`` is the instant received, the server's; ``effective_on`` the date stated. ``digest`` is
    the leaf digest of the canonical form v1 of all other columns.
    """

    __tablename__ = "event"
    __table_args__ = (
        one_of("actor_kind", ActorKind),
        Index("ix_event_entity", "entity", "entity_id", "at"),
        Index("ix_event_at", "at"),
    )

    id: Mapped[Id]
    at: Mapped[datetime]
    effective_on: Mapped[date]
    entity: Mapped[Word]
    """``assignment``, ``occurrence``, ``plan``, ``agency``, ``contact``, ``account`` ..."""
    entity_id: Mapped[Key]
    action: Mapped[Word]
    plan_key: Mapped[Key | None]
    item_key: Mapped[Key | None]
    period_key: Mapped[Word | None]
    agency_key: Mapped[Key | None]
    actor_kind: Mapped[Word]
    actor_name: Mapped[Line]
    actor_post: Mapped[Line | None]
    actor_account: Mapped[Line | None]
    actor_mailbox: Mapped[Line | None]
    actor_agency: Mapped[Key | None]
    on_behalf_of: Mapped[Key | None]
    reason: Mapped[str | None] = mapped_column(Text)
    document: Mapped[Line | None]
    run: Mapped[Line | None]
    """``flow_run_id`` of the run that did it."""
    address: Mapped[Line | None]
    snapshot: Mapped[str] = mapped_column(Text)
    """The whole entity after the event, canonical JSON."""
    canonical_version: Mapped[int]
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))


class LogPending(Base):
    """An event that is not yet sealed (rule 38)."""

    __tablename__ = "log_pending"

    event_id: Mapped[int] = mapped_column(BIG, ForeignKey("event.id"), primary_key=True)


class LogLeaf(Base):
    """A sealed event at its index in the Merkle tree (rule 38)."""

    __tablename__ = "log_leaf"

    index: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=False)
    event_id: Mapped[int] = mapped_column(BIG, ForeignKey("event.id"), unique=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))


class Checkpoint(Base):
    """A signed size and root of the log (rule 38)."""

    __tablename__ = "checkpoint"

    size: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=False)
    root: Mapped[bytes] = mapped_column(LargeBinary(32))
    at: Mapped[datetime]
    note: Mapped[str] = mapped_column(Text)
    """The checkpoint in C2SP note format, signature included."""


class LogSubtree(Base):
    """The root over 256 leaves, or over 256 such roots, and so on: ``256 ** tier`` leaves.

    Worked out once, when the last of them is sealed; a seal or a proof then reads hundreds of
    hashes and not the whole log.
    """

    __tablename__ = "log_subtree"

    tier: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    index: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=False)
    root: Mapped[bytes] = mapped_column(LargeBinary(32))


class Verification(Base):
    """That somebody compared the history with the log, and what came out (rule 38)."""

    __tablename__ = "verification"

    id: Mapped[Id]
    at: Mapped[datetime] = mapped_column(index=True)
    finished_at: Mapped[datetime]
    by: Mapped[Line]
    """Who asked: a name, or the flow's."""
    sealed: Mapped[int] = mapped_column(BIG)
    """How many sealed events were compared."""
    pending: Mapped[int] = mapped_column(BIG)
    outside: Mapped[int]
    """With how many checkpoints kept outside the database."""
    wrong: Mapped[int] = mapped_column(BIG)
    said: Mapped[str] = mapped_column(Text)
    """What was found, a sentence a line."""


class RunLog(Base):
    """What a flow run did: the engine's own record, which outlives Prefect's."""

    __tablename__ = "run_log"
    __table_args__ = (Index("ix_run_log_job_as_of", "job", "item_key", "as_of"),)

    id: Mapped[Id]
    run: Mapped[Line | None]
    job: Mapped[Word]
    plan_key: Mapped[Key | None]
    item_key: Mapped[Key | None]
    as_of: Mapped[date]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime]
    state: Mapped[Line]
    figures: Mapped[str] = mapped_column(Text)
    """Canonical JSON: word to number."""
