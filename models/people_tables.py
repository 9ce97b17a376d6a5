"""Accounts, their recovery codes, the one-time links that open them, and sign-ons on their way."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, LargeBinary, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import BIG, Base, Id, Key, Line, Word, one_of
from rules.actors import AccountRole


class Account(Base):
    """Somebody who may log in. ``valid_to`` is the last day; ``basis`` cites what opened it."""

    __tablename__ = "account"
    __table_args__ = (one_of("role", AccountRole),)

    id: Mapped[Id]
    username: Mapped[Key] = mapped_column(unique=True)
    name: Mapped[Line]
    post: Mapped[Line | None]
    email: Mapped[Line | None]
    agency_key: Mapped[Key | None] = mapped_column(ForeignKey("agency.key"))
    role: Mapped[Word]
    plans: Mapped[str | None] = mapped_column(Text)
    """Keys of the plans that it sees, separated by a space; None for every plan there is."""
    password_hash: Mapped[Line | None]
    password_short: Mapped[bool] = mapped_column(default=False)
    """The password is lawful only together with a one-time code."""
    totp_secret: Mapped[Line | None]
    """Encrypted (``operations.vault``); set once a first code has proved it."""
    totp_pending: Mapped[Line | None]
    """The same for a secret that no code has proved yet."""
    totp_last_step: Mapped[int | None]
    """The time step (30 seconds since 1970) of the last code taken: no code is taken twice."""
    totp_reset_at: Mapped[datetime | None]
    """When an administrator took the codes away; None once they are set again."""
    basis: Mapped[Line | None]
    valid_to: Mapped[date | None]
    active: Mapped[bool] = mapped_column(default=True)
    failures: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    last_login_at: Mapped[datetime | None]
    enabled_at: Mapped[datetime | None]
    """When it was last switched on again; an unused account counts its days from here."""
    session_epoch: Mapped[int] = mapped_column(default=0)
    """Grows when all sessions of the account are ended."""
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)


class RecoveryCode(Base):
    """One of ten codes for somebody without the telephone; each is good once."""

    __tablename__ = "recovery_code"
    __table_args__ = (UniqueConstraint("account_id", "digest"),)

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(BIG, ForeignKey("account.id"))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    """Keyed (``operations.vault``): the table alone does not let anybody try codes."""
    used_at: Mapped[datetime | None]


class AccountLinkPurpose(StrEnum):
    """What a one-time link to the door is good for."""

    FIRST = "first"
    """Opening the first account of a database."""
    PASSWORD = "password"  # noqa: S105 - a word
    """Setting the password of one account."""


class AccountLink(Base):
    """A one-time link to the door: signed, expiring, good for one purpose and once."""

    __tablename__ = "account_link"
    __table_args__ = (one_of("purpose", AccountLinkPurpose),)

    id: Mapped[Key] = mapped_column(primary_key=True)
    purpose: Mapped[Word]
    account_id: Mapped[int | None] = mapped_column(BIG, ForeignKey("account.id"), index=True)
    """Whose password it sets; None for the first account."""
    session_epoch: Mapped[int | None]
    """That of the account at the time: whatever ends its sessions ends the link too."""
    issued_at: Mapped[datetime]
    issued_by: Mapped[Line]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    replaced_at: Mapped[datetime | None]
    """When a newer link took its place."""


class SignOn(Base):
    """A single sign-on that a browser went away with; taken once, or gone when it has expired."""

    __tablename__ = "sign_on"

    id: Mapped[Key] = mapped_column(primary_key=True)
    """The digest of the state that comes back."""
    browser: Mapped[Key]
    """The digest of what only the browser that went away has in a cookie."""
    nonce: Mapped[Key]
    verifier: Mapped[Key]
    onward: Mapped[str] = mapped_column(Text)
    """Where the person wanted to go."""
    kept: Mapped[str] = mapped_column(Text)
    """A form that waits to be sent, signed (rule 26); empty for none."""
    expires_at: Mapped[datetime] = mapped_column(index=True)


class EndedSession(Base):
    """A session that its person ended: a copy of its cookie opens nothing either."""

    __tablename__ = "ended_session"

    id: Mapped[Key] = mapped_column(primary_key=True)
    """The digest of the session's number."""
    until: Mapped[datetime] = mapped_column(index=True)
    """When it would have ended by itself; the row is of no use afterwards."""
