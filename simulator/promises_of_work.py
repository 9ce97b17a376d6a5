"""What must be true of work and of its history (rules 3, 4, 14, 20, 37, 38)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session, aliased

from models.tables import Assignment, Event, LogLeaf, LogPending, Occurrence, PlanRow
from operations.state import load_calendar, load_plan
from rules.events import canonical_v1, leaf_digest
from rules.lifecycle import LEAD_STATUSES, OPEN, PARTNER_STATUSES, REMINDED, Status
from rules.values import LeadMode, Role, Roll, TrackingMode
from simulator.reading import pairs

BEGINNINGS = ("assign", "take_over", "add")
"""The actions with which an assignment's history may begin."""
SNAPSHOT_FIELDS = ("status", "due_on", "respond_by", "round", "extensions", "version")
"""What the last event must say of a row as the row itself does."""
GONE = (Status.CANCELLED.value, Status.TRANSFERRED.value)
EVENT_FIELDS = tuple(column.name for column in Event.__table__.columns if column.name != "digest")


def history_begins_with_the_opening(session: Session) -> Iterator[str]:
    """(37) The first event of each assignment opened it, or took it over from a predecessor."""
    first = pairs(
        session,
        select(Event.entity_id, Event.action)
        .where(Event.entity == "assignment")
        .order_by(Event.id.desc()),
    )
    for number in session.scalars(select(Assignment.id)):
        found = first.get(str(number))
        if found not in BEGINNINGS:
            yield f"assignment {number}: its history begins with {found!r}"


def last_event_says_what_the_row_says(session: Session) -> Iterator[str]:
    """(37) Status and history are one write."""
    newest = select(func.max(Event.id)).where(Event.entity == "assignment")
    last = pairs(
        session,
        select(Event.entity_id, Event.snapshot).where(
            Event.id.in_(newest.group_by(Event.entity_id))
        ),
    )
    columns = (getattr(Assignment, name) for name in SNAPSHOT_FIELDS)
    for row in session.execute(select(Assignment.id, *columns)):
        said = json.loads(last.get(str(row.id), "{}"))
        for name, value in zip(SNAPSHOT_FIELDS, row[1:], strict=True):
            wanted = value.isoformat() if isinstance(value, date) else value
            if said.get(name) != wanted:
                yield f"assignment {row.id}: {name} is {wanted!r}, its last event says {said.get(name)!r}"


def occurrences_have_a_history(session: Session) -> Iterator[str]:
    """(37) An occurrence was opened once, and by an event."""
    opened = pairs(
        session,
        select(Event.entity_id, func.count())
        .where(Event.entity == "occurrence", Event.action == "open")
        .group_by(Event.entity_id),
    )
    for number in session.scalars(select(Occurrence.id)):
        if opened.get(str(number)) != 1:
            yield f"occurrence {number}: opened by {opened.get(str(number), 0)} events"


def events_are_in_the_log(session: Session) -> Iterator[str]:
    """(38) Each event is pending or sealed, not both, under the digest of what it says."""
    pending = set(session.scalars(select(LogPending.event_id)))
    sealed = pairs(session, select(LogLeaf.event_id, LogLeaf.digest))
    seen: set[int] = set()
    for event in session.scalars(select(Event).order_by(Event.id)):
        seen.add(event.id)
        fields = {name: getattr(event, name) for name in EVENT_FIELDS}
        if leaf_digest(canonical_v1(fields)) != event.digest:
            yield f"event {event.id}: its digest is not that of what it says"
        if (event.id in pending) == (event.id in sealed):
            where = "both pending and sealed" if event.id in sealed else "in no log"
            yield f"event {event.id}: {where}"
        elif event.id in sealed and sealed[event.id] != event.digest:
            yield f"event {event.id}: sealed under another digest"
    for number in sorted((pending | sealed.keys()) - seen):
        yield f"log: speaks of event {number}, which is not there"


def statuses_fit_their_roles(session: Session) -> Iterator[str]:
    """(14, 20) The lifecycle of a lead and that of a partner; only open work is reminded."""
    legal = {Role.LEAD.value: LEAD_STATUSES, Role.PARTNER.value: PARTNER_STATUSES}
    columns = (Assignment.id, Assignment.role, Assignment.status, Assignment.next_reminder_on)
    for row in session.execute(select(*columns)):
        if row.status not in legal[row.role]:
            yield f"assignment {row.id}: {row.role} that is {row.status}"
        if row.next_reminder_on is not None and row.status not in REMINDED:
            yield f"assignment {row.id}: {row.status}, to be reminded on {row.next_reminder_on}"


def due_dates_are_working_days(session: Session) -> Iterator[str]:
    """(3, 4) The date in force of a lead's open work; not where the plan rolls nothing."""
    calendar = load_calendar(session)
    unrolled = {
        (key, item.key)
        for key in session.scalars(select(PlanRow.key))
        for item in load_plan(session, key).items
        if item.calendar.roll is Roll.NONE
    }
    rows = session.execute(
        select(Assignment.id, Assignment.due_on, Occurrence.plan_key, Occurrence.item_key)
        .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
        .where(
            Assignment.role == Role.LEAD.value,
            Assignment.status.in_([status.value for status in OPEN]),
            Occurrence.mode != TrackingMode.IMPORTED.value,
        )
    )
    for number, due_on, plan, item in rows:
        if (plan, item) not in unrolled and not calendar.is_working(due_on):
            yield f"assignment {number}: due on {due_on}, a day off"


def no_lead_is_its_own_partner(session: Session) -> Iterator[str]:
    """(14) Except where each leads its own: there a partner belongs to the whole occurrence.

    What an agency gave as a partner before it took the lead over stays told; it owes nothing twice.
    """
    partner = aliased(Assignment)
    rows = session.execute(
        select(Occurrence.item_key, Occurrence.period_key, Assignment.agency_key)
        .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
        .join(
            partner,
            and_(
                partner.occurrence_id == Assignment.occurrence_id,
                partner.agency_key == Assignment.agency_key,
                partner.role == Role.PARTNER.value,
            ),
        )
        .where(
            Assignment.role == Role.LEAD.value,
            Assignment.status.not_in(GONE),
            partner.status.in_([Status.DORMANT.value, Status.REQUESTED.value]),
            Occurrence.lead_mode != LeadMode.EACH.value,
        )
    )
    for item, period, agency in rows:
        yield f"{item} · {period}: {agency} is its own partner"
