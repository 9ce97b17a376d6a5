"""What must be true of every database at every moment, however a run ended.

Any test may call :func:`check_invariants` at its end. It reads the tables as they are and trusts
nothing that the operations say about them; all that is broken is told at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from models.engine import Database
from models.tables import (
    Assignment,
    Event,
    Letter,
    LetterState,
    LogLeaf,
    LogPending,
    Occurrence,
    PlanRow,
    Reminder,
)
from operations.state import load_calendar, load_plan
from rules.events import canonical_v1, leaf_digest
from rules.lifecycle import LEAD_STATUSES, OPEN, PARTNER_STATUSES, REMINDED, Status
from rules.values import LeadMode, Role, Roll, TrackingMode

K = TypeVar("K")
V = TypeVar("V")

BEGINNINGS = ("assign", "take_over")
"""The actions with which an assignment's history may begin."""
SNAPSHOT_FIELDS = ("status", "due_on", "respond_by", "round", "extensions", "version")
"""What the last event must say of a row as the row itself does."""
ANY_DAY_KINDS = ("receipt", "link", "operator_notice", "preview")
"""Letters that go on a day off as well: answers to a person, and words to operators."""
DAY_KINDS = ("digest", "preview", "monday_summary")
"""Letters that go on their own day or not at all (rule 29)."""
IN_HAND = (LetterState.CLAIMED, LetterState.SENDING)
UNSAID = (LetterState.SUPERSEDED, LetterState.DROPPED)
_GONE = (Status.CANCELLED.value, Status.TRANSFERRED.value)
_EVENT_FIELDS = tuple(column.name for column in Event.__table__.columns if column.name != "digest")


class InvariantsBroken(AssertionError):
    """Everything that is broken, a line each."""

    def __init__(self, broken: list[str]) -> None:
        self.broken = broken
        shown = broken[:40] + ([f"... and {len(broken) - 40} more"] if len(broken) > 40 else [])
        super().__init__("\n".join(["the database breaks its promises:", *shown]))


def check_invariants(database: Database) -> None:
    """Read the whole database and say what is broken.

    Raises:
        InvariantsBroken: with every broken promise.
    """
    with database.read() as session:
        broken = broken_promises(session)
    if broken:
        raise InvariantsBroken(broken)


def broken_promises(session: Session) -> list[str]:
    """All that is broken as this session sees the database, a line each."""
    return [line for check in CHECKS for line in check(session)]


def _pairs(session: Session, query: Select[tuple[K, V]]) -> dict[K, V]:
    """Rows of two columns as a mapping; of equal keys the last row counts."""
    return dict(session.execute(query).tuples().all())


def _history_begins_with_the_opening(session: Session) -> Iterator[str]:
    """(37) The first event of each assignment opened it, or took it over from a predecessor."""
    first = _pairs(
        session,
        select(Event.entity_id, Event.action)
        .where(Event.entity == "assignment")
        .order_by(Event.id.desc()),
    )
    for number in session.scalars(select(Assignment.id)):
        found = first.get(str(number))
        if found not in BEGINNINGS:
            yield f"assignment {number}: its history begins with {found!r}"


def _last_event_says_what_the_row_says(session: Session) -> Iterator[str]:
    """(37) Status and history are one write."""
    last: dict[str, dict[str, Any]] = {}
    for number, snapshot in session.execute(
        select(Event.entity_id, Event.snapshot)
        .where(Event.entity == "assignment")
        .order_by(Event.id)
    ):
        last[number] = json.loads(snapshot)
    for row in session.scalars(select(Assignment)):
        said = last.get(str(row.id), {})
        for name in SNAPSHOT_FIELDS:
            value = getattr(row, name)
            wanted = value.isoformat() if isinstance(value, date) else value
            if said.get(name) != wanted:
                yield f"assignment {row.id}: {name} is {wanted!r}, its last event says {said.get(name)!r}"


def _occurrences_have_a_history(session: Session) -> Iterator[str]:
    """(37) An occurrence was opened once, and by an event."""
    opened = _pairs(
        session,
        select(Event.entity_id, func.count())
        .where(Event.entity == "occurrence", Event.action == "open")
        .group_by(Event.entity_id),
    )
    for number in session.scalars(select(Occurrence.id)):
        if opened.get(str(number)) != 1:
            yield f"occurrence {number}: opened by {opened.get(str(number), 0)} events"


def _events_are_in_the_log(session: Session) -> Iterator[str]:
    """(38) Each event is pending or sealed, not both, under the digest of what it says."""
    pending = set(session.scalars(select(LogPending.event_id)))
    sealed = _pairs(session, select(LogLeaf.event_id, LogLeaf.digest))
    seen: set[int] = set()
    for event in session.scalars(select(Event).order_by(Event.id)):
        seen.add(event.id)
        fields = {name: getattr(event, name) for name in _EVENT_FIELDS}
        if leaf_digest(canonical_v1(fields)) != event.digest:
            yield f"event {event.id}: its digest is not that of what it says"
        if (event.id in pending) == (event.id in sealed):
            where = "both pending and sealed" if event.id in sealed else "in no log"
            yield f"event {event.id}: {where}"
        elif event.id in sealed and sealed[event.id] != event.digest:
            yield f"event {event.id}: sealed under another digest"
    for number in sorted((pending | sealed.keys()) - seen):
        yield f"log: speaks of event {number}, which is not there"


def _no_rung_twice(session: Session) -> Iterator[str]:
    """(28) One reminder for an assignment, round, date, rung and mailbox."""
    key = (
        Reminder.assignment_id,
        Reminder.round,
        Reminder.due_on,
        Reminder.rung,
        Reminder.mailbox,
    )
    for row in session.execute(select(*key, func.count()).group_by(*key).having(func.count() > 1)):
        yield f"reminder {tuple(row[:-1])}: {row[-1]} rows"


def _reminders_point_to_a_letter(session: Session) -> Iterator[str]:
    """(28, 29) A rung that counts as said stands in a letter to its mailbox, and in its lines."""
    rows = session.execute(
        select(Reminder.id, Reminder.mailbox, Letter.mailbox, Letter.state).outerjoin(
            Letter, Letter.id == Reminder.letter_id
        )
    )
    for number, mailbox, letter_mailbox, state in rows:
        if letter_mailbox is None:
            yield f"reminder {number}: points to no letter"
        elif mailbox != letter_mailbox:
            yield f"reminder {number}: for {mailbox}, in a letter to {letter_mailbox}"
        elif state in UNSAID:
            yield f"reminder {number}: counts as said by a letter that is {state}"


def _one_digest_a_mailbox_a_day(session: Session) -> Iterator[str]:
    """(28, 30) All plans together, one digest."""
    rows = session.execute(
        select(Letter.mailbox, Letter.day, func.count())
        .where(Letter.kind == "digest")
        .group_by(Letter.mailbox, Letter.day)
        .having(func.count() > 1)
    )
    for mailbox, day, count in rows:
        yield f"{mailbox}: {count} digests on {day}"


def _letters_stand_in_legal_states(session: Session) -> Iterator[str]:
    """(33) A state is one of the list, and its columns agree with it."""
    legal = {state.value for state in LetterState}
    for row in session.scalars(select(Letter)):
        if row.state not in legal:
            yield f"letter {row.key}: state {row.state!r}"
        if (row.state == LetterState.SENT) != (row.sent_at is not None):
            yield f"letter {row.key}: {row.state}, sent at {row.sent_at}"
        if row.state in IN_HAND and not row.claimed_by:
            yield f"letter {row.key}: {row.state} by nobody"
        if row.state == LetterState.SENDING and row.sending_at is None:
            yield f"letter {row.key}: being sent since never"
        if row.state == LetterState.HELD and not row.held_reason:
            yield f"letter {row.key}: held for no reason"
        if row.state == LetterState.RETRYING and row.next_attempt_at is None:
            yield f"letter {row.key}: never to be tried again"


def _no_letter_sent_twice(session: Session) -> Iterator[str]:
    """(33) What was sent has a Message-ID of its own, and one event that says so."""
    rows = session.execute(
        select(Letter.message_id, func.count())
        .where(Letter.state.in_((LetterState.SENT.value, LetterState.UNKNOWN.value)))
        .group_by(Letter.message_id)
        .having(or_(func.count() > 1, Letter.message_id == ""))
    )
    for number, count in rows:
        yield f"Message-ID {number!r}: {count} letters"
    sent = _pairs(
        session,
        select(Event.entity_id, func.count())
        .where(Event.entity == "letter", Event.action == "sent")
        .group_by(Event.entity_id),
    )
    for letter, key, state in session.execute(select(Letter.id, Letter.key, Letter.state)):
        wanted = 1 if state == LetterState.SENT else 0
        if sent.get(str(letter), 0) != wanted:
            yield f"letter {key}: {state}, with {sent.get(str(letter), 0)} events of sending"


def _nothing_on_a_day_off(session: Session) -> Iterator[str]:
    """(5, 29) Neither queued for a day off nor sent on one; digests go on their own day."""
    calendar = load_calendar(session)
    for row in session.scalars(select(Letter).where(Letter.kind.not_in(ANY_DAY_KINDS))):
        if not calendar.is_working(row.day):
            yield f"letter {row.key}: for {row.day}, a day off"
    rows = session.execute(
        select(Event.entity_id, Event.effective_on).where(
            Event.entity == "letter", Event.action == "sent"
        )
    )
    letters = {str(row.id): row for row in session.scalars(select(Letter))}
    for number, day in rows:
        letter = letters.get(number)
        if letter is None:
            yield f"letter {number}: was sent and is not there"
        elif letter.kind not in ANY_DAY_KINDS and not calendar.is_working(day):
            yield f"letter {letter.key}: sent on {day}, a day off"
        elif letter.kind in DAY_KINDS and day != letter.day:
            yield f"letter {letter.key}: sent on {day}"


def _statuses_fit_their_roles(session: Session) -> Iterator[str]:
    """(14, 20) The lifecycle of a lead and that of a partner; only open work is reminded."""
    legal = {Role.LEAD.value: LEAD_STATUSES, Role.PARTNER.value: PARTNER_STATUSES}
    for row in session.scalars(select(Assignment)):
        if row.status not in legal[row.role]:
            yield f"assignment {row.id}: {row.role} that is {row.status}"
        if row.next_reminder_on is not None and row.status not in REMINDED:
            yield f"assignment {row.id}: {row.status}, to be reminded on {row.next_reminder_on}"


def _due_dates_are_working_days(session: Session) -> Iterator[str]:
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


def _no_lead_is_its_own_partner(session: Session) -> Iterator[str]:
    """(14) Except where each leads its own: there a partner belongs to the whole occurrence."""
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
            Assignment.status.not_in(_GONE),
            partner.status.not_in(_GONE),
            Occurrence.lead_mode != LeadMode.EACH.value,
        )
    )
    for item, period, agency in rows:
        yield f"{item} · {period}: {agency} is its own partner"


CHECKS: tuple[Callable[[Session], Iterator[str]], ...] = (
    _history_begins_with_the_opening,
    _last_event_says_what_the_row_says,
    _occurrences_have_a_history,
    _events_are_in_the_log,
    _no_rung_twice,
    _reminders_point_to_a_letter,
    _one_digest_a_mailbox_a_day,
    _letters_stand_in_legal_states,
    _no_letter_sent_twice,
    _nothing_on_a_day_off,
    _statuses_fit_their_roles,
    _due_dates_are_working_days,
    _no_lead_is_its_own_partner,
)
"""Every promise, by itself; a new one is added here."""
