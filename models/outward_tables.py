"""What leaves the system for others: which kinds of data are open."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, Line, Word, one_of

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
