"""What hangs on an assignment, as values: papers, results, requests, obstacles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from operations.file_checks import FileView


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperView:
    """A piece of evidence; ``id`` is what a download is asked by. ``kept_away`` is a quarantined
    file, which is named and not handed out (rule 25)."""

    id: int
    submission: int
    code: str | None
    issued_on: date | None
    title: str | None
    sha256: str | None
    file_name: str | None
    size: int | None
    media_type: str | None
    scan: bool
    kept_away: bool
    check: FileView | None = None
    """What it is as a paper; None for what cannot be signed, or was not looked at yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultView:
    """One revision of a result with its papers; ``outcome`` None while it stands."""

    id: int
    assignment: int
    period: str
    round: int
    revision: int
    text: str
    unchanged: bool
    figures: Mapping[str, str]
    outcomes: Mapping[str, Mapping[str, str]]
    submitted_at: datetime
    completed_on: date
    late_entry: bool
    stated_name: str
    stated_post: str | None
    entered_channel: str | None
    entered_number: str | None
    outcome: str | None
    papers: tuple[PaperView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionView:
    """A request for another date and, once there is one, the decision on it."""

    id: int
    assignment: int
    asked_at: datetime
    asked_on: date
    asked_name: str
    requested_due_on: date
    reason: str
    explanation: str | None
    asked_overdue: bool
    state: str
    decided_at: datetime | None
    decision_reason: str | None
    granted_due_on: date | None
    document_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObstacleView:
    """An obstacle and, once there is one, the answer."""

    id: int
    assignment: int | None
    agency: str
    text: str
    raised_at: datetime
    raised_by: str
    state: str
    answer: str | None
    answered_at: datetime | None
    answer_document: str | None
    document_code: str | None
    """The document that brought it to the superior."""
