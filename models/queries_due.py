"""The named queries of a sweep: what is due, and what was said of it before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.queries_mail import in_parts, narrowed
from models.tables import Assignment, Occurrence, Reminder


class DueKind(NamedTuple):
    """What a due assignment has in common with others: all that its reminder is read from."""

    plan_key: str
    agency_key: str
    ladder: str
    kind: str
    mode: str
    role: str
    authority: str
    due_on: date
    respond_by: date | None
    last_rung: int | None
    handler_mailbox: str | None


class DueRow(NamedTuple):
    """A due assignment; many are of one kind."""

    id: int
    round: int
    kind: DueKind


_DUE_COLUMNS = (
    Assignment.id,
    Assignment.round,
    Occurrence.plan_key,
    Assignment.agency_key,
    Occurrence.ladder,
    Occurrence.kind,
    Occurrence.mode,
    Assignment.role,
    Assignment.authority,
    Assignment.due_on,
    Assignment.respond_by,
    Assignment.last_rung,
    Assignment.handler_mailbox,
)


def due_assignments(
    session: Session, as_of: date, *, plan: str | None = None, item: str | None = None
) -> Sequence[DueRow]:
    """The assignments whose next rung's day has come, by the partial index alone, in id order.

    Put in order here: asked to do so, SQLite reads all assignments of all years as they lie.
    """
    query = (
        select(*_DUE_COLUMNS)
        .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
        .where(Assignment.next_reminder_on <= as_of)
    )
    kinds: dict[Any, DueKind] = {}
    found = []
    for row in sorted(session.execute(narrowed(query, plan, item)), key=itemgetter(0)):
        words = row[2:]
        kind = kinds.get(words)
        if kind is None:
            kind = kinds[words] = DueKind(*words)
        found.append(DueRow(row[0], row[1], kind))
    return found


def queued_rungs(session: Session, due: Iterable[DueRow]) -> set[tuple[int, int, date, int, str]]:
    """What was queued before for these assignments: the keys of their reminders.

    They are named one by one: joined to the assignments, PostgreSQL may read all reminders of all
    years for the few that are due.
    """
    found: set[tuple[int, int, date, int, str]] = set()
    for part in in_parts(row.id for row in due):
        query = select(
            Reminder.assignment_id,
            Reminder.round,
            Reminder.due_on,
            Reminder.rung,
            Reminder.mailbox,
        ).where(Reminder.assignment_id.in_(part))
        found.update((one[0], one[1], one[2], one[3], one[4]) for one in session.execute(query))
    return found
