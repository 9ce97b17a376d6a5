"""Findings of an inspection, followed until they are mended (rule 45).

``open`` → ``reported``, when the agency's report on mending it is entered → ``fixed`` or
``dropped``, by the leadership and by a document. Whoever checks reads it and changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import AgencyRow, Assignment, Finding
from operations.errors import Conflict, NotFound, NotPermitted, Refused
from operations.guards import clean_document, need_coordinator, need_text
from operations.history import Change, record, snapshot_of
from operations.stamp import Stamp
from rules.actors import AccountRole, ActorKind

STATE_WORDS = {
    "open": "Đang theo dõi",
    "reported": "Đã báo cáo khắc phục",
    "fixed": "Đã khắc phục",
    "dropped": "Thôi theo dõi",
}
_FOLLOWED = frozenset({"open", "reported"})


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFinding:
    """A finding as its conclusion states it. ``due_on`` is None when that names no day."""

    document: str
    text: str
    agency: str
    issued_on: date | None = None
    due_on: date | None = None
    assignment_id: int | None = None


def record_finding(session: Session, stamp: Stamp, new: NewFinding) -> int:
    """Enter a finding, and return its number.

    Raises:
        NotPermitted: not the coordinator.
        NotFound: there is no such agency or assignment.
        Refused: the document or the text is missing, or the conclusion is dated in the future.
    """
    need_coordinator(stamp)
    word = "Đề nghị ghi số, ký hiệu kết luận kiểm tra."
    code = need_text(clean_document(new.document), word, field="document")
    said = need_text(new.text, "Đề nghị ghi nội dung kiến nghị.", field="text")
    if session.get(AgencyRow, new.agency) is None:
        msg = f"Không có cơ quan “{new.agency}”."
        raise NotFound(msg, field="agency")
    if new.assignment_id is not None and session.get(Assignment, new.assignment_id) is None:
        msg = f"Không có phân công số {new.assignment_id}."
        raise NotFound(msg, field="assignment")
    if new.issued_on is not None and new.issued_on > stamp.as_of:
        msg = "Ngày kết luận sau hôm nay; đề nghị kiểm tra lại."
        raise Refused(msg, field="issued_on")
    row = Finding(
        document_code=code,
        issued_on=new.issued_on,
        text=said,
        agency_key=new.agency,
        assignment_id=new.assignment_id,
        due_on=new.due_on,
        state="open",
        recorded_at=stamp.at,
        recorded_by=stamp.actor.identity,
        version=0,
    )
    session.add(row)
    _note(session, stamp, row, "record", document=code)
    return row.id


def report_finding(
    session: Session, stamp: Stamp, number: int, *, report: str, document: str | None = None
) -> None:
    """Enter what the agency says it has done; it is followed on until somebody confirms it.

    Raises:
        NotPermitted: not the coordinator.
        NotFound: there is no such finding.
        Conflict: it is not followed any more.
        Refused: the report is missing.
    """
    need_coordinator(stamp)
    row = _load(session, number)
    row.report = need_text(report, "Đề nghị ghi nội dung khắc phục.", field="report")
    row.report_document = clean_document(document)
    row.state = "reported"
    _note(session, stamp, row, "report", document=row.report_document)


def close_finding(
    session: Session, stamp: Stamp, number: int, *, fixed: bool, reason: str, document: str
) -> None:
    """Say that it is mended, or followed no longer.

    Raises:
        NotPermitted: not the leadership, or whoever entered it.
        NotFound: there is no such finding.
        Conflict: it is closed already.
        Refused: the reason or the document is missing.
    """
    row = _load(session, number)
    actor = stamp.actor
    if actor.role is not AccountRole.LEADERSHIP and actor.kind is not ActorKind.OPERATOR:
        msg = "Việc xác nhận đã khắc phục do lãnh đạo cơ quan điều phối quyết định."
        raise NotPermitted(msg)
    if actor.identity == row.recorded_by:
        msg = "Người ghi kiến nghị không tự xác nhận đã khắc phục; đề nghị người khác thực hiện."
        raise NotPermitted(msg)
    why = need_text(reason, "Đề nghị nêu căn cứ kết thúc theo dõi.", field="reason")
    word = "Đề nghị ghi số, ký hiệu văn bản ghi nhận việc khắc phục."
    code = need_text(clean_document(document), word, field="document")
    row.closed_at, row.closed_by = stamp.at, actor.identity
    row.closing_reason, row.closing_document = why, code
    row.state = "fixed" if fixed else "dropped"
    _note(session, stamp, row, "fix" if fixed else "drop", reason=why, document=code)


def findings(
    session: Session, *, agency: str | None = None, states: Sequence[str] | None = None
) -> list[Finding]:
    """Findings, those with the earliest day first and those without one last."""
    query = select(Finding).order_by(Finding.due_on.is_(None), Finding.due_on, Finding.id)
    if agency is not None:
        query = query.where(Finding.agency_key == agency)
    if states is not None:
        query = query.where(Finding.state.in_(states))
    return list(session.scalars(query))


def is_overdue(row: Finding, as_of: date) -> bool:
    """Whether it should have been mended before ``as_of`` (rule 2)."""
    return row.state in _FOLLOWED and row.due_on is not None and row.due_on < as_of


def _load(session: Session, number: int) -> Finding:
    row = session.get(Finding, number, with_for_update=True, populate_existing=True)
    if row is None:
        msg = f"Không có kiến nghị số {number}."
        raise NotFound(msg, field="finding")
    if row.state not in _FOLLOWED:
        msg = f"Kiến nghị này đã kết thúc: {STATE_WORDS[row.state]}."
        raise Conflict(msg)
    return row


def _note(
    session: Session,
    stamp: Stamp,
    row: Finding,
    word: str,
    *,
    reason: str | None = None,
    document: str | None = None,
) -> None:
    row.version += 1
    session.flush()
    change = Change(
        entity="finding",
        entity_id=str(row.id),
        action=word,
        snapshot=snapshot_of(row),
        agency=row.agency_key,
        reason=reason,
        document=document,
    )
    record(session, stamp, [change])
