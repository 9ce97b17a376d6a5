"""``python -m benchmarks.prefect_year [--days N] [--only …]``: a year of days through Prefect.

A Prefect server of its own on SQLite, and in this process, one after the other, a flow run of every
deployment for each working day of 2027, recorded by that server, as ``deployments.run_now`` does it.
Agencies answer as in :mod:`benchmarks.nation_year`; letters go to a fast SMTP server on loopback.

Prefect deletes by the clock and takes no retention below an hour. So when a month has been lived,
what Prefect remembers is dated back by the length of it in Prefect's own database, and its vacuum,
which looks every quarter of a minute here instead of every hour, deletes what our settings say.
``--days`` lives no more than so many days of each month, from its first to its last. What the flows
log goes to stderr.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import text

from benchmarks.nation_made import fix_dates
from benchmarks.nation_year import FIXED_ON, answers, working_days
from benchmarks.ratios import Spent, machine, spent, stores
from benchmarks.serving import NOTHING_BY_ITSELF, child, wait_for
from benchmarks.sink import sink
from deployments.environment import child_environment
from deployments.ports import choose_ports
from runtime.prefect_client import PrefectClient
from runtime.preparing import prepare
from runtime.settings import Settings
from runtime.wiring import Runtime, open_runtime

VACUUM_SECONDS = 15
EVENT_DAYS = 7
"""Prefect's own default, which we leave."""
PATIENCE = 600.0
BEFORE = ("flows.nightly.nightly", "flows.backup.backup", "flows.log.verifying")
AFTER = ("flows.mail.summary", "flows.mail.delivery", "flows.log.sealing")
"""In the order of their schedules, around the items' flows."""
HEAD = (
    "| month | days | runs | letters | answers | s a run | our CPU s a run | server's CPU s a run | our MB | our files "
    "| server's MB | server's files | Prefect's database, MB | of it free | runs kept "
    "| events kept | our database, MB |\n" + "|---" * 17 + "|"
)
_DATED = (("flow_run", "end_time"), ("events", "occurred"), ("event_resources", "occurred"))


def standing(*processes: psutil.Process) -> tuple[float, int]:
    """Of these processes: their share of the memory in MB (PSS), their open files."""
    memory = sum(one.memory_full_info().pss for one in processes) / 1024 / 1024
    return memory, sum(one.num_fds() for one in processes)


def busy(*processes: psutil.Process) -> float:
    """Processor seconds of these processes so far."""
    return sum(one.user + one.system for one in (each.cpu_times() for each in processes))


def family(pid: int) -> list[psutil.Process]:
    """A process with its children."""
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


@dataclass(frozen=True, slots=True)
class Kept:
    """What Prefect keeps, read from its database."""

    path: Path
    run_days: int

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path, timeout=60.0)) as database:
            yield database

    def date_back(self, days: int) -> None:
        """Make everything that it remembers so many days older."""
        with self._opened() as database, database:
            for table, column in _DATED:
                database.execute(
                    f"UPDATE {table} SET {column} = "  # noqa: S608 - names of our own list
                    f"strftime('%Y-%m-%d %H:%M:%f', {column}, ?) || '000'",
                    (f"-{days} days",),
                )

    def wait_for_vacuum(self) -> None:
        """Wait until nothing is left that its retention does not keep."""
        until = time.monotonic() + PATIENCE
        while any(self._overdue()):
            if time.monotonic() > until:
                raise TimeoutError("Prefect's vacuum left what it should have deleted")
            time.sleep(1.0)

    def _overdue(self) -> Iterator[int]:
        now = datetime.now(UTC)
        with self._opened() as database:
            for (table, column), days in zip(
                _DATED, (self.run_days, EVENT_DAYS, EVENT_DAYS), strict=True
            ):
                before = f"{now - timedelta(days=days):%Y-%m-%d %H:%M:%S}"
                asked = f"SELECT count(*) FROM {table} WHERE {column} < ?"  # noqa: S608 - our own names
                yield database.execute(asked, (before,)).fetchone()[0]

    def told(self) -> str:
        """Cells: MB of its file with what waits beside it, MB free in it, runs, events."""
        with self._opened() as database:
            page, free = (
                database.execute(f"PRAGMA {one}").fetchone()[0]
                for one in ("page_size", "freelist_count")
            )
            runs, events = (
                database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - our own names
                for table in ("flow_run", "events")
            )
        size = sum(one.stat().st_size for one in self.path.parent.glob(f"{self.path.name}*"))
        return f"{size / 1e6:.0f} | {free * page / 1e6:.0f} | {runs:,} | {events:,}"


def register(settings: Settings) -> list[str]:
    """Make every deployment in Prefect; the entrypoints of the items' flows."""
    from deployments.serve import runner_deployments

    made = runner_deployments(settings)
    for one in made:
        one.apply()
    return [one.entrypoint for one in made if one.entrypoint.startswith("flows.items.")]


def live(items: list[str], day: date) -> int:
    """A day: every flow once, one after the other; how many runs there were."""
    from deployments.run_now import run_all

    asked: list[tuple[str, dict[str, Any]]] = [
        (one, {"as_of": day.isoformat()}) for one in (*BEFORE, *items, *AFTER)
    ]
    if failed := asyncio.run(run_all(asked)):
        raise RuntimeError(f"{failed} runs of {day} did not complete")
    return len(asked)


def _plan(runtime: Runtime) -> str:
    from operations.state import plan_keys

    with runtime.database.read() as session:
        (plan,) = plan_keys(session)
    return plan


def _letters(runtime: Runtime) -> int:
    with runtime.database.read() as session:
        return session.scalar(text("SELECT count(*) FROM letter WHERE state = 'sent'")) or 0


def _size(runtime: Runtime) -> float:
    asked = (
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        if runtime.database.is_sqlite
        else "SELECT pg_database_size(current_database())"
    )
    with runtime.database.read() as session:
        return int(session.scalar(text(asked)) or 0) / 1e6


@dataclass(slots=True)
class Month:
    """What was lived in a month."""

    days: list[date]
    runs: int = 0
    answers: int = 0
    letters: int = 0
    served: float = 0.0
    """Processor seconds of the server."""

    def line(self, cost: Spent, server: Sequence[psutil.Process], kept: Kept, size: float) -> str:
        """A row of the table."""
        ours, files = standing(psutil.Process())
        theirs, open_there = standing(*server)
        return (
            f"| {self.days[0]:%-m/%Y} | {len(self.days)} | {self.runs} | {self.letters:,} "
            f"| {self.answers:,} | {cost.seconds / self.runs:.2f} | {cost.cpu / self.runs:.3f} "
            f"| {self.served / self.runs:.3f} | {ours:.0f} | {files} | {theirs:.0f} | {open_there} | {kept.told()} | {size:.0f} |"
        )


def spread(days: list[date], most: int) -> list[date]:
    """No more than so many of the days, the first and the last among them."""
    if len(days) <= most:
        return days
    steps = max(most - 1, 1)
    return [days[(len(days) - 1) * step // steps] for step in range(most)]


def year(runtime: Runtime, most: int, server: Sequence[psutil.Process]) -> None:
    """Live the months, the year's dates fixed in January, and print a line for each."""
    settings = runtime.settings
    items, plan, fixed = register(settings), _plan(runtime), False
    kept = Kept(settings.prefect_home / "prefect.db", settings.prefect_keep_days)
    for working in working_days(runtime, 12):
        month, before, busy_before = Month(spread(working, most)), _letters(runtime), busy(*server)
        with spent() as cost:
            for day in month.days:
                if not fixed and day >= FIXED_ON:
                    with runtime.database.write() as session:
                        fix_dates(session, plan, day)
                    fixed = True
                month.runs += live(items, day)
                month.answers += answers(runtime, plan, day)
        month.letters = _letters(runtime) - before
        month.served = busy(*server) - busy_before
        first = working[0].replace(day=1)
        kept.date_back(((first + timedelta(days=31)).replace(day=1) - first).days)
        kept.wait_for_vacuum()
        print(month.line(cost, server, kept, _size(runtime)), flush=True)


def main(folder: Path, url: str | None, most: int, port: int) -> None:
    """Make a new trial and a server, and live in them."""
    settings = Settings(
        _env_file=None,
        data_dir=folder,
        database_url=url,
        **NOTHING_BY_ITSELF,
    )
    settings, _ = choose_ports(settings)
    # Where a trial's letters go: addresses under .test go to no real server.
    settings = settings.model_copy(update={"local_mail_port": port})
    # Before anything imports Prefect: the flows of this process read it.
    os.environ.update(child_environment(settings))
    place = ("--host", "127.0.0.1", "--port", str(settings.prefect_port))
    vacuum = {"PREFECT_SERVER_SERVICES_DB_VACUUM_LOOP_SECONDS": str(VACUUM_SECONDS)}
    with (
        open_runtime(settings) as runtime,
        child(settings, "server", "prefect", "server", "start", *place, more=vacuum) as server,
        PrefectClient(settings.prefect_url) as client,
    ):
        prepare(runtime)
        wait_for(client)
        year(runtime, most, family(server.pid))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=31, help="so many of each month at most")
    parser.add_argument("--only", choices=["sqlite", "postgresql"], default="sqlite")
    given = parser.parse_args()
    print(machine(), "\n")
    began = time.perf_counter()
    with (
        sink() as mail,
        tempfile.TemporaryDirectory() as name,
        stores(wanted=[given.only]) as (store,),
        store.one() as address,
    ):
        print(HEAD, flush=True)
        main(Path(name), address, given.days, mail)
    print(f"\n{time.perf_counter() - began:.0f} s in all.")
