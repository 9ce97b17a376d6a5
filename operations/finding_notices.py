"""Findings of inspections in an agency's letters: what is said once, and reminders (27-30, 45).

A reminder is a notice of its own, so that it rides, is taken back and is said again as notices
are: the finding keeps the last rung that was said and the day of the next one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from models.tables import Assignment, Finding, Notice, Occurrence
from operations.notices import add_loose_notice
from operations.stamp import Stamp
from operations.state import PlanState, load_state, plan_keys
from rules.digest import FINDING_KINDS, LadderReader, NoticeKind
from rules.values import Audience

LADDER = "standard"
"""The ladder of findings with a date: that of the work of the Appendix."""
_EVERYBODY = (Audience.MAILBOX, Audience.FOCAL)


def tell_of(
    session: Session,
    stamp: Stamp,
    row: Finding,
    kind: NoticeKind,
    *,
    said: str | None = None,
    audiences: Iterable[Audience] = _EVERYBODY,
    rung: int | None = None,
) -> None:
    """Leave a notice about a finding for its agency, where that gets letters (rule 36)."""
    state = plan_of(session, row)
    if state is None or not state.directory.letters_on(row.agency_key, stamp.as_of):
        return
    payload = {"finding": row.id, "note": said, "rung": rung}
    for audience in audiences:
        add_loose_notice(
            session,
            stamp,
            kind=kind,
            agency_key=row.agency_key,
            audience=audience,
            payload={name: value for name, value in payload.items() if value is not None},
        )


def plan_of(session: Session, row: Finding) -> PlanState | None:
    """The plan whose ladder and coordinator a finding has: its work's, else the first active one."""
    keys = plan_keys(session)
    if row.assignment_id is not None:
        key = session.scalar(
            select(Occurrence.plan_key)
            .join(Assignment, Assignment.occurrence_id == Occurrence.id)
            .where(Assignment.id == row.assignment_id)
        )
        if key in keys:
            return load_state(session, key)
    return load_state(session, keys[0]) if keys else None


def void_waiting(session: Session, row: Finding, kinds: Iterable[NoticeKind]) -> None:
    """Take back what is not yet queued about a finding."""
    pending = select(Notice).where(
        Notice.kind.in_([kind.value for kind in kinds]),
        Notice.agency_key == row.agency_key,
        Notice.letter_id.is_(None),
        ~Notice.void,
    )
    found = [
        one.id for one in session.scalars(pending) if json.loads(one.payload)["finding"] == row.id
    ]
    if found:
        session.execute(update(Notice).where(Notice.id.in_(found)).values(void=True))


_DUE_FINDINGS = (
    select(Finding)
    .where(Finding.state == "open", Finding.next_reminder_on <= bindparam("as_of"))
    .order_by(Finding.id)
    .with_for_update()
)


def climb_findings(session: Session, stamp: Stamp) -> int:
    """Leave a notice for each rung that is owed to an open finding today; returns how many rungs.

    Only the latest owed rung is said (rule 28).
    """
    count = 0
    for row in session.scalars(_DUE_FINDINGS, {"as_of": stamp.as_of}).all():
        state = plan_of(session, row)
        ladder = None if state is None else state.plan.ladders.get(LADDER)
        if state is None or ladder is None or row.due_on is None:
            continue
        if not state.directory.letters_on(row.agency_key, stamp.as_of):
            continue
        found = LadderReader(state.calendar, stamp.as_of).read(ladder, row.due_on, row.last_rung)
        row.next_reminder_on = None if found.then is None else found.then.day
        if found.rung is None:
            continue
        row.last_rung = found.rung.offset
        void_waiting(session, row, [NoticeKind.FINDING_DUE])
        tell_of(
            session,
            stamp,
            row,
            NoticeKind.FINDING_DUE,
            audiences=found.rung.audience,
            rung=found.rung.offset,
        )
        count += 1
    session.flush()
    return count


def forget_findings(session: Session, row: Finding) -> None:
    """A closed finding has nothing more to remind of."""
    row.next_reminder_on = None
    void_waiting(session, row, FINDING_KINDS - {NoticeKind.FINDING_CLOSED})
