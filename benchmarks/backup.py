"""``python -m benchmarks.backup [EVENTS ...]``: backup, trial and restore of a database of that size.

Each step is a process of its own, so that the memory told is that step's alone; the database is
filled and sealed before, and nobody works meanwhile.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.__main__ import stores
from benchmarks.portal_fill import TODAY, fill
from models.engine import Database
from runtime.backup import make_backup
from runtime.backup_shelf import shelf
from runtime.restore import restore
from runtime.restore_trial import try_restore
from runtime.sealing import seal_now
from runtime.settings import Settings
from runtime.wiring import open_runtime
from tests.engine import stamp

SIZES = (100_000, 1_000_000)
_MEGABYTE = 1024 * 1024
HEAD = (
    "| database | events | MB | backup MB | backup: seconds | of CPU | MB memory "
    "| trial: seconds | of CPU | MB memory | restore: seconds | of CPU | MB memory |"
    "\n|---|---|---|---|---|---|---|---|---|---|---|---|---|"
)


def step(word: str, url: str, folder: Path, into: str) -> None:
    """Do one step here; print its seconds, those of CPU and the peak of memory of this process.

    What PostgreSQL's own processes use is in the seconds only.
    """
    settings = Settings(_env_file=None, data_dir=folder / "var", database_url=url)
    with open_runtime(settings) as runtime:
        began, busy = time.perf_counter(), time.process_time()
        if word == "backup":
            make_backup(runtime, at=datetime.now(UTC))
        elif word == "trial":
            try_restore(runtime, shelf(settings.backups_dir)[0].path)
        else:
            target = Database(into)
            path = shelf(settings.backups_dir)[0].path
            restore(path, target, uploads=folder / "uploads", stamp=stamp(TODAY))
            target.close()
        seconds, cpu = time.perf_counter() - began, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "cpu": cpu, "memory": peak}))


def apart(word: str, url: str, folder: Path, into: str) -> dict[str, Any]:
    """A step in a process of its own."""
    words = [sys.executable, "-m", "benchmarks.backup", "--step", word, url, str(folder), into]
    said = subprocess.run(words, check=True, capture_output=True, text=True)  # noqa: S603 - ourselves
    found: dict[str, Any] = json.loads(said.stdout.splitlines()[-1])
    return found


def measure(store: str, url: str, into: str, events: int, folder: Path) -> None:
    """Print the row of one database at one size."""
    settings = Settings(_env_file=None, data_dir=folder / "var", database_url=url)
    database = Database(url, durable=False)
    fill(database, events)
    size = _size(database)
    database.close()
    with open_runtime(settings) as runtime:
        seal_now(runtime)
    figures = [apart(word, url, folder, into) for word in ("backup", "trial", "restore")]
    archive = shelf(settings.backups_dir)[0].size / _MEGABYTE
    told = " | ".join(
        f"{one['seconds']:.1f} | {one['cpu']:.1f} | {one['memory']:.0f}" for one in figures
    )
    print(f"| {store} | {events:,} | {size:.0f} | {archive:.0f} | {told} |", flush=True)


def _size(database: Database) -> float:
    asked = (
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        if database.is_sqlite
        else "SELECT pg_database_size(current_database())"
    )
    with database.engine.connect() as connection:
        return float(connection.exec_driver_sql(asked).scalar_one()) / _MEGABYTE


def main(sizes: Sequence[int], only: str | None) -> None:
    """Fill, measure and print, one database after the other."""
    print(HEAD)
    with stores() as each:
        for store, copies, folder in each:
            for events in sizes:
                if only and store.lower() != only:
                    continue
                with tempfile.TemporaryDirectory(dir=folder) as name:
                    place = Path(name)
                    with (
                        copies.one(place, migrated=True) as url,
                        copies.one(place, migrated=False) as into,
                    ):
                        measure(store, url, into, events, place)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", nargs="*", type=int, default=SIZES)
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    parser.add_argument("--step", nargs=4, metavar=("WORD", "URL", "FOLDER", "INTO"))
    given = parser.parse_args()
    if given.step:
        step(given.step[0], given.step[1], Path(given.step[2]), given.step[3])
    else:
        main(given.events, given.only)
