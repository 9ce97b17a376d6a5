"""What the API keeps: tokens, answers to keyed requests, and who brought which file."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Key, Line, Word, one_of

TOKEN_KINDS = ("agency", "service")


class ApiToken(Base):
    """A program that may use the API: for one agency, or a service that only reads.

    ``id`` is the public part by which the token is named; of the secret part only the SHA-256 is
    kept. ``valid_to`` is the last day. When it was last used is said by the access log.
    """

    __tablename__ = "api_token"
    __table_args__ = (
        one_of("kind", TOKEN_KINDS),
        CheckConstraint(
            "(kind = 'agency' AND agency_key IS NOT NULL)"
            " OR (kind = 'service' AND agency_key IS NULL)",
            name="agency_of_kind",
        ),
    )

    id: Mapped[Key] = mapped_column(primary_key=True)
    name: Mapped[Line]
    kind: Mapped[Word]
    agency_key: Mapped[Key | None] = mapped_column(ForeignKey("agency.key"))
    scopes: Mapped[Line]
    """Words of ``operations.api_tokens.Scope``, with blanks between."""
    plans: Mapped[str | None] = mapped_column(Text)
    """Keys of the plans that it sees, separated by a space; None for every plan there is."""
    purpose: Mapped[Line]
    """What it is for and on what basis."""
    secret_hash: Mapped[Line]
    created_at: Mapped[datetime]
    created_by: Mapped[Line]
    valid_to: Mapped[date]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[Line | None]
    version: Mapped[int] = mapped_column(default=1)


class ApiReply(Base):
    """What a request with an ``Idempotency-Key`` was answered, so that it is done only once."""

    __tablename__ = "api_reply"

    token_id: Mapped[Key] = mapped_column(ForeignKey("api_token.id"), primary_key=True)
    key: Mapped[Line] = mapped_column(primary_key=True)
    request: Mapped[Line]
    """SHA-256 of method, path and body."""
    at: Mapped[datetime] = mapped_column(index=True)
    status: Mapped[int]
    body: Mapped[str] = mapped_column(Text)


class ApiUpload(Base):
    """A file that an agency's program brought, under its name: only it may cite it (rule 46)."""

    __tablename__ = "api_upload"

    agency_key: Mapped[Key] = mapped_column(ForeignKey("agency.key"), primary_key=True)
    sha256: Mapped[str] = mapped_column(Text, ForeignKey("stored_file.sha256"), primary_key=True)
    file_name: Mapped[Line]
    uploaded_at: Mapped[datetime]
