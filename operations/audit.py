"""Searching the history (rule 37): the newest events first, page by page, with before and after.

A page begins where the last one ended, by (instant, id), so the last page costs what the first
does and an event that is added meanwhile moves nothing. Looking for a text reads every event, so
a page of it reads so many and says how far it came (``docs/decisions/0006``).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, literal, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from models.base import Instant
from models.tables import Event
from operations.queries_history import HistoryLine, lines_of, narrowed

Place = tuple[datetime, int]
"""Where an event stands in the history."""

WINDOW: Final = 50_000
"""How many events a page reads at most when it looks for a text or a person."""

MACHINE: Final = frozenset({"letter", "link_token", "mailbox"})
"""Entities of which the engine itself writes many events: letters and their links."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistorySearch:
    """Which events; what is None or empty does not narrow.

    ``person`` is part of a name, an account or a mailbox; ``text`` part of a reason, a document
    or of what was recorded. ``since`` and ``until`` are inclusive. ``acts`` are pairs of entity
    and action; an empty action means every one.
    """

    plan: str | None = None
    item: str | None = None
    period: str | None = None
    agency: str | None = None
    entity_id: str | None = None
    acts: Sequence[tuple[str, str]] = ()
    person: str = ""
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    without: Collection[str] = ()
    """Entities to leave out."""

    @property
    def reads(self) -> bool:
        """Whether no index finds it, so that events have to be read one by one."""
        return bool(self.person or self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One field that an event changed; ``before`` is None as well where there was nothing."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An event with what it changed. ``first`` is the entity's first event: all is new."""

    line: HistoryLine
    first: bool
    differences: tuple[Difference, ...]
    snapshot: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage:
    """Events, the newest first; ``next_place`` begins the next page, None on the last."""

    events: tuple[Told, ...]
    next_place: Place | None
    read_until: datetime | None = None
    """The instant of the last event that was read, where older ones were not looked into."""


def search_history(
    session: Session,
    asked: HistorySearch,
    *,
    after: Place | None = None,
    limit: int = 50,
    window: int | None = None,
) -> HistoryPage:
    """The newest events that fit, those older than ``after`` when it is given.

    ``window`` is how many events are read at most where no index helps; None reads all of them.
    """
    query = _searched(asked)
    if after is not None:
        query = query.where(tuple_(Event.at, Event.id) < _place(after))
    end = _end_of_window(session, query, window) if window and asked.reads else None
    if end is not None:
        query = query.where(tuple_(Event.at, Event.id) >= _place(end))
    lines = lines_of(session, _newest_first(query.where(*_words(asked)), limit + 1))
    shown = lines[:limit]
    before = _snapshots_before(session, shown)
    full = len(lines) > limit
    return HistoryPage(
        events=tuple(tell(line, before.get(line.id)) for line in shown),
        next_place=(shown[-1].at, shown[-1].id) if full else end,
        read_until=None if full or end is None else end[0],
    )


def _newest_first(query: Select[tuple[Event]], limit: int) -> Select[tuple[Event]]:
    return query.order_by(Event.at.desc(), Event.id.desc()).limit(limit)


def _end_of_window(session: Session, query: Select[tuple[Event]], window: int) -> Place | None:
    """The last of the next ``window`` events; None when there are no more than that."""
    places = query.with_only_columns(Event.at, Event.id)
    places = places.order_by(Event.at.desc(), Event.id.desc())
    found = session.execute(places.offset(window - 1).limit(2)).all()
    return (found[0].at, found[0].id) if len(found) == 2 else None


def tell(line: HistoryLine, before: str | None) -> Told:
    """An event beside the entity's snapshot before it, None for the first."""
    new: dict[str, Any] = json.loads(line.snapshot)
    old: dict[str, Any] = {} if before is None else json.loads(before)
    fields = [*new, *(name for name in old if name not in new)]
    return Told(
        line=line,
        first=before is None,
        differences=tuple(
            Difference(field=name, before=old.get(name), after=new.get(name))
            for name in fields
            if old.get(name) != new.get(name)
        ),
        snapshot=new,
    )


def _place(after: Place) -> ColumnElement[Any]:
    at, number = after
    return tuple_(literal(at, Instant()), literal(number))


def _searched(asked: HistorySearch) -> Select[tuple[Event]]:
    query = narrowed(asked)
    if asked.acts:
        query = query.where(or_(*(_act(entity, action) for entity, action in asked.acts)))
    if asked.without:
        query = query.where(Event.entity.not_in(sorted(asked.without)))
    return query


def _words(asked: HistorySearch) -> Iterator[ColumnElement[bool]]:
    """What no index finds."""
    if asked.person:
        yield _holds(asked.person, (Event.actor_name, Event.actor_account, Event.actor_mailbox))
    if asked.text:
        yield _holds(asked.text, (Event.reason, Event.document, Event.snapshot))


def _act(entity: str, action: str) -> ColumnElement[bool]:
    of_entity = Event.entity == entity
    return and_(of_entity, Event.action == action) if action else of_entity


def _holds(text: str, columns: Sequence[Any]) -> ColumnElement[bool]:
    """Whether one of ``columns`` holds ``text``, in the usual mixtures of capitals.

    SQLite folds only the letters of ASCII, so the mixtures are spelled out.
    """
    spellings = {text, text.lower(), text.upper(), text.capitalize(), text.title()}
    return or_(
        *(column.icontains(one, autoescape=True) for column in columns for one in sorted(spellings))
    )


def _snapshots_before(session: Session, lines: Sequence[HistoryLine]) -> Mapping[int, str]:
    """The snapshot of each event's entity just before it, by the event's id: one query."""
    if not lines:
        return {}
    earlier, own, before = aliased(Event), aliased(Event), aliased(Event)
    previous = (
        select(earlier.id)
        .where(
            earlier.entity == own.entity,
            earlier.entity_id == own.entity_id,
            or_(earlier.at < own.at, and_(earlier.at == own.at, earlier.id < own.id)),
        )
        .order_by(earlier.at.desc(), earlier.id.desc())
        .limit(1)
        .correlate(own)
        .scalar_subquery()
    )
    query = (
        select(own.id, before.snapshot)
        .join(before, before.id == previous)
        .where(own.id.in_([line.id for line in lines]))
    )
    return {number: snapshot for number, snapshot in session.execute(query)}  # noqa: C416
