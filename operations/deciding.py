"""Deciding on work: confirm, return, suspend, cover, reopen, end (rules 13, 20, 22, 25)."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from models.tables import Assignment
from operations.acting import ActRequest, is_own, tell, tell_date
from operations.errors import Checks, NotPermitted, Refused
from operations.guards import need_working_day
from operations.results import set_outcome
from operations.stamp import Stamp
from operations.transition import Work, apply
from rules.actors import Capacity
from rules.lifecycle import Action, Status
from rules.values import LeadMode, Role


def _refuse_self(stamp: Stamp, row: Assignment) -> None:
    if stamp.actor.identity == row.submitted_by:
        msg = "Người đã cập nhật hoặc nhập thay kết quả không tự xác nhận hay trả lại kết quả đó."
        raise NotPermitted(msg)


def return_for_more(
    session: Session, stamp: Stamp, work: Work, held: frozenset[Capacity], asked: ActRequest
) -> None:
    """Ask for more by a day that moves reminders only (rule 22)."""
    row, state = work.assignment, work.state
    _refuse_self(stamp, row)
    calendar, days = state.calendar, state.plan.policies.respond_workdays
    respond_by = (
        need_working_day(calendar, asked.respond_by, field="respond_by")
        if asked.respond_by
        else calendar.add(stamp.as_of, days)
    )
    if respond_by <= stamp.as_of:
        msg = "Ngày đề nghị bổ sung phải sau hôm nay."
        raise Refused(msg, field="respond_by")
    set_outcome(session, work, "returned")
    apply(
        session,
        stamp,
        work,
        Action.RETURN,
        held=held,
        changes={"respond_by": respond_by, "returns": row.returns + 1},
        reason=asked.reason,
        document=asked.document,
        reset_ladder=True,
        skip_past_rungs=True,
    )
    payload = {"reason": asked.reason, "respond_by": respond_by.isoformat()}
    tell(session, stamp, work, "returned", payload=payload)


def confirm(
    session: Session, stamp: Stamp, work: Work, held: frozenset[Capacity], asked: ActRequest
) -> None:
    """Confirm a result; never by whoever filed it."""
    _refuse_self(stamp, work.assignment)
    set_outcome(session, work, "confirmed")
    apply(
        session,
        stamp,
        work,
        Action.CONFIRM,
        held=held,
        changes={
            "confirmed_at": stamp.at,
            "confirmed_on": stamp.as_of,
            "confirmed_by": stamp.actor.identity,
            "self_confirmed": is_own(work, stamp),
        },
        reason=asked.reason,
        document=asked.document,
    )
    tell(session, stamp, work, "confirmed", at_once=False)


def suspend(
    session: Session, stamp: Stamp, work: Work, held: frozenset[Capacity], asked: ActRequest
) -> None:
    """Stop the ladder and the clock, by a document."""
    if not (asked.document or "").strip():
        msg = "Tạm dừng cần có văn bản: đề nghị ghi số, ký hiệu văn bản cho phép tạm dừng."
        checks = Checks()
        if not (asked.reason or "").strip():
            checks.add(Refused("Đề nghị nêu lý do tạm dừng.", field="reason"))
        checks.add(Refused(msg, field="document"))
        checks.done()
    apply(
        session,
        stamp,
        work,
        Action.SUSPEND,
        held=held,
        changes={"suspended_on": stamp.as_of},
        reason=asked.reason,
        document=asked.document,
    )


def resume(
    session: Session, stamp: Stamp, work: Work, held: frozenset[Capacity], asked: ActRequest
) -> None:
    """Back to work; after a suspension the clock goes on where it stood (rule 20)."""
    row, calendar = work.assignment, work.state.calendar
    changes: dict[str, Any] = {}
    previous = row.due_on
    if row.status == Status.SUSPENDED and row.suspended_on is not None:
        stood = max(0, calendar.between(row.suspended_on, stamp.as_of))
        changes = {"due_on": calendar.add(row.due_on, stood), "suspended_on": None}
        if row.respond_by is not None:
            changes["respond_by"] = calendar.add(row.respond_by, stood)
    apply(
        session,
        stamp,
        work,
        Action.RESUME,
        held=held,
        changes=changes,
        reason=asked.reason,
        document=asked.document,
        reset_ladder="due_on" in changes,
        skip_past_rungs="due_on" in changes,
    )
    tell_date(session, stamp, work, previous, reason=asked.reason, document=asked.document)


def cover(
    session: Session, stamp: Stamp, work: Work, held: frozenset[Capacity], asked: ActRequest
) -> None:
    """One plan together: covered by another lead's document; circles are refused (rule 13)."""
    row = work.assignment
    if work.occurrence.lead_mode != LeadMode.JOINT_OR_SEPARATE:
        msg = "Nhiệm vụ này không cho phép thực hiện chung trong văn bản của cơ quan khác."
        raise Refused(msg)
    other = session.get(Assignment, asked.covered_by) if asked.covered_by else None
    same = (
        other is not None
        and other.occurrence_id == row.occurrence_id
        and other.role == Role.LEAD
        and other.id != row.id
    )
    if other is None or not same:
        msg = "Đề nghị chọn một cơ quan chủ trì khác của cùng nhiệm vụ, cùng kỳ."
        raise Refused(msg, field="covered_by")
    step: Assignment | None = other
    while step is not None:
        if step.id == row.id:
            msg = (
                f"{other.agency_name} đã khai thực hiện chung trong văn bản của chính cơ quan này."
            )
            raise Refused(msg, field="covered_by")
        step = session.get(Assignment, step.covered_by_id) if step.covered_by_id else None
    apply(
        session,
        stamp,
        work,
        Action.COVER,
        held=held,
        changes={"covered_by_id": other.id, "respond_by": None},
        reason=asked.reason,
        document=asked.document,
    )


def need_new_due_date(stamp: Stamp, work: Work, asked: ActRequest) -> date:
    """The due date of a new round, on a working day.

    Raises:
        Refused: there is none, it is not after today, or nobody knows the days off of its year.
    """
    if asked.due_on is None or asked.due_on <= stamp.as_of:
        msg = "Mở lại cần hạn mới, sau hôm nay, dạng ngày/tháng/năm."
        raise Refused(msg, field="due_on")
    return need_working_day(work.state.calendar, asked.due_on, field="due_on")


def reopen(
    session: Session, stamp: Stamp, work: Work, held: frozenset[Capacity], asked: ActRequest
) -> None:
    """A new round with a new due date; the first completion stays in history (rule 25)."""
    due_on = need_new_due_date(stamp, work, asked)
    previous = work.assignment.due_on
    empty: dict[str, Any] = dict.fromkeys(
        (
            "submitted_at",
            "submitted_on",
            "submitted_by",
            "completed_on",
            "confirmed_at",
            "confirmed_on",
            "confirmed_by",
            "covered_by_id",
            "respond_by",
        )
    )
    apply(
        session,
        stamp,
        work,
        Action.REOPEN,
        held=held,
        changes=empty
        | {
            "round": work.assignment.round + 1,
            "due_on": due_on,
            "late_entry": False,
            "self_confirmed": False,
            "sampled": False,
        },
        reason=asked.reason,
        document=asked.document,
        reset_ladder=True,
    )
    tell_date(session, stamp, work, previous, reason=asked.reason, document=asked.document)
    tell(session, stamp, work, "opened", at_once=False, payload={"note": asked.reason})
