"""What a partner contributed, stored like any other result (rules 14, 20)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from operations.errors import NotPermitted
from operations.guards import clean_document, need_text
from operations.history import Change, record
from operations.results import Result, evidence_snapshot, store_result
from operations.stamp import Stamp
from operations.transition import Work, apply, held_capacities
from rules.actors import Capacity
from rules.lifecycle import Action
from rules.timeliness import completion
from rules.values import LeadMode


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
    _note(session, stamp, work, submission.id, result)
    return submission.id


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
