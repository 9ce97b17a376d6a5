"""What Prefect sees of a run: the name of its last state, a sentence, and a table."""

from __future__ import annotations

import asyncio
import re
import time
import unicodedata
from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed
from structlog.contextvars import bound_contextvars

from flows.shell import Job, Outcome, Work, noting_failure, opened, perform
from runtime.logs import logger
from runtime.wiring import Runtime


async def in_thread(
    job: Job, do: Callable[[Runtime, str | None], Outcome], as_of: date | None
) -> Outcome:
    """Call ``do`` with this process's runtime and the id of this flow run; note its failure.

    The flows are coroutines, and the work is a thread's, because a flow that is a plain function
    waits a second at its end for its heartbeat.
    """
    run = flow_run.id

    def here() -> Outcome:
        begun = time.perf_counter()
        with (
            bound_contextvars(
                run=run, job=job.word, **({} if job.item is None else {"item": job.item})
            ),
            opened() as runtime,
            noting_failure(runtime, job, run=run, as_of=as_of),
        ):
            outcome = do(runtime, run)
            took = round((time.perf_counter() - begun) * 1000)
            logger(__name__).info("run done", state=outcome.state, ms=took)
            return outcome

    return await asyncio.to_thread(here)


async def perform_here(job: Job, work: Work, as_of: date | None) -> Outcome:
    """Do the job's work in one transaction, in this process."""
    return await in_thread(
        job, lambda runtime, run: perform(runtime, job, work, run=run, as_of=as_of), as_of
    )


async def finish(job: Job, outcome: Outcome) -> State[Any]:
    """The completed state that tells how the work stands, after the figures were shown."""
    await _show(job, outcome)
    return Completed(name=outcome.state, message=outcome.message)


async def _show(job: Job, outcome: Outcome) -> None:
    """Put the figures into a table of Prefect's; that it fails must not fail a run that is done."""
    from prefect.artifacts import acreate_table_artifact

    if not outcome.figures:
        return
    rows = [{"Chỉ tiêu": label, "Số lượng": count} for label, count in outcome.figures.items()]
    try:
        await acreate_table_artifact(
            table=rows, key=artifact_key(job), description=f"{job.title}: {outcome.state}"
        )
    except Exception as error:  # noqa: BLE001 - a picture of the work, not the work
        logger(__name__).warning("figures not shown", job=job.word, fault=type(error).__name__)


def artifact_key(job: Job) -> str:
    """The key of a job's table: small ASCII letters, digits and dashes are all that Prefect takes."""
    text = "-".join(filter(None, (job.word, job.plan, job.item))).lower().replace("đ", "d")
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def run_name(code: str, time_zone: str | None = None) -> str:
    """What a run is called: the code and the business date, given or that of its schedule."""
    from runtime.settings import load_settings

    given = flow_run.parameters.get("as_of")
    if isinstance(given, date):
        day = given
    elif given:
        day = date.fromisoformat(str(given))
    else:
        scheduled: datetime = flow_run.scheduled_start_time
        day = scheduled.astimezone(ZoneInfo(time_zone or load_settings().time_zone)).date()
    return f"{code} · {day:%d/%m/%Y}"
