"""Findings of an inspection, followed until they are mended (rule 45).

``open`` → ``reported``, when the agency files that it is mended (``operations.finding_reports``)
→ ``fixed``, when the coordinator confirms it, or ``open`` again, when it is returned. The
leadership may close it by a document at any time. Whoever checks reads it and changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import AgencyRow, Assignment, Finding, FindingReport
from operations.errors import Checks, Conflict, NotFound, NotPermitted, Refused
from operations.finding_notices import forget_findings, tell_of
from operations.guards import clean_document, need_coordinator, need_text
from operations.history import Change, record, snapshot_of
from operations.stamp import Stamp
from rules.actors import AccountRole, ActorKind
from rules.digest import NoticeKind

STATE_WORDS = {
    "open": "Đang theo dõi",
    "reported": "Đã báo cáo khắc phục",
    "fixed": "Đã khắc phục",
    "dropped": "Thôi theo dõi",
}
FOLLOWED = frozenset({"open", "reported"})
"""States in which something may still be done."""


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
    checks, word = Checks(), "Đề nghị ghi số, ký hiệu kết luận kiểm tra."
    code = checks.run(lambda: need_text(clean_document(new.document), word, field="document"), "")
    if not new.agency:
        checks.add(Refused("Đề nghị chọn cơ quan phải khắc phục.", field="agency"))
    wanted = "Đề nghị ghi nội dung kiến nghị."
    said = checks.run(lambda: need_text(new.text, wanted, field="text"), "")
    checks.done()
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
        next_reminder_on=stamp.as_of if new.due_on else None,
        version=0,
    )
    session.add(row)
    note(session, stamp, row, "record", document=code)
    tell_of(session, stamp, row, NoticeKind.FINDING)
    return row.id


def close_finding(
    session: Session,
    stamp: Stamp,
    number: int,
    *,
    fixed: bool,
    reason: str,
    document: str | None = None,
    expected_version: int | None = None,
) -> None:
    """Say that it is mended, or followed no longer.

    The coordinator confirms what was reported; without a report, or to follow it no longer, the
    leadership decides, by a document.

    Raises:
        NotPermitted: neither of these, or whoever entered the finding or its report (rule 20).
        NotFound: there is no such finding.
        Conflict: it is closed already, or changed meanwhile (rule 26).
        Refused: the reason or the document is missing.
    """
    row = load_followed(session, number)
    confirms = fixed and row.state == "reported"
    _need_closer(session, stamp, row, confirms=confirms)
    if expected_version not in {None, row.version}:
        msg = "Kiến nghị này vừa được cập nhật; đề nghị tải lại trang để xem nội dung mới nhất."
        raise Conflict(msg)
    checks, word = Checks(), "Đề nghị nêu căn cứ kết thúc theo dõi."
    why = checks.run(lambda: need_text(reason, word, field="reason"), "")
    code = checks.run(lambda: _closing_document(document, needed=not confirms), None)
    checks.done()
    row.closed_at, row.closed_by = stamp.at, stamp.actor.identity
    row.closing_reason, row.closing_document = why, code
    row.state = "fixed" if fixed else "dropped"
    forget_findings(session, row)
    note(session, stamp, row, "fix" if fixed else "drop", reason=why, document=code)
    tell_of(session, stamp, row, NoticeKind.FINDING_CLOSED, said=why)


def _closing_document(text: str | None, *, needed: bool) -> str | None:
    code = clean_document(text)
    if needed:
        word = "Đề nghị ghi số, ký hiệu văn bản ghi nhận việc khắc phục."
        return need_text(code, word, field="document")
    return code


def _need_closer(session: Session, stamp: Stamp, row: Finding, *, confirms: bool) -> None:
    actor = stamp.actor
    if confirms:
        need_coordinator(stamp)
        query = (
            select(FindingReport.filed_by)
            .where(FindingReport.finding_id == row.id)
            .order_by(FindingReport.id.desc())
            .limit(1)
        )
        if session.scalar(query) == actor.identity:
            msg = "Người ghi báo cáo khắc phục không tự xác nhận; đề nghị người khác thực hiện."
            raise NotPermitted(msg)
    elif actor.role is not AccountRole.LEADERSHIP and actor.kind is not ActorKind.OPERATOR:
        msg = (
            "Kiến nghị chưa có báo cáo khắc phục, hoặc thôi theo dõi, do lãnh đạo cơ quan điều phối "
            "quyết định."
        )
        raise NotPermitted(msg)
    if actor.identity == row.recorded_by:
        msg = "Người ghi kiến nghị không tự xác nhận đã khắc phục; đề nghị người khác thực hiện."
        raise NotPermitted(msg)


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
    return row.state in FOLLOWED and row.due_on is not None and row.due_on < as_of


def unknown(number: int) -> str:
    """What is said of a finding that is not there, or is another agency's (rule 46)."""
    return f"Không có kiến nghị số {number}."


def load_followed(session: Session, number: int) -> Finding:
    """The finding, locked, while it is followed.

    Raises:
        NotFound: there is none.
        Conflict: it is closed.
    """
    row = session.get(Finding, number, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(unknown(number), field="finding")
    if row.state not in FOLLOWED:
        msg = f"Kiến nghị này đã kết thúc: {STATE_WORDS[row.state]}."
        raise Conflict(msg)
    return row


def note(
    session: Session,
    stamp: Stamp,
    row: Finding,
    word: str,
    *,
    reason: str | None = None,
    document: str | None = None,
) -> None:
    """Record a change of a finding as one event, with its snapshot (rule 37)."""
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
