"""Partners: asked by a lead, answering with a contribution, or silent (rule 14).

A partner owes nothing until a lead asks. The lead's own assignment is named when it asks, because
the day to answer lies before that lead's due date. Where each agency leads its own work the
partner's row belongs to the whole occurrence: any lead may ask, and what they ask adds up. One
that has answered another lead may be asked again: its answers stay, shared by all leads, as
revisions of its one row; the mark "received" is the latest asker's to set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Assignment
from operations.asking import AS_LEAD, ask, day_to_answer
from operations.contributions import need_lead_of, received, store_contribution
from operations.errors import NotFound, NotPermitted, Refused
from operations.guards import clean_document, need_text, vn_date
from operations.results import Result
from operations.stamp import Stamp
from operations.transition import (
    Work,
    amend,
    apply,
    check_version,
    held_capacities,
    load_work,
)
from rules.actors import Capacity
from rules.lifecycle import OPEN, STATUS_WORDS, Action, Status
from rules.values import LeadMode, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerRequest:
    """What a lead asks: ``content``, the ``form`` of the answer, a day to answer by."""

    content: str
    respond_by: date
    form: str | None = None
    document: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """Who was asked (assignment ids), and by which working day they are to answer."""

    partners: tuple[int, ...]
    asked_for: date
    respond_by: date


def request_contribution(
    session: Session,
    stamp: Stamp,
    lead_id: int,
    partner_ids: Sequence[int],
    request: PartnerRequest,
    *,
    expected_version: int | None = None,
) -> Requested:
    """Send a "Đề nghị phối hợp" of the lead's assignment ``lead_id`` to chosen partners.

    Asking a partner again while it has not answered replaces this lead's request; a request of
    another lead is added to the one that stands. ``expected_version`` is the lead's row's.

    Raises:
        NotPermitted: the actor is neither this lead nor the coordinator.
        NotFound: a partner is not one of this occurrence.
        Refused: nobody or nothing is asked for, or the day is not between today and the lead's
            own due date.
        rules.lifecycle.ActionNotAllowed: a partner can no longer be asked.
    """
    lead = _load_lead(session, stamp, lead_id)
    check_version(lead, expected_version)
    content = need_text(request.content, "Đề nghị nêu nội dung cần phối hợp.", field="content")
    respond_by = day_to_answer(lead, request.respond_by, stamp.as_of)
    document = clean_document(request.document)
    if not partner_ids:
        msg = "Đề nghị chọn ít nhất một cơ quan phối hợp."
        raise Refused(msg, field="partners")
    partners = [_load_partner(session, lead, number) for number in sorted(set(partner_ids))]
    for partner in partners:
        changes = {
            "respond_by": respond_by,
            "request_text": content,
            "request_form": (request.form or "").strip() or None,
            "request_document": document,
            "requested_by": lead.assignment.agency_key,
        }
        ask(session, stamp, lead, partner, changes)
    return Requested(
        partners=tuple(partner.assignment.id for partner in partners),
        asked_for=request.respond_by,
        respond_by=respond_by,
    )


def contribute(
    session: Session,
    stamp: Stamp,
    partner_id: int,
    result: Result,
    *,
    expected_version: int | None = None,
) -> int:
    """File a partner's contribution: a text, and documents or files where there are any.

    Returns the number of the submission.

    Raises:
        Refused: the text is missing, or a document code or file is wrong.
        rules.lifecycle.ActionNotAllowed: not the partner's, or not in this status.
    """
    work = load_work(session, partner_id)
    held = held_capacities(session, work, stamp) & {Capacity.PARTNER}
    check_version(work, expected_version)
    return store_contribution(session, stamp, work, Action.CONTRIBUTE, result, held=held)


def receive(
    session: Session, stamp: Stamp, partner_id: int, result: Result | None = None
) -> int | None:
    """Mark a contribution received: one filed here, or one that came another way.

    ``result`` tells of the one that came another way (``entered_channel`` and a text); its
    submission's number is returned.

    Raises:
        NotPermitted: the actor is not the lead that asked, nor the coordinator.
        Refused: it was marked already, or how the contribution came is missing.
        rules.lifecycle.ActionNotAllowed: the partner has not been asked, or is not needed.
    """
    work = load_work(session, partner_id)
    held = need_lead_of(session, stamp, work)
    row = work.assignment
    if row.status == Status.CONTRIBUTED:
        if row.confirmed_on is not None:
            msg = f"Nội dung phối hợp này đã được ghi nhận ngày {vn_date(row.confirmed_on)}."
            raise Refused(msg)
        amend(session, stamp, work, "receive", changes=received(stamp))
        return None
    given = result or Result()
    word = "Đề nghị ghi hình thức đã nhận (văn bản giấy, thư điện tử, điện thoại …)."
    need_text(given.entered_channel, word, field="entered_channel")
    return store_contribution(
        session, stamp, work, Action.RECEIVE, given, held=held, changes=received(stamp)
    )


def dismiss(session: Session, stamp: Stamp, partner_id: int, *, reason: str | None = None) -> None:
    """Say that a partner is not needed.

    Where each agency leads its own, this is the coordinator's to say, for the partner belongs to
    all leads.

    Raises:
        NotPermitted: the actor is not the lead, or in mode ``each`` not the coordinator.
        rules.lifecycle.ActionNotAllowed: it has answered or ended already.
    """
    work = load_work(session, partner_id)
    held = need_lead_of(session, stamp, work)
    if work.occurrence.lead_mode == LeadMode.EACH and Capacity.DECIDER not in held:
        msg = (
            "Cơ quan phối hợp này phối hợp với mọi cơ quan chủ trì của nhiệm vụ; "
            "đề nghị cơ quan điều phối quyết định việc không cần phối hợp."
        )
        raise NotPermitted(msg)
    apply(session, stamp, work, Action.DISMISS, held=held, reason=reason)


def close_silence(
    session: Session,
    stamp: Stamp,
    lead_id: int,
    *,
    reason: str,
    partner_ids: Sequence[int] | None = None,
) -> tuple[int, ...]:
    """Close this lead's requests that went unanswered, with one reason for all.

    Takes every partner whose day to answer has passed, or of these the ones named. The silence
    stays visible. Returns the assignments that were closed.

    Raises:
        NotPermitted: the actor is neither this lead nor the coordinator.
        Refused: the reason is missing, or nobody's day to answer has passed.
    """
    lead = _load_lead(session, stamp, lead_id, need_open=False)
    why = need_text(
        reason, "Đề nghị nêu lý do kết thúc khi chưa nhận được trả lời.", field="reason"
    )
    query = (
        select(Assignment.id)
        .where(
            Assignment.occurrence_id == lead.occurrence.id,
            Assignment.role == Role.PARTNER,
            Assignment.status == Status.REQUESTED,
            Assignment.respond_by < stamp.as_of,
        )
        .order_by(Assignment.id)
    )
    if lead.occurrence.lead_mode == LeadMode.EACH:
        query = query.where(Assignment.requested_by == lead.assignment.agency_key)
    silent = [one for one in session.scalars(query) if partner_ids is None or one in partner_ids]
    if not silent:
        msg = (
            "Chưa có cơ quan phối hợp nào quá ngày đề nghị trả lời; nếu không cần nữa, "
            "đề nghị chọn “Không cần phối hợp”."
        )
        raise Refused(msg)
    for number in silent:
        work = load_work(session, number, state=lead.state)
        apply(session, stamp, work, Action.CLOSE_UNANSWERED, held=AS_LEAD, reason=why)
    return tuple(silent)


def _load_lead(session: Session, stamp: Stamp, lead_id: int, *, need_open: bool = True) -> Work:
    lead = load_work(session, lead_id)
    row = lead.assignment
    held = held_capacities(session, lead, stamp)
    if row.role != Role.LEAD or not held & {Capacity.LEAD, Capacity.DECIDER}:
        msg = "Chỉ cơ quan chủ trì được đề nghị phối hợp trong nhiệm vụ này."
        raise NotPermitted(msg)
    if need_open and Status(row.status) not in OPEN:
        msg = f"Không thể đề nghị phối hợp khi trạng thái là “{STATUS_WORDS[Status(row.status)]}”."
        raise Refused(msg)
    return lead


def _load_partner(session: Session, lead: Work, number: int) -> Work:
    partner = load_work(session, number, state=lead.state)
    row = partner.assignment
    same = row.occurrence_id == lead.occurrence.id and row.role == Role.PARTNER
    if not same or row.agency_key == lead.assignment.agency_key:
        msg = f"{row.agency_name} không phải cơ quan phối hợp của nhiệm vụ này trong kỳ này."
        raise NotFound(msg, field="partners")
    return partner
