"""A figure beside its limit: how benchmarks measure, and the table that they write.

A limit is the plainest script that does the same work, timed in the same run on the same machine:
its seconds say what the machine can do, the ratio says what the engine makes of it.
"""

from __future__ import annotations

import gc
import os
import platform
import sqlite3
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from tests import databases

DURABLE = ("listen_addresses=", "timezone=UTC")
"""PostgreSQL as it comes: every commit waits for the disk (``fsync``, ``synchronous_commit``)."""
LIBRARIES = ("SQLAlchemy", "psycopg", "Jinja2", "prefect")
_MB = 1024.0


@dataclass(slots=True)
class Spent:
    """What a piece of work cost: seconds of the clock and of this process, memory in MB.

    ``peak`` is the largest resident memory while it ran, ``grown`` how far above the start.
    """

    seconds: float = 0.0
    cpu: float = 0.0
    peak: float = 0.0
    grown: float = 0.0


@contextmanager
def spent() -> Iterator[Spent]:
    """Measure the block; memory is the kernel's own account of this process."""
    gc.collect()
    found = Spent()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
    before, cpu, began = _resident("VmRSS"), time.process_time(), time.perf_counter()
    try:
        yield found
    finally:
        found.seconds = time.perf_counter() - began
        found.cpu = time.process_time() - cpu
        found.peak = _resident("VmHWM")
        found.grown = max(found.peak - before, 0.0)


def _resident(name: str) -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / _MB
    raise LookupError(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What is to be reached: ``at_least`` of the limit's rate, or ``at_most`` times its seconds."""

    at_least: float | None = None
    at_most: float | None = None

    def ratio(self, ours: float, limit: float) -> float:
        """Limit by ours for a rate, ours by limit for a cost."""
        over, under = (limit, ours) if self.at_least is not None else (ours, limit)
        return over / under if under else 0.0

    def met(self, ratio: float) -> bool:
        """Whether this ratio reaches it."""
        return ratio >= self.at_least if self.at_least is not None else ratio <= (self.at_most or 0)

    def __str__(self) -> str:
        return f"≥ {self.at_least:g}" if self.at_least is not None else f"≤ {self.at_most:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """One line of the table: a job of ``size``, ours beside the limit, and the aim."""

    job: str
    store: str
    size: str
    ours: Spent
    limit: Spent
    aim: Aim | None = None

    def __str__(self) -> str:
        aim = self.aim or Aim(at_most=0)
        ratio = aim.ratio(self.ours.seconds, self.limit.seconds)
        wanted = "" if self.aim is None else f"{aim}: {'met' if aim.met(ratio) else 'missed'}"
        cells = (
            self.job,
            self.store,
            self.size,
            f"{self.ours.seconds:.3f} ({self.ours.cpu:.3f})",
            f"{self.limit.seconds:.3f} ({self.limit.cpu:.3f})",
            f"{ratio:.2f}",
            wanted,
            f"{self.ours.peak:.0f} (+{self.ours.grown:.0f})",
            f"{self.limit.peak:.0f} (+{self.limit.grown:.0f})",
        )
        return f"| {' | '.join(cells)} |"


HEAD = (
    "| job | database | size | ours s (processor) | limit s (processor) | ratio | aim"
    " | our peak MB | limit's peak MB |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


def write_table(lines: Iterable[Ratio]) -> None:
    """Print the table, each line as soon as it is measured."""
    print(HEAD, flush=True)
    for line in lines:
        print(line, flush=True)


def machine() -> str:
    """The machine and the versions, a sentence for the head of a table."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    load = os.getloadavg()[0]
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"{os.cpu_count()} cores of {model}, load {load:.1f} at the start. "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {libraries}."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """One kind of database, migrated copies of which are to be had."""

    name: str
    copies: databases.Copies
    folder: Path
    durability: str = field(repr=False)

    @contextmanager
    def one(self) -> Iterator[str]:
        """A migrated, empty database: its address. It is gone afterwards."""
        with self.copies.one(self.folder, migrated=True) as url:
            yield url


@contextmanager
def stores(*, wanted: Iterable[str] = databases.STORES) -> Iterator[list[Store]]:
    """Both kinds of database in a temporary folder, as durable as in production."""
    names = set(wanted)
    with (
        tempfile.TemporaryDirectory() as name,
        databases.postgres_server(settings=DURABLE) as server,
    ):
        folder = Path(name)
        found = []
        if "sqlite" in names:
            copies = databases.sqlite_copies(folder)
            durability = "WAL, synchronous=FULL"
            found.append(Store(name="SQLite", copies=copies, folder=folder, durability=durability))
        if "postgresql" in names:
            copies = databases.postgres_copies(server)
            durability = f"{server.version}, fsync and synchronous_commit on"
            found.append(
                Store(name="PostgreSQL", copies=copies, folder=folder, durability=durability)
            )
        yield found
