"""Official documents about work: which letter urged which assignment."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import BIG, Base, Id, Line, Word, one_of

URGING_STATES = ("recorded", "withdrawn")


class Urging(Base):
    """An issued "công văn đôn đốc" and one assignment that it covers.

    ``round`` and ``due_on`` are those it urged: after another date or a reopening it no longer
    counts. ``data_at`` is the instant of the letter's data, which says what it covers.
    """

    __tablename__ = "urging"
    __table_args__ = (
        one_of("state", URGING_STATES),
        Index(
            "uq_urging_recorded",
            "assignment_id",
            "document_code",
            "issued_on",
            unique=True,
            sqlite_where=text("state = 'recorded'"),
            postgresql_where=text("state = 'recorded'"),
        ),
    )

    id: Mapped[Id]
    assignment_id: Mapped[int] = mapped_column(BIG, ForeignKey("assignment.id"))
    round: Mapped[int]
    due_on: Mapped[date]
    document_code: Mapped[Line] = mapped_column(index=True)
    issued_on: Mapped[date]
    issuer: Mapped[Word]
    """Whose letter: ``coordinator`` or ``province``."""
    data_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[Line]
    state: Mapped[Word]
