"""docs/eight-years.md: the plan on nine days between 2023 and 2027, from a real run.

The years 2023-2026 come from a workbook (made-up results, see ``tests.late_start``), laid over the
real catalog with its reorganisations; 2027 opens, and its first results are filed. How work stood
on a day is read from the history: the last event of each row that took effect by then.
``python -m tests.eight_years`` writes the document; a test asks that it is current.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

from sqlalchemy import select

from models.engine import Database
from models.migrate import upgrade
from models.tables import Event, Occurrence
from operations.act import ActRequest
from operations.results import Paper, Result
from rules.actors import AccountRole
from rules.directory import Directory
from rules.lifecycle import Action
from rules.values import Role
from tests import late_start
from tests.engine import PROVINCE, Engine, engine, person, stamp

DOCUMENT = Path(__file__).parents[1] / "docs" / "eight-years.md"
START, TAKEN_OVER = date(2027, 1, 1), date(2027, 1, 4)
DAYS = (
    date(2023, 12, 31),
    date(2024, 12, 31),
    date(2025, 2, 28),
    date(2025, 3, 1),
    date(2025, 6, 30),
    date(2025, 7, 1),
    date(2025, 12, 31),
    date(2026, 12, 31),
    date(2027, 3, 31),
)
MOVED = frozenset({"transferred", "cancelled"})
_HEAD = """# Eight years, on nine days

Made by `python -m tests.eight_years` from a run on a real database; a test on both stores keeps it
current. The catalog, its agencies and reorganisations are the real ones (what is GENERAL or UNSURE
there is so here). **The results of 2023–2026 are made up**: a workbook of plausible answers, some
late, some without a document left, some missing. It is taken over on 4/1/2027 (rule 19), after which
successions replay (rule 35), 2027 opens, and its first results are filed.

Counted are leads' rows opened by the day. "Done" is confirmed with a result of that day or before.
The rate is done / (rows − nothing to do − moved or ended); "no data" counts as not done.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """How all leads' rows stood on one day."""

    day: date
    statuses: Mapping[str, int]
    after_due: int
    """Done after the date that the calendar asks for by default."""
    names: Sequence[str]
    """The agencies that existed on that day, by the name of then."""
    leads: Sequence[str]
    """Under which names the rows of I.1 of that year stand, what was moved on left out."""

    @property
    def rows(self) -> int:
        """All rows."""
        return sum(self.statuses.values())

    @property
    def done(self) -> int:
        """Those with a confirmed result."""
        return self.statuses.get("confirmed", 0)

    @property
    def moved(self) -> int:
        """Those that went on elsewhere or ended."""
        return sum(self.statuses.get(one, 0) for one in MOVED)

    @property
    def rate(self) -> float:
        """Percent done of what there was to do."""
        asked = self.rows - self.moved - self.statuses.get("not_applicable", 0)
        return 100 * self.done / asked if asked else 0.0


def live(one: Engine) -> None:
    """Take the workbook over, open 2027 and file its first results."""
    content = late_start.packed(late_start.filled(one, TAKEN_OVER))
    late_start.take(one, stamp(TAKEN_OVER, person(AccountRole.COORDINATOR, "so_noi_vu")), content)
    one.run(TAKEN_OVER)
    one.run(date(2027, 3, 31))
    filed_on = date(2027, 3, 26)
    for agency in one.catalog.directory.valid_on(filed_on)[::3]:
        if agency.key == "so_noi_vu":
            continue
        row = one.find("I.1", "2027", agency.key)
        paper = Paper(code="8/QĐ-UBND", issued_on=filed_on)
        result = ActRequest(result=Result(text="Đã rà soát, phân công", papers=(paper,)))
        one.act(row, Action.SUBMIT, person(AccountRole.AGENCY, agency.key), filed_on, result)
        decider = person(AccountRole.COORDINATOR, "so_noi_vu", "Trần Thị B")
        one.act(row, Action.CONFIRM, decider, date(2027, 3, 29))


def days(one: Engine) -> list[Day]:
    """The nine days."""
    with one.database.read() as session:
        opened = {
            row.id: (row.opens_on, row.item_key, row.period_key)
            for row in session.scalars(select(Occurrence))
        }
        query = (
            select(Event.effective_on, Event.entity_id, Event.snapshot)
            .where(Event.entity == "assignment")
            .order_by(Event.id)
        )
        events = [(on, number, json.loads(text)) for on, number, text in session.execute(query)]
    return [_day(day, events, opened, one.catalog.directory) for day in DAYS]


def _day(
    day: date,
    events: Sequence[tuple[date, str, dict[str, Any]]],
    opened: Mapping[int, tuple[date, str, str]],
    directory: Directory,
) -> Day:
    last = {
        number: row for on, number, row in events if on <= day and row["role"] == Role.LEAD.value
    }
    rows = [row for row in last.values() if opened[row["occurrence_id"]][0] <= day]
    here = [
        row["agency_name"]
        for row in rows
        if opened[row["occurrence_id"]][1:] == ("I.1", str(day.year)) and row["status"] not in MOVED
    ]
    done = [row for row in rows if row["status"] == "confirmed"]
    return Day(
        day=day,
        statuses=Counter(row["status"] for row in rows),
        after_due=sum(row["completed_on"] > row["original_due_on"] for row in done),
        names=sorted(agency.name for agency in directory.valid_on(day)),
        leads=sorted(here),
    )


def _shown(day: date) -> str:
    return f"{day.day}/{day.month}/{day.year}"


def _is_local(name: str) -> bool:
    return name.split(maxsplit=1)[0] in {"Xã", "Phường", "Đặc"}


def _is_district(name: str) -> bool:
    return name.split(maxsplit=1)[0] in {"Huyện", "Thị", "Thành"}


def _tables(found: Sequence[Day]) -> Iterator[str]:
    yield "\n## By status\n"
    yield (
        "| day | rows | done | of them after the default date | nothing to do | no data or open "
        "| waiting | moved to a successor | ended | rate |"
    )
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    for one in found:
        n = one.statuses
        still = n.get("not_started", 0) + n.get("in_progress", 0)
        yield (
            f"| {_shown(one.day)} | {one.rows} | {one.done} | {one.after_due} "
            f"| {n.get('not_applicable', 0)} | {still} | {n.get('submitted', 0)} "
            f"| {n.get('transferred', 0)} | {n.get('cancelled', 0)} | {one.rate:.1f}% |"
        )
    yield "\n## By name: the agencies of the day, and the rows of I.1 of its year\n"
    yield (
        "| day | agencies | provincial | districts | communes, wards, special zone "
        "| rows of I.1 | of them finished by agencies that have ended |"
    )
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for one in found:
        local = sum(_is_local(name) for name in one.names)
        district = sum(_is_district(name) for name in one.names)
        rest = len(one.names) - local - district
        ended = sum(name not in one.names for name in one.leads)
        yield (
            f"| {_shown(one.day)} | {len(one.names)} | {rest} | {district} | {local} "
            f"| {len(one.leads)} | {ended} |"
        )
    yield "\n## What names came and went\n"
    yield "| from | to | gone | new |\n|---|---|---|---|"
    for before, after in pairwise(found):
        gone, new = set(before.names) - set(after.names), set(after.names) - set(before.names)
        yield f"| {_shown(before.day)} | {_shown(after.day)} | {_named(gone)} | {_named(new)} |"


def _named(names: set[str]) -> str:
    local = sorted(name for name in names if _is_local(name))
    rest = sorted(names - set(local))
    if local:
        rest.append(f"{len(local)} communes, wards, special zone")
    return "; ".join(rest) or "–"


def document(found: Sequence[Day]) -> str:
    """The whole document."""
    return "\n".join((_HEAD, *_tables(found))) + "\n"


def main() -> None:
    """Write the document."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/a.sqlite"
        database = Database(url, durable=False)
        upgrade(database)
        database.close()
        with engine(url, folder=PROVINCE, start=START) as one:
            live(one)
            DOCUMENT.write_text(document(days(one)), encoding="utf-8")


if __name__ == "__main__":
    main()
