"""What leaves the system for others: open data, webhooks, group chats."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import BIG, Base, Id, Key, Line, Word, one_of

OPEN_KINDS = ("dates", "materials", "results")


class OpenDataSwitch(Base):
    """Whether a kind of data is open to everybody; the newest row of a kind is the one in force.

    Without a row it is closed.
    """

    __tablename__ = "open_data_switch"
    __table_args__ = (one_of("kind", OPEN_KINDS), Index("ix_open_data_switch_kind", "kind"))

    id: Mapped[Id]
    kind: Mapped[Word]
    is_open: Mapped[bool]
    items: Mapped[Line]
    """Which items, by key, with blanks between; empty means all of the appendix."""
    basis: Mapped[str] = mapped_column(Text)
    set_on: Mapped[date]
    set_at: Mapped[datetime]
    set_by: Mapped[Line]


OUTLET_KINDS = ("chat", "webhook")
OUTWARD_STATES = ("queued", "sending", "sent", "retrying", "failed")


class Outlet(Base):
    """An address outside that is told of events: a webhook, or a group chat.

    Address and secret are encrypted (``operations.vault``); ``host`` is what pages show.
    """

    __tablename__ = "outlet"
    __table_args__ = (one_of("kind", OUTLET_KINDS),)

    id: Mapped[Id]
    kind: Mapped[Word]
    name: Mapped[Line]
    host: Mapped[Line]
    address_sealed: Mapped[str] = mapped_column(Text)
    secret_sealed: Mapped[str | None] = mapped_column(Text)
    topics: Mapped[Line]
    """Words of ``operations.outlets.Topic``, with blanks between."""
    agency_key: Mapped[Key | None] = mapped_column(ForeignKey("agency.key"))
    """Whose group chat it is: it is told of that agency only (rule 46)."""
    basis: Mapped[str] = mapped_column(Text)
    active: Mapped[bool]
    event_cursor: Mapped[int] = mapped_column(BIG)
    """The last event that was looked at for it."""
    failing_since: Mapped[datetime | None]
    off_reason: Mapped[Line | None]
    created_at: Mapped[datetime]
    created_by: Mapped[Line]
    version: Mapped[int]


class OutwardMessage(Base):
    """A message to an outlet: queued once for each key, sent by the delivery run."""

    __tablename__ = "outward_message"
    __table_args__ = (
        UniqueConstraint("outlet_id", "key"),
        one_of("state", OUTWARD_STATES),
        Index("ix_outward_message_state", "state", "next_attempt_at"),
    )

    id: Mapped[Id]
    outlet_id: Mapped[int] = mapped_column(BIG, ForeignKey("outlet.id"))
    key: Mapped[Line]
    topic: Mapped[Word]
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[Word]
    queued_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None]
    attempts: Mapped[int]
    next_attempt_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    answer: Mapped[Line | None]


class OutwardAttempt(Base):
    """One attempt to deliver a message, and what came of it."""

    __tablename__ = "outward_attempt"

    id: Mapped[Id]
    message_id: Mapped[int] = mapped_column(BIG, ForeignKey("outward_message.id"), index=True)
    at: Mapped[datetime]
    status: Mapped[int | None]
    """The HTTP status; None when there was no answer."""
    answer: Mapped[Line]
