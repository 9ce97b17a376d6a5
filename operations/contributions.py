"""What a partner contributed, stored like any other result (rules 14, 20)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.tables import Assignment, Event
from operations.acting import tell
from operations.errors import NotPermitted
from operations.guards import clean_document, need_text
from operations.history import Change, record
from operations.results import Result, evidence_snapshot, store_result
from operations.stamp import Stamp
from operations.transition import Work, apply, held_capacities, load_work
from rules.actors import Capacity
from rules.lifecycle import Action
from rules.timeliness import completion
from rules.values import LeadMode, Role


def need_lead_of(session: Session, stamp: Stamp, work: Work) -> frozenset[Capacity]:
    """The capacities of a lead, or of the coordinator, towards a partner's row.

    Where each agency leads its own, only the lead that asked stands so once somebody has asked.

    Raises:
        NotPermitted: somebody else.
    """
    held = held_capacities(session, work, stamp) & {Capacity.OCCURRENCE_LEAD, Capacity.DECIDER}
    asked_by = work.assignment.requested_by
    foreign = (
        work.occurrence.lead_mode == LeadMode.EACH
        and asked_by is not None
        and asked_by != stamp.actor.agency
    )
    if Capacity.DECIDER not in held and (foreign or not held):
        msg = "Nội dung này do cơ quan chủ trì đã đề nghị phối hợp thực hiện."
        raise NotPermitted(msg)
    return held


def received(stamp: Stamp) -> dict[str, Any]:
    """The columns that say by whom and when a contribution was marked received."""
    return {
        "confirmed_at": stamp.at,
        "confirmed_on": stamp.as_of,
        "confirmed_by": stamp.actor.identity,
    }


def store_contribution(
    session: Session,
    stamp: Stamp,
    work: Work,
    action: Action,
    result: Result,
    *,
    held: frozenset[Capacity],
    changes: Mapping[str, Any] | None = None,
) -> int:
    """Take ``action`` on a partner's row with what was contributed; the submission's number.

    Raises:
        Refused: the text is missing, or a document code or file is wrong.
        rules.lifecycle.ActionNotAllowed: not in this status, or not in these capacities.
        rules.timeliness.FutureDate: a document is dated after today.
    """
    need_text(result.text, "Đề nghị ghi nội dung phối hợp.", field="text")
    papers = [replace(paper, code=clean_document(paper.code)) for paper in result.papers]
    result = replace(result, papers=papers)
    policies = work.state.plan.policies
    counted = completion(
        tuple(paper.issued_on for paper in result.papers if paper.issued_on),
        stamp.as_of,
        work.state.calendar,
        within_workdays=policies.late_entry_workdays,
    )
    filed = {
        "submitted_at": stamp.at,
        "submitted_on": stamp.as_of,
        "submitted_by": stamp.actor.identity,
        "completed_on": counted.completed_on,
        "late_entry": counted.late_entry,
    }
    document = next((paper.code for paper in result.papers if paper.code), None)
    apply(
        session,
        stamp,
        work,
        action,
        held=held,
        changes=filed | dict(changes or {}),
        document=document,
        effective_on=counted.completed_on,
    )
    submission = store_result(session, stamp, work, result, counted)
    _note(session, stamp, work, submission, result)
    _tell_leads(session, stamp, work, result)
    return submission


def _tell_leads(session: Session, stamp: Stamp, work: Work, result: Result) -> None:
    """The leads that asked learn of the answer in their next digest; one that entered it knows.

    Who asked is read from the history, for the row names one asker only (rule 14). A partner that
    answers of its own accord is told of to all leads, but not where each leads its own: what is
    everybody's is news to none in particular.
    """
    row = work.assignment
    asked = select(Event.actor_agency).where(
        Event.entity == "assignment",
        Event.entity_id == str(row.id),
        Event.action == Action.REQUEST.value,
    )
    query = select(Assignment.id).where(
        Assignment.occurrence_id == work.occurrence.id,
        Assignment.role == Role.LEAD.value,
        Assignment.agency_key != row.agency_key,
    )
    if row.requested_by is not None:
        query = query.where(
            or_(Assignment.agency_key == row.requested_by, Assignment.agency_key.in_(asked))
        )
    elif work.occurrence.lead_mode == LeadMode.EACH:
        return
    note = {"note": f"{row.agency_name}: {result.text.strip()}"}
    for number in session.scalars(query.order_by(Assignment.id)).all():
        lead = load_work(session, number, state=work.state)
        if lead.assignment.agency_key != stamp.actor.agency:
            tell(session, stamp, lead, "contributed", at_once=False, payload=note)


def _note(session: Session, stamp: Stamp, work: Work, submission: int, result: Result) -> None:
    row, occurrence = work.assignment, work.occurrence
    change = Change(
        entity="submission",
        entity_id=str(submission),
        action="file",
        snapshot={
            "assignment_id": row.id,
            "round": row.round,
            "text": result.text.strip(),
            "papers": evidence_snapshot(result),
            "entered_channel": result.entered_channel,
            "entered_number": result.entered_number,
            "completed_on": row.completed_on,
            "late_entry": row.late_entry,
        },
        plan=occurrence.plan_key,
        item=occurrence.item_key,
        period=occurrence.period_key,
        agency=row.agency_key,
    )
    record(session, stamp, [change])
