"""What must be true of reminders and letters (rules 5, 28-30, 33)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from models.tables import Event, Letter, LetterState, Reminder
from operations.state import load_calendar
from simulator.reading import pairs

ANY_DAY_KINDS = ("receipt", "link", "operator_notice", "preview", "checkpoint")
"""Letters that go on a day off as well: answers to a person, and words to operators."""
DAY_KINDS = ("digest", "preview", "monday_summary")
"""Letters that go on their own day or not at all (rule 29)."""
IN_HAND = (LetterState.CLAIMED, LetterState.SENDING)
UNSAID = (LetterState.SUPERSEDED, LetterState.DROPPED)


def no_rung_twice(session: Session) -> Iterator[str]:
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


def reminders_point_to_a_letter(session: Session) -> Iterator[str]:
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


def one_digest_a_mailbox_a_day(session: Session) -> Iterator[str]:
    """(28, 30) All plans together, one digest."""
    rows = session.execute(
        select(Letter.mailbox, Letter.day, func.count())
        .where(Letter.kind == "digest")
        .group_by(Letter.mailbox, Letter.day)
        .having(func.count() > 1)
    )
    for mailbox, day, count in rows:
        yield f"{mailbox}: {count} digests on {day}"


def letters_stand_in_legal_states(session: Session) -> Iterator[str]:
    """(33) A state is one of the list, and its columns agree with it."""
    legal = {state.value for state in LetterState}
    columns = (
        Letter.key,
        Letter.state,
        Letter.sent_at,
        Letter.claimed_by,
        Letter.sending_at,
        Letter.held_reason,
        Letter.next_attempt_at,
    )
    for row in session.execute(select(*columns)):
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


def no_letter_sent_twice(session: Session) -> Iterator[str]:
    """(33) What was sent has a Message-ID of its own, and one event that says so.

    A letter that was closed after a restore is unknown too; from this database it never left.
    """
    rows = session.execute(
        select(Letter.message_id, func.count())
        .where(
            or_(
                Letter.state == LetterState.SENT.value,
                (Letter.state == LetterState.UNKNOWN.value) & Letter.sending_at.is_not(None),
            )
        )
        .group_by(Letter.message_id)
        .having(or_(func.count() > 1, Letter.message_id == ""))
    )
    for number, count in rows:
        yield f"Message-ID {number!r}: {count} letters"
    sent = pairs(
        session,
        select(Event.entity_id, func.count())
        .where(Event.entity == "letter", Event.action == "sent")
        .group_by(Event.entity_id),
    )
    for letter, key, state in session.execute(select(Letter.id, Letter.key, Letter.state)):
        wanted = 1 if state == LetterState.SENT else 0
        if sent.get(str(letter), 0) != wanted:
            yield f"letter {key}: {state}, with {sent.get(str(letter), 0)} events of sending"


class DaysOff:
    """(5) Which days were days off when something was sent: one may be declared at noon of itself."""

    def __init__(self, session: Session) -> None:
        self._calendar = load_calendar(session)
        self._declared: dict[date, datetime] = {}
        rows = session.execute(
            select(Event.entity_id, Event.at, Event.snapshot)
            .where(Event.entity == "day")
            .order_by(Event.id)
        )
        for day, at, snapshot in rows:
            if not json.loads(snapshot)["working"]:
                self._declared[date.fromisoformat(day)] = at

    def was_off(self, day: date, at: datetime) -> bool:
        """Whether ``day`` was known as a day off at the instant ``at``."""
        declared = self._declared.get(day)
        return not self._calendar.is_working(day) and (declared is None or declared <= at)


def nothing_on_a_day_off(session: Session) -> Iterator[str]:
    """(5, 29) Neither queued for a day off nor sent on one; digests go on their own day."""
    days = DaysOff(session)
    columns = (Letter.key, Letter.kind, Letter.day, Letter.queued_at, Letter.sending_at)
    rows_of = session.execute(select(Letter.id, *columns))
    letters = {str(row.id): row for row in rows_of}
    for row in letters.values():
        if row.kind not in ANY_DAY_KINDS and days.was_off(row.day, row.queued_at):
            yield f"letter {row.key}: for {row.day}, a day off"
    rows = session.execute(
        select(Event.entity_id, Event.effective_on, Event.at).where(
            Event.entity == "letter", Event.action == "sent"
        )
    )
    for number, day, at in rows:
        letter = letters.get(number)
        if letter is None:
            yield f"letter {number}: was sent and is not there"
        elif letter.kind not in ANY_DAY_KINDS and days.was_off(day, letter.sending_at or at):
            yield f"letter {letter.key}: sent on {day}, a day off"
        elif letter.kind in DAY_KINDS and day != letter.day:
            yield f"letter {letter.key}: sent on {day}"
