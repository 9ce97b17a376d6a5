"""Accounts."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, Key, Line, Word, one_of
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
    password_hash: Mapped[Line | None]
    totp_secret: Mapped[Line | None]
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
