"""The named queries of reminding and delivery: rows out, no objects.

Those that every run asks are made once: putting one together costs more than asking it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import cache
from itertools import islice
from typing import TypeVar

from sqlalchemy import Row, Select, bindparam, func, or_, select
from sqlalchemy.orm import Session

from models.tables import (
    Assignment,
    Contact,
    Letter,
    LetterState,
    Mailbox,
    Notice,
    Occurrence,
)

IN_LIMIT = 500
"""Values in one IN list; more are asked for in several queries."""

_T = TypeVar("_T")


def in_parts(values: Iterable[_T], size: int = IN_LIMIT) -> Iterator[list[_T]]:
    """``values`` in lists short enough for an IN list."""
    iterator = iter(values)
    while part := list(islice(iterator, size)):
        yield part


@cache
def reachable_contacts() -> Select[tuple[str, str, str | None, str | None]]:
    """Contacts that letters reach: (agency key, kind, name, address), in the order of their ids."""
    return (
        select(Contact.agency_key, Contact.kind, Contact.name, Contact.email)
        .outerjoin(Mailbox, Mailbox.address == Contact.email)
        .where(
            Contact.active,
            Contact.email.is_not(None),
            or_(Mailbox.state.is_(None), Mailbox.state == "ok"),
        )
        .order_by(Contact.id)
    )


_MAILBOXES = select(func.count()).select_from(
    reachable_contacts().order_by(None).with_only_columns(Contact.email).distinct().subquery()
)


def active_mailboxes(session: Session) -> int:
    """How many addresses take letters: what the blast cap is measured by (rule 32)."""
    return session.execute(_MAILBOXES).scalar_one()


def narrowed(query: Select[_T], plan: str | None, item: str | None) -> Select[_T]:  # type: ignore[type-var]
    """``query`` over occurrences, for one plan or item."""
    if plan is not None:
        query = query.where(Occurrence.plan_key == plan)
    if item is not None:
        query = query.where(Occurrence.item_key == item)
    return query


_PENDING = (
    select(
        Notice.id,
        Notice.kind,
        Notice.assignment_id,
        Notice.agency_key,
        Notice.audience,
        Notice.at_once,
        Notice.to_address,
        Notice.payload,
        Notice.created_on,
        Notice.created_at,
        Occurrence.opens_on,
        Assignment.status,
        Assignment.due_on,
        Assignment.handler_mailbox,
        Occurrence.plan_key,
    )
    .outerjoin(Assignment, Assignment.id == Notice.assignment_id)
    .outerjoin(Occurrence, Occurrence.id == Assignment.occurrence_id)
    .where(Notice.letter_id.is_(None), ~Notice.void)
    .order_by(Notice.id)
)


def pending_notices(
    session: Session, *, plan: str | None = None, item: str | None = None
) -> Sequence[Row[tuple[object, ...]]]:
    """What was said and not yet queued, in the order it was said."""
    return session.execute(narrowed(_PENDING, plan, item)).all()


_WAITS_AT_ONCE = (
    select(Notice.id).where(Notice.letter_id.is_(None), ~Notice.void, Notice.at_once).limit(1)
)


def at_once_waits(session: Session) -> bool:
    """Whether anything was said that goes at once and is not yet queued."""
    return session.scalar(_WAITS_AT_ONCE) is not None


_BY_KEY = select(Letter.key, Letter.id, Letter.state).where(
    Letter.key.in_(bindparam("part", expanding=True))
)
_BY_KEY_LOCKED = _BY_KEY.order_by(Letter.id).with_for_update()


def letters_by_key(
    session: Session, keys: Iterable[str], *, lock: bool = False
) -> dict[str, tuple[int, str]]:
    """Letters by their key: (id, state). ``lock`` keeps deliveries from claiming them meanwhile."""
    found: dict[str, tuple[int, str]] = {}
    for part in in_parts(keys):
        rows = session.execute(_BY_KEY_LOCKED if lock else _BY_KEY, {"part": part})
        found.update({key: (number, state) for key, number, state in rows})
    return found


COUNTED_KINDS = ("digest", "returned", "extension_decision")
"""Letters that the blast cap may hold. What it never holds does not count: answers to a person, and
the summary of the week, which goes to whoever releases the others. So what is held does not depend
on which run came first."""


_ANY_LETTER = select(Letter.id).limit(1)


def any_letter(session: Session) -> bool:
    """Whether the outbox ever held a letter."""
    return session.scalar(_ANY_LETTER) is not None


_NOT_COUNTED = (LetterState.HELD, LetterState.SUPERSEDED, LetterState.DROPPED)
_OF_DAY = (
    select(func.count())
    .select_from(Letter)
    .where(
        Letter.day == bindparam("day"),
        Letter.kind.in_(COUNTED_KINDS),
        Letter.state.not_in([state.value for state in _NOT_COUNTED]),
    )
)


def letters_of_day(session: Session, day: date) -> int:
    """How many letters of ``day`` count for the blast cap: those that are not held or ended."""
    return session.execute(_OF_DAY, {"day": day}).scalar_one()


UNSENT = (LetterState.QUEUED, LetterState.RETRYING, LetterState.CLAIMED, LetterState.HELD)
"""States of a letter of which nothing has left the house."""


_UNSENT_BEFORE = (
    select(Letter.id)
    .where(
        Letter.day < bindparam("day"),
        Letter.kind.in_(bindparam("kinds", expanding=True)),
        Letter.state.in_([state.value for state in UNSENT]),
    )
    .order_by(Letter.id)
    .with_for_update()
)


def unsent_before(session: Session, day: date, kinds: Sequence[str]) -> list[int]:
    """Ids of the letters of these kinds that are left over from the days before ``day``, locked."""
    return list(session.scalars(_UNSENT_BEFORE, {"day": day, "kinds": list(kinds)}))
