"""The shell that every flow shares: a business date, one transaction, one line of the run log.

It knows nothing of Prefect, so that what a run does can be tried without a server.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy.orm import Session

from models.tables import RunLog
from notifications.formats import vn_date
from operations.errors import Refused
from operations.stamp import Stamp
from operations.state import is_trial
from rules.actors import flow_actor
from rules.events import canonical_json
from runtime.wiring import Runtime

FAILED = "Lỗi kỹ thuật"
"""What the run log says of a run that failed; Prefect's own word for it is FAILED."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a flow is for. ``word`` names it in the run log, ``title`` for people.

    ``time_zone`` None means that of the settings, for work that belongs to no plan.
    """

    word: str
    title: str
    time_zone: str | None = None
    plan: str | None = None
    item: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessDate:
    """The date a run works for (rule 1); one that has passed sends nothing."""

    as_of: date
    sends: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended: a name for people, one sentence, and figures (label to number)."""

    state: str
    message: str
    figures: Mapping[str, int] = field(default_factory=dict)


Work = Callable[[Runtime, Session, Stamp, BusinessDate], Outcome]
"""What a job does within its transaction."""


def business_date(session: Session, given: date | None, today: date) -> BusinessDate:
    """The date to work for: today unless told otherwise.

    Raises:
        Refused: a future date, in a database that is not a trial.
    """
    if given is None or given == today:
        return BusinessDate(as_of=today, sends=True)
    if given > today and not is_trial(session):
        msg = (
            f"Ngày {vn_date(given)} chưa đến (hôm nay là {vn_date(today)}) và đây là hệ thống "
            "chính thức: không ghi trước vào dữ liệu thật. Muốn xem trước, dùng chức năng diễn tập "
            "hoặc một hệ thống chạy thử."
        )
        raise Refused(msg, field="as_of")
    return BusinessDate(as_of=given, sends=given > today)


def perform(
    runtime: Runtime, job: Job, work: Work, *, run: str | None, as_of: date | None
) -> Outcome:
    """Do ``work`` in one transaction and log the run in the same; on failure nothing stays of it.

    Whatever ``work`` raises goes through.
    """
    started = runtime.clock.now()
    with runtime.database.write() as session:
        day = business_date(session, as_of, today(runtime, job))
        stamp = Stamp(at=started, as_of=day.as_of, actor=flow_actor(job.title), run=run)
        outcome = work(runtime, session, stamp, day)
        log_run(session, job, stamp, outcome, finished=runtime.clock.now())
    return outcome


def today(runtime: Runtime, job: Job) -> date:
    """The date on which the job runs, where its work belongs (rule 1)."""
    return runtime.clock.today(job.time_zone or runtime.settings.time_zone)


@contextlib.contextmanager
def noting_failure(
    runtime: Runtime, job: Job, *, run: str | None, as_of: date | None
) -> Iterator[None]:
    """Note what goes wrong inside, tell the operators, and let it through.

    A refusal is for whoever asked, and no fault of the system.
    """
    from flows.failures import note_failure

    started = runtime.clock.now()
    try:
        yield
    except Refused:
        raise
    except Exception as error:
        day = as_of or today(runtime, job)
        note_failure(runtime, job, error, run=run, as_of=day, started=started)
        raise


def log_run(
    session: Session, job: Job, stamp: Stamp, outcome: Outcome, *, finished: datetime
) -> None:
    """Write the engine's own record of the run, which outlives Prefect's."""
    session.add(
        RunLog(
            run=stamp.run,
            job=job.word,
            plan_key=job.plan,
            item_key=job.item,
            as_of=stamp.as_of,
            started_at=stamp.at,
            finished_at=finished,
            state=outcome.state,
            figures=canonical_json(outcome.figures),
        )
    )
    session.flush()


@contextlib.contextmanager
def opened() -> Iterator[Runtime]:
    """The runtime of a child process, from its environment.

    Raises:
        models.revision.NewerDatabase, OlderDatabase: the database does not fit this code.
    """
    from models.revision import check_revision
    from runtime.settings import load_settings
    from runtime.wiring import open_runtime

    with open_runtime(load_settings()) as runtime:
        check_revision(runtime.database)
        yield runtime
