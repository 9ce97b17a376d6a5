"""Contacts, mailboxes, what is owed to them, and the outbox."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import BIG, Base, Id, Key, Line, Word, one_of
from rules.values import Audience


class ContactKind(StrEnum):
    """Who a contact is to its agency (rule 36)."""

    MAILBOX = "mailbox"
    """Hộp thư của cơ quan."""
    FOCAL = "focal"
    """Đầu mối chính."""
    DEPUTY = "deputy"
    """Đầu mối dự phòng."""
    REGISTRY = "registry"
    """Văn thư."""
    HEAD = "head"
    """Lãnh đạo phụ trách."""


class LetterState(StrEnum):
    """The state of a letter in the outbox (rules 29, 32, 33)."""

    QUEUED = "queued"
    HELD = "held"
    """Kept back: over the blast cap, or a letter to an agency that is no pilot."""
    CLAIMED = "claimed"
    SENDING = "sending"
    SENT = "sent"
    RETRYING = "retrying"
    UNDELIVERABLE = "undeliverable"
    UNKNOWN = "unknown"
    """Died while sending; never sent again by itself."""
    SUPERSEDED = "superseded"
    """Unsent at the end of its day: its rungs are owed again."""
    DROPPED = "dropped"
    """Nothing of it was owed any more when it was claimed."""


class Contact(Base):
    """A contact of an agency: name, post, work e-mail and phone only (rule 40)."""

    __tablename__ = "contact"
    __table_args__ = (
        one_of("kind", ContactKind),
        Index("ix_contact_agency_key_kind", "agency_key", "kind"),
    )

    id: Mapped[Id]
    agency_key: Mapped[Key] = mapped_column(ForeignKey("agency.key"))
    kind: Mapped[Word]
    name: Mapped[Line | None]
    post: Mapped[Line | None]
    email: Mapped[Line | None]
    phone: Mapped[Line | None]
    sample: Mapped[bool] = mapped_column(default=False)
    """Made up at set-up, under the reserved domain ``.test``."""
    active: Mapped[bool] = mapped_column(default=True)
    updated_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)


class Mailbox(Base):
    """What is known of an address: whether letters reach it."""

    __tablename__ = "mailbox"
    __table_args__ = (one_of("state", ("ok", "undeliverable")),)

    address: Mapped[Line] = mapped_column(primary_key=True)
    state: Mapped[Word] = mapped_column(default="ok")
    answer: Mapped[str | None] = mapped_column(Text)
    updated_at: Mapped[datetime]


class Notice(Base):
    """Something said once: an opening, a request, a confirmation, a moved date (rule 27).

    It rides in the next Monday digest of each mailbox it concerns, or, when ``at_once``, goes as
    a letter of its own kind. ``letter_id`` None means: not yet queued.
    """

    __tablename__ = "notice"
    __table_args__ = (
        one_of("audience", Audience),
        Index(
            "ix_notice_pending",
            "created_on",
            sqlite_where=text("letter_id IS NULL AND void = 0"),
            postgresql_where=text("letter_id IS NULL AND NOT void"),
        ),
    )

    id: Mapped[Id]
    kind: Mapped[Word]
    """A ``notifications.values.LineKind`` for a line, or the name of a message of its own."""
    assignment_id: Mapped[int | None] = mapped_column(BIG, ForeignKey("assignment.id"), index=True)
    agency_key: Mapped[Key] = mapped_column(ForeignKey("agency.key"))
    audience: Mapped[Word]
    at_once: Mapped[bool] = mapped_column(default=False)
    to_address: Mapped[Line | None]
    """Set where the letter goes to one mailbox, such as a receipt to who submitted."""
    payload: Mapped[str] = mapped_column(Text, default="{}")
    created_on: Mapped[date]
    created_at: Mapped[datetime]
    letter_id: Mapped[int | None] = mapped_column(BIG, ForeignKey("letter.id"), index=True)
    void: Mapped[bool] = mapped_column(default=False)
    """No longer worth saying, e.g. the opening of work that ended before Monday."""


class Letter(Base):
    """A row of the outbox. A digest is unique by mailbox and day (rules 28-33).

    The stored text holds a placeholder where the live link goes (rule 34).
    """

    __tablename__ = "letter"
    __table_args__ = (
        one_of("state", LetterState),
        Index(
            "ix_letter_work",
            "state",
            "next_attempt_at",
            sqlite_where=text("state IN ('queued', 'claimed', 'sending', 'retrying')"),
            postgresql_where=text("state IN ('queued', 'claimed', 'sending', 'retrying')"),
        ),
        Index("ix_letter_mailbox_day", "mailbox", "day"),
        # A sweep asks for the letters of its day: what it costs does not grow with the years.
        Index("ix_letter_day", "day", "kind"),
        # Counting letters by state reads this and no letter.
        Index("ix_letter_state", "state", "queued_at"),
    )

    id: Mapped[Id]
    key: Mapped[Line] = mapped_column(unique=True)
    """What makes it this letter: ``digest:<day>:<mailbox>``, ``returned:<notice>`` ..."""
    kind: Mapped[Word]
    mailbox: Mapped[Line]
    agency_key: Mapped[Key | None] = mapped_column(ForeignKey("agency.key"))
    day: Mapped[date]
    state: Mapped[Word]
    held_reason: Mapped[Line | None]
    payload: Mapped[str] = mapped_column(Text, default="{}")
    queued_at: Mapped[datetime]
    claimed_by: Mapped[Line | None]
    claimed_at: Mapped[datetime | None]
    sending_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None]
    answer: Mapped[str | None] = mapped_column(Text)
    """The mail server's last answer, code first."""
    message_id: Mapped[Line]
    subject: Mapped[str | None] = mapped_column(Text)
    body_text: Mapped[str | None] = mapped_column(Text)
    body_html: Mapped[str | None] = mapped_column(Text)
    ics: Mapped[str | None] = mapped_column(Text)
    run: Mapped[Line | None]
    """The flow run that queued it."""


class LetterLine(Base):
    """A line of a letter: which assignment it speaks of, and by which rung or notice."""

    __tablename__ = "letter_line"

    id: Mapped[Id]
    letter_id: Mapped[int] = mapped_column(BIG, ForeignKey("letter.id"), index=True)
    assignment_id: Mapped[int | None] = mapped_column(BIG, ForeignKey("assignment.id"), index=True)
    kind: Mapped[Word]
    rung: Mapped[int | None]
    notice_id: Mapped[int | None] = mapped_column(BIG, ForeignKey("notice.id"))


class Reminder(Base):
    """A rung that was queued for a mailbox (rule 28); unique, so that no rung comes twice.

    ``due_on`` is the date the rung speaks of: the due date in force, or the day to respond.
    """

    __tablename__ = "reminder"
    __table_args__ = (UniqueConstraint("assignment_id", "round", "due_on", "rung", "mailbox"),)

    id: Mapped[Id]
    assignment_id: Mapped[int] = mapped_column(BIG, ForeignKey("assignment.id"))
    round: Mapped[int]
    due_on: Mapped[date]
    rung: Mapped[int]
    mailbox: Mapped[Line]
    letter_id: Mapped[int] = mapped_column(BIG, ForeignKey("letter.id"), index=True)


class LinkToken(Base):
    """A link of a letter: signed, expiring, bound to one mailbox and one purpose (rule 34)."""

    __tablename__ = "link_token"

    id: Mapped[Key] = mapped_column(primary_key=True)
    mailbox: Mapped[Line] = mapped_column(index=True)
    agency_key: Mapped[Key] = mapped_column(ForeignKey("agency.key"))
    purpose: Mapped[Word]
    letter_id: Mapped[int | None] = mapped_column(BIG, ForeignKey("letter.id"), index=True)
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    first_post_at: Mapped[datetime | None]
    """Proof of notice: the first POST by the link."""


class CalendarFeed(Base):
    """The secret address of an agency's calendar; ``handle`` is another one once it is renewed.

    The address is the handle and a signature over it, so the row alone opens nothing.
    """

    __tablename__ = "calendar_feed"

    agency_key: Mapped[Key] = mapped_column(ForeignKey("agency.key"), primary_key=True)
    handle: Mapped[Key] = mapped_column(unique=True)
    renewed_at: Mapped[datetime]
    renewed_by: Mapped[Line]
    version: Mapped[int] = mapped_column(default=1)


class AccessLog(Base):
    """Who opened or read what, and when (rules 34, 40). Opens by link may be a scanner's."""

    __tablename__ = "access_log"

    id: Mapped[Id]
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[Line] = mapped_column(index=True)
    method: Mapped[Word]
    path: Mapped[str] = mapped_column(Text)
    token_id: Mapped[Key | None] = mapped_column(index=True)
    address: Mapped[Line | None]
    agent: Mapped[str | None] = mapped_column(Text)
    maybe_scanner: Mapped[bool] = mapped_column(default=False)
