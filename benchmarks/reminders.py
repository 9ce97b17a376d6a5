"""``python -m benchmarks.reminders``: the whole reminder job beside a plain script.

100,000 open assignments, 1,000 due on a day, 334 letters, SMTP included, in process. Every turn is
another day with work of its own. The limit keeps the same rows in the same tables, with the same
digests, and commits before and after each letter as rule 33 asks; a second one commits once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import text

from benchmarks.asked import size_and_stores
from benchmarks.mail import office
from benchmarks.race import Entry, race, whole
from benchmarks.ratios import Aim, Ratio, Store, machine, stores, write_table
from benchmarks.reminders_plain import script
from benchmarks.sink import sink
from benchmarks.work_fill import found, open_work
from models.engine import Database
from operations.reminding import remind
from operations.stamp import Stamp
from operations.state import load_calendar
from rules.actors import flow_actor
from runtime.delivery import deliver

OPEN, DUE, LETTERS, AGENCIES = 100_000, 1_000, 334, 1_000
FIRST = date(2027, 3, 9)
"""A Tuesday; the turns are the working days from here."""
COUNTED = ("letter", "letter_line", "reminder", "link_token", "event", "log_pending")


def days(count: int) -> list[date]:
    """The days of the turns, within one week."""
    return [FIRST + timedelta(days=n) for n in range(count)]


def fill(url: str, turns: Sequence[date]) -> None:
    """Open the work: each day has ``DUE`` assignments of ``LETTERS`` agencies."""
    database = Database(url, durable=False)
    catalog, agencies = found(database, AGENCIES)
    with database.read() as session:
        calendar = load_calendar(session)
    due = [{"due_on": calendar.add(day, 15), "next_reminder_on": day} for day in turns]

    def row(place: int) -> Mapping[str, Any]:
        occurrence, agency = divmod(place, len(agencies))
        day, nth = divmod(occurrence, 3)
        if day >= len(due) or agency >= LETTERS or nth * LETTERS + agency >= DUE:
            return {}
        return due[day]

    with database.write() as session:
        open_work(session, catalog, agencies, OPEN, row)
        if not database.is_sqlite:
            session.execute(text("ANALYZE"))  # as the server does by itself
    database.close()


def engine(url: str, port: int, turns: Sequence[date]) -> Iterator[None]:
    """The engine: a sweep and a delivery a turn."""
    database = Database(url)
    yield
    for day in turns:
        at = datetime.combine(day, time(1), UTC)
        with database.write() as session:
            done = remind(session, Stamp(at=at, as_of=day, actor=flow_actor("đo")))
        result = deliver(office(database, port, day), as_of=day)
        if (done.rungs, done.letters, result.sent) != (DUE, LETTERS, LETTERS):
            raise AssertionError(f"not what was to be measured: {done} {result}")
        yield


def _counts(url: str) -> dict[str, int]:
    database = Database(url)
    with database.read() as session:
        found = {
            name: session.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()  # noqa: S608 - our names
            for name in COUNTED
        }
    database.close()
    return found


def measure(store: Store, turns: int) -> Iterator[Ratio]:
    """The lines of the table for one database."""
    with sink() as port, ExitStack() as stack:
        urls = [stack.enter_context(store.one()) for _ in range(3)]
        for url in urls:
            fill(url, days(turns))
        ours, steps, once = urls
        ways: dict[str, Entry] = {
            "steps": (script, (steps, port, days(turns), "each")),
            "once": (script, (once, port, days(turns), "once")),
            "ours": (engine, (ours, port, days(turns))),
        }
        taken = {name: whole(spent) for name, spent in race(ways, turns).items()}
        if _counts(ours) != _counts(steps):
            raise AssertionError(f"other rows: {_counts(ours)} {_counts(steps)}")
    mine = taken["ours"]
    for name, job in (
        ("steps", "the whole reminder job, beside a script that commits the same states"),
        ("once", "the same, beside a script that commits once"),
    ):
        limit = taken[name]
        size = (
            f"{turns} days, {mine.seconds / turns:.2f} and {limit.seconds / turns:.2f} s each, "
            f"by processor time {mine.cpu / limit.cpu:.2f}"
        )
        yield Ratio(
            job=job, store=store.name, size=size, ours=mine, limit=limit, aim=Aim(at_most=2)
        )


def main(turns: int, wanted: Sequence[str]) -> None:
    """Measure and print the table."""
    print(machine())
    with stores(wanted=wanted) as each:
        print("; ".join(f"{one.name}: {one.durability}" for one in each) + ".\n")
        write_table(line for store in each for line in measure(store, turns))


if __name__ == "__main__":
    main(*size_and_stores(__doc__, "days", 3))
