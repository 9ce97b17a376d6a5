"""``python -m benchmarks.nation [--provinces N]``: a day of the nation in one run.

34 provinces with their plans and some 3,500 agencies. The day is the first Monday of the year: the
year opens for everybody, and everybody is written to. Then the next day, on which hardly anything
is due. Letters go to a fast SMTP server on loopback in a process of its own.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from unittest.mock import patch

from benchmarks.mail import office
from benchmarks.nation_made import PROVINCES, agencies, at_eight, found
from benchmarks.ratios import Spent, Store, machine, spent, stores
from benchmarks.sink import sink
from models.engine import Database
from operations.opening import open_due
from operations.reminding import remind
from runtime.claiming import claim
from runtime.delivery import deliver
from runtime.sealing import seal_now
from runtime.settings import Settings
from runtime.wiring import Runtime, open_runtime

DAYS = (date(2027, 1, 4), date(2027, 1, 5))
PARTS = ("open", "sweep", "digest", "send", "seal")
HEAD = (
    "| database | day | part | what came of it | s | of CPU s | share | peak MB |\n"
    "|---|---|---|---|---|---|---|---|"
)


@dataclass(slots=True)
class Day:
    """What the parts of a day cost and did."""

    cost: dict[str, Spent] = field(default_factory=dict)
    done: dict[str, str] = field(default_factory=dict)

    def lines(self, store: str, day: date) -> Iterator[str]:
        """Rows of the table, the last one the whole day."""
        whole = sum(one.seconds for one in self.cost.values()) or 1.0
        for part in PARTS:
            one = self.cost[part]
            yield (
                f"| {store} | {day:%-d/%-m/%Y} | {part} | {self.done[part]} | {one.seconds:.1f} "
                f"| {one.cpu:.1f} | {100 * one.seconds / whole:.0f}% | {one.peak:.0f} |"
            )
        cpu = sum(one.cpu for one in self.cost.values())
        peak = max(one.peak for one in self.cost.values())
        yield f"| {store} | {day:%-d/%-m/%Y} | **all** | | {whole:.1f} | {cpu:.1f} | | {peak:.0f} |"


@contextmanager
def claims_timed() -> Iterator[Spent]:
    """What the claims of a delivery cost, in which its digests are read and rendered (rule 29)."""
    taken = Spent()

    def timed(*given: Any, **more: Any) -> Any:
        began, busy = time.perf_counter(), time.process_time()
        try:
            return claim(*given, **more)
        finally:
            taken.seconds += time.perf_counter() - began
            taken.cpu += time.process_time() - busy

    with patch("runtime.delivery.claim", timed):
        yield taken


def live(runtime: Runtime, plans: list[str], day: date, port: int) -> Day:
    """A day: open what is due, queue what is owed, send it, seal the history."""
    database, lived = runtime.database, Day()
    with spent() as lived.cost["open"]:
        rows = 0
        for plan in plans:
            with database.write() as session:
                rows += open_due(session, at_eight(day), plan).assignments
    with spent() as lived.cost["sweep"], database.write() as session:
        queued = remind(session, at_eight(day))
    with claims_timed() as digests, spent() as sending:
        sent = deliver(office(database, port, day), as_of=day)
    if sent.trouble or sent.sent < queued.letters:
        raise AssertionError(f"not every letter went: {queued} {sent}")
    digests.peak = sending.peak
    lived.cost["digest"] = digests
    lived.cost["send"] = Spent(
        seconds=sending.seconds - digests.seconds, cpu=sending.cpu - digests.cpu, peak=sending.peak
    )
    with spent() as lived.cost["seal"]:
        sealed = seal_now(runtime)
    lived.done = {
        "open": f"{rows:,} assignments",
        "sweep": f"{queued.letters:,} letters, {queued.rungs + queued.notices:,} lines",
        "digest": f"{sent.sent:,} read and rendered",
        "send": f"{sent.sent:,} by one session, two commits each",
        "seal": f"{sealed.events:,} events",
    }
    return lived


def measure(store: Store, provinces: int, port: int) -> None:
    """Print the rows of one database."""
    with store.one() as url:
        place = store.folder / f"nation-{store.name}"
        settings = Settings(_env_file=None, data_dir=place, database_url=url)
        with open_runtime(settings) as runtime:
            plans = _founded(url, provinces, runtime)
            for day in DAYS:
                for line in live(runtime, plans, day, port).lines(store.name, day):
                    print(line, flush=True)


def _founded(url: str, provinces: int, runtime: Runtime) -> list[str]:
    database = Database(url, durable=False)
    plans = found(database, provinces)
    with database.read() as session:
        living, addresses = agencies(session, DAYS[0], plans[0])
    database.close()
    seal_now(runtime)
    print(f"<!-- {len(plans)} plans, {living:,} agencies, {addresses:,} addresses -->", flush=True)
    return plans


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--provinces", type=int, default=PROVINCES)
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    given = parser.parse_args()
    print(machine(), "\n")
    with (
        sink() as port,
        stores(wanted=[given.only] if given.only else ("sqlite", "postgresql")) as each,
    ):
        print(HEAD, flush=True)
        for one in each:
            measure(one, given.provinces, port)
