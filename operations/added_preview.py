"""What giving added work would do: whom it reaches, and when letters would go (rules 27, 44)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy.orm import Session

from operations.added import AddedInput, draft
from operations.address_book import address_book
from operations.guards import need_coordinator
from operations.stamp import Stamp
from operations.state import PlanState, load_state
from rules.directory import parties_on
from rules.ladder import NO_RUNG, owed, steps
from rules.values import Audience, Item, Ladder, Roll


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """An agency that the work reaches. ``letters`` is whether it gets automatic letters, and
    ``mailbox`` whether one of its own addresses works (rules 30, 36)."""

    agency: str
    name: str
    letters: bool
    mailbox: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterDay:
    """A day on which letters would go while nothing is done; ``offset`` None for the opening."""

    day: date
    offset: int | None
    audience: tuple[Audience, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedPreview:
    """What :func:`add_work` would do, without doing it."""

    code: str
    item: Item
    asked: date
    due_on: date
    leads: tuple[Reached, ...]
    partners: tuple[Reached, ...]
    letters: tuple[LetterDay, ...]


def preview_added(session: Session, stamp: Stamp, plan: str, asked: AddedInput) -> AddedPreview:
    """Whom the work would reach, and on which days letters would go.

    Raises:
        NotPermitted: not the coordinator.
        Refused: something is missing or wrong; ``field`` names it.
    """
    need_coordinator(stamp)
    state = load_state(session, plan)
    item, nominal, due_on = draft(session, stamp, state, asked)
    leads, partners = parties_on(item, state.directory, stamp.as_of)
    return AddedPreview(
        code=item.key,
        item=item,
        asked=nominal,
        due_on=due_on,
        leads=_reached(session, state, leads, due_on),
        partners=_reached(session, state, partners, due_on),
        letters=letter_days(state, item.calendar.ladder, due_on, stamp.as_of, opening=True),
    )


def letter_days(
    state: PlanState, ladder: str, due_on: date, as_of: date, *, opening: bool = False
) -> tuple[LetterDay, ...]:
    """The days on which letters would go from ``as_of`` on, while nobody does anything (27, 28)."""
    found: Ladder | None = state.plan.ladders.get(ladder)
    calendar, days = state.calendar, list[LetterDay]()
    if opening:
        monday = calendar.first_working_of_week(as_of + timedelta(days=7))
        days.append(LetterDay(day=monday, offset=None, audience=(Audience.FOCAL,)))
    if found is None:
        return tuple(days)
    late = owed(found, due_on, calendar, last_rung=NO_RUNG, as_of=as_of)
    if late is not None:
        first = calendar.roll(as_of, Roll.NEXT)
        days.append(LetterDay(day=first, offset=late.offset, audience=late.audience))
    days += [
        LetterDay(day=step.day, offset=step.rung.offset, audience=step.rung.audience)
        for step in steps(found, due_on, calendar)
        if step.day > as_of
    ]
    return tuple(sorted(days, key=lambda one: (one.day, one.offset is not None)))


def _reached(
    session: Session, state: PlanState, keys: tuple[str, ...], on: date
) -> tuple[Reached, ...]:
    book = address_book(session)
    return tuple(
        Reached(
            agency=key,
            name=state.directory.agency(key).name,
            letters=state.directory.letters_on(key, on),
            mailbox=book.of(key) is not None,
        )
        for key in keys
    )
