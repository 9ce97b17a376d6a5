""" "Báo cáo ngoại lệ": what an auditor asks for first, each with who, when and on which paper."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, String, and_, cast, exists, func, literal, or_, select
from sqlalchemy.orm import Session

from models.tables import (
    AccessLog,
    Assignment,
    Evidence,
    ExtensionRequest,
    Occurrence,
    Submission,
)
from rules.lifecycle import Status


class Exceptional(StrEnum):
    """What stands out, and what people read for it in :data:`EXCEPTION_WORDS`."""

    SELF_CONFIRMED = "self_confirmed"
    """The coordinator's own work, decided by its own leadership (rule 20)."""
    ENTERED = "entered"
    """"Nhập thay" (rule 20)."""
    LATE_ENTRY = "late_entry"
    """Entered long after the document (rule 21)."""
    ASKED_OVERDUE = "asked_overdue"
    """An extension asked when the work was overdue (rule 23)."""
    REPEATED_FILE = "repeated_file"
    """A file with the same content was filed for other work as well."""
    MOVED_DATE = "moved_date"
    """The date in force is not the original one (rule 4)."""
    UNSEEN = "unseen"
    """Confirmed by somebody who had not opened a file of the result."""


EXCEPTION_WORDS: Final = {
    Exceptional.SELF_CONFIRMED: "Cơ quan điều phối tự xác nhận",
    Exceptional.ENTERED: "Nhập thay cơ quan",
    Exceptional.LATE_ENTRY: "Cập nhật chậm",
    Exceptional.ASKED_OVERDUE: "Xin gia hạn khi đã quá hạn",
    Exceptional.REPEATED_FILE: "Tệp trùng với kết quả khác",
    Exceptional.MOVED_DATE: "Hạn đã thay đổi",
    Exceptional.UNSEEN: "Xác nhận khi chưa mở tệp",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One exception: the work, when, who, and the facts in words. ``at`` may be missing."""

    kind: Exceptional
    assignment: int
    item: str
    period: str
    agency_name: str
    at: datetime | None
    who: str | None
    facts: str
    document: str | None


def exceptions(
    session: Session,
    *,
    plan: str | None = None,
    year: int | None = None,
    agency: str | None = None,
    kinds: tuple[Exceptional, ...] = tuple(Exceptional),
) -> list[Found]:
    """Every exception of the kinds asked for, kind by kind, the newest work last."""
    narrowed = [] if plan is None else [Occurrence.plan_key == plan]
    if year is not None:
        within = (Occurrence.period_key == str(year), Occurrence.period_key.like(f"{year}-%"))
        narrowed.append(or_(*within))
    if agency is not None:
        narrowed.append(Assignment.agency_key == agency)
    return [one for kind in kinds for one in _FINDERS[kind](session, narrowed)]


_Narrowed = list[ColumnElement[bool]]


def _work(*columns: Any) -> Select[Any]:
    """Assignments with their occurrence, and ``columns`` beside them."""
    return (
        select(
            Assignment.id,
            Occurrence.item_key,
            Occurrence.period_key,
            Assignment.agency_name,
            *columns,
        )
        .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
        .order_by(Occurrence.period_first, Occurrence.item_key, Assignment.agency_name)
    )


def _found(
    kind: Exceptional,
    row: Any,
    *,
    at: datetime | None,
    who: str | None,
    facts: str,
    document: str | None = None,
) -> Found:
    return Found(
        kind=kind,
        assignment=row.id,
        item=row.item_key,
        period=row.period_key,
        agency_name=row.agency_name,
        at=at,
        who=who,
        facts=facts,
        document=document,
    )


def _self_confirmed(session: Session, narrowed: _Narrowed) -> Iterator[Found]:
    query = _work(Assignment.confirmed_at, Assignment.confirmed_by).where(
        Assignment.self_confirmed, *narrowed
    )
    for row in session.execute(query):
        facts = "Kết quả của cơ quan điều phối do lãnh đạo chính cơ quan đó quyết định."
        yield _found(
            Exceptional.SELF_CONFIRMED, row, at=row.confirmed_at, who=row.confirmed_by, facts=facts
        )


def _results(*columns: Any) -> Select[Any]:
    shown = (Submission.submitted_at, Submission.stated_name, Submission.completed_on)
    return _work(*shown, *columns).join(Submission, Submission.assignment_id == Assignment.id)


def _entered(session: Session, narrowed: _Narrowed) -> Iterator[Found]:
    query = _results(Submission.entered_channel, Submission.entered_number).where(
        Submission.entered_channel.is_not(None), *narrowed
    )
    for row in session.execute(query):
        facts = f"Nhận qua: {row.entered_channel}."
        yield _found(
            Exceptional.ENTERED,
            row,
            at=row.submitted_at,
            who=row.stated_name,
            facts=facts,
            document=row.entered_number and f"số đến {row.entered_number}",
        )


def _late_entry(session: Session, narrowed: _Narrowed) -> Iterator[Found]:
    issued = (
        select(func.max(Evidence.issued_on))
        .where(Evidence.submission_id == Submission.id)
        .correlate(Submission)
        .scalar_subquery()
    )
    query = _results(issued.label("issued_on")).where(Submission.late_entry, *narrowed)
    for row in session.execute(query):
        facts = (
            f"Văn bản ngày {_day(row.issued_on)}, cập nhật ngày {_day(row.completed_on)}; "
            "tính hoàn thành theo ngày cập nhật."
        )
        yield _found(
            Exceptional.LATE_ENTRY, row, at=row.submitted_at, who=row.stated_name, facts=facts
        )


def _asked_overdue(session: Session, narrowed: _Narrowed) -> Iterator[Found]:
    asked = ExtensionRequest
    query = (
        _work(asked.asked_at, asked.asked_name, asked.requested_due_on, asked.state)
        .add_columns(asked.explanation, asked.document_code)
        .join(asked, asked.assignment_id == Assignment.id)
        .where(asked.asked_overdue, *narrowed)
    )
    for row in session.execute(query):
        yield _found(
            Exceptional.ASKED_OVERDUE,
            row,
            at=row.asked_at,
            who=row.asked_name,
            facts=f"Xin đến {_day(row.requested_due_on)}. Giải trình: {row.explanation or '(không có)'}",
            document=row.document_code,
        )


def _repeated(session: Session, narrowed: _Narrowed) -> Iterator[Found]:
    """The same content for another assignment; what a successor took over is no repetition."""
    live = Assignment.status != Status.TRANSFERRED
    repeated = (
        select(Evidence.sha256)
        .join(Submission, Submission.id == Evidence.submission_id)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .where(Evidence.sha256.is_not(None), live)
        .group_by(Evidence.sha256)
        .having(func.count(func.distinct(Submission.assignment_id)) > 1)
    )
    query = (
        _results(Evidence.sha256, Evidence.file_name, Evidence.document_code, Submission.unchanged)
        .join(Evidence, Evidence.submission_id == Submission.id)
        .where(Evidence.sha256.in_(repeated), live, *narrowed)
        .order_by(None)
        .order_by(Evidence.sha256, Submission.id)
    )
    for row in session.execute(query):
        again = " (ghi “không thay đổi so với năm trước”)" if row.unchanged else ""
        yield _found(
            Exceptional.REPEATED_FILE,
            row,
            at=row.submitted_at,
            who=row.stated_name,
            facts=f"Tệp {row.file_name}, SHA-256 {row.sha256[:16]}…{again}",
            document=row.document_code,
        )


def _moved(session: Session, narrowed: _Narrowed) -> Iterator[Found]:
    own = Assignment
    query = _work(own.original_due_on, own.due_on, own.extensions, own.round, own.document_code)
    query = query.where(own.due_on != own.original_due_on, *narrowed)
    for row in session.execute(query):
        facts = f"Từ {_day(row.original_due_on)} thành {_day(row.due_on)}"
        facts += f"; gia hạn {row.extensions} lần" if row.extensions else ""
        facts += f"; mở lại, lần thực hiện thứ {row.round}" if row.round > 1 else ""
        yield _found(
            Exceptional.MOVED_DATE, row, at=None, who=None, facts=facts, document=row.document_code
        )


def _unseen(session: Session, narrowed: _Narrowed) -> Iterator[Found]:
    """Confirmed results with a file that the confirmer had not opened before (access log)."""
    opened = exists().where(
        AccessLog.method == "FILE",
        AccessLog.actor == Assignment.confirmed_by,
        AccessLog.at <= Assignment.confirmed_at,
        AccessLog.path == literal("evidence/").concat(cast(Evidence.id, String)),
    )
    counted = select(func.count(Evidence.id)).where(
        and_(
            Evidence.submission_id == Submission.id,
            Evidence.sha256.is_not(None),
            ~opened,
        )
    )
    unseen = counted.correlate(Submission, Assignment).scalar_subquery()
    query = _results(
        Assignment.confirmed_at, Assignment.confirmed_by, unseen.label("unseen")
    ).where(
        Submission.outcome == "confirmed",
        Submission.round == Assignment.round,
        Assignment.confirmed_by.like("account:%"),
        unseen > 0,
        *narrowed,
    )
    rows = session.execute(query).all()
    together: dict[tuple[Any, Any], int] = {}
    for row in rows:
        act = (row.confirmed_at, row.confirmed_by)
        together[act] = together.get(act, 0) + 1
    for row in rows:
        count = together[row.confirmed_at, row.confirmed_by]
        facts = f"{row.unseen} tệp chưa được người xác nhận mở trước khi xác nhận"
        facts += f"; xác nhận cùng lúc {count} việc." if count > 1 else "."
        yield _found(
            Exceptional.UNSEEN, row, at=row.confirmed_at, who=row.confirmed_by, facts=facts
        )


_FINDERS: Final[dict[Exceptional, Callable[[Session, _Narrowed], Iterator[Found]]]] = {
    Exceptional.SELF_CONFIRMED: _self_confirmed,
    Exceptional.ENTERED: _entered,
    Exceptional.LATE_ENTRY: _late_entry,
    Exceptional.ASKED_OVERDUE: _asked_overdue,
    Exceptional.REPEATED_FILE: _repeated,
    Exceptional.MOVED_DATE: _moved,
    Exceptional.UNSEEN: _unseen,
}


def _day(day: date | None) -> str:
    return "(không rõ)" if day is None else f"{day.day}/{day.month}/{day.year}"
