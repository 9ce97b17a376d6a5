"""The days of next reminders, set anew when what they follow from has changed."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Assignment, Occurrence
from operations.state import PlanState
from operations.transition import Work, set_next_reminder
from rules.lifecycle import REMINDED


def count_anew(session: Session, state: PlanState, agencies: Collection[str] | None = None) -> int:
    """Set the next reminders of a plan's open work by days and letters as they are now.

    ``agencies`` None means everybody's. Returns how many changed. The day of the next reminder
    follows from the ladder, the days and the switches: it is no fact of its own, so its change is
    no event and makes no new version.
    """
    query = (
        select(Assignment, Occurrence)
        .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
        .where(
            Occurrence.plan_key == state.plan.key,
            Assignment.status.in_([status.value for status in REMINDED]),
        )
        .order_by(Assignment.id)
        .with_for_update(of=Assignment)
    )
    if agencies is not None:
        query = query.where(Assignment.agency_key.in_(agencies))
    changed = 0
    for row, occurrence in session.execute(query).all():
        before = row.next_reminder_on
        set_next_reminder(Work(state=state, occurrence=occurrence, assignment=row))
        changed += row.next_reminder_on != before
    session.flush()
    return changed
