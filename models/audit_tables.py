"""What those who check need beside the work itself: indexes, findings, what files are."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import BIG, Base, Id, Key, Line, Word, one_of
from models.history_tables import Event

FILE_VERDICTS = (
    *("broken", "unreadable", "untrusted", "valid", "unsigned", "scan", "locked", "unexamined"),
)
FINDING_STATES = ("open", "reported", "fixed", "dropped")

_event = Event.__table__.c
# The newest events first, page by page, of everything or of one agency.
Index("ix_event_at_id", _event.at, _event.id)
Index("ix_event_agency_key_at_id", _event.agency_key, _event.at, _event.id)


class FileCheck(Base):
    """What was found in a filed PDF, by its content: see ``reports.pdf_signatures``.

    ``basis`` is the version of the check and of the roots that it trusted.
    """

    __tablename__ = "file_check"
    __table_args__ = (one_of("verdict", FILE_VERDICTS),)

    sha256: Mapped[str] = mapped_column(ForeignKey("stored_file.sha256"), primary_key=True)
    basis: Mapped[Line]
    checked_at: Mapped[datetime]
    verdict: Mapped[Word]
    signatures: Mapped[str] = mapped_column(Text)
    """JSON: a list of ``reports.pdf_signatures.Signature``."""


class Finding(Base):
    """A finding of an inspection, followed until it is mended (rule 45).

    ``document_code`` is the conclusion that states it. ``due_on`` is the day by which the agency
    has to mend it, None when the conclusion names none.
    """

    __tablename__ = "finding"
    __table_args__ = (one_of("state", FINDING_STATES),)

    id: Mapped[Id]
    document_code: Mapped[Line]
    issued_on: Mapped[date | None]
    text: Mapped[str] = mapped_column(Text)
    agency_key: Mapped[Key] = mapped_column(ForeignKey("agency.key"), index=True)
    assignment_id: Mapped[int | None] = mapped_column(BIG, ForeignKey("assignment.id"))
    due_on: Mapped[date | None]
    state: Mapped[Word]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[Line]
    report: Mapped[str | None] = mapped_column(Text)
    """What the agency says it has done, and by which document."""
    report_document: Mapped[Line | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[Line | None]
    closing_reason: Mapped[str | None] = mapped_column(Text)
    closing_document: Mapped[Line | None]
    last_rung: Mapped[int | None]
    """The rung that was said last, in working days from ``due_on``."""
    next_reminder_on: Mapped[date | None]
    """The day on which the next rung is owed; None when none is."""
    version: Mapped[int] = mapped_column(default=1)


class FindingReport(Base):
    """What was filed as the mending of a finding; one that was returned stays as it was filed."""

    __tablename__ = "finding_report"

    id: Mapped[Id]
    finding_id: Mapped[int] = mapped_column(BIG, ForeignKey("finding.id"), index=True)
    filed_at: Mapped[datetime]
    filed_by: Mapped[Line]
    stated_name: Mapped[Line | None]
    stated_post: Mapped[Line | None]
    text: Mapped[str] = mapped_column(Text)
    document_code: Mapped[Line | None]
    issued_on: Mapped[date | None]
    returned_at: Mapped[datetime | None]
    returned_by: Mapped[Line | None]
    return_reason: Mapped[str | None] = mapped_column(Text)


class FindingFile(Base):
    """A file of a report on a finding."""

    __tablename__ = "finding_file"

    report_id: Mapped[int] = mapped_column(BIG, ForeignKey("finding_report.id"), primary_key=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("stored_file.sha256"), primary_key=True)
    file_name: Mapped[Line]
