"""The work list as it was known at an instant (rule 39), drawn from the history alone.

Of each assignment and each occurrence the last snapshot up to the instant is read, by the index
over entity and instant; the tables of today give nothing but the ids, which are never given up.
So the cost follows the number of assignments and not the length of the history.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Date, ScalarSelect, Select, String, cast, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from models.base import Base, Instant
from models.tables import Assignment, Event, Occurrence
from operations.queries import WorkRow, work_list, work_row
from rules.lifecycle import Status
from rules.timeliness import Cell
from rules.values import Role

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")


def business_date(instant: datetime) -> date:
    """The business date of an instant (rule 1)."""
    return instant.astimezone(LOCAL).date()


def work_known_at(
    session: Session,
    instant: datetime,
    *,
    as_of: date | None = None,
    plan: str | None = None,
    item: str | None = None,
    year: int | None = None,
    agency: str | None = None,
    roles: Iterable[Role] | None = None,
    statuses: Iterable[Status] | None = None,
    cells: Iterable[Cell] | None = None,
) -> list[WorkRow]:
    """The assignments that fit every filter, as known at ``instant``, in the order of lists.

    ``as_of`` is the business date that cells are those of, by default that of the instant.
    """
    query = _snapshots(instant)
    if plan is not None:
        query = query.where(Occurrence.plan_key == plan)
    if item is not None:
        query = query.where(Occurrence.item_key == item)
    if year is not None:
        within = (Occurrence.period_key == str(year), Occurrence.period_key.like(f"{year}-%"))
        query = query.where(or_(*within))
    if agency is not None:
        query = query.where(Assignment.agency_key == agency)
    day = as_of or business_date(instant)
    found = _rows(session, query, day)
    for name, words in (("role", roles), ("status", statuses), ("timeliness", cells)):
        if words is not None:
            wanted = frozenset(words)
            found = [row for row in found if getattr(row, name) in wanted]
    return sorted(found, key=lambda row: (row.due_on, row.item, row.agency_name, row.id))


def unlike_history(session: Session, instant: datetime) -> list[tuple[int, tuple[str, ...]]]:
    """Where today's tables say something else than the history does, for ``instant`` now.

    Each assignment with the names of the fields that differ; nobody could have done that through
    the engine, for status and history are one write (rule 37).
    """
    day = business_date(instant)
    told = {row.id: row for row in work_known_at(session, instant, as_of=day)}
    found = []
    for row in work_list(session, as_of=day):
        known = told.get(row.id)
        names = tuple(
            name
            for name in WorkRow.__slots__
            if known is None or getattr(row, name) != getattr(known, name)
        )
        if names:
            found.append((row.id, names if known is not None else ()))
    return found


def _snapshots(instant: datetime) -> Select[tuple[int, str, str]]:
    own, above = aliased(Event), aliased(Event)
    return (
        select(Assignment.id, own.snapshot, above.snapshot)
        .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
        .join(own, own.id == _last_event("assignment", Assignment.id, instant))
        .join(above, above.id == _last_event("occurrence", Occurrence.id, instant))
    )


def _last_event(
    entity: str, number: InstrumentedAttribute[int], instant: datetime
) -> ScalarSelect[int]:
    seen = aliased(Event)
    return (
        select(seen.id)
        .where(seen.entity == entity, seen.entity_id == cast(number, String), seen.at <= instant)
        .order_by(seen.at.desc(), seen.id.desc())
        .limit(1)
        .correlate(Assignment, Occurrence)
        .scalar_subquery()
    )


def _rows(session: Session, query: Select[tuple[int, str, str]], as_of: date) -> list[WorkRow]:
    occurrences: dict[str, dict[str, Any]] = {}
    found = []
    for _, own, above in session.execute(query):
        if above not in occurrences:
            occurrences[above] = _values("occurrence", above)
        found.append(work_row(occurrences[above] | _values("assignment", own), as_of))
    return found


def _values(table: str, snapshot: str) -> dict[str, Any]:
    """The columns of a snapshot as Python's values; a column that is newer than it is None."""
    stored: Mapping[str, Any] = json.loads(snapshot)
    values = {said: stored.get(name) for name, said in _names(table)}
    for name, read in _readers(table):
        if (value := values[name]) is not None:
            values[name] = read(value)
    return values


@cache
def _names(table: str) -> tuple[tuple[str, str], ...]:
    """The columns of a table, each with what a list calls it."""
    names = [one.name for one in Base.metadata.tables[table].columns]
    return tuple((name, "occurrence" if (table, name) == _ABOVE else name) for name in names)


_ABOVE = ("occurrence", "id")


@cache
def _readers(table: str) -> tuple[tuple[str, Callable[[str], Any]], ...]:
    """The columns whose values are written as text, and what reads them."""
    read: Mapping[type, Callable[[str], Any]] = {
        Date: date.fromisoformat,
        Instant: datetime.fromisoformat,
    }
    columns = Base.metadata.tables[table].columns
    return tuple((one.name, read[type(one.type)]) for one in columns if type(one.type) in read)
