"""Pages of work and history for programs: by id, so that what is added meanwhile moves nothing.

``agency`` narrows to what that agency may know: its own work, and the occurrences it has part in
(rule 46).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from models.tables import ApiUpload, Assignment, Event, Evidence, Occurrence, Submission
from operations.queries import WorkRow, work_row, work_rows
from operations.queries_history import HistoryLine, lines_of
from rules.events import canonical_v1
from rules.lifecycle import Status
from rules.values import Role

SETTLED: Final = timedelta(minutes=2)
"""Events younger than this are not handed out: a transaction that is still open may yet add one
with a smaller number, which whoever reads on from the largest would never see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which work; a field that is None does not narrow."""

    plan: str | None = None
    item: str | None = None
    period: str | None = None
    year: int | None = None
    agency: str | None = None
    status: Status | None = None
    role: Role | None = None


def _of_occurrence(asked: Asked) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if asked.plan is not None:
        found.append(Occurrence.plan_key == asked.plan)
    if asked.item is not None:
        found.append(Occurrence.item_key == asked.item)
    if asked.period is not None:
        found.append(Occurrence.period_key == asked.period)
    if asked.year is not None:
        first, last = date(asked.year, 1, 1), date(asked.year, 12, 31)
        found.append(Occurrence.period_first.between(first, last))
    return found


def assignments_page(
    session: Session, asked: Asked, *, as_of: date, after: int, limit: int
) -> list[WorkRow]:
    """At most ``limit`` assignments with a number above ``after``, by number."""
    query = work_rows().order_by(None).order_by(Assignment.id)
    query = query.where(Assignment.id > after, *_of_occurrence(asked)).limit(limit)
    if asked.agency is not None:
        query = query.where(Assignment.agency_key == asked.agency)
    if asked.status is not None:
        query = query.where(Assignment.status == asked.status.value)
    if asked.role is not None:
        query = query.where(Assignment.role == asked.role.value)
    return [work_row(values, as_of) for values in session.execute(query).mappings()]


def occurrences_page(
    session: Session, asked: Asked, *, after: int, limit: int
) -> Sequence[Occurrence]:
    """At most ``limit`` occurrences with a number above ``after``, by number."""
    query = select(Occurrence).where(Occurrence.id > after, *_of_occurrence(asked))
    if asked.agency is not None:
        part = exists().where(
            Assignment.occurrence_id == Occurrence.id, Assignment.agency_key == asked.agency
        )
        query = query.where(part)
    return session.scalars(query.order_by(Occurrence.id).limit(limit)).all()


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsAsked:
    """Which events; a field that is None does not narrow."""

    entity: str | None = None
    plan: str | None = None
    item: str | None = None
    agency: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CanonicalEvent:
    """An event with the text that its leaf digest is made from (rule 38)."""

    line: HistoryLine
    canonical: str


def events_page(
    session: Session, asked: EventsAsked, *, now: datetime, after: int, limit: int
) -> list[CanonicalEvent]:
    """At most ``limit`` settled events with a number above ``after``, by number."""
    young = select(func.min(Event.id)).where(Event.at > now - SETTLED)
    query = select(Event).where(
        Event.id > after, Event.id < func.coalesce(young.scalar_subquery(), 2**62)
    )
    for column, value in (
        (Event.entity, asked.entity),
        (Event.plan_key, asked.plan),
        (Event.item_key, asked.item),
        (Event.agency_key, asked.agency),
    ):
        if value is not None:
            query = query.where(column == value)
    if asked.since is not None:
        query = query.where(Event.at >= asked.since)
    query = query.order_by(Event.id).limit(limit)
    rows = {row.id: row for row in session.scalars(query)}
    names = [column.name for column in Event.__table__.columns if column.name != "digest"]
    return [
        CanonicalEvent(
            line=line,
            canonical=canonical_v1({n: getattr(rows[line.id], n) for n in names}).decode(),
        )
        for line in lines_of(session, query)
    ]


def file_name_for(session: Session, sha256: str, agency: str | None) -> str | None:
    """Under which name somebody may read a file: their own evidence, or what they brought.

    None for a file that is not theirs; ``agency`` None is whoever reads everything.
    """
    named = (
        select(Evidence.file_name)
        .join(Submission, Submission.id == Evidence.submission_id)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .where(Evidence.sha256 == sha256)
        .limit(1)
    )
    brought = select(ApiUpload.file_name).where(ApiUpload.sha256 == sha256).limit(1)
    if agency is not None:
        named = named.where(Assignment.agency_key == agency)
        brought = brought.where(ApiUpload.agency_key == agency)
    for query in (named, brought):
        found = session.execute(query).first()
        if found is not None:
            return str(found[0] or "tai-lieu")
    return None
