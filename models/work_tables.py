"""Occurrences, assignments and what happens to them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import BIG, Base, Id, Key, Line, Word, one_of
from rules.lifecycle import LEAD_STATUSES, PARTNER_STATUSES, Status
from rules.values import Confirmation, DateAuthority, ItemKind, LeadMode, Role, TrackingMode


def _words(statuses: frozenset[Status]) -> str:
    return ", ".join(f"'{status}'" for status in sorted(statuses))


class Occurrence(Base):
    """An item in a period (rules 10, 11); it keeps what the plan said when it opened."""

    __tablename__ = "occurrence"
    __table_args__ = (
        UniqueConstraint("plan_key", "item_key", "period_key"),
        one_of("mode", TrackingMode),
        one_of("kind", ItemKind),
        one_of("lead_mode", LeadMode),
        one_of("confirmation", Confirmation),
        CheckConstraint("due_on >= opens_on OR mode = 'imported'", name="due_after_opening"),
    )

    id: Mapped[Id]
    plan_key: Mapped[Key] = mapped_column(ForeignKey("plan.key"))
    plan_version: Mapped[int]
    item_key: Mapped[Key]
    period_key: Mapped[Word]
    period_first: Mapped[date]
    period_last: Mapped[date]
    opens_on: Mapped[date]
    nominal_due_on: Mapped[date]
    original_due_on: Mapped[date]
    due_on: Mapped[date]
    mode: Mapped[Word]
    kind: Mapped[Word]
    lead_mode: Mapped[Word]
    confirmation: Mapped[Word]
    ladder: Mapped[Key]
    """The item's own ladder; see ``rules.planning.ladder_key`` for the one that is followed."""
    milestone: Mapped[Word | None]
    opened_at: Mapped[datetime]
    touched: Mapped[bool] = mapped_column(default=False)
    """Whether anybody acted on it; an untouched one follows a calendar change (rule 15)."""
    version: Mapped[int] = mapped_column(default=1)


class Assignment(Base):
    """An occurrence x an agency x a role (rules 10-14, 20-25).

    Dates: ``nominal_due_on`` is what the calendar asked for, ``original_due_on`` the first due
    date after rolling, ``due_on`` the one in force (rule 4). ``next_reminder_on`` is the day on
    which the next rung becomes owed, None when none does: the due query reads only its index.
    ``version`` grows by one with each change (rule 26).
    """

    __tablename__ = "assignment"
    __table_args__ = (
        UniqueConstraint("occurrence_id", "agency_key", "role"),
        one_of("role", Role),
        one_of("status", Status),
        one_of("authority", DateAuthority),
        CheckConstraint(
            f"(role = 'lead' AND status IN ({_words(LEAD_STATUSES)}))"
            f" OR (role = 'partner' AND status IN ({_words(PARTNER_STATUSES)}))",
            name="status_of_role",
        ),
        CheckConstraint("round >= 1 AND extensions >= 0 AND version >= 1", name="counts"),
        CheckConstraint(
            "next_reminder_on IS NULL OR status IN"
            " ('not_started', 'in_progress', 'awaiting_issuance', 'requested')",
            name="reminds_open_work_only",
        ),
        Index(
            "ix_assignment_next_reminder_on",
            "next_reminder_on",
            sqlite_where=text("next_reminder_on IS NOT NULL"),
            postgresql_where=text("next_reminder_on IS NOT NULL"),
        ),
        Index("ix_assignment_agency_key_status", "agency_key", "status"),
        Index("ix_assignment_status_due_on", "status", "due_on"),
    )

    id: Mapped[Id]
    occurrence_id: Mapped[int] = mapped_column(BIG, ForeignKey("occurrence.id"))
    agency_key: Mapped[Key] = mapped_column(ForeignKey("agency.key"))
    agency_name: Mapped[Line]
    role: Mapped[Word]
    round: Mapped[int] = mapped_column(default=1)
    status: Mapped[Word]
    status_before: Mapped[Word | None]
    """Where a suspension goes back to."""
    nominal_due_on: Mapped[date]
    original_due_on: Mapped[date]
    due_on: Mapped[date]
    authority: Mapped[Word]
    document_code: Mapped[Line | None]
    """The document that fixed the date in force."""
    respond_by: Mapped[date | None]
    """The day to respond: of a return (rule 22), or of a request to a partner (rule 14)."""
    request_text: Mapped[str | None] = mapped_column(Text)
    request_form: Mapped[Line | None]
    request_document: Mapped[Line | None]
    requested_by: Mapped[Key | None]
    """The agency whose lead asked: where each leads its own, any of them may (rule 14)."""
    suspended_on: Mapped[date | None]
    submitted_at: Mapped[datetime | None]
    submitted_on: Mapped[date | None]
    submitted_by: Mapped[Line | None]
    """Identity of who submitted or entered; never the one who confirms (rule 20)."""
    completed_on: Mapped[date | None]
    """The day that counts (rule 21)."""
    late_entry: Mapped[bool] = mapped_column(default=False)
    confirmed_at: Mapped[datetime | None]
    confirmed_on: Mapped[date | None]
    confirmed_by: Mapped[Line | None]
    self_confirmed: Mapped[bool] = mapped_column(default=False)
    """"Sở Nội vụ tự xác nhận": own work decided by the own leadership (rule 20)."""
    sampled: Mapped[bool] = mapped_column(default=False)
    """Drawn for the check that follows an acceptance (rule 20)."""
    extensions: Mapped[int] = mapped_column(default=0)
    returns: Mapped[int] = mapped_column(default=0)
    covered_by_id: Mapped[int | None] = mapped_column(BIG, ForeignKey("assignment.id"))
    successor_id: Mapped[int | None] = mapped_column(BIG, ForeignKey("assignment.id"))
    handler: Mapped[Line | None]
    """The colleague to whom the agency handed it, by the name of then."""
    handler_account: Mapped[Key | None]
    """The user name of that colleague, who may have none."""
    handler_mailbox: Mapped[Line | None]
    """That colleague's address, where it is a contact's of the agency: letters go there (30)."""
    last_rung: Mapped[int | None]
    """The last rung queued for this round and anchor; None before the first."""
    next_reminder_on: Mapped[date | None]
    updated_at: Mapped[datetime]
    updated_by: Mapped[Line]
    version: Mapped[int] = mapped_column(default=1)


class Submission(Base):
    """One revision of a result (rules 20, 21, 25). Rows are added, never overwritten."""

    __tablename__ = "submission"
    __table_args__ = (UniqueConstraint("assignment_id", "round", "revision"),)

    id: Mapped[Id]
    assignment_id: Mapped[int] = mapped_column(BIG, ForeignKey("assignment.id"))
    round: Mapped[int]
    revision: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    unchanged: Mapped[bool] = mapped_column(default=False)
    """"Không thay đổi so với năm trước", citing the document still in force."""
    figures: Mapped[str] = mapped_column(Text, default="{}")
    """Canonical JSON: figure key to number as text."""
    outcomes: Mapped[str] = mapped_column(Text, default="{}", server_default="{}")
    """Canonical JSON: outcome key to its document, or to why there is none."""
    submitted_at: Mapped[datetime]
    submitted_on: Mapped[date]
    completed_on: Mapped[date]
    late_entry: Mapped[bool]
    identity: Mapped[Line]
    stated_name: Mapped[Line]
    stated_post: Mapped[Line | None]
    entered_channel: Mapped[Line | None]
    """"Nhập thay": paper, Zalo, telephone ... (rule 20)."""
    entered_number: Mapped[Line | None]
    """Số đến of the paper that was entered."""
    outcome: Mapped[Word | None]
    """``withdrawn``, ``returned`` or ``confirmed``; None while it stands."""


class StoredFile(Base):
    """A file by its content; kept outside the web root under its SHA-256."""

    __tablename__ = "stored_file"

    sha256: Mapped[str] = mapped_column(Text, primary_key=True)
    size: Mapped[int] = mapped_column(BIG)
    media_type: Mapped[Line]
    stored_at: Mapped[datetime]
    quarantined_at: Mapped[datetime | None]
    quarantine_reason: Mapped[str | None] = mapped_column(Text)


class Evidence(Base):
    """A document (number and date), a file, or both, behind a submission (rule 20)."""

    __tablename__ = "evidence"
    __table_args__ = (
        CheckConstraint("document_code IS NOT NULL OR sha256 IS NOT NULL", name="something"),
    )

    id: Mapped[Id]
    submission_id: Mapped[int] = mapped_column(BIG, ForeignKey("submission.id"), index=True)
    document_code: Mapped[Line | None]
    issued_on: Mapped[date | None]
    title: Mapped[str | None] = mapped_column(Text)
    sha256: Mapped[str | None] = mapped_column(ForeignKey("stored_file.sha256"), index=True)
    file_name: Mapped[Line | None]
    scan: Mapped[bool] = mapped_column(default=False)


class ExtensionRequest(Base):
    """A request for another date and the decision on it (rule 23)."""

    __tablename__ = "extension_request"
    __table_args__ = (
        one_of("state", ("asked", "proposed", "granted", "refused", "withdrawn")),
        Index(
            "uq_extension_request_open",
            "assignment_id",
            unique=True,
            sqlite_where=text("state IN ('asked', 'proposed')"),
            postgresql_where=text("state IN ('asked', 'proposed')"),
        ),
    )

    id: Mapped[Id]
    assignment_id: Mapped[int] = mapped_column(BIG, ForeignKey("assignment.id"), index=True)
    round: Mapped[int]
    asked_at: Mapped[datetime]
    asked_on: Mapped[date]
    asked_by: Mapped[Line]
    asked_name: Mapped[Line]
    requested_due_on: Mapped[date]
    reason: Mapped[str] = mapped_column(Text)
    explanation: Mapped[str | None] = mapped_column(Text)
    """Giải trình, asked for when the work is overdue."""
    asked_overdue: Mapped[bool]
    state: Mapped[Word]
    proposed_by: Mapped[Line | None]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[Line | None]
    decision_reason: Mapped[str | None] = mapped_column(Text)
    cap_reason: Mapped[str | None] = mapped_column(Text)
    """Why the cap on extensions was passed."""
    granted_due_on: Mapped[date | None]
    document_code: Mapped[Line | None]


class Proposal(Base):
    """The first of two steps: an act that one proposes and another approves (rule 20)."""

    __tablename__ = "proposal"
    __table_args__ = (one_of("state", ("proposed", "approved", "refused", "withdrawn")),)

    id: Mapped[Id]
    assignment_id: Mapped[int] = mapped_column(BIG, ForeignKey("assignment.id"), index=True)
    action: Mapped[Word]
    payload: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    proposed_at: Mapped[datetime]
    proposed_by: Mapped[Line]
    state: Mapped[Word]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[Line | None]
    decision_reason: Mapped[str | None] = mapped_column(Text)


class Obstacle(Base):
    """Vướng mắc: raised, answered, or consolidated to the superior and back (rule 42)."""

    __tablename__ = "obstacle"
    __table_args__ = (one_of("state", ("raised", "answered", "consolidated", "closed")),)

    id: Mapped[Id]
    assignment_id: Mapped[int | None] = mapped_column(BIG, ForeignKey("assignment.id"), index=True)
    agency_key: Mapped[Key] = mapped_column(ForeignKey("agency.key"), index=True)
    text: Mapped[str] = mapped_column(Text)
    raised_at: Mapped[datetime]
    raised_by: Mapped[Line]
    state: Mapped[Word]
    answer: Mapped[str | None] = mapped_column(Text)
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[Line | None]
    answer_document: Mapped[Line | None]
    document_code: Mapped[Line | None]
    """The document that brought it to the superior, where it was consolidated."""
    version: Mapped[int] = mapped_column(default=1)


class Money(Base):
    """What an agency planned and spent for one of its assignments, by line and source (rule 43).

    Whole đồng. A row is changed in place; what it was before stands in the history.
    """

    __tablename__ = "money"
    __table_args__ = (
        UniqueConstraint("assignment_id", "line", "source"),
        CheckConstraint("planned >= 0 AND spent >= 0 AND version >= 1", name="amounts"),
    )

    id: Mapped[Id]
    assignment_id: Mapped[int] = mapped_column(BIG, ForeignKey("assignment.id"), index=True)
    line: Mapped[Key]
    source: Mapped[Key]
    planned: Mapped[int] = mapped_column(BIG)
    spent: Mapped[int] = mapped_column(BIG)
    note: Mapped[str | None] = mapped_column(Text)
    """Why more was spent than planned."""
    updated_at: Mapped[datetime]
    updated_by: Mapped[Line]
    version: Mapped[int] = mapped_column(default=1)
