"""The runs of the engine as values: when, in which state, what they opened and sent.

Read from our own record (``run_log``), which is there when Prefect is not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from croniter import croniter
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.tables import Event, Letter, Occurrence, RunLog
from operations.queries_history import HistoryLine, lines_of
from operations.state import fixed_dates, load_state, plan_keys
from rules.planning import openings
from rules.run_state import RunState
from rules.values import Item, Plan

ITEM_JOB: Final = "item"
GRACE: Final = timedelta(hours=1)
"""How late a run may be before its absence is an alarm."""
LISTED_EVENTS: Final = 100

JOB_WORDS: Final[Mapping[str, str]] = {
    "remind": "Lập thư nhắc",
    "delivery": "Gửi thư nhắc",
    "summary": "Tổng hợp đầu tuần",
    "nightly": "Kiểm tra hằng đêm",
    "backup": "Sao lưu",
    "restore_trial": "Khôi phục thử",
    "sealing": "Niêm phong lịch sử",
    "verifying": "Kiểm chứng lịch sử",
}
"""What people read for runs that belong to no item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """One line of the run log. ``run`` is Prefect's id, None for a run outside Prefect."""

    id: int
    run: str | None
    job: str
    plan: str | None
    item: str | None
    as_of: date
    started_at: datetime
    finished_at: datetime
    state: str
    figures: Mapping[str, int]

    @property
    def title(self) -> str:
        """What ran: the item's code or the job's name."""
        return self.item or JOB_WORDS.get(self.job, self.job)

    @property
    def fault(self) -> bool:
        """Whether an item's run ended otherwise than with a word about its work."""
        return self.job == ITEM_JOB and self.state not in set(RunState)

    @property
    def told(self) -> tuple[tuple[str, int], ...]:
        """The figures that are not zero."""
        return tuple((label, count) for label, count in self.figures.items() if count)

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.finished_at - self.started_at).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRuns:
    """An item, its last run, and whether one is missing."""

    plan: Plan
    item: Item
    last: RunView | None
    expected_at: datetime
    """When it should have run last."""
    missed: bool
    unopened: tuple[str, ...]
    """Periods that are due to be open and are not: phải chạy mà không chạy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDetail:
    """A run with what it wrote; the events are the first :data:`LISTED_EVENTS` of ``count``."""

    view: RunView
    events: tuple[HistoryLine, ...]
    event_count: int
    letters: int


def last_expected(cron: str, now: datetime, time_zone: str) -> datetime:
    """The last instant before ``now`` at which ``cron`` fires in ``time_zone``."""
    local = now.astimezone(ZoneInfo(time_zone))
    found: datetime = croniter(cron, local).get_prev(datetime)
    return found


def item_runs(session: Session, *, now: datetime, as_of: date, cron: str) -> list[ItemRuns]:
    """Every item of every active plan with its last run, in the order of the plans."""
    last = _last_runs(session)
    found: list[ItemRuns] = []
    for key in plan_keys(session):
        plan = load_state(session, key).plan
        expected = last_expected(cron, now - GRACE, plan.time_zone)
        ran_today = expected.date() >= as_of
        late = _unopened(session, key, as_of if ran_today else as_of - timedelta(days=1))
        for item in plan.decided:
            run = last.get((key, item.key))
            found.append(
                ItemRuns(
                    plan=plan,
                    item=item,
                    last=run,
                    expected_at=expected,
                    missed=run is None or run.started_at < expected,
                    unopened=late.get(item.key, ()),
                )
            )
    return found


def _last_runs(session: Session) -> dict[tuple[str | None, str | None], RunView]:
    newest = (
        select(func.max(RunLog.id))
        .where(RunLog.job == ITEM_JOB)
        .group_by(RunLog.plan_key, RunLog.item_key)
    )
    rows = session.scalars(select(RunLog).where(RunLog.id.in_(newest)))
    return {(row.plan_key, row.item_key): _view(row) for row in rows}


def _unopened(session: Session, plan_key: str, as_of: date) -> dict[str, tuple[str, ...]]:
    state = load_state(session, plan_key)
    rows = session.execute(
        select(Occurrence.item_key, Occurrence.period_key).where(Occurrence.plan_key == plan_key)
    )
    found: dict[str, tuple[str, ...]] = {}
    for one in openings(
        state.plan,
        state.directory,
        state.calendar,
        existing={(item, period) for item, period in rows},
        fixed=fixed_dates(session, plan_key),
        tracking_start=state.tracking_start,
        as_of=as_of,
    ):
        found[one.item.key] = (*found.get(one.item.key, ()), one.period.label)
    return found


def last_of_jobs(session: Session) -> list[RunView]:
    """The last run of each job that belongs to no item."""
    newest = select(func.max(RunLog.id)).where(RunLog.job != ITEM_JOB).group_by(RunLog.job)
    rows = session.scalars(select(RunLog).where(RunLog.id.in_(newest)).order_by(RunLog.id.desc()))
    return [_view(row) for row in rows]


def run_list(
    session: Session,
    *,
    plan: str | None = None,
    item: str | None = None,
    job: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[RunView]:
    """Runs, the newest first; ``before`` is the id to page on from."""
    query = select(RunLog).order_by(RunLog.id.desc()).limit(limit)
    for column, value in (
        (RunLog.plan_key, plan),
        (RunLog.item_key, item),
        (RunLog.job, job),
    ):
        if value is not None:
            query = query.where(column == value)
    if before is not None:
        query = query.where(RunLog.id < before)
    return [_view(row) for row in session.scalars(query)]


def run_detail(session: Session, number: int) -> RunDetail | None:
    """A run with the events and letters that carry its id, None when there is no such run."""
    row = session.get(RunLog, number)
    if row is None:
        return None
    events: Sequence[HistoryLine] = ()
    count = letters = 0
    if row.run is not None:
        query = select(Event).where(
            Event.run == row.run, Event.at >= row.started_at, Event.at <= row.finished_at
        )
        count = session.scalar(select(func.count()).select_from(query.subquery())) or 0
        events = lines_of(session, query.order_by(Event.id).limit(LISTED_EVENTS))
        letters = (
            session.scalar(select(func.count()).select_from(Letter).where(Letter.run == row.run))
            or 0
        )
    return RunDetail(view=_view(row), events=tuple(events), event_count=count, letters=letters)


def _view(row: RunLog) -> RunView:
    return RunView(
        id=row.id,
        run=row.run,
        job=row.job,
        plan=row.plan_key,
        item=row.item_key,
        as_of=row.as_of,
        started_at=row.started_at,
        finished_at=row.finished_at,
        state=row.state,
        figures=json.loads(row.figures),
    )
