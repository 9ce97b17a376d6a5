"""``python -m benchmarks.portal [EVENTS ...]``: the portal beside a minimal page, one worker each.

Both are real processes, asked over kept loopback connections, the portal by accounts that signed
in. The figures that count are the ratios: both sides are taken in turns in the same run.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import fastapi
import jinja2
import sqlalchemy
import uvicorn

from benchmarks.__main__ import stores
from benchmarks.portal_drive import Asked, Worker, drive, worker
from benchmarks.portal_fill import PEOPLE, fill
from models.engine import Database

SIZES = (100_000, 1_000_000)
CONNECTIONS = (1, 8)
HEAD = (
    "| database | events | connections | page | bytes | p50 ms | p99 ms | requests/s | of minimal | worker CPU ms |"
    "\n|---|---|---|---|---|---|---|---|---|---|"
)


def pages(portal: Worker, minimal: Worker, connections: int) -> list[Asked]:
    """The pages in the order of the table, each minimal one before the portal's."""
    follows, agency = (portal.sign_in(name) for name, _, _ in PEOPLE)
    asked = [
        Asked("minimal agency page", minimal, "/agency"),
        Asked("agency page", portal, "/co-quan", agency),
        Asked("dashboard", portal, "/", follows),
        Asked("minimal history page", minimal, "/history"),
        Asked("history", portal, "/lich-su", follows),
    ]
    if connections == 1:
        nowhere = "/lich-su?noi-dung=khong-dau-co"
        asked.append(Asked("history, a text found nowhere", portal, nowhere, follows))
    return asked


def measure(store: str, url: str, events: int, folder: Path) -> None:
    """Print the rows of one database at one size."""
    with worker("portal", url, folder) as portal, worker("minimal", url, folder) as minimal:
        for connections in CONNECTIONS:
            asked = pages(portal, minimal, connections)
            drive(asked, connections)
            beside: Asked | None = None
            for one in asked:
                beside = one if one.name.startswith("minimal") else beside
                of = (
                    ""
                    if beside is None or one.name == "dashboard"
                    else f"{one.rate / beside.rate:.2f}"
                )
                print(
                    f"| {store} | {events:,} | {connections} | {one.name} | {one.size:,} | {one.at(0.5):.1f} "
                    f"| {one.at(0.99):.1f} | {one.rate:.1f} | {of} | {one.cpu_each:.2f} |",
                    flush=True,
                )
        print(
            f"{store}, {events:,}: resident memory portal {portal.megabytes:.0f} MB, "
            f"minimal {minimal.megabytes:.0f} MB",
            file=sys.stderr,
        )


def main(sizes: Sequence[int], only: str | None) -> None:
    """Fill, measure and print, one database after the other."""
    said = ((one.__name__, one.__version__) for one in (fastapi, jinja2, sqlalchemy, uvicorn))
    print(f"Python {platform.python_version()},", ", ".join(" ".join(one) for one in said), "\n")
    print(HEAD)
    with stores() as each:
        for store, copies, folder in each:
            for events in sizes:
                if only and store.lower() != only:
                    continue
                with copies.one(folder, migrated=True) as url:
                    database, began = Database(url, durable=False), time.perf_counter()
                    rows = fill(database, events)
                    database.close()
                    seconds = time.perf_counter() - began
                    print(
                        f"{store}: {rows:,} assignments, filled in {seconds:.0f} s", file=sys.stderr
                    )
                    measure(store, url, events, folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", nargs="*", type=int, default=SIZES)
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    given = parser.parse_args()
    main(given.events, given.only)
