"""``python -m benchmarks.serving``: a plan's daily flows under ``serve`` beside empty runs.

One Prefect server of its own, and the runner as ``make run`` has it: a process for each run, the
same poll, the same limit. As many empty runs take turns with one run of every item of the plan;
a turn lasts from the first run asked for to the end of the last. The first turn of ours opens the
year, the others find nothing to do; the smallest of each counts.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.ratios import machine
from deployments.environment import child_environment
from deployments.ports import choose_ports
from deployments.serve import POLL_SECONDS
from flows.naming import item_flows
from runtime.prefect_client import PrefectClient
from runtime.preparing import prepare
from runtime.settings import Settings
from runtime.wiring import open_runtime

AIM = 1.5
NEVER = "0 0 29 2 *"
"""Nothing but what is asked for runs meanwhile."""
_CRONS = ("items", "summary", "delivery", "delivery_again", "nightly", "seal", "verify", "backup")
NOTHING_BY_ITSELF: dict[str, Any] = {f"{one}_cron": NEVER for one in _CRONS}
"""Settings."""
PATIENCE = 900.0
RUN_SECONDS = 30.0
"""What a run may take on a busy machine, where hundreds are asked for at once."""
_EMPTY = "empty"
ENTRYPOINT = "benchmarks.empty_flow.empty"


def serve_empty(count: int, limit: int) -> None:
    """Serve so many deployments of the empty flow, as ``deployments.serve`` serves ours."""
    from prefect import serve
    from prefect.flows import load_flow_from_entrypoint

    made = []
    for number in range(count):
        loaded: Any = load_flow_from_entrypoint(ENTRYPOINT)
        one: Any = loaded.to_deployment(name=f"{_EMPTY}-{number}")
        one.entrypoint = ENTRYPOINT
        made.append(one)
    serve(
        *made,
        limit=limit,
        pause_on_shutdown=False,
        print_starting_message=False,
        query_seconds=POLL_SECONDS,
    )


@contextmanager
def child(
    settings: Settings, name: str, *module: str, more: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process of ours with ``more`` variables, ended by the way."""
    with (settings.data_dir / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own modules
            [sys.executable, "-m", *module],
            env={**child_environment(settings), "PYTHONPATH": str(Path.cwd()), **(more or {})},
            stdout=log,
            stderr=log,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)


def known(client: PrefectClient, entrypoints: Sequence[str], count: int) -> list[str]:
    """The ids of the deployments with these entrypoints, once all are there."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if client.healthy():
            found = [one.id for one in client.deployments() if one.entrypoint in entrypoints]
            if len(found) == count:
                return found
        time.sleep(0.5)
    raise TimeoutError("the runner did not make its deployments")


def turn(
    client: PrefectClient, deployments: Sequence[str], parameters: Mapping[str, Any] | None = None
) -> float:
    """Ask for a run of each; seconds until all have ended."""
    began = time.perf_counter()
    ids = [client.start_run(one, parameters=parameters) for one in deployments]
    while time.perf_counter() - began < PATIENCE + RUN_SECONDS * len(ids):
        runs = client.runs(ids=ids)
        types = {one.type for one in runs}
        if types <= {"COMPLETED"} and len(runs) == len(ids):
            return time.perf_counter() - began
        if types & {"FAILED", "CRASHED", "CANCELLED"}:
            raise RuntimeError(f"a run did not complete: {types}")
        time.sleep(0.2 + len(ids) / 100)  # reading hundreds costs the server something
    raise TimeoutError("the runs did not end")


def measure(settings: Settings, entrypoints: Sequence[str], turns: int) -> None:
    """Let both take turns on one server, and print what they took."""
    count = len(entrypoints)
    ours: list[float] = []
    theirs: list[float] = []
    port = str(settings.prefect_port)
    server = ("prefect", "server", "start", "--host", "127.0.0.1", "--port", port)
    with (
        child(settings, "server", *server),
        PrefectClient(settings.prefect_url, timeout=60.0, tries=12) as client,
    ):
        wait_for(client)
        empties = ("benchmarks.serving", "--empty", str(count), "--limit", str(settings.flow_limit))
        with child(settings, "empty", *empties), child(settings, "ours", "deployments.serve"):
            idle = known(client, [ENTRYPOINT], count)
            items = known(client, entrypoints, count)
            for _ in range(turns):
                theirs.append(turn(client, idle))
                ours.append(turn(client, items))
    ratio = min(ours) / min(theirs)
    print("| runs | at once | empty, s | ours, s | first of ours, s | ratio | aim |")
    print("|---|---|---|---|---|---|---|")
    print(
        f"| {count} | {settings.flow_limit} | {_all(theirs)} | {_all(ours)} | {ours[0]:.1f} "
        f"| {ratio:.2f} | ≤ {AIM:g}: {'met' if ratio <= AIM else 'missed'} |"
    )


def _all(seconds: Sequence[float]) -> str:
    return ", ".join(f"{one:.1f}" for one in seconds)


def wait_for(client: PrefectClient) -> None:
    """Wait until Prefect's server answers."""
    until = time.monotonic() + PATIENCE
    while not client.healthy():
        if time.monotonic() > until:
            raise TimeoutError("Prefect's server did not answer")
        time.sleep(0.2)


def main(turns: int, limit: int | None, runs: int | None) -> None:
    """Make a new trial, and measure."""
    with tempfile.TemporaryDirectory() as name:
        values = dict(NOTHING_BY_ITSELF)
        if limit is not None:
            values["flow_limit"] = limit
        settings = Settings(_env_file=None, data_dir=Path(name), **values)
        settings, _ = choose_ports(settings)
        with open_runtime(settings) as runtime:
            prepare(runtime)
            with runtime.database.read() as session:
                entrypoints = [f"flows.items.{one.name}" for one in item_flows(session)][:runs]
        print(machine(), "\n")
        measure(settings, entrypoints, turns)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--runs", type=int, default=None, help="not every item's, but so many")
    parser.add_argument("--limit", type=int, default=None)
    parser.add_argument("--empty", type=int, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.empty:
        os.environ.setdefault("PREFECT_LOGGING_LEVEL", "WARNING")
        serve_empty(given.empty, given.limit)
    else:
        main(given.turns, given.limit, given.runs)
