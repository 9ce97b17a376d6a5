"""The named queries of reminding and delivery, by Core: rows out, no objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import islice
from typing import TypeVar

from sqlalchemy import Row, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from models.tables import (
    Assignment,
    Contact,
    Letter,
    LetterLine,
    LetterState,
    Mailbox,
    Notice,
    Occurrence,
    Reminder,
)

IN_LIMIT = 500
"""Values in one IN list; more are asked for in several queries."""

_T = TypeVar("_T")


def in_parts(values: Iterable[_T], size: int = IN_LIMIT) -> Iterator[list[_T]]:
    """``values`` in lists short enough for an IN list."""
    iterator = iter(values)
    while part := list(islice(iterator, size)):
        yield part


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


def active_mailboxes(session: Session) -> int:
    """How many addresses take letters: what the blast cap is measured by (rule 32)."""
    rows = reachable_contacts().order_by(None).with_only_columns(Contact.email).distinct()
    return session.execute(select(func.count()).select_from(rows.subquery())).scalar_one()


def narrowed(query: Select[_T], plan: str | None, item: str | None) -> Select[_T]:  # type: ignore[type-var]
    """``query`` over occurrences, for one plan or item."""
    if plan is not None:
        query = query.where(Occurrence.plan_key == plan)
    if item is not None:
        query = query.where(Occurrence.item_key == item)
    return query


def pending_notices(
    session: Session, *, plan: str | None = None, item: str | None = None
) -> Sequence[Row[tuple[object, ...]]]:
    """What was said and not yet queued, in the order it was said."""
    query = (
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
    return session.execute(narrowed(query, plan, item)).all()


def at_once_waits(session: Session) -> bool:
    """Whether anything was said that goes at once and is not yet queued."""
    query = select(Notice.id).where(Notice.letter_id.is_(None), ~Notice.void, Notice.at_once)
    return session.scalar(query.limit(1)) is not None


def letters_by_key(
    session: Session, keys: Iterable[str], *, lock: bool = False
) -> dict[str, tuple[int, str]]:
    """Letters by their key: (id, state). ``lock`` keeps deliveries from claiming them meanwhile."""
    found: dict[str, tuple[int, str]] = {}
    for part in in_parts(keys):
        query = select(Letter.key, Letter.id, Letter.state).where(Letter.key.in_(part))
        if lock:
            query = query.order_by(Letter.id).with_for_update()
        found.update({key: (number, state) for key, number, state in session.execute(query)})
    return found


COUNTED_KINDS = ("digest", "returned", "extension_decision")
"""Letters that the blast cap may hold. What it never holds does not count: answers to a person, and
the summary of the week, which goes to whoever releases the others. So what is held does not depend
on which run came first."""


def any_letter(session: Session) -> bool:
    """Whether the outbox ever held a letter."""
    return session.scalar(select(Letter.id).limit(1)) is not None


def letters_of_day(session: Session, day: date) -> int:
    """How many letters of ``day`` count for the blast cap: those that are not held or ended."""
    not_counted = (LetterState.HELD, LetterState.SUPERSEDED, LetterState.DROPPED)
    return session.execute(
        select(func.count())
        .select_from(Letter)
        .where(
            Letter.day == day,
            Letter.kind.in_(COUNTED_KINDS),
            Letter.state.not_in([state.value for state in not_counted]),
        )
    ).scalar_one()


UNSENT = (LetterState.QUEUED, LetterState.RETRYING, LetterState.CLAIMED, LetterState.HELD)
"""States of a letter of which nothing has left the house."""


def unsent_before(session: Session, day: date, kinds: Sequence[str]) -> list[int]:
    """Ids of the letters of these kinds that are left over from the days before ``day``, locked."""
    query = (
        select(Letter.id)
        .where(
            Letter.day < day,
            Letter.kind.in_(kinds),
            Letter.state.in_([state.value for state in UNSENT]),
        )
        .order_by(Letter.id)
        .with_for_update()
    )
    return list(session.scalars(query))


def claimable(
    as_of: date,
    at: datetime,
    *,
    any_day_only: bool,
    day_bound: Sequence[str],
    any_day: Sequence[str],
) -> Select[tuple[int]]:
    """Ids of the letters that may be claimed now, oldest first.

    ``day_bound`` kinds go on their own day only; on a day off only ``any_day`` kinds go.
    """
    query = select(Letter.id).where(
        or_(
            Letter.state == LetterState.QUEUED.value,
            and_(Letter.state == LetterState.RETRYING.value, Letter.next_attempt_at <= at),
        ),
        Letter.day <= as_of,
        or_(Letter.kind.not_in(day_bound), Letter.day == as_of),
    )
    if any_day_only:
        query = query.where(Letter.kind.in_(any_day))
    return query.order_by(Letter.id)


_LINE_COLUMNS = (
    LetterLine.id.label("line_id"),
    LetterLine.letter_id,
    LetterLine.kind.label("line_kind"),
    LetterLine.rung,
    Notice.id.label("notice_id"),
    Notice.kind.label("notice_kind"),
    Notice.payload.label("notice_payload"),
    Reminder.due_on.label("rung_date"),
    Reminder.round.label("rung_round"),
    Assignment.id.label("assignment_id"),
    Assignment.version.label("assignment_version"),
    Assignment.agency_key,
    Assignment.agency_name,
    Assignment.role,
    Assignment.round,
    Assignment.status,
    Assignment.due_on,
    Assignment.respond_by,
    Assignment.authority,
    Assignment.request_text,
    Occurrence.id.label("occurrence_id"),
    Occurrence.plan_key,
    Occurrence.plan_version,
    Occurrence.item_key,
    Occurrence.period_key,
    Occurrence.kind.label("occurrence_kind"),
    Occurrence.mode,
    Occurrence.ladder,
)


def loose_lines_of(
    session: Session, letter_ids: Sequence[int]
) -> Sequence[Row[tuple[int, str, str, str]]]:
    """The lines of these letters that are about no assignment, by what their notices say."""
    found: list[Row[tuple[int, str, str, str]]] = []
    for part in in_parts(letter_ids):
        query = (
            select(
                LetterLine.letter_id,
                Notice.kind.label("notice_kind"),
                Notice.payload.label("notice_payload"),
                Notice.agency_key,
            )
            .join(Notice, Notice.id == LetterLine.notice_id)
            .where(LetterLine.letter_id.in_(part), LetterLine.assignment_id.is_(None))
            .order_by(LetterLine.letter_id, LetterLine.id)
        )
        found += session.execute(query).all()
    return found


def lines_of(session: Session, letter_ids: Sequence[int]) -> Sequence[Row[tuple[object, ...]]]:
    """The lines of these letters with the facts of their work as they are now."""
    found: list[Row[tuple[object, ...]]] = []
    for part in in_parts(letter_ids):
        query = (
            select(*_LINE_COLUMNS)
            .join(Letter, Letter.id == LetterLine.letter_id)
            .join(Assignment, Assignment.id == LetterLine.assignment_id)
            .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
            .outerjoin(Notice, Notice.id == LetterLine.notice_id)
            .outerjoin(
                Reminder,
                and_(
                    Reminder.letter_id == LetterLine.letter_id,
                    Reminder.assignment_id == LetterLine.assignment_id,
                    Reminder.rung == LetterLine.rung,
                    Reminder.mailbox == Letter.mailbox,
                ),
            )
            .where(LetterLine.letter_id.in_(part))
            .order_by(LetterLine.letter_id, LetterLine.id)
        )
        found += session.execute(query).all()
    return found
