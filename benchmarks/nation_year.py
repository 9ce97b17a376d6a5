"""``python -m benchmarks.nation_year [--provinces N] [--months N]``: a year of days, in one process.

Each working day opens, sweeps, sends and seals as :mod:`benchmarks.nation` does; dates are fixed in
January. Of the leads, six in ten file three working days before their date, three some ten days
after it, one never. A line a month says what grew: memory and open files of this process, rows.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import select, text

from benchmarks.mail import office
from benchmarks.nation_made import START, answer, at_eight, fix_dates, found
from benchmarks.ratios import Spent, Store, machine, spent, stores
from benchmarks.sink import sink
from models.tables import Assignment, Occurrence
from operations.opening import open_due
from operations.reminding import remind
from operations.state import load_calendar, load_state
from rules.lifecycle import OPEN
from rules.values import Role
from runtime.delivery import deliver
from runtime.sealing import seal_now
from runtime.settings import Settings
from runtime.wiring import Runtime, open_runtime

TABLES = ("assignment", "letter", "reminder", "event")
HEAD = (
    "| database | month | days | letters | answers | CPU s a day | MB at its end | peak MB "
    "| open files | "
    + " | ".join(f"rows of {name}" for name in TABLES)
    + " | MB of data |\n"
    + "|---" * (10 + len(TABLES))
    + "|"
)
FIXED_ON = date(START.year, 1, 11)
"""The coordinator fixes the year's dates."""
_LATE = timedelta(days=10)


def answers(runtime: Runtime, plan: str, day: date) -> int:
    """What agencies file on ``day``, an act a transaction; how many did."""
    with runtime.database.read() as session:
        state = load_state(session, plan)
        rows = session.execute(
            select(Assignment.id, Assignment.agency_key, Occurrence.item_key, Assignment.due_on)
            .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
            .where(
                Occurrence.plan_key == plan,
                Assignment.role == Role.LEAD.value,
                Assignment.status.in_([one.value for one in OPEN]),
                Assignment.due_on <= state.calendar.add(day, 3),
            )
            .order_by(Assignment.id)
        ).all()
    count = 0
    for number, agency, item, due in rows:
        drawn = number * 7919 % 10
        if drawn == 9 or (drawn >= 6 and day < due + _LATE):
            continue
        with runtime.database.write() as session:
            answer(session, state, day, (number, agency, item))
        count += 1
    return count


def live(runtime: Runtime, plans: list[str], day: date, port: int) -> tuple[int, int]:
    """One day; how many letters went and how many answers came."""
    database, filed = runtime.database, 0
    for plan in plans:
        with database.write() as session:
            open_due(session, at_eight(day), plan)
        if day == FIXED_ON:
            with database.write() as session:
                fix_dates(session, plan, day)
    with database.write() as session:
        remind(session, at_eight(day))
    sent = deliver(office(database, port, day), as_of=day)
    for plan in plans:
        filed += answers(runtime, plan, day)
    seal_now(runtime)
    return sent.sent, filed


def working_days(runtime: Runtime, months: int) -> Iterator[list[date]]:
    """The working days of each month from January on."""
    with runtime.database.read() as session:
        calendar = load_calendar(session)
    for month in range(1, months + 1):
        first = date(START.year, month, 1)
        days = (first + timedelta(days=n) for n in range(31))
        yield [day for day in days if day.month == month and calendar.is_working(day)]


def _line(
    runtime: Runtime, store: str, days: list[date], came: tuple[int, int], cost: Spent
) -> str:
    gc.collect()
    asked = (
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        if runtime.database.is_sqlite
        else "SELECT pg_database_size(current_database())"
    )
    with runtime.database.read() as session:
        asked_rows = (text(f"SELECT count(*) FROM {name}") for name in TABLES)  # noqa: S608 - our own tables
        rows = [session.scalar(one) or 0 for one in asked_rows]
        size = int(session.scalar(text(asked)) or 0) / 1024 / 1024
    files = len(list(Path("/proc/self/fd").iterdir()))
    status = Path("/proc/self/status").read_text(encoding="ascii")
    resident = int(status.split("VmRSS:")[1].split()[0]) / 1024
    told = " | ".join(f"{one:,}" for one in rows)
    return (
        f"| {store} | {days[0]:%-m/%Y} | {len(days)} | {came[0]:,} | {came[1]:,} "
        f"| {cost.cpu / len(days):.2f} | {resident:.0f} | {cost.peak:.0f} | {files} | {told} | {size:.0f} |"
    )


def measure(store: Store, provinces: int, months: int, port: int) -> None:
    """Live the months in one database, and print a line for each."""
    with store.one() as url:
        place = store.folder / f"year-{store.name}"
        settings = Settings(_env_file=None, data_dir=place, database_url=url)
        with open_runtime(settings) as runtime:
            plans = found(runtime.database, provinces)
            for days in working_days(runtime, months):
                letters = filed = 0
                with spent() as cost:
                    for day in days:
                        sent, answered = live(runtime, plans, day, port)
                        letters, filed = letters + sent, filed + answered
                print(_line(runtime, store.name, days, (letters, filed), cost), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--provinces", type=int, default=2)
    parser.add_argument("--months", type=int, default=12)
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    given = parser.parse_args()
    print(machine(), "\n")
    wanted = [given.only] if given.only else ("sqlite", "postgresql")
    began = time.perf_counter()
    with sink() as port, stores(wanted=wanted) as each:
        print(HEAD, flush=True)
        for one in each:
            measure(one, given.provinces, given.months, port)
    print(f"\n{time.perf_counter() - began:.0f} s in all.")
