"""Writing what a workbook of a late start says, in the order in which it happened (rules 11, 19, 35).

Periods open with the parties of their own day; results and successions then follow day by day, so
that what an agency finished stands under its name of then, and what it left went to its successor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Assignment, Occurrence
from operations.acting import is_own
from operations.history import record
from operations.import_results import ResultPlan, ResultStep, Verdict
from operations.import_values import ResultState
from operations.opening import lock_plan, open_occurrence
from operations.results import set_outcome, store_result
from operations.stamp import Stamp
from operations.state import PlanState
from operations.submitting import filed
from operations.succession import replay_successions
from operations.transition import Work, amend, apply
from rules.actors import Capacity
from rules.lifecycle import Action
from rules.timeliness import Completion
from rules.values import Role

BY_IMPORT = "import"
"""Who confirmed it: nobody in person, the workbook that the coordinator took over."""
_DECIDER = frozenset({Capacity.DECIDER})
_SYSTEM = frozenset({Capacity.SYSTEM})


def write_results(session: Session, stamp: Stamp, state: PlanState, plan: ResultPlan) -> None:
    """Open the missing periods, then write results and successions day by day."""
    todo = [one for one in plan.steps if one.verdict in {Verdict.NEW, Verdict.CORRECTED}]
    if not todo and not plan.openings:
        return
    lock_plan(session, state.plan.key)
    for opening in plan.openings:
        open_occurrence(session, stamp, state, opening)
    turns = sorted({one.effective_on for one in state.directory.successions})
    for step in sorted(todo, key=lambda one: one.day):
        while turns and turns[0] <= step.day:
            _turn(session, stamp, state, turns.pop(0))
        _write(session, stamp, state, step)
    if plan.openings:
        _turn(session, stamp, state, stamp.as_of)


def _turn(session: Session, stamp: Stamp, state: PlanState, day: date) -> None:
    if day <= stamp.as_of:
        replay_successions(session, replace(stamp, as_of=day), state)


def _write(session: Session, stamp: Stamp, state: PlanState, step: ResultStep) -> None:
    work = _work(session, state, step)
    actor = replace(stamp.actor, on_behalf_of=step.agency.key)
    stamp = replace(stamp, actor=actor)
    why = f"Ghi nhận sau, nhập từ tệp ({step.where})"
    if step.wanted.state is ResultState.NOT_APPLICABLE:
        reason = f"{step.wanted.reason}. {why}"
        apply(
            session, stamp, work, Action.WAIVE, held=_DECIDER, reason=reason, effective_on=step.day
        )
        return
    counted = Completion(completed_on=step.day, late_entry=False)
    result = step.wanted.result()
    submission = store_result(session, stamp, work, result, counted)
    if step.verdict is Verdict.CORRECTED:
        _correct(session, stamp, work, step, f"Đính chính: {step.wanted.reason}. {why}")
    else:
        _submit_and_accept(session, stamp, work, step, why)
    record(session, stamp, [filed(work, submission, result, counted)])
    set_outcome(session, work, "confirmed")


def _work(session: Session, state: PlanState, step: ResultStep) -> Work:
    row, occurrence = session.execute(
        select(Assignment, Occurrence)
        .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
        .where(
            Occurrence.plan_key == state.plan.key,
            Occurrence.item_key == step.item,
            Occurrence.period_key == step.period.key,
            Assignment.agency_key == step.agency.key,
            Assignment.role == Role.LEAD.value,
        )
        .with_for_update(of=Assignment)
    ).one()
    return Work(state=state, occurrence=occurrence, assignment=row)


def _correct(session: Session, stamp: Stamp, work: Work, step: ResultStep, reason: str) -> None:
    """A new revision; the first one and its evidence stay (rule 25)."""
    amend(
        session,
        stamp,
        work,
        "correct",
        changes={"completed_on": step.day},
        reason=reason,
        document=step.wanted.document,
        effective_on=step.day,
    )


def _submit_and_accept(
    session: Session, stamp: Stamp, work: Work, step: ResultStep, why: str
) -> None:
    apply(
        session,
        stamp,
        work,
        Action.SUBMIT,
        held=_DECIDER,
        changes={
            "submitted_at": stamp.at,
            "submitted_on": stamp.as_of,
            "submitted_by": stamp.actor.identity,
            "completed_on": step.day,
            "late_entry": False,
            "respond_by": None,
        },
        reason=why,
        document=step.wanted.document,
        effective_on=step.day,
    )
    apply(
        session,
        stamp,
        work,
        Action.ACCEPT,
        held=_SYSTEM,
        changes={
            "confirmed_at": stamp.at,
            "confirmed_on": stamp.as_of,
            "confirmed_by": BY_IMPORT,
            "self_confirmed": is_own(work, stamp),
        },
        reason=why,
        effective_on=step.day,
    )


def opened_keys(plan: ResultPlan) -> Sequence[tuple[str, str]]:
    """The periods that would be opened, as (item, period)."""
    return [(one.item.key, one.period.key) for one in plan.openings]
