"""Who takes part: agencies added to or dropped from one occurrence (rule 12).

The catalog says who takes part in an item; here the coordinator departs from it for one period,
with a reason that stays in the history. Letters and pilots are in ``operations.letter_switches``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Assignment, Occurrence
from operations.act import ActRequest, ActResult, act
from operations.acting import tell
from operations.errors import NotFound, Refused
from operations.guards import (
    need_coordinator,
    need_own_document,
    need_text,
    need_working_day,
    rolled_words,
    vn_date,
)
from operations.history import Change, record, snapshot_of
from operations.stamp import Stamp
from operations.state import PlanState, load_state
from operations.transition import Work, apply, set_next_reminder
from rules.actors import Capacity
from rules.directory import UnknownAgency
from rules.lifecycle import STATUS_WORDS, Action, Status
from rules.values import Agency, DateAuthority, LeadMode, Role, TrackingMode

_GONE = frozenset({Status.CANCELLED, Status.TRANSFERRED})
_ANEW = (
    *("submitted_at", "submitted_on", "submitted_by", "completed_on", "confirmed_at"),
    *("confirmed_on", "confirmed_by", "covered_by_id", "respond_by", "suspended_on", "handler"),
    *("request_text", "request_form", "request_document", "requested_by"),
)
"""What an agency that takes part again begins without; the history keeps it."""
_ROLE_WORDS = {Role.LEAD: "chủ trì", Role.PARTNER: "phối hợp"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """An agency to add. ``due_on`` None takes the date of the occurrence."""

    agency: str
    role: Role
    reason: str
    document: str | None = None
    due_on: date | None = None


def add_agency(session: Session, stamp: Stamp, occurrence_id: int, addition: Addition) -> int:
    """Let one more agency take part in one occurrence, and return its assignment (rule 12).

    Raises:
        NotFound: there is no such occurrence or agency.
        NotPermitted: not the coordinator.
        Refused: a reason is missing, the agency takes part already or does not exist on this day,
            the item has one lead only, or the date has passed and no other is given.
    """
    need_coordinator(stamp)
    occurrence = session.get(Occurrence, occurrence_id, with_for_update=True)
    if occurrence is None:
        msg = f"Không có kỳ thực hiện số {occurrence_id}."
        raise NotFound(msg, field="occurrence")
    why = need_text(addition.reason, "Đề nghị nêu lý do bổ sung cơ quan.", field="reason")
    state = load_state(session, occurrence.plan_key)
    agency = _existing_agency(state, addition.agency, stamp.as_of)
    rows = session.scalars(
        select(Assignment).where(Assignment.occurrence_id == occurrence.id).order_by(Assignment.id)
    ).all()
    dropped = _check_free(occurrence, rows, agency, addition.role)
    row = _new_row(stamp, state, occurrence, rows, agency=agency, addition=addition)
    if dropped is not None:
        work = _take_back(session, stamp, state, occurrence, dropped, like=row, why=why)
    else:
        work = _take_in(session, stamp, state, occurrence, row, why=why)
    row = work.assignment
    if addition.role is Role.LEAD and occurrence.mode != TrackingMode.IMPORTED:
        kind = "record_invite" if occurrence.mode == TrackingMode.RECORD else "opened"
        tell(session, stamp, work, kind, at_once=False)
    return row.id


def _take_in(
    session: Session,
    stamp: Stamp,
    state: PlanState,
    occurrence: Occurrence,
    row: Assignment,
    *,
    why: str,
) -> Work:
    session.add(row)
    occurrence.touched = True
    session.flush()
    work = Work(state=state, occurrence=occurrence, assignment=row)
    set_next_reminder(work, skip_until=stamp.as_of)
    session.flush()
    change = Change(
        entity="assignment",
        entity_id=str(row.id),
        action="add",
        snapshot=snapshot_of(row),
        plan=occurrence.plan_key,
        item=occurrence.item_key,
        period=occurrence.period_key,
        agency=row.agency_key,
        reason=why,
        document=row.document_code,
    )
    record(session, stamp, [change])
    return work


def _take_back(
    session: Session,
    stamp: Stamp,
    state: PlanState,
    occurrence: Occurrence,
    row: Assignment,
    *,
    like: Assignment,
    why: str,
) -> Work:
    """Let an agency that was dropped take part again: its one row, in a new round (rules 10, 12)."""
    work = Work(state=state, occurrence=occurrence, assignment=row)
    row.status_before = like.status
    dates = ("nominal_due_on", "original_due_on", "due_on", "authority", "document_code")
    changes: dict[str, object] = dict.fromkeys(_ANEW)
    changes |= {name: getattr(like, name) for name in (*dates, "agency_name")}
    changes |= {"round": row.round + 1, "status_before": None}
    changes |= {"late_entry": False, "self_confirmed": False, "sampled": False}
    changes |= {"extensions": 0, "returns": 0}
    apply(
        session,
        stamp,
        work,
        Action.REASSIGN,
        held=frozenset({Capacity.SYSTEM}),
        changes=changes,
        reason=why,
        document=like.document_code,
        reset_ladder=True,
        skip_past_rungs=True,
    )
    return work


def drop_agency(
    session: Session,
    stamp: Stamp,
    assignment_id: int,
    *,
    reason: str,
    document: str | None = None,
    expected_version: int | None = None,
) -> ActResult:
    """Take an agency out of one occurrence: its work there is cancelled (rule 12).

    Where cancelling takes two steps, the result holds a proposal (rule 20).

    Raises:
        Refused: a reason is missing.
        rules.lifecycle.ActionNotAllowed: not the coordinator, or the work has ended.
        Conflict: the work changed meanwhile (rule 26).
    """
    request = ActRequest(reason=reason, document=document, expected_version=expected_version)
    return act(session, stamp, assignment_id, Action.CANCEL, request)


def _existing_agency(state: PlanState, key: str, on: date) -> Agency:
    try:
        agency = state.directory.agency(key)
    except UnknownAgency as error:
        msg = f"Không có cơ quan “{key}”."
        raise NotFound(msg, field="agency") from error
    if not agency.valid_on(on):
        heirs = [state.directory.agency(one).name for one in state.directory.follow(key, on)]
        advice = f"; cơ quan kế thừa: {', '.join(heirs)}" if heirs else ""
        msg = f"{agency.name} không hoạt động ngày {vn_date(on)}{advice}."
        raise Refused(msg, field="agency")
    return agency


def _check_free(
    occurrence: Occurrence, rows: Sequence[Assignment], agency: Agency, role: Role
) -> Assignment | None:
    """The agency's row that was dropped before, where there is one; refuses whoever takes part."""
    dropped = None
    for row in rows:
        if row.agency_key != agency.key:
            continue
        status = Status(row.status)
        if row.role == role and status is Status.CANCELLED:
            dropped = row
            continue
        if row.role == role and status in _GONE:
            msg = (
                f"{agency.name} đã có trong kỳ này với trạng thái “{STATUS_WORDS[status]}”; "
                "công việc đang do cơ quan tiếp nhận thực hiện."
            )
            raise Refused(msg, field="agency")
        both = occurrence.lead_mode == LeadMode.EACH
        if row.role == role or (status not in _GONE and not both):
            msg = f"{agency.name} đã là cơ quan {_ROLE_WORDS[Role(row.role)]} trong kỳ này."
            raise Refused(msg, field="agency")
    leads = [one for one in rows if one.role == Role.LEAD and Status(one.status) not in _GONE]
    if role is Role.LEAD and occurrence.lead_mode == LeadMode.SINGLE and leads:
        msg = (
            f"Nhiệm vụ này do một cơ quan chủ trì, hiện là {leads[0].agency_name}; đề nghị thôi "
            "theo dõi cơ quan đó trước, hoặc bổ sung làm cơ quan phối hợp."
        )
        raise Refused(msg, field="agency")
    return dropped


def _new_row(
    stamp: Stamp,
    state: PlanState,
    occurrence: Occurrence,
    rows: Sequence[Assignment],
    *,
    agency: Agency,
    addition: Addition,
) -> Assignment:
    like = next((one for one in rows if one.due_on == occurrence.due_on), None)
    item = {one.key: one for one in state.plan.every_item}.get(occurrence.item_key)
    default = item.calendar.authority if item else DateAuthority.COORDINATOR
    authority = DateAuthority(like.authority) if like else default
    nominal, due_on, document = (
        occurrence.nominal_due_on,
        occurrence.due_on,
        like.document_code if like else None,
    )
    if addition.due_on is not None:
        nominal = addition.due_on
        due_on = need_working_day(state.calendar, nominal, field="due_on")
        document = need_own_document(authority, addition.document)
    bound = occurrence.mode == TrackingMode.FULL and authority is not DateAuthority.PROVISIONAL
    if due_on < stamp.as_of and (bound or addition.due_on is not None):
        msg = (
            f"Hạn {rolled_words(nominal, due_on)} đã qua; đề nghị nêu hạn riêng, từ hôm nay trở đi."
        )
        raise Refused(msg, field="due_on")
    return Assignment(
        occurrence_id=occurrence.id,
        agency_key=agency.key,
        agency_name=agency.name,
        role=addition.role.value,
        status=(Status.NOT_STARTED if addition.role is Role.LEAD else Status.DORMANT).value,
        nominal_due_on=nominal,
        original_due_on=due_on,
        due_on=due_on,
        authority=authority.value,
        document_code=document,
        updated_at=stamp.at,
        updated_by=stamp.actor.name,
    )
