"""When each job should have run last, and whether it did: the run log against the settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.tables import Event
from operations.backups import BACKUP_JOB
from operations.measuring import LastRun
from operations.queries_runs import GRACE, ITEM_JOB, last_expected
from operations.standing import FAILED_RUN
from operations.state import load_plan, plan_keys
from runtime.settings import Settings


def schedules(settings: Settings) -> Mapping[str, tuple[str, ...]]:
    """The crons of each job by its word in the run log; a test holds the deployments to it."""
    return {
        ITEM_JOB: (settings.items_cron,),
        "summary": (settings.summary_cron,),
        "delivery": (settings.delivery_cron, settings.delivery_again_cron),
        "nightly": (settings.nightly_cron,),
        BACKUP_JOB: (settings.backup_cron,),
        "sealing": (settings.seal_cron,),
        "verifying": (settings.verify_cron,),
    }


def expected_at(settings: Settings, job: str, now: datetime) -> datetime:
    """When ``job`` should have begun last, :data:`operations.queries_runs.GRACE` allowed for.

    Raises:
        KeyError: there is no such job.
    """
    crons = schedules(settings)[job]
    return max(last_expected(cron, now - GRACE, settings.time_zone) for cron in crons)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRuns:
    """How a job goes: of the flows that belong to it, how many are late, and how many failed."""

    job: str
    late: int
    failing: int
    oldest: datetime | None
    """When the one began that ran longest ago; None when one never ran."""


def job_runs(
    session: Session, settings: Settings, last: Iterable[LastRun], now: datetime
) -> list[JobRuns]:
    """Every job. What was never due since the system began is not late."""
    began = session.scalar(select(func.min(Event.at)))
    newest = {(one.job, one.plan, one.item): one for one in last}
    found = []
    for job in schedules(settings):
        due = expected_at(settings, job, now)
        runs = [newest.get((job, *flow)) for flow in _flows(session, job)]
        starts = [None if one is None else one.started_at for one in runs]
        known = [at for at in starts if at is not None]
        found.append(
            JobRuns(
                job=job,
                late=sum((at or began or now) < due for at in starts),
                failing=sum(one is not None and one.state == FAILED_RUN for one in runs),
                oldest=min(known) if known and len(known) == len(starts) else None,
            )
        )
    return found


def _flows(session: Session, job: str) -> Sequence[tuple[str | None, str | None]]:
    """The flows of a job by plan and item: one for each item of the plans in force, else one."""
    if job != ITEM_JOB:
        return [(None, None)]
    plans = [load_plan(session, key) for key in plan_keys(session)]
    return [(plan.key, item.key) for plan in plans for item in plan.decided]
