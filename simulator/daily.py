"""Promises that are cheap enough for every simulated day: of events and letters that are new."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import String, and_, bindparam, cast, func, or_, select, text
from sqlalchemy.orm import Session

from models.queries_mail import COUNTED_KINDS, active_mailboxes
from models.tables import Assignment, Event, Letter, LetterState
from operations.state import load_plan, plan_keys
from rules.lifecycle import TRANSITIONS, Action, Status
from simulator.clock import LOCAL
from simulator.mail import MailServer
from simulator.promises_of_letters import ANY_DAY_KINDS, DaysOff

_NEWEST_EVENT = text("SELECT COALESCE(MAX(id), 0) FROM event")


@dataclass(slots=True)
class Seen:
    """What was looked at already: the newest event, the letters taken, how each row stood."""

    event: int = 0
    taken: int = 0
    numbers: set[str] = field(default_factory=set)
    """Message-IDs that arrived."""
    statuses: dict[str, tuple[str, str | None, int]] = field(default_factory=dict)
    """Status, the one before a suspension, and version of each assignment."""
    cap: tuple[int, float] = (0, 0.0)
    """Active mailboxes and the factor of the blast cap when they were last looked at."""

    def move_on(self, session: Session, server: MailServer) -> None:
        """From here on everything else is new."""
        self.event = session.scalar(_NEWEST_EVENT) or 0
        self.numbers.update(one.number for one in server.taken[self.taken :])
        self.taken = len(server.taken)


Check = Callable[[Session, Seen, MailServer, date], Iterator[str]]

_NOT_IN_LOG = text(
    "SELECT e.id FROM event e WHERE e.id > :after AND ("
    "(SELECT COUNT(*) FROM log_pending p WHERE p.event_id = e.id)"
    " + (SELECT COUNT(*) FROM log_leaf l WHERE l.event_id = e.id)) <> 1"
)


def every_event_is_in_the_log_once(
    session: Session, seen: Seen, _server: MailServer, _day: date
) -> Iterator[str]:
    """(38) Each event waits for its seal or has it."""
    for number in session.scalars(_NOT_IN_LOG, {"after": seen.event}):
        yield f"event {number} is not in the log exactly once"


_STEPS = (
    select(Event.id, Event.entity_id, Event.action, Event.snapshot, Event.actor_name)
    .where(Event.entity == "assignment", Event.id > bindparam("after"))
    .order_by(Event.id)
)


def every_event_has_its_cause(
    session: Session, seen: Seen, _server: MailServer, _day: date
) -> Iterator[str]:
    """(20, 37) Each step of an assignment is one of the table, and none is left out."""
    steps = session.execute(_STEPS, {"after": seen.event})
    for number, entity, action, snapshot, actor in steps:
        row = json.loads(snapshot)
        before = seen.statuses.get(entity)
        now = row["status"], row["status_before"], row["version"]
        seen.statuses[entity] = now
        if not actor:
            yield f"event {number}: done by nobody"
        if before is None:
            continue
        if now[2] != before[2] + 1:
            yield f"event {number}: assignment {entity} goes from version {before[2]} to {now[2]}"
        if not _legal(before, action, now[0]):
            yield f"event {number}: assignment {entity} goes from {before[0]} to {now[0]} by {action}"


def _legal(before: tuple[str, str | None, int], action: str, after: str) -> bool:
    if before[0] == after and action not in set(Action):
        return True
    if before[0] == after and action in {Action.REQUEST, Action.RECEIVE}:
        return True  # asked again, or marked as received: facts, and no step
    found = TRANSITIONS.get((Status(before[0]), Action(action))) if action in set(Action) else None
    if found is None:
        return False
    if found.to is not None:
        return found.to == after
    return action == Action.REASSIGN or after == (before[1] or Status.IN_PROGRESS)


_TOUCHED = (
    select(Event.entity_id)
    .where(Event.entity == "assignment", Event.id > bindparam("after"))
    .distinct()
)
_ROWS = select(Assignment.id, Assignment.status, Assignment.version).where(
    Assignment.id.in_(bindparam("part", expanding=True))
)


def rows_say_what_their_last_event_says(
    session: Session, seen: Seen, _server: MailServer, _day: date
) -> Iterator[str]:
    """(37) Of everything that happened today."""
    numbers = [int(one) for one in session.scalars(_TOUCHED, {"after": seen.event})]
    for at in range(0, len(numbers), 400):
        rows = session.execute(_ROWS, {"part": numbers[at : at + 400]})
        for number, status, version in rows:
            said = seen.statuses.get(str(number), ("nothing", None, 0))
            if (status, version) != (said[0], said[2]):
                yield (
                    f"assignment {number} is {status} in version {version}; "
                    f"its last event says {said[0]} in version {said[2]}"
                )


def no_letter_arrives_twice(
    _session: Session, seen: Seen, server: MailServer, _day: date
) -> Iterator[str]:
    """(33) By what the mail server took, whatever it answered."""
    known = set(seen.numbers)
    for one in server.taken[seen.taken :]:
        if one.number in known:
            yield f"{one.number} arrived twice at {one.to}"
        known.add(one.number)


_CALLED_SENT = (
    select(Letter.id, Letter.key, Letter.message_id)
    .join(Event, Event.entity_id == cast(Letter.id, String))
    .where(Event.entity == "letter", Event.action == "sent", Event.id > bindparam("after"))
)
_ARRIVED = select(Letter.key, Letter.state, Letter.message_id).where(
    Letter.message_id.in_(bindparam("part", expanding=True))
)


def no_letter_is_lost(
    session: Session, seen: Seen, server: MailServer, _day: date
) -> Iterator[str]:
    """(33) What is called sent has arrived; what arrived is called sent, or "không rõ"."""
    arrived = seen.numbers | {one.number for one in server.taken[seen.taken :]}
    sent = session.execute(_CALLED_SENT, {"after": seen.event})
    for _, key, number in sent:
        if number not in arrived:
            yield f"letter {key} is called sent and never arrived"
    told = {LetterState.SENT.value, LetterState.UNKNOWN.value, LetterState.SENDING.value}
    new = [one.number for one in server.taken[seen.taken :]]
    for at in range(0, len(new), 400):
        rows = session.execute(_ARRIVED, {"part": new[at : at + 400]}).all()
        for key, state, _ in rows:
            if state not in told:
                yield f"letter {key} arrived and is {state}"
        for number in sorted(set(new[at : at + 400]) - {row[2] for row in rows}):
            yield f"{number} arrived and is in no outbox"


_TAKEN = select(Letter.message_id, Letter.kind, Letter.sending_at).where(
    Letter.message_id.in_(bindparam("part", expanding=True))
)


def one_digest_a_mailbox_a_day_arrives(
    session: Session, seen: Seen, server: MailServer, _day: date
) -> Iterator[str]:
    """(5, 30) Nothing but answers on a day off, and one digest a mailbox a day."""
    new = server.taken[seen.taken :]
    if not new:
        return
    days = DaysOff(session)
    letters: dict[str, Any] = {}
    for at in range(0, len(new), 400):
        some = [one.number for one in new[at : at + 400]]
        rows = session.execute(_TAKEN, {"part": some})
        letters |= {row.message_id: row for row in rows}
    digests: Counter[tuple[str, date]] = Counter()
    for one in new:
        letter, day = letters.get(one.number), one.at.astimezone(LOCAL).date()
        if letter is None:
            continue
        digests[one.to, day] += letter.kind == "digest"
        began = letter.sending_at or one.at
        if letter.kind not in ANY_DAY_KINDS and days.was_off(day, began):
            yield f"{one.number}, a {letter.kind}, arrived on {day}, a day off"
    for (to, day), count in digests.items():
        if count > 1:
            yield f"{to}: {count} digests arrived on {day}"


_UNCOUNTED = (LetterState.HELD, LetterState.SUPERSEDED, LetterState.DROPPED)
_EVER_HELD = select(Event.id).where(
    Event.entity == "letter",
    Event.action == "hold",
    Event.entity_id == cast(Letter.id, String),
)
_GOING = (
    select(func.count())
    .select_from(Letter)
    .where(
        Letter.day == bindparam("day"),
        Letter.kind.in_(COUNTED_KINDS),
        Letter.state.not_in([one.value for one in _UNCOUNTED]),
        ~_EVER_HELD.exists(),
    )
)


_FELL_AWAY = (
    select(func.count())
    .select_from(Event)
    .where(
        Event.id > bindparam("since"),
        or_(
            and_(Event.entity == "mailbox", Event.action == "undeliverable"),
            and_(Event.entity == "contact", Event.snapshot.like('%"active":false%')),
        ),
    )
)


def the_blast_cap_holds(
    session: Session, seen: Seen, _server: MailServer, day: date
) -> Iterator[str]:
    """(32) Of what nobody released, no more goes than the cap of this day allows."""
    boxes = active_mailboxes(session)
    factors = [load_plan(session, key).policies.blast_factor for key in plan_keys(session)]
    factor = min(factors, default=1.5)
    # A mailbox may have come and fallen away since the last look, and letters with it.
    there = boxes + (session.scalar(_FELL_AWAY, {"since": seen.event}) or 0)
    before, (most, widest) = seen.cap, (max(there, seen.cap[0]), max(factor, seen.cap[1]))
    seen.cap = boxes, factor
    if not before[0]:
        return
    count = session.scalar(_GOING, {"day": day})
    if count is not None and count > most * widest:
        yield f"{count} letters on {day}, {most} mailboxes, factor {widest}"


CHECKS: tuple[Check, ...] = (
    every_event_is_in_the_log_once,
    every_event_has_its_cause,
    rows_say_what_their_last_event_says,
    no_letter_arrives_twice,
    no_letter_is_lost,
    one_digest_a_mailbox_a_day_arrives,
    the_blast_cap_holds,
)
"""In this order: the second fills in what the third compares with."""
