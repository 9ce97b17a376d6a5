"""The database as it was known at an instant, for every page and list alike (rule 39).

Every event carries the whole entity after it. So the tables of an instant are the last snapshots
up to it; they are laid into a database in memory with the same tables, and whatever reads the
present reads it unchanged. Nothing in it can reach the real one.

What has no snapshot of its own is told by its own instants: versions of a plan, results and their
papers, files, runs, and who opened which file. Letters are left out: their technical states are
not history. An entry of the catalog without any event never changed, and is read as it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Table,
    create_engine,
    func,
    insert,
    select,
)
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from models.base import Base
from models.seeing import SEEN, everything, session_class
from models.tables import (
    AccessLog,
    DatabaseFact,
    DayRow,
    Event,
    Evidence,
    FileCheck,
    FindingFile,
    GroupRow,
    MemberRow,
    PlanRow,
    PlanVersion,
    PolicySetting,
    RunLog,
    StoredFile,
    Submission,
)
from operations.past_results import outcomes_at, results_at
from operations.state import Facts
from tasks_catalog.daysoff import resolve_days

_WORK: Final = {
    "occurrence": "occurrence",
    "assignment": "assignment",
    "extension": "extension_request",
    "proposal": "proposal",
    "obstacle": "obstacle",
    "period_date": "period_date",
    "finding": "finding",
    "finding_report": "finding_report",
    "added_work": "added_work",
    "money": "money",
    "reorganisation": "reorganisation",
    "urging": "urging",
}
"""Entities of the history and their tables: what has no event up to the instant was not there."""
_CATALOG: Final = {
    "agency": "agency",
    "group": "agency_group",
    "succession": "succession",
    "contact": "contact",
    "mailbox": "mailbox",
}
"""The same, where a row without any event at all is one that never changed."""
_KEPT_FACTS: Final = (Facts.TRIAL, Facts.FIRST_DAY, Facts.LAST_DAY)


@contextmanager
def as_known_at(session: Session, instant: datetime) -> Iterator[Session]:
    """A session over the tables as they were known at ``instant``; whatever it writes is lost."""
    engine, seen = _empty(), session.info.get(SEEN)
    try:
        # An instant is laid whole: who sees some plans only is shown those of it.
        with everything(session), engine.begin() as target:
            for entity, table in _WORK.items():
                _lay(target, table, _last_snapshots(session, entity, instant).values())
            for entity, table in _CATALOG.items():
                _lay(target, table, _last_snapshots(session, entity, instant).values())
                _lay_untouched(session, target, entity, Base.metadata.tables[table])
            _lay_finding_files(session, target, instant)
            _lay_members(session, target, instant)
            _lay_days(session, target, instant)
            _lay_plans(session, target, instant)
            _lay_results(session, target, instant)
            _lay_logs(session, target, instant)
        info = {SEEN: seen}
        with session_class(seen)(engine, expire_on_commit=False, info=info) as past:
            yield past
            past.expunge_all()
    finally:
        engine.dispose()


def _empty() -> Engine:
    """A database in memory with our tables. What it holds was checked when it was first written."""
    engine = create_engine("sqlite://", poolclass=StaticPool, hide_parameters=True)
    with engine.connect() as connection:
        raw: Any = connection.connection.dbapi_connection
        raw.deserialize(_blank())
        connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
    return engine


@cache
def _blank() -> bytes:
    """Our tables, empty, as SQLite keeps them: made once in a process."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    Base.metadata.create_all(engine)
    with engine.connect() as connection:
        raw: Any = connection.connection.dbapi_connection
        image: bytes = raw.serialize()
    engine.dispose()
    return image


def _last_snapshots(
    session: Session, entity: str, instant: datetime
) -> Mapping[str, Mapping[str, Any]]:
    """The last snapshot up to ``instant`` of every ``entity``, by its id."""
    place = func.row_number().over(
        partition_by=Event.entity_id, order_by=(Event.at.desc(), Event.id.desc())
    )
    ranked = (
        select(Event.id.label("event"), place.label("place"))
        .where(Event.entity == entity, Event.at <= instant)
        .subquery()
    )
    query = (
        select(Event.entity_id, Event.snapshot)
        .join(ranked, ranked.c.event == Event.id)
        .where(ranked.c.place == 1)
    )
    return {number: json.loads(snapshot) for number, snapshot in session.execute(query)}


def _lay(target: Connection, name: str, snapshots: Iterable[Mapping[str, Any]]) -> None:
    """Insert snapshots as they are: dates and instants are written as SQLite keeps them.

    A column that is newer than a snapshot gets its default, or nothing.
    """
    table = Base.metadata.tables[name]
    missing = {one.name: _default(one) for one in table.columns}
    rows = [
        tuple(_stored(snapshot.get(column, missing[column])) for column in missing)
        for snapshot in snapshots
    ]
    if rows:
        names = ", ".join(f'"{column}"' for column in missing)
        marks = ", ".join("?" * len(missing))
        target.exec_driver_sql(f'INSERT INTO "{name}" ({names}) VALUES ({marks})', rows)  # noqa: S608 - our own names


def _stored(value: Any) -> Any:
    """A value of a snapshot as its column keeps it: what was laid open there is JSON again."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value


def _default(column: Any) -> Any:
    known = column.default
    return known.arg if known is not None and known.is_scalar else None


def _copy(
    session: Session,
    target: Connection,
    table: Table,
    *conditions: ColumnElement[bool],
    change: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
) -> None:
    """Copy rows of the real table; ``change`` says what they were at the instant."""
    found = session.execute(select(table).where(*conditions)).mappings()
    rows = [dict(row) if change is None else change(dict(row)) for row in found]
    if rows:
        target.execute(insert(table), rows)


def _touched(session: Session, entity: str) -> Sequence[str]:
    return session.scalars(select(Event.entity_id).where(Event.entity == entity).distinct()).all()


def _lay_untouched(session: Session, target: Connection, entity: str, table: Table) -> None:
    known = set(_touched(session, entity))
    (key,) = table.primary_key.columns
    found = session.execute(select(table)).mappings()
    # An address longer than an event's id is recorded under its beginning.
    rows = [dict(row) for row in found if str(row[key.name])[:80] not in known]
    if rows:
        target.execute(insert(table), rows)


def _lay_finding_files(session: Session, target: Connection, instant: datetime) -> None:
    """The files of reports on findings, as the events of the reports name them."""
    rows = [
        {"report_id": int(number), "sha256": sha256, "file_name": name}
        for number, snapshot in _last_snapshots(session, "finding_report", instant).items()
        for sha256, name in snapshot["files"]
    ]
    _lay(target, FindingFile.__tablename__, rows)


def _lay_members(session: Session, target: Connection, instant: datetime) -> None:
    """Who belonged to each group: the last event that names members, those of today without any."""
    query = (
        select(Event.entity_id, Event.snapshot)
        .where(Event.entity == "group", Event.at <= instant)
        .order_by(Event.at, Event.id)
    )
    named = {}
    for key, snapshot in session.execute(query):
        members = json.loads(snapshot).get("members")
        if members is not None:
            named[key] = members
    rows = [
        {"group_key": key, "position": place, "ref": ref, "valid_from": first, "valid_to": last}
        for key, members in named.items()
        for place, (ref, first, last) in enumerate(members)
    ]
    _lay(target, MemberRow.__tablename__, ({"id": n} | row for n, row in enumerate(rows, start=1)))
    there = target.execute(select(GroupRow.key)).scalars().all()
    without = [key for key in there if key not in named]
    count = len(rows)
    found = session.execute(select(MemberRow.__table__).where(MemberRow.group_key.in_(without)))
    kept = [dict(row) | {"id": count + n} for n, row in enumerate(found.mappings(), start=1)]
    if kept:
        target.execute(insert(MemberRow), kept)


def _lay_days(session: Session, target: Connection, instant: datetime) -> None:
    """The days; one that was corrected only later is what the library says of it."""
    known = _last_snapshots(session, "day", instant)
    _lay(target, DayRow.__tablename__, known.values())
    touched = {date.fromisoformat(one) for one in _touched(session, "day")}
    kept = DayRow.day.not_in(touched) if touched else DayRow.day.is_not(None)
    _copy(session, target, Base.metadata.tables["day"], kept)
    later = touched - {date.fromisoformat(one) for one in known}
    if later:
        days = [one for one in resolve_days(min(later), max(later)) if one.day in later]
        rows = [
            {"day": one.day, "working": one.working, "name": one.name, "source": one.source.value}
            for one in days
        ]
        if rows:
            target.execute(insert(DayRow), rows)


def _lay_plans(session: Session, target: Connection, instant: datetime) -> None:
    versions = Base.metadata.tables[PlanVersion.__tablename__]
    _copy(session, target, versions, PlanVersion.applied_at <= instant)
    latest = select(PlanVersion.plan_key, func.max(PlanVersion.version))
    newest = {row[0]: row[1] for row in target.execute(latest.group_by(PlanVersion.plan_key))}
    there = PlanRow.key.in_(list(newest))
    _copy(
        session,
        target,
        Base.metadata.tables[PlanRow.__tablename__],
        there,
        change=lambda row: row | {"current_version": newest[row["key"]]},
    )
    policies = Base.metadata.tables[PolicySetting.__tablename__]
    _copy(session, target, policies, PolicySetting.set_at <= instant)
    facts = Base.metadata.tables[DatabaseFact.__tablename__]
    _copy(session, target, facts, DatabaseFact.key.in_(_KEPT_FACTS))


def _lay_results(session: Session, target: Connection, instant: datetime) -> None:
    """Results and their papers are only ever added; what became of each is told by its events."""
    results = results_at(session, instant)
    known = outcomes_at(session, instant)
    submissions = Base.metadata.tables[Submission.__tablename__]

    def then(row: dict[str, Any]) -> dict[str, Any]:
        return row | {"outcome": known(row)}

    _copy(session, target, submissions, Submission.id.in_(results), change=then)
    papers = Base.metadata.tables[Evidence.__tablename__]
    _copy(session, target, papers, Evidence.submission_id.in_(results))

    def free(row: dict[str, Any]) -> dict[str, Any]:
        at = row["quarantined_at"]
        later = at is not None and at > instant
        return row | ({"quarantined_at": None, "quarantine_reason": None} if later else {})

    files = Base.metadata.tables[StoredFile.__tablename__]
    _copy(session, target, files, StoredFile.stored_at <= instant, change=free)
    # What is in a file was in it from the beginning, whenever it was looked at.
    checks = Base.metadata.tables[FileCheck.__tablename__]
    stored = select(StoredFile.sha256).where(StoredFile.stored_at <= instant)
    _copy(session, target, checks, FileCheck.sha256.in_(stored))


def _lay_logs(session: Session, target: Connection, instant: datetime) -> None:
    """The last run of each item, and who opened which file: both are only ever added to."""
    newest = (
        select(func.max(RunLog.id))
        .where(RunLog.job == "item", RunLog.finished_at <= instant)
        .group_by(RunLog.plan_key, RunLog.item_key)
    )
    _copy(session, target, Base.metadata.tables[RunLog.__tablename__], RunLog.id.in_(newest))
    opened = (AccessLog.method == "FILE", AccessLog.at <= instant)
    _copy(session, target, Base.metadata.tables[AccessLog.__tablename__], *opened)
