"""The one place where an assignment changes: status, dates and history are one write.

:func:`apply` takes an action of the table; :func:`amend` changes facts and leaves the status as it
is. Both check the row version (rule 26), set the next reminder, and write the event (rule 37).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from models.tables import Assignment, Occurrence
from operations.errors import Conflict, NotFound, Refused
from operations.history import Change, record, snapshot_of
from operations.remembered import newest_before_writing
from operations.stamp import Stamp
from operations.state import PlanState, state_before_writing
from rules.actors import Capacity, Standing, capacities
from rules.ladder import NO_RUNG, next_step, steps
from rules.lifecycle import ACTION_WORDS, NEEDS_REASON, OPEN, REMINDED, Action, Status, transition
from rules.values import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """An assignment with its occurrence and the state of its plan, locked for a change."""

    state: PlanState
    occurrence: Occurrence
    assignment: Assignment

    @property
    def provisional(self) -> bool:
        """Whether no document fixed the date yet (rule 17)."""
        return self.assignment.authority == "provisional"


_WORK = (
    select(Assignment, Occurrence)
    .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
    .where(Assignment.id == bindparam("number"))
    .with_for_update(of=Assignment)
    .execution_options(populate_existing=True)
)


def load_work(session: Session, assignment_id: int, *, state: PlanState | None = None) -> Work:
    """The assignment with this id, locked until the transaction ends.

    Raises:
        NotFound: there is none.
    """
    before = newest_before_writing(session) if state is None else None
    found = session.execute(_WORK, {"number": assignment_id}).one_or_none()
    if found is None:
        msg = f"Không có phân công số {assignment_id}. Xem “tiendo work list” để lấy đúng số."
        raise NotFound(msg, field="assignment")
    row, occurrence = found
    return Work(
        state=state or state_before_writing(session, before, occurrence.plan_key),
        occurrence=occurrence,
        assignment=row,
    )


def held_capacities(session: Session, work: Work, stamp: Stamp) -> frozenset[Capacity]:
    """In which capacities the actor stands towards this work (rule 20)."""
    partner = work.assignment.role == Role.PARTNER
    standing = Standing(
        agency=work.assignment.agency_key,
        partner=partner,
        leads=_leads(session, work) if partner else frozenset(),
        coordinator=work.state.coordinator(stamp.as_of),
    )
    return capacities(stamp.actor, standing)


def _leads(session: Session, work: Work) -> frozenset[str]:
    return frozenset(
        session.scalars(
            select(Assignment.agency_key).where(
                Assignment.occurrence_id == work.occurrence.id, Assignment.role == Role.LEAD
            )
        )
    )


def check_version(work: Work, expected: int | None) -> None:
    """Refuse a change that was prepared on an older version of the row (rule 26).

    Raises:
        Conflict: with who changed it and when.
    """
    row = work.assignment
    if expected is not None and expected != row.version:
        local = row.updated_at.astimezone(ZoneInfo(work.state.plan.time_zone))
        msg = (
            f"Nội dung này đã được cập nhật bởi {row.updated_by} "
            f"lúc {local:%H giờ %M} ngày {local.day}/{local.month}/{local.year}. "
            "Nội dung Quý cơ quan vừa nhập chưa được ghi; đề nghị xem lại rồi gửi lại nếu cần."
        )
        raise Conflict(msg)


def apply(
    session: Session,
    stamp: Stamp,
    work: Work,
    action: Action,
    *,
    held: frozenset[Capacity] | None = None,
    changes: Mapping[str, Any] | None = None,
    reason: str | None = None,
    document: str | None = None,
    effective_on: date | None = None,
    skip_past_rungs: bool = False,
    reset_ladder: bool = False,
    also: Sequence[Change] = (),
) -> Status:
    """Take ``action`` on ``work`` and return the new status.

    ``changes`` are columns that change with it. ``reset_ladder`` starts the ladder anew (a new
    round or date), ``skip_past_rungs`` leaves out the rungs whose day has already come, because a
    letter of its own goes at once. ``also`` is what else the act changed: recorded behind it, in the
    same go.

    Raises:
        rules.lifecycle.ActionNotAllowed: the table has no such row for the actor.
        Refused: a reason is missing.
    """
    row = work.assignment
    before = Status(row.status)
    found = transition(
        before, action, held_capacities(session, work, stamp) if held is None else held
    )
    if action in NEEDS_REASON and not (reason or "").strip():
        msg = f"“{ACTION_WORDS[action]}” cần nêu rõ lý do."
        raise Refused(msg, field="reason")
    row.status = (found.to or Status(row.status_before or Status.IN_PROGRESS)).value
    row.status_before = before.value if action is Action.SUSPEND else None
    _write(
        session,
        stamp,
        work,
        word=action.value,
        changes=changes or {},
        reason=reason,
        document=document,
        effective_on=effective_on,
        skip_past_rungs=skip_past_rungs,
        reset_ladder=reset_ladder,
        also=also,
    )
    return Status(row.status)


def amend(
    session: Session,
    stamp: Stamp,
    work: Work,
    word: str,
    *,
    changes: Mapping[str, Any],
    reason: str | None = None,
    document: str | None = None,
    effective_on: date | None = None,
    skip_past_rungs: bool = False,
    reset_ladder: bool = False,
) -> None:
    """Change facts of ``work`` without a change of status; ``word`` names it in the history."""
    _write(
        session,
        stamp,
        work,
        word=word,
        changes=changes,
        reason=reason,
        document=document,
        effective_on=effective_on,
        skip_past_rungs=skip_past_rungs,
        reset_ladder=reset_ladder,
    )


def _write(
    session: Session,
    stamp: Stamp,
    work: Work,
    *,
    word: str,
    changes: Mapping[str, Any],
    reason: str | None,
    document: str | None,
    effective_on: date | None,
    skip_past_rungs: bool,
    reset_ladder: bool,
    also: Sequence[Change] = (),
) -> None:
    row, occurrence = work.assignment, work.occurrence
    for name, value in changes.items():
        setattr(row, name, value)
    row.updated_at, row.updated_by = stamp.at, stamp.actor.name
    row.version += 1
    if not occurrence.touched:
        occurrence.touched = True
    if reset_ladder:
        row.last_rung = None
    set_next_reminder(work, skip_until=stamp.as_of if skip_past_rungs else None)
    session.flush()
    change = Change(
        entity="assignment",
        entity_id=str(row.id),
        action=word,
        snapshot=snapshot_of(row),
        effective_on=effective_on,
        plan=occurrence.plan_key,
        item=occurrence.item_key,
        period=occurrence.period_key,
        agency=row.agency_key,
        reason=reason,
        document=document,
    )
    record(session, stamp, [change, *also])


def reminder_anchor(row: Assignment) -> date:
    """The date that reminders speak of: the day to respond where there is one (rules 14, 22)."""
    return row.respond_by or row.due_on


def set_next_reminder(work: Work, *, skip_until: date | None = None) -> None:
    """Set the day on which the next rung becomes owed; None when none ever will.

    With ``skip_until``, rungs whose day is not after it count as said.
    """
    row, state = work.assignment, work.state
    ladder = state.ladder(work.occurrence, row)
    if Status(row.status) in REMINDED and ladder is not None and skip_until is not None:
        anchor = reminder_anchor(row)
        past = [
            step.rung.offset
            for step in steps(ladder, anchor, state.calendar)
            if step.day <= skip_until
        ]
        row.last_rung = max([*past, NO_RUNG if row.last_rung is None else row.last_rung])
    row.next_reminder_on = next_reminder(work, due_on=row.due_on, respond_by=row.respond_by)


def next_reminder(work: Work, *, due_on: date, respond_by: date | None) -> date | None:
    """The day of the next reminder if these were the dates of ``work``; None when none is left."""
    row, state = work.assignment, work.state
    ladder = state.ladder(work.occurrence, row)
    if Status(row.status) not in REMINDED or ladder is None:
        return None
    if not state.directory.letters_on(row.agency_key, due_on):
        return None
    last = NO_RUNG if row.last_rung is None else row.last_rung
    step = next_step(ladder, respond_by or due_on, state.calendar, last_rung=last)
    return None if step is None else step.day


def is_returned(row: Assignment) -> bool:
    """Whether work was returned and not yet submitted again (rule 22)."""
    return row.role == Role.LEAD and Status(row.status) in OPEN and row.respond_by is not None
