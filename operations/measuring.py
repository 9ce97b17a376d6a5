"""How the work stands in numbers, for whoever watches the machine: a few reads, cheap at any size.

What is old is not counted row by row: live letters stand under a partial index, the others under
an index of states, runs and waiting work are few.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from models.queries_delivery import claimable
from models.tables import (
    Assignment,
    ExtensionRequest,
    Letter,
    LetterState,
    Obstacle,
    Proposal,
    RunLog,
)
from operations.outbox import ANY_DAY_LETTERS, DAY_BOUND
from operations.state import load_calendar
from rules.lifecycle import Status
from rules.values import Role

RECENT: Final = 5_000
"""Runs that are looked at, some weeks of them: what ran before that never ran."""
WAITING: Final = ("results", "extensions", "obstacles", "proposals")
"""The queues of the coordinator; proposals are second steps of any kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """How much waits at a door, and since when; None where nothing does."""

    count: int
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRun:
    """The newest run of a job, of an item where the job is one's. ``state`` is how it ended."""

    job: str
    plan: str | None
    item: str | None
    started_at: datetime
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """All of it, read at one moment."""

    letters: Mapping[str, int]
    """By state; a state without letters is zero."""
    oldest_letter: datetime | None
    """Since when the oldest letter waits that its day has come for."""
    letters_left: int
    """Letters that the last delivery should have taken and did not."""
    runs: Sequence[LastRun]
    queues: Mapping[str, Queue]


def measure(
    session: Session, *, as_of: date, now: datetime, delivered_at: datetime | None
) -> Measures:
    """Read everything. ``delivered_at`` is when a delivery should have begun last."""
    return Measures(
        letters=_letters(session),
        oldest_letter=_oldest_letter(session, as_of),
        letters_left=_left(session, as_of, now, delivered_at),
        runs=_last_runs(session),
        queues=_queues(session),
    )


def _letters(session: Session) -> dict[str, int]:
    query = select(Letter.state, func.count()).group_by(Letter.state)
    found = dict(session.execute(query).tuples().all())
    return {state.value: found.get(state.value, 0) for state in LetterState}


def _oldest_letter(session: Session, as_of: date) -> datetime | None:
    waiting = (LetterState.QUEUED.value, LetterState.RETRYING.value)
    query = select(func.min(Letter.queued_at))
    return session.scalar(query.where(Letter.state.in_(waiting), Letter.day <= as_of))


def _left(session: Session, as_of: date, now: datetime, delivered_at: datetime | None) -> int:
    if delivered_at is None:
        return 0
    working = load_calendar(session).is_working(as_of)
    takes = claimable(any_day_only=not working, day_bound=DAY_BOUND, any_day=ANY_DAY_LETTERS)
    takes = takes.where(Letter.queued_at < delivered_at).order_by(None)
    count = select(func.count()).select_from(takes.subquery())
    return session.scalar(count, {"as_of": as_of, "at": now}) or 0


def _last_runs(session: Session) -> list[LastRun]:
    recent = select(func.max(RunLog.id) - RECENT).scalar_subquery()
    newest = (
        select(func.max(RunLog.id))
        .where(RunLog.id > recent)
        .group_by(RunLog.job, RunLog.plan_key, RunLog.item_key)
    )
    rows = session.execute(
        select(RunLog.job, RunLog.plan_key, RunLog.item_key, RunLog.started_at, RunLog.state)
        .where(RunLog.id.in_(newest))
        .order_by(RunLog.id)
    )
    return [
        LastRun(job=job, plan=plan, item=item, started_at=at, state=state)
        for job, plan, item, at, state in rows
    ]


def _queues(session: Session) -> dict[str, Queue]:
    results = select(func.count(), func.min(Assignment.submitted_at)).where(
        Assignment.status == Status.SUBMITTED.value, Assignment.role == Role.LEAD.value
    )
    extensions = select(func.count(), func.min(ExtensionRequest.asked_at))
    obstacles = select(func.count(), func.min(Obstacle.raised_at)).where(
        Obstacle.state.in_(("raised", "consolidated"))
    )
    asked = _queue(session, extensions.where(ExtensionRequest.state == "asked"))
    second = _queue(session, extensions.where(ExtensionRequest.state == "proposed"))
    proposed = _queue(
        session,
        select(func.count(), func.min(Proposal.proposed_at)).where(Proposal.state == "proposed"),
    )
    since = [one.since for one in (second, proposed) if one.since is not None]
    both = Queue(count=second.count + proposed.count, since=min(since, default=None))
    found = (_queue(session, results), asked, _queue(session, obstacles), both)
    return dict(zip(WAITING, found, strict=True))


def _queue(session: Session, query: Select[Any]) -> Queue:
    count, since = session.execute(query).one()
    return Queue(count=count, since=since)
