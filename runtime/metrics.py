"""Figures for Prometheus, gathered when they are asked for, within one read transaction.

Read from the database, so that every process tells the same; what a process counts by itself is
:mod:`portal.meters`. An age is in seconds; what never was has the age ``+Inf``, so that an alert on
a great age is right about it too. A database that does not answer is a figure as well.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models.revision import code_revision
from operations import backups
from operations.measuring import Measures, measure
from operations.sealing import LogAges, ages
from runtime.logs import logger
from runtime.schedules import JobRuns, expected_at, job_runs
from runtime.wiring import Runtime

NEVER = float("inf")


class Figures(Collector):
    """Gathers everything that the database and the disk tell."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._code = code_revision() or ""

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: registering must not read the database."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Every figure, as it is now."""
        runtime = self._runtime
        up = 1
        try:
            with runtime.database.read() as session:
                found = list(self._of_database(session))
        except SQLAlchemyError as error:
            logger(__name__).error("figures not read", fault=type(error).__name__)
            found, up = [], 0
        yield gauge("tiendo_database_up", "Whether the database answers.", up)
        yield from found
        yield from _disk(runtime.settings.data_dir)

    def _of_database(self, session: Session) -> Iterator[Metric]:
        runtime, now = self._runtime, self._runtime.clock.now()
        today = runtime.clock.today(runtime.settings.time_zone)
        delivered = expected_at(runtime.settings, "delivery", now)
        found = measure(session, as_of=today, now=now, delivered_at=delivered)
        yield from _letters(found, now)
        yield from _runs(job_runs(session, runtime.settings, found.runs, now), now)
        yield from _queues(found, now)
        yield from self._versions(session)
        yield gauge("tiendo_database_bytes", "Size of the database.", _size(session))
        log = ages(session, now)
        yield from _log(log)
        kept = backups.standing(session, now)
        last = {
            "seal": log.sealed_at,
            "verify": log.verified_at,
            "backup": kept.backup_at,
            "restore_trial": kept.trial_at,
        }
        yield _done(last, now)

    def _versions(self, session: Session) -> Iterator[Metric]:
        stands = str(session.scalar(text("SELECT version_num FROM alembic_version")))
        family = GaugeMetricFamily(
            "tiendo_schema_info",
            "Always 1: the migration that the database stands at, and that of the code.",
            labels=("database", "code", "release"),
        )
        family.add_metric((stands, self._code, version("tiendo")), 1)
        yield family
        differs = int(stands != self._code)
        yield gauge("tiendo_schema_differs", "Whether database and code differ.", differs)


def seconds_since(moment: datetime | None, now: datetime, *, never: float = 0.0) -> float:
    """Seconds from ``moment`` to ``now``, never below zero; ``never`` when there is no moment."""
    return never if moment is None else max((now - moment).total_seconds(), 0.0)


def gauge(name: str, what: str, value: float) -> GaugeMetricFamily:
    """A single figure."""
    return GaugeMetricFamily(name, what, value=value)


def _labelled(name: str, what: str, label: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, what, labels=(label,))


def _letters(found: Measures, now: datetime) -> Iterator[Metric]:
    family = _labelled("tiendo_letters", "Letters of the outbox by state (rule 33).", "state")
    for state, count in found.letters.items():
        family.add_metric((state,), count)
    yield family
    yield gauge(
        "tiendo_letters_oldest_seconds",
        "How long the oldest letter waits whose day has come; 0 when none does.",
        seconds_since(found.oldest_letter, now),
    )
    yield gauge(
        "tiendo_letters_left",
        "Letters that the last delivery should have taken and did not.",
        found.letters_left,
    )


def _runs(jobs: Iterable[JobRuns], now: datetime) -> Iterator[Metric]:
    late = _labelled("tiendo_runs_late", "Flows of a job that should have run and did not.", "job")
    failing = _labelled("tiendo_runs_failing", "Flows whose newest run failed.", "job")
    age = _labelled(
        "tiendo_run_age_seconds",
        "Seconds since the flow began that ran longest ago; +Inf when one never ran.",
        "job",
    )
    for one in jobs:
        late.add_metric((one.job,), one.late)
        failing.add_metric((one.job,), one.failing)
        age.add_metric((one.job,), seconds_since(one.oldest, now, never=NEVER))
    yield from (late, failing, age)


def _log(log: LogAges) -> Iterator[Metric]:
    yield gauge("tiendo_log_sealed", "Events in the sealed log (rule 38).", log.sealed)
    yield gauge("tiendo_log_pending", "Events that are not yet protected.", log.pending)
    yield gauge(
        "tiendo_log_pending_oldest_seconds",
        "How long the oldest event waits for its seal; 0 when none does.",
        seconds_since(log.pending_since, log.at),
    )
    yield gauge(
        "tiendo_log_wrong",
        "What the last verification found wrong.",
        log.verified_wrong or 0,
    )


def _done(last: Mapping[str, datetime | None], now: datetime) -> Metric:
    what = "Seconds since something was done last; +Inf when never."
    family = _labelled("tiendo_done_age_seconds", what, "what")
    for word, moment in last.items():
        family.add_metric((word,), seconds_since(moment, now, never=NEVER))
    return family


def _queues(found: Measures, now: datetime) -> Iterator[Metric]:
    counts = _labelled("tiendo_queue", "What waits for a decision.", "queue")
    ages = _labelled("tiendo_queue_oldest_seconds", "How long the oldest of it waits.", "queue")
    for word, queue in found.queues.items():
        counts.add_metric((word,), queue.count)
        ages.add_metric((word,), seconds_since(queue.since, now))
    yield from (counts, ages)


def _size(session: Session) -> int:
    if session.get_bind().dialect.name == "sqlite":
        pages = session.scalar(text("PRAGMA page_count")) or 0
        return int(pages) * int(session.scalar(text("PRAGMA page_size")) or 0)
    return int(session.scalar(text("SELECT pg_database_size(current_database())")) or 0)


def _disk(folder: Path) -> Iterator[Metric]:
    total, _, free = shutil.disk_usage(folder)
    yield gauge("tiendo_disk_bytes", "Size of the disk that holds the data folder.", total)
    yield gauge("tiendo_disk_free_bytes", "What is free on it.", free)
