"""Vướng mắc: raised by an agency, answered, or brought to the superior and back (rule 42).

``raised`` → ``answered`` by the coordinator; or ``raised`` → ``consolidated`` in a document to
UBND tỉnh → ``answered`` with what came back; then ``closed``. Raising one stops no clock.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Assignment, Obstacle, Occurrence
from operations.acting import tell
from operations.errors import Conflict, NotFound, NotPermitted, Refused
from operations.guards import clean_document, need_coordinator, need_text
from operations.history import Change, record, snapshot_of
from operations.notices import add_loose_notice
from operations.stamp import Stamp
from operations.state import load_directory
from operations.transition import held_capacities, load_work
from rules.actors import AccountRole, Capacity
from rules.digest import NoticeKind
from rules.values import Audience

STATE_WORDS = {
    "raised": "Đã phản ánh",
    "answered": "Đã trả lời",
    "consolidated": "Đã tổng hợp, báo cáo cấp trên",
    "closed": "Đã kết thúc",
}
_RAISING = frozenset({Capacity.LEAD, Capacity.PARTNER})
_COORDINATING = frozenset({AccountRole.COORDINATOR, AccountRole.LEADERSHIP})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer, with the document that holds it where there is one."""

    text: str
    document: str | None = None


def raise_obstacle(
    session: Session, stamp: Stamp, *, text: str, assignment_id: int | None = None
) -> int:
    """Tell of an obstacle, about one assignment or in general, and return its number.

    The coordinator may enter what an agency told another way about one of its assignments.

    Raises:
        NotPermitted: the assignment is another agency's, or the actor belongs to none.
        Refused: the text is missing.
    """
    said = need_text(text, "Đề nghị nêu nội dung vướng mắc, kiến nghị.", field="text")
    agency = stamp.actor.agency
    if assignment_id is not None:
        work = load_work(session, assignment_id)
        if not held_capacities(session, work, stamp) & (_RAISING | {Capacity.DECIDER}):
            msg = "Chỉ cơ quan được giao nhiệm vụ được phản ánh vướng mắc về nhiệm vụ này."
            raise NotPermitted(msg)
        agency = work.assignment.agency_key
        work.occurrence.touched = True
    if agency is None or stamp.actor.role is AccountRole.AUDITOR:
        msg = "Vướng mắc do cơ quan được giao nhiệm vụ phản ánh; tài khoản này không thuộc cơ quan nào."
        raise NotPermitted(msg)
    row = Obstacle(
        assignment_id=assignment_id,
        agency_key=agency,
        text=said,
        raised_at=stamp.at,
        raised_by=stamp.actor.identity,
        state="raised",
        version=0,
    )
    session.add(row)
    session.flush()
    _note(session, stamp, row, "raise")
    return row.id


def answer_obstacle(
    session: Session,
    stamp: Stamp,
    obstacle_id: int,
    answer: Answer,
    *,
    expected_version: int | None = None,
) -> None:
    """Answer an obstacle; for one that was consolidated, with what the superior answered.

    Raises:
        NotFound: there is no such obstacle.
        NotPermitted: not the coordinator, or whoever raised it.
        Refused: the text is missing, or a superior's answer comes without its document.
        Conflict: it was answered or closed already, or changed meanwhile (rule 26).
    """
    need_coordinator(stamp)
    row = _load(session, obstacle_id, expected_version, states=("raised", "consolidated"))
    if row.raised_by == stamp.actor.identity:
        msg = "Người đã phản ánh hoặc nhập thay vướng mắc không tự trả lời vướng mắc đó."
        raise NotPermitted(msg)
    said = need_text(answer.text, "Đề nghị ghi nội dung trả lời.", field="text")
    document = clean_document(answer.document)
    if row.state == "consolidated" and document is None:
        msg = "Trả lời của cấp trên cần có số, ký hiệu văn bản."
        raise Refused(msg, field="document")
    row.answer, row.answer_document = said, document
    row.answered_at, row.answered_by = stamp.at, stamp.actor.identity
    row.state = "answered"
    _note(session, stamp, row, "answer", document=document)
    note = {"note": f"{said} (văn bản {document})" if document else said}
    if row.assignment_id is not None:
        work = load_work(session, row.assignment_id)
        tell(session, stamp, work, "obstacle_answered", at_once=False, payload=note)
    elif load_directory(session).letters_on(row.agency_key, stamp.as_of):
        add_loose_notice(
            session,
            stamp,
            kind=NoticeKind.OBSTACLE_ANSWERED,
            agency_key=row.agency_key,
            audience=Audience.FOCAL,
            payload={"obstacle": row.id, **note},
        )


def answer_consolidated(
    session: Session,
    stamp: Stamp,
    answer: Answer,
    *,
    sent: str,
    seen: Collection[int] | None = None,
) -> int:
    """Return the superior's answer to everybody whose obstacle went up in the document ``sent``.

    ``seen`` are the numbers that whoever answers had before their eyes; None asks nothing.

    Raises:
        NotPermitted, Refused: as :func:`answer_obstacle`.
        NotFound: no obstacle of that document waits for an answer.
        Conflict: others wait now than those that were seen (rule 26).
    """
    need_coordinator(stamp)
    code = need_text(clean_document(sent), "Đề nghị ghi số văn bản đã tổng hợp.", field="sent")
    numbers = session.scalars(
        select(Obstacle.id)
        .where(Obstacle.document_code == code, Obstacle.state == "consolidated")
        .order_by(Obstacle.id)
    ).all()
    if not numbers:
        msg = f"Không có vướng mắc nào của văn bản {code} đang chờ trả lời."
        raise NotFound(msg, field="sent")
    if seen is not None and set(seen) != set(numbers):
        msg = (
            f"Danh sách vướng mắc chờ trả lời của văn bản {code} vừa thay đổi; "
            "đề nghị xem lại danh sách dưới đây rồi gửi lại."
        )
        raise Conflict(msg)
    for number in numbers:
        answer_obstacle(session, stamp, number, answer)
    return len(numbers)


def consolidate_obstacles(
    session: Session, stamp: Stamp, obstacle_ids: Sequence[int], *, document: str
) -> int:
    """Bring several obstacles to UBND tỉnh by one document; returns how many.

    Raises:
        NotFound: there is no such obstacle.
        NotPermitted: not the coordinator.
        Refused: the document is missing, or no obstacle is named.
        Conflict: one of them is no longer waiting; none was changed.
    """
    need_coordinator(stamp)
    code = need_text(
        clean_document(document),
        "Đề nghị ghi số, ký hiệu văn bản tổng hợp, báo cáo UBND tỉnh.",
        field="document",
    )
    if not obstacle_ids:
        msg = "Đề nghị chọn ít nhất một vướng mắc để tổng hợp."
        raise Refused(msg, field="obstacles")
    numbers = sorted(set(obstacle_ids))
    rows = [_load(session, number, None, states=("raised",)) for number in numbers]
    for row in rows:
        row.document_code, row.state = code, "consolidated"
        _note(session, stamp, row, "consolidate", document=code)
    return len(rows)


def close_obstacle(
    session: Session,
    stamp: Stamp,
    obstacle_id: int,
    *,
    reason: str | None = None,
    expected_version: int | None = None,
) -> None:
    """End an obstacle: after its answer, or, by the agency that raised it, without one.

    Raises:
        NotFound: there is none, or it is another agency's (rule 46).
        NotPermitted: an auditor's account, or the coordinator before there is an answer.
        Refused: it is taken back without a reason.
        Conflict: it is closed already, or changed meanwhile (rule 26).
    """
    actor = stamp.actor
    seen = session.get(Obstacle, obstacle_id)
    if seen is None or (actor.agency != seen.agency_key and actor.role not in _COORDINATING):
        raise NotFound(_unknown(obstacle_id), field="obstacle")
    states = ("raised", "answered", "consolidated")
    row = _load(session, obstacle_id, expected_version, states=states)
    if actor.role is AccountRole.AUDITOR:
        msg = "Tài khoản kiểm tra chỉ xem, không thay đổi nội dung."
        raise NotPermitted(msg)
    if row.state != "answered":
        if actor.agency != row.agency_key:
            msg = "Vướng mắc chưa được trả lời; đề nghị trả lời trước khi kết thúc."
            raise NotPermitted(msg)
        need_text(reason, "Đề nghị nêu lý do rút vướng mắc khi chưa có trả lời.", field="reason")
    row.state = "closed"
    _note(session, stamp, row, "close", reason=reason)


def _unknown(number: int) -> str:
    return f"Không có vướng mắc số {number}."


def _load(
    session: Session, number: int, expected: int | None, *, states: tuple[str, ...]
) -> Obstacle:
    row = session.get(Obstacle, number, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(_unknown(number), field="obstacle")
    if row.state not in states or expected not in {None, row.version}:
        msg = (
            f"Vướng mắc số {number} đang ở trạng thái “{STATE_WORDS[row.state]}”; "
            "đề nghị tải lại trang để xem nội dung mới nhất."
        )
        raise Conflict(msg)
    return row


def _note(
    session: Session,
    stamp: Stamp,
    row: Obstacle,
    word: str,
    *,
    reason: str | None = None,
    document: str | None = None,
) -> None:
    row.version += 1
    session.flush()
    assignment = session.get(Assignment, row.assignment_id) if row.assignment_id else None
    occurrence = session.get(Occurrence, assignment.occurrence_id) if assignment else None
    change = Change(
        entity="obstacle",
        entity_id=str(row.id),
        action=word,
        snapshot=snapshot_of(row),
        plan=occurrence.plan_key if occurrence else None,
        item=occurrence.item_key if occurrence else None,
        period=occurrence.period_key if occurrence else None,
        agency=row.agency_key,
        reason=reason,
        document=document,
    )
    record(session, stamp, [change])
