"""The "công văn đôn đốc": what it would say, and that it was issued (rules 27, 37, 39).

A person writes, signs and issues it elsewhere. Here it is drawn up from what is overdue, and its
number and day are recorded afterwards, for exactly the work that it listed: that which was
overdue as known at the instant of its data.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.bulk import allocate_ids
from models.tables import Assignment, Occurrence, Urging
from operations.errors import Conflict, NotFound, Refused
from operations.guards import clean_document, need_coordinator, need_text, vn_date
from operations.history import Change, record, snapshot_of
from operations.known_at import business_date
from operations.past import as_known_at
from operations.queries import WorkRow
from operations.stamp import Stamp
from operations.standing import Standing
from operations.state import load_state
from operations.yearly_facts import coordinating, late_lines
from reports.official.offices import Issuer
from reports.official.urging import UrgingFacts
from rules.documents import check_document_code

NEEDS_CODE: Final = "Đề nghị ghi số, ký hiệu công văn đã phát hành, ví dụ 2022/SNV-CCHC."
NEEDS_DAY: Final = "Đề nghị ghi ngày ban hành công văn."


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A letter as it was issued. ``data_at`` is the instant that its annex names."""

    code: str
    issued_on: date | None
    issuer: Issuer
    data_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What was recorded; ``warning`` is a sentence about an unusual number, or empty."""

    code: str
    covers: int
    warning: str = ""


def overdue_rows(session: Session, plan: str, on: date, issuer: Issuer) -> list[WorkRow]:
    """What such a letter lists, the longest overdue first.

    The coordinator does not write to itself: its own work is in the province's letter only.
    """
    standing = Standing(session, on, {plan: load_state(session, plan)})
    ours = issuer is Issuer.COORDINATOR
    return [row for row in standing.overdue() if not (ours and standing.is_own(row))]


def urging_facts(
    session: Session,
    plan: str,
    *,
    at: datetime,
    issuer: Issuer,
    respond_by: date | None = None,
) -> UrgingFacts:
    """What the letter is made from; ``session`` holds the tables of ``at``."""
    state, on = load_state(session, plan), business_date(at)
    rows = overdue_rows(session, plan, on, issuer)
    known = state.plan
    return UrgingFacts(
        issuer=issuer,
        office=coordinating(state, on),
        plan_title=known.title,
        decision=known.decision.code,
        decision_on=known.decision.issued_on,
        issued_by=known.issued_by,
        at=at,
        on=on,
        late=late_lines(session, state, rows, on),
        respond_by=respond_by,
    )


def record_urging(session: Session, stamp: Stamp, plan: str, letter: Issued) -> Recorded:
    """Record that the letter was issued, for every assignment that it listed.

    Raises:
        NotPermitted: not the coordinator.
        NotFound: there is no such plan.
        Refused: its number or day is missing or wrong, or nothing was overdue then.
        Conflict: the same letter is recorded already.
    """
    need_coordinator(stamp)
    code = need_text(clean_document(letter.code), NEEDS_CODE, field="document")
    issued_on = _issued_on(stamp, letter)
    with as_known_at(session, letter.data_at) as then:
        day = business_date(letter.data_at)
        listed = overdue_rows(then, plan, day, letter.issuer)
    if not listed:
        msg = "Tại thời điểm của số liệu không có nhiệm vụ nào quá hạn; đề nghị kiểm tra lại."
        raise Refused(msg, field="luc")
    _refuse_twice(session, code, issued_on)
    changes = []
    above = _occurrences(session, listed)
    for number, row in zip(allocate_ids(session, "urging", len(listed)), listed, strict=True):
        made = Urging(
            id=number,
            assignment_id=row.id,
            round=row.round,
            due_on=row.due_on,
            document_code=code,
            issued_on=issued_on,
            issuer=letter.issuer.value,
            data_at=letter.data_at,
            recorded_at=stamp.at,
            recorded_by=stamp.actor.name,
            state="recorded",
        )
        session.add(made)
        changes.append(_change(made, "record", above[row.occurrence], row.agency, issued_on))
    session.flush()
    record(session, stamp, changes)
    return Recorded(code=code, covers=len(listed), warning=check_document_code(code).warning or "")


def withdraw_urging(
    session: Session, stamp: Stamp, code: str, issued_on: date, *, reason: str
) -> int:
    """Take a letter back that was recorded by mistake; the record stays in the history.

    Raises:
        NotPermitted: not the coordinator.
        NotFound: no such letter is recorded.
        Refused: a reason is missing.
    """
    need_coordinator(stamp)
    why = need_text(reason, "Đề nghị nêu lý do bỏ ghi nhận.", field="reason")
    query = (
        select(Urging, Occurrence, Assignment.agency_key)
        .join(Assignment, Assignment.id == Urging.assignment_id)
        .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
        .where(
            Urging.document_code == code,
            Urging.issued_on == issued_on,
            Urging.state == "recorded",
        )
        .order_by(Urging.id)
    )
    found = session.execute(query).all()
    if not found:
        msg = f"Không có văn bản đôn đốc {code} ngày {vn_date(issued_on)} đang được ghi nhận."
        raise NotFound(msg, field="document")
    changes = []
    for row, occurrence, agency in found:
        row.state = "withdrawn"
        changes.append(_change(row, "withdraw", occurrence, agency, None, reason=why))
    session.flush()
    record(session, stamp, changes)
    return len(found)


def _issued_on(stamp: Stamp, letter: Issued) -> date:
    if letter.issued_on is None:
        raise Refused(NEEDS_DAY, field="issued_on")
    if letter.issued_on > stamp.as_of:
        raise Refused("Ngày ban hành chưa đến; đề nghị kiểm tra lại.", field="issued_on")
    if letter.data_at > stamp.at:
        raise Refused("Thời điểm của số liệu chưa đến; đề nghị kiểm tra lại.", field="luc")
    taken = business_date(letter.data_at)
    if letter.issued_on < taken:
        msg = (
            f"Ngày ban hành {vn_date(letter.issued_on)} trước ngày của số liệu {vn_date(taken)}; "
            "đề nghị kiểm tra lại."
        )
        raise Refused(msg, field="issued_on")
    return letter.issued_on


def _refuse_twice(session: Session, code: str, issued_on: date) -> None:
    query = select(Urging).where(
        Urging.document_code == code, Urging.issued_on == issued_on, Urging.state == "recorded"
    )
    known = session.scalars(query.limit(1)).one_or_none()
    if known is not None:
        msg = (
            f"Công văn {code} ngày {vn_date(issued_on)} đã được {known.recorded_by} ghi nhận; "
            "chưa ghi gì thêm."
        )
        raise Conflict(msg)


def _occurrences(session: Session, rows: list[WorkRow]) -> dict[int, Occurrence]:
    wanted = sorted({row.occurrence for row in rows})
    found = session.scalars(select(Occurrence).where(Occurrence.id.in_(wanted)))
    return {one.id: one for one in found}


def _change(
    row: Urging,
    word: str,
    above: Occurrence,
    agency: str,
    effective_on: date | None,
    *,
    reason: str | None = None,
) -> Change:
    return Change(
        entity="urging",
        entity_id=str(row.id),
        action=word,
        snapshot=snapshot_of(row),
        effective_on=effective_on,
        plan=above.plan_key,
        item=above.item_key,
        period=above.period_key,
        agency=agency,
        reason=reason,
        document=row.document_code,
    )
