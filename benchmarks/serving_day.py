"""``python -m benchmarks.serving_day [--provinces N]``: a day of so many plans' flows under ``serve``.

A new trial of invented provinces (34 are the nation), a Prefect server of its own, and the runner as
``make run`` has it: a process for each run, the same poll, the same limit. The day is the first
Monday of 2027: a run of every item's flow, which opens its year and queues its letters; then the
day's delivery to a fast SMTP server on loopback and a sealing. Memory is looked at every two seconds.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import psutil

from benchmarks.nation_made import PROVINCES, found
from benchmarks.prefect_year import Kept, family, standing
from benchmarks.ratios import machine
from benchmarks.serving import NOTHING_BY_ITSELF, child, known, turn, wait_for
from benchmarks.sink import sink
from deployments.ports import choose_ports
from flows.naming import item_flows
from models.migrate import upgrade
from runtime.prefect_client import PrefectClient
from runtime.settings import Settings
from runtime.wiring import open_runtime

DAY = date(2027, 1, 4)
LAST = ("flows.mail.delivery", "flows.log.sealing")
HEAD = (
    "| part | runs | at once | s | runs a minute | server's MB | runner's MB "
    "| with its runs, MB at most | open files of both | Prefect's database, MB | of it free "
    "| runs kept | events kept |\n" + "|---" * 13 + "|"
)


@dataclass(slots=True)
class Peak:
    """The most memory that a process and its children had together, in MB."""

    memory: float = 0.0


@contextmanager
def watched(pid: int) -> Iterator[Peak]:
    """Look at a process and its children while the block runs."""
    found, ended = Peak(), threading.Event()

    def look() -> None:
        while not ended.wait(2.0):
            try:
                found.memory = max(found.memory, standing(*family(pid))[0])
            except psutil.Error:  # a run ended while it was looked at
                continue

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()


def fill(settings: Settings, provinces: int) -> list[str]:
    """Make the trial; the entrypoints of the items' flows."""
    with open_runtime(settings) as runtime:
        upgrade(runtime.database)
        found(runtime.database, provinces)
        with runtime.database.read() as session:
            return [f"flows.items.{one.name}" for one in item_flows(session)]


def measure(settings: Settings, items: list[str]) -> None:
    """Serve a day, and print a line for each part."""
    place = ("--host", "127.0.0.1", "--port", str(settings.prefect_port))
    kept = Kept(settings.prefect_home / "prefect.db", settings.prefect_keep_days)
    with (
        child(settings, "server", "prefect", "server", "start", *place) as server,
        PrefectClient(settings.prefect_url, timeout=60.0, tries=12) as client,
    ):
        wait_for(client)
        began = time.perf_counter()
        with child(settings, "runner", "deployments.serve") as runner:

            def line(part: str, runs: int, seconds: float, most: float) -> None:
                own, files = standing(psutil.Process(runner.pid))
                theirs, open_there = standing(*family(server.pid))
                rate = f"{runs / seconds * 60:.0f}" if runs else ""
                print(
                    f"| {part} | {runs} | {settings.flow_limit} | {seconds:.0f} | {rate} "
                    f"| {theirs:.0f} | {own:.0f} | {most:.0f} | {files + open_there} "
                    f"| {kept.told()} |",
                    flush=True,
                )

            deployments = known(client, items, len(items))
            line("deployments registered", 0, time.perf_counter() - began, 0.0)
            for part, ids in (
                ("the items", deployments),
                *((one, known(client, [one], 1)) for one in LAST),
            ):
                with watched(runner.pid) as peak:
                    seconds = turn(client, ids, parameters={"as_of": DAY.isoformat()})
                line(part, len(ids), seconds, peak.memory)


def main(folder: Path, provinces: int, limit: int, port: int) -> None:
    """Make everything anew, and measure."""
    settings = Settings(
        _env_file=None, data_dir=folder, plan_folders=(), flow_limit=limit, **NOTHING_BY_ITSELF
    )
    settings, _ = choose_ports(settings)
    settings = settings.model_copy(update={"local_mail_port": port})
    items = fill(settings, provinces)
    print(f"{provinces} plans, {len(items)} items. {machine()}\n\n{HEAD}", flush=True)
    measure(settings, items)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--provinces", type=int, default=PROVINCES)
    parser.add_argument("--limit", type=int, default=2)
    given = parser.parse_args()
    with sink() as mail, tempfile.TemporaryDirectory() as name:
        main(Path(name), given.provinces, given.limit, mail)
