"""Extensions: asked with a reason and a date, decided with a reason, counted, capped (rule 23).

The first due date stays; only the date in force moves. A request waits as a row: ``asked``, then
``granted``, ``refused`` or ``withdrawn``, with ``proposed`` between where two steps are set
(rule 20); deciding is in ``operations.extension_decisions``. The assignment's row is locked first
in every step, so that two people come in turn.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import ExtensionRequest
from operations.errors import Conflict, NotFound, NotPermitted, Refused
from operations.guards import (
    need_text,
    need_working_day,
    rolled_words,
    vn_date,
)
from operations.history import Change, record, snapshot_of
from operations.stamp import Stamp
from operations.transition import Work, check_version, held_capacities, load_work
from rules.actors import Capacity
from rules.lifecycle import OPEN, STATUS_WORDS, Status
from rules.values import ItemKind, TrackingMode

_WAITING = ("asked", "proposed")
_STATE_WORDS = {
    "granted": "đã được đồng ý",
    "refused": "đã được trả lời không đồng ý",
    "withdrawn": "đã được rút",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request that was stored. ``due_on`` is ``asked_for`` after rolling; tell people both.

    ``beyond_cap`` says that a grant will need a reason of its own.
    """

    request: int
    asked_for: date
    due_on: date
    beyond_cap: bool


def ask_extension(
    session: Session,
    stamp: Stamp,
    assignment_id: int,
    *,
    until: date,
    reason: str,
    explanation: str | None = None,
    expected_version: int | None = None,
) -> Asked:
    """Ask for another date, before or after the due date.

    A decider may enter what an agency asked on paper, and then does not decide on it.

    Raises:
        NotPermitted: the work is not the actor's.
        Refused: the reason, the explanation of overdue work or a later date is missing, the work
            has no deadline to move, or another request waits.
        Conflict: the work changed meanwhile (rule 26).
    """
    work = load_work(session, assignment_id)
    row = work.assignment
    held = held_capacities(session, work, stamp)
    if not held & {Capacity.LEAD, Capacity.DECIDER}:
        msg = "Chỉ cơ quan chủ trì được đề nghị gia hạn nhiệm vụ này."
        raise NotPermitted(msg)
    check_version(work, expected_version)
    _need_deadline(work)
    why = need_text(reason, "Đề nghị nêu lý do xin gia hạn.", field="reason")
    due_on = later_date(work, until, stamp.as_of, field="until")
    overdue = stamp.as_of > row.due_on and not work.provisional
    explained = (explanation or "").strip() or None
    if overdue and explained is None:
        msg = (
            f"Nhiệm vụ đã quá hạn {vn_date(row.due_on)}; đề nghị giải trình nguyên nhân "
            "cùng với đề nghị gia hạn."
        )
        raise Refused(msg, field="explanation")
    _free_the_way(session, stamp, work)
    actor = stamp.actor
    if Capacity.LEAD not in held:
        actor = replace(actor, on_behalf_of=row.agency_key)
    request = ExtensionRequest(
        assignment_id=row.id,
        round=row.round,
        asked_at=stamp.at,
        asked_on=stamp.as_of,
        asked_by=actor.identity,
        asked_name=actor.name,
        requested_due_on=due_on,
        reason=why,
        explanation=explained,
        asked_overdue=overdue,
        state="asked",
    )
    session.add(request)
    note_request(session, replace(stamp, actor=actor), work, request, "ask", reason=why)
    beyond = row.extensions >= work.state.plan.policies.extension_cap
    return Asked(request=request.id, asked_for=until, due_on=due_on, beyond_cap=beyond)


def withdraw_extension(session: Session, stamp: Stamp, request_id: int) -> None:
    """Take back a request that is not decided yet; the agency's, or whoever entered it.

    Raises:
        NotFound: there is no such request.
        NotPermitted: the request is somebody else's.
        Conflict: it was decided meanwhile.
    """
    work, request = load_request(session, request_id)
    mine = request.asked_by == stamp.actor.identity
    if not mine and Capacity.LEAD not in held_capacities(session, work, stamp):
        msg = "Chỉ cơ quan đã đề nghị được rút đề nghị gia hạn."
        raise NotPermitted(msg)
    need_state(request, _WAITING)
    request.state = "withdrawn"
    request.decided_at, request.decided_by = stamp.at, stamp.actor.identity
    note_request(session, stamp, work, request, "withdraw")


def _need_deadline(work: Work) -> None:
    row, occurrence = work.assignment, work.occurrence
    if occurrence.kind == ItemKind.CHECK_IN or occurrence.mode != TrackingMode.FULL:
        msg = "Nội dung này không tính quá hạn nên không cần gia hạn; đề nghị cập nhật khi có kết quả."
        raise Refused(msg)
    if Status(row.status) not in OPEN:
        msg = f"Không thể đề nghị gia hạn khi trạng thái là “{STATUS_WORDS[Status(row.status)]}”."
        raise Refused(msg)


def later_date(work: Work, until: date, as_of: date, *, field: str) -> date:
    """``until`` after rolling, as the new due date of ``work``.

    Raises:
        Refused: it is not later than the date in force, or has passed for work that is open.
    """
    row = work.assignment
    due_on = need_working_day(work.state.calendar, until, field=field)
    if due_on <= row.due_on:
        msg = (
            f"Hạn mới phải sau hạn đang áp dụng {vn_date(row.due_on)}; "
            f"ngày đã nhập: {rolled_words(until, due_on)}."
        )
        raise Refused(msg, field=field)
    if due_on < as_of and Status(row.status) in OPEN:
        msg = f"Hạn mới {rolled_words(until, due_on)} đã qua; đề nghị chọn ngày từ hôm nay trở đi."
        raise Refused(msg, field=field)
    return due_on


def _free_the_way(session: Session, stamp: Stamp, work: Work) -> None:
    """One open request at a time; one of an earlier round has lost its object."""
    waiting = session.scalars(
        select(ExtensionRequest).where(
            ExtensionRequest.assignment_id == work.assignment.id,
            ExtensionRequest.state.in_(_WAITING),
        )
    ).one_or_none()
    if waiting is None:
        return
    if waiting.round == work.assignment.round:
        msg = (
            f"Đã có đề nghị gia hạn ngày {vn_date(waiting.asked_on)} đang chờ trả lời; "
            "đề nghị rút đề nghị đó trước khi gửi đề nghị mới."
        )
        raise Refused(msg)
    waiting.state, waiting.decided_at = "withdrawn", stamp.at
    waiting.decision_reason = "Nhiệm vụ đã được mở lại với hạn mới."
    note_request(session, stamp, work, waiting, "expire", reason=waiting.decision_reason)


def load_request(session: Session, request_id: int) -> tuple[Work, ExtensionRequest]:
    """A request with its work, locked until the transaction ends.

    Raises:
        NotFound: there is none.
    """
    request = session.get(ExtensionRequest, request_id)
    if request is None:
        msg = f"Không có đề nghị gia hạn số {request_id}."
        raise NotFound(msg, field="request")
    work = load_work(session, request.assignment_id)
    session.refresh(request)
    return work, request


def need_state(request: ExtensionRequest, states: tuple[str, ...]) -> None:
    """Let only a request in one of these states pass.

    Raises:
        Conflict: with the state it is in.
    """
    if request.state in states:
        return
    if request.state in _WAITING:
        word = "đang chờ lãnh đạo duyệt" if request.state == "proposed" else "chưa được đề xuất"
    else:
        word = _STATE_WORDS[request.state]
    msg = f"Đề nghị gia hạn này {word}; đề nghị tải lại trang để xem nội dung mới nhất."
    raise Conflict(msg)


def note_request(
    session: Session,
    stamp: Stamp,
    work: Work,
    request: ExtensionRequest,
    word: str,
    *,
    reason: str | None = None,
) -> None:
    """Write a step of a request into the history; ``word`` names it."""
    work.occurrence.touched = True
    session.flush()
    change = Change(
        entity="extension",
        entity_id=str(request.id),
        action=word,
        snapshot=snapshot_of(request),
        plan=work.occurrence.plan_key,
        item=work.occurrence.item_key,
        period=work.occurrence.period_key,
        agency=work.assignment.agency_key,
        reason=reason,
        document=request.document_code,
    )
    record(session, stamp, [change])
