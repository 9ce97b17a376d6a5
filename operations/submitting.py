"""Filing a result, accepting it at once, taking it back (rules 20, 21)."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from operations.acting import ActRequest, is_own, tell
from operations.errors import Checks, NotPermitted, Refused
from operations.handover import name_contact
from operations.history import Change
from operations.results import (
    Result,
    check_result,
    evidence_snapshot,
    outcomes_snapshot,
    set_outcome,
    store_result,
)
from operations.stamp import Stamp
from operations.transition import Work, apply, is_returned
from rules.actors import ActorKind, Capacity
from rules.lifecycle import Action
from rules.timeliness import Completion, completion, refuse_future
from rules.values import Confirmation, ItemKind


def submit(
    session: Session, stamp: Stamp, work: Work, held: frozenset[Capacity], asked: ActRequest
) -> int:
    """File a result; the decider\'s is entered for the agency ("nhập thay")."""
    row = work.assignment
    given, checks = asked.result, Checks()
    if Capacity.LEAD not in held:
        if not (given.entered_channel or "").strip():
            msg = "Nhập thay: đề nghị ghi hình thức nhận (văn bản giấy, Zalo, điện thoại …)."
            checks.add(Refused(msg, field="entered_channel"))
        stamp = replace(stamp, actor=replace(stamp.actor, on_behalf_of=row.agency_key))
    result = checks.run(lambda: check_result(work, given), given)
    checks.done()
    counted = _completion(stamp, work, result)
    submission = store_result(session, stamp, work, result, counted)
    apply(
        session,
        stamp,
        work,
        Action.SUBMIT,
        held=held,
        changes={
            "submitted_at": stamp.at,
            "submitted_on": stamp.as_of,
            "submitted_by": stamp.actor.identity,
            "completed_on": counted.completed_on,
            "late_entry": counted.late_entry,
            "respond_by": None,
        },
        document=next((paper.code for paper in result.papers if paper.code), None),
        effective_on=counted.completed_on,
        also=[filed(work, submission, result, counted)],
    )
    _name_focal(session, stamp, work, result)
    _receipt(session, stamp, work, submission)
    if _accepted_at_once(work, stamp):
        _accept(session, stamp, work)
    return submission


def _name_focal(session: Session, stamp: Stamp, work: Work, result: Result) -> None:
    """Carry the focal point that the result names into the address book, at once (rule 36).

    At once, for whoever may do so speaks for the agency, and the agency's own word is enough; a
    return of the result changes nothing about who answers for it.
    """
    occurrence = work.occurrence
    if result.focal is None:
        return
    if not work.state.plan.item(occurrence.item_key).calendar.asks_contact:
        msg = f"Kết quả của nhiệm vụ {occurrence.item_key} không kèm đầu mối."
        raise Refused(msg, field="focal.name")
    cause = f"Theo kết quả nhiệm vụ {occurrence.item_key} · {occurrence.period_key}"
    try:
        name_contact(session, stamp, result.focal, cause=cause)
    except NotPermitted:
        raise
    except Refused as error:
        found = Checks()
        for one in error.each:
            found.add(Refused(str(one), field=f"focal.{one.field or 'name'}"))
        found.done()


def _completion(stamp: Stamp, work: Work, result: Result) -> Completion:
    row = work.assignment
    answers = None
    if is_returned(row) and row.completed_on and row.respond_by and stamp.as_of <= row.respond_by:
        answers = Completion(completed_on=row.completed_on, late_entry=row.late_entry)
    dates = tuple(p.issued_on for p in result.papers if p.issued_on)
    refuse_future(dates, stamp.as_of)
    return completion(
        # A document still in force says nothing of the day on which this year's work was done.
        () if result.unchanged else dates,
        stamp.as_of,
        work.state.calendar,
        within_workdays=work.state.plan.policies.late_entry_workdays,
        answers=answers,
    )


def _accepted_at_once(work: Work, stamp: Stamp) -> bool:
    """Check-ins and recorded work are; so are items set so, but not the coordinator's own."""
    occurrence = work.occurrence
    if occurrence.kind == ItemKind.CHECK_IN:
        return True
    return occurrence.confirmation == Confirmation.ACCEPT and not is_own(work, stamp)


def _accept(session: Session, stamp: Stamp, work: Work) -> None:
    row = work.assignment
    draw = hashlib.sha256(f"{row.id}:{row.round}".encode()).digest()
    sampled = (
        work.occurrence.kind == ItemKind.TASK
        and int.from_bytes(draw[:4]) % 100 < work.state.plan.policies.sample_percent
    )
    apply(
        session,
        stamp,
        work,
        Action.ACCEPT,
        held=frozenset({Capacity.SYSTEM}),
        changes={
            "confirmed_at": stamp.at,
            "confirmed_on": stamp.as_of,
            "confirmed_by": "accept",
            "sampled": sampled,
        },
    )
    set_outcome(session, work, "confirmed")


def filed(work: Work, submission: int, result: Result, counted: Completion) -> Change:
    """The event of a result: what was filed, with its papers."""
    row, occurrence = work.assignment, work.occurrence
    return Change(
        entity="submission",
        entity_id=str(submission),
        action="file",
        snapshot={
            "assignment_id": row.id,
            "round": row.round,
            "text": result.text.strip(),
            "unchanged": result.unchanged,
            "figures": dict(result.figures),
            "outcomes": outcomes_snapshot(result),
            "papers": evidence_snapshot(result),
            "entered_channel": result.entered_channel,
            "entered_number": result.entered_number,
            "completed_on": counted.completed_on,
            "late_entry": counted.late_entry,
        },
        plan=occurrence.plan_key,
        item=occurrence.item_key,
        period=occurrence.period_key,
        agency=row.agency_key,
    )


def _receipt(session: Session, stamp: Stamp, work: Work, submission: int) -> None:
    by_link = stamp.actor.kind is ActorKind.MAILBOX
    tell(
        session,
        stamp,
        work,
        "receipt",
        to_address=stamp.actor.mailbox if by_link else None,
        payload={"submission_id": submission},
    )


def withdraw(
    session: Session, stamp: Stamp, work: Work, held: frozenset[Capacity], asked: ActRequest
) -> None:
    """Take a result back before it is confirmed."""
    set_outcome(session, work, "withdrawn")
    empty: dict[str, Any] = dict.fromkeys(
        ("submitted_at", "submitted_on", "submitted_by", "completed_on")
    )
    changes = empty | {"late_entry": False}
    apply(session, stamp, work, Action.WITHDRAW, held=held, changes=changes, reason=asked.reason)
