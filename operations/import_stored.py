"""What the system holds of periods that have passed, beside which a workbook is laid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Assignment, Evidence, Occurrence, Submission
from operations.guards import vn_date
from operations.import_values import ResultState
from operations.results import Paper, Result
from rules.values import Role, TrackingMode

CHANNEL = "tệp nhập liệu (ghi nhận sau)"
"""How the results came in, as it is said beside them (rules 19, 20)."""
_WITHOUT = " (Không còn văn bản: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a row says. ``completed_on`` is the day of completion, the document's where none is."""

    state: ResultState
    completed_on: date | None = None
    document: str | None = None
    issued_on: date | None = None
    text: str = ""
    reason: str = ""
    papers: bool = True
    """Off when no document is left, which the reason explains."""

    @property
    def told(self) -> str:
        """The text of the result as it is stored."""
        if not self.papers:
            return f"{self.text}{_WITHOUT}{self.reason})"
        return self.text or f"Ghi nhận sau theo văn bản {self.document}."

    def result(self) -> Result:
        """The result to store."""
        paper = Paper(code=self.document, issued_on=self.issued_on)
        return Result(
            text=self.told,
            papers=(paper,) if self.document else (),
            unchanged=self.state is ResultState.UNCHANGED,
            entered_channel=CHANNEL,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """The newest result of an assignment."""

    unchanged: bool
    completed_on: date
    text: str
    document: str | None
    issued_on: date | None
    by_import: bool

    @property
    def parts(self) -> tuple[str, str]:
        """The text, and why no document is left where none is; as a row says them."""
        text, found, reason = self.text.rpartition(_WITHOUT)
        return (text, reason.removesuffix(")")) if found else (self.text, "")


def differences(wanted: Wanted, filed: Filed | None) -> list[tuple[str, str]]:
    """The fields in which they differ, each with what is stored."""
    if filed is None:
        return [("state", "không có kết quả")]
    found = []
    if filed.unchanged is not (wanted.state is ResultState.UNCHANGED):
        found.append(("state", "“không thay đổi”" if filed.unchanged else "“đã hoàn thành”"))
    if filed.document != wanted.document:
        found.append(("document", f"“{filed.document or '(không có văn bản)'}”"))
    if filed.issued_on != wanted.issued_on:
        found.append(("issued", vn_date(filed.issued_on) if filed.issued_on else "(trống)"))
    if filed.completed_on != wanted.completed_on:
        found.append(("done", f"hoàn thành {vn_date(filed.completed_on)}"))
    if filed.text != wanted.told:
        found.append(("text", f"“{filed.text}”"))
    return found


class Stored:
    """Occurrences, leads and results of one plan, read once."""

    def __init__(self, session: Session, plan: str) -> None:
        found = session.scalars(select(Occurrence).where(Occurrence.plan_key == plan)).all()
        self.occurrences: Mapping[tuple[str, str], Occurrence] = {
            (one.item_key, one.period_key): one for one in found
        }
        named = {one.id: (one.item_key, one.period_key) for one in found}
        rows = session.scalars(
            select(Assignment)
            .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
            .where(Occurrence.plan_key == plan, Assignment.role == Role.LEAD.value)
        ).all()
        self._by_id = {row.id: row for row in rows}
        self._leads: dict[tuple[str, str], dict[str, Assignment]] = {}
        for row in rows:
            self._leads.setdefault(named[row.occurrence_id], {})[row.agency_key] = row
        self._filed = _filed(session, plan)

    def leads(self, key: tuple[str, str]) -> Mapping[str, Assignment]:
        """The leads of an occurrence by agency; empty when it is not there."""
        return self._leads.get(key, {})

    def is_record(self, key: tuple[str, str]) -> bool:
        """Whether an occurrence is of the year that is only recorded (rule 19)."""
        return self.occurrences[key].mode == TrackingMode.RECORD.value

    def heir_of(self, row: Assignment) -> str | None:
        """Who went on with it, by name."""
        heir = self._by_id.get(row.successor_id) if row.successor_id else None
        return heir.agency_name if heir else None

    def filed(self, assignment: int) -> Filed | None:
        """The newest result."""
        return self._filed.get(assignment)


def _filed(session: Session, plan: str) -> dict[int, Filed]:
    query = (
        select(Submission, Evidence)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
        .outerjoin(Evidence, Evidence.submission_id == Submission.id)
        .where(Occurrence.plan_key == plan, Assignment.role == Role.LEAD.value)
        .order_by(Submission.round, Submission.revision, Evidence.id.desc())
    )
    return {
        filed.assignment_id: Filed(
            unchanged=filed.unchanged,
            completed_on=filed.completed_on,
            text=filed.text,
            document=paper.document_code if paper else None,
            issued_on=paper.issued_on if paper else None,
            by_import=filed.entered_channel == CHANNEL,
        )
        for filed, paper in session.execute(query)
    }
