"""What an act at the command line is made of, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy.orm import Session

from cli.words import ACTS, STATUSES
from operations.results import OutcomeFiled, Result
from operations.stamp import Stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was typed with the act; each act reads what it needs."""

    text: str | None = None
    document: str | None = None
    issued_on: date | None = None
    figures: Mapping[str, str] = field(default_factory=dict)
    outcomes: Mapping[str, OutcomeFiled] = field(default_factory=dict)
    reason: str | None = None
    due_on: date | None = None
    respond_by: date | None = None
    covered_by: int | None = None
    lead: int | None = None
    channel: str | None = None
    number: str | None = None
    unchanged: bool = False
    form: str | None = None
    explanation: str | None = None
    cap_reason: str | None = None
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What became of it."""

    status: str
    version: int
    submission: int | None = None
    proposal: int | None = None
    extension: int | None = None

    def as_json(self, assignment: int, word: str) -> dict[str, object]:
        """The documented contract of ``act --json``."""
        return {
            "assignment": assignment,
            "action": word,
            "status": self.status,
            "version": self.version,
            "submission": self.submission,
            "proposal": self.proposal,
            "extension": self.extension,
        }

    def sentence(self, assignment: int, word: str) -> str:
        """What people are told."""
        parts = [f"Phân công số {assignment}: đã ghi “{ACTS[word]}”, {STATUSES[self.status]}."]
        if self.submission is not None:
            parts.append(f"Kết quả số {self.submission}.")
        if self.proposal is not None:
            parts.append(f"Đề xuất số {self.proposal} chờ lãnh đạo duyệt.")
        if self.extension is not None:
            parts.append(f"Đề nghị gia hạn số {self.extension}.")
        return " ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One act to take: by whom, on what, with what."""

    session: Session
    stamp: Stamp
    assignment: int
    word: str
    asked: Asked
    result: Result
