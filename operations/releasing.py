"""Taking back what was queued and never left: its rungs are owed again (rule 29)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from sqlalchemy import bindparam, case, delete, func, select, update
from sqlalchemy.orm import Session

from models.queries_mail import in_parts, unsent_before
from models.tables import Assignment, Base, Letter, LetterState, Notice, Reminder
from operations.history import Change, record
from operations.outbox import DAY_BOUND, letter_change
from operations.stamp import Stamp
from rules.digest import stepped_back
from rules.lifecycle import REMINDED

_Anchor = tuple[int, int, date]
"""(assignment, round, date that the rungs speak of)."""


_LETTERS = (
    select(Letter).where(Letter.id.in_(bindparam("part", expanding=True))).order_by(Letter.id)
)


def supersede_unsent(session: Session, stamp: Stamp) -> list[Change]:
    """End the digests of earlier days that are still unsent; what they said is owed again.

    Returns the events, which the caller records at the end of its transaction.
    """
    ids = unsent_before(session, stamp.as_of, DAY_BOUND)
    changes: list[Change] = []
    for part in in_parts(ids):
        for row in session.scalars(_LETTERS, {"part": part}):
            row.state = LetterState.SUPERSEDED.value
            row.claimed_by, row.next_attempt_at = None, None
            changes.append(letter_change(row, "supersede"))
        session.flush()
        release_lines(session, stamp, part)
    return changes


def supersede_and_record(session: Session, stamp: Stamp) -> int:
    """The same as a use case of its own; returns how many letters were superseded."""
    changes = supersede_unsent(session, stamp)
    record(session, stamp, changes)
    return len(changes)


def release_lines(
    session: Session,
    stamp: Stamp,
    letter_ids: Sequence[int],
    *,
    assignment_ids: Sequence[int] | None = None,
) -> int:
    """Give back the rungs and notices of these letters, or only those of some assignments.

    The letters' lines stay as the record of what they would have said; the reminder rows go, so
    that the same rung can be queued again. Returns how many rungs are owed again.
    """
    query = select(
        Reminder.id, Reminder.assignment_id, Reminder.round, Reminder.due_on, Reminder.rung
    ).where(Reminder.letter_id.in_(letter_ids))
    if assignment_ids is not None:
        query = query.where(Reminder.assignment_id.in_(assignment_ids))
    withdrawn: defaultdict[_Anchor, list[int]] = defaultdict(list)
    rows = session.execute(query).all()
    for _, assignment, round_, due_on, rung in rows:
        withdrawn[assignment, round_, due_on].append(rung)
    for part in in_parts([row[0] for row in rows]):
        session.execute(delete(Reminder).where(Reminder.id.in_(part)))
    _step_back(session, stamp, withdrawn)
    if assignment_ids is None:
        session.execute(
            update(Notice).where(Notice.letter_id.in_(letter_ids)).values(letter_id=None)
        )
    return len(rows)


_ASSIGNMENT = Base.metadata.tables[Assignment.__tablename__]
_BACK = (
    update(_ASSIGNMENT)
    .where(
        _ASSIGNMENT.c.id == bindparam("number"),
        _ASSIGNMENT.c.round == bindparam("in_round"),
        func.coalesce(_ASSIGNMENT.c.respond_by, _ASSIGNMENT.c.due_on) == bindparam("spoken_of"),
    )
    .values(
        last_rung=bindparam("rung"),
        next_reminder_on=case(
            (_ASSIGNMENT.c.status.in_([one.value for one in REMINDED]), bindparam("today")),
            else_=_ASSIGNMENT.c.next_reminder_on,
        ),
    )
)


def _step_back(session: Session, stamp: Stamp, withdrawn: dict[_Anchor, list[int]]) -> None:
    sent = _still_said(session, {assignment for assignment, _, _ in withdrawn})
    for key in sorted(withdrawn):
        assignment, round_, due_on = key
        values = {
            "number": assignment,
            "in_round": round_,
            "spoken_of": due_on,
            "rung": stepped_back(sent.get(key, ()), withdrawn[key]),
            "today": stamp.as_of,
        }
        session.connection().execute(_BACK, values)


def _still_said(session: Session, assignments: set[int]) -> dict[_Anchor, list[int]]:
    found: defaultdict[_Anchor, list[int]] = defaultdict(list)
    for part in in_parts(sorted(assignments)):
        rows = session.execute(
            select(Reminder.assignment_id, Reminder.round, Reminder.due_on, Reminder.rung).where(
                Reminder.assignment_id.in_(part)
            )
        )
        for assignment, round_, due_on, rung in rows:
            found[assignment, round_, due_on].append(rung)
    return found
