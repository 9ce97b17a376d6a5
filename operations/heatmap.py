"""Items x agencies, and items x years: how everything stands, at a glance.

Each is drawn from one query that groups equal facts (``operations.dashboard.tallies``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy.orm import Session

from models.tables import Assignment, Occurrence
from operations.dashboard import Scope, Tally, tallies
from operations.state import PlanState
from rules.directory import Directory
from rules.lifecycle import UNCOUNTED, Status
from rules.timeliness import Cell
from rules.values import Item

OTHERS = "Cơ quan khác"


class Heat(StrEnum):
    """How some work stands, the worst first: it decides where there is more than one."""

    OVERDUE = "overdue"
    PAST_PROVISIONAL = "past_provisional"
    WAITING = "waiting"
    """Submitted, and not confirmed yet."""
    OPEN = "open"
    DONE_LATE = "done_late"
    DONE = "done"
    OUTSIDE = "outside"
    """Outside the four cells: check-ins, recorded years, ended work."""


_ORDER = list(Heat)
_OF_CELL: Mapping[Cell | None, Heat] = {
    Cell.OPEN_OVERDUE: Heat.OVERDUE,
    Cell.PAST_PROVISIONAL: Heat.PAST_PROVISIONAL,
    Cell.OPEN_IN_TIME: Heat.OPEN,
    Cell.DONE_LATE: Heat.DONE_LATE,
    Cell.DONE_IN_TIME: Heat.DONE,
    None: Heat.OUTSIDE,
}


def heat_of(one: Tally) -> Heat:
    """How rows with these facts stand."""
    if one.status is Status.SUBMITTED and one.cell is Cell.OPEN_IN_TIME:
        return Heat.WAITING
    return _OF_CELL[one.cell]


def worst(heats: Iterable[Heat]) -> Heat:
    """The worst of some; there is at least one."""
    return min(heats, key=_ORDER.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatCell:
    """An agency's work on an item. ``only`` is its assignment where there is just one."""

    heat: Heat
    counts: Mapping[Heat, int]
    only: int | None

    @property
    def count(self) -> int:
        """How many rows stand behind it."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatRow:
    """An agency with its cells, by plan and item."""

    agency: str
    name: str
    cells: Mapping[tuple[str, str], HeatCell]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatGroup:
    """The agencies of a group, and how many rows of theirs stand how."""

    key: str
    name: str
    rows: tuple[HeatRow, ...]
    counts: Mapping[Heat, int]


def heat_map(
    session: Session, scope: Scope, directory: Directory, *, items: Sequence[str] = ()
) -> tuple[HeatGroup, ...]:
    """The agencies that lead anything in ``scope``, in the groups and the order of the catalog."""
    found: dict[str, dict[tuple[str, str], list[Tally]]] = {}
    columns = (Assignment.agency_key, Occurrence.plan_key, Occurrence.item_key)
    for one in tallies(session, scope, *columns):
        agency, plan, item = one.keys
        if one.status in UNCOUNTED or (items and item not in items):
            continue  # its work went on elsewhere, or is no longer followed
        found.setdefault(agency, {}).setdefault((plan, item), []).append(one)
    groups: dict[str, list[HeatRow]] = {}
    places = homes(directory)
    for known in directory.agencies:
        if known.key in found:
            cells = {key: _cell(some) for key, some in found[known.key].items()}
            row = HeatRow(agency=known.key, name=known.name, cells=cells)
            groups.setdefault(places.get(known.key, ""), []).append(row)
    names = {one.key: one.name for one in directory.groups} | {"": OTHERS}
    return tuple(
        HeatGroup(key=key, name=names[key], rows=tuple(groups[key]), counts=_sum(groups[key]))
        for key in names
        if key in groups
    )


def plan_map(session: Session, scope: Scope) -> Mapping[tuple[str, str], HeatCell]:
    """The work of every plan in ``scope`` by plan and item, all its agencies together."""
    found: dict[tuple[str, str], list[Tally]] = {}
    for one in tallies(session, scope, Occurrence.plan_key, Occurrence.item_key):
        if one.status not in UNCOUNTED:
            plan, item = one.keys
            found.setdefault((plan, item), []).append(one)
    return {place: _cell(some) for place, some in found.items()}


def homes(directory: Directory) -> Mapping[str, str]:
    """The first group that lists an agency by its own name: where it is shown."""
    found: dict[str, str] = {}
    for group in directory.groups:
        for member in group.members:
            if not member.ref.startswith("@"):
                found.setdefault(member.ref, group.key)
    return found


def _cell(some: Sequence[Tally]) -> HeatCell:
    counts: Counter[Heat] = Counter()
    for one in some:
        counts[heat_of(one)] += one.count
    single = len(some) == 1 and some[0].count == 1
    return HeatCell(heat=worst(counts), counts=counts, only=some[0].first_id if single else None)


def _sum(rows: Iterable[HeatRow]) -> Mapping[Heat, int]:
    counts: Counter[Heat] = Counter()
    for row in rows:
        for one in row.cells.values():
            counts.update(one.counts)
    return counts


@dataclass(frozen=True, slots=True, kw_only=True)
class YearCell:
    """An item in a year. ``heat`` None means that nothing is open: ``before`` says whether the
    year lies before the tracking began, else it is still to come."""

    year: int
    milestone: str | None
    heat: Heat | None
    done: int
    total: int
    before: bool


def strip(session: Session, state: PlanState, cutoff: date) -> Mapping[str, tuple[YearCell, ...]]:
    """Every item of a plan through its years, by item key."""
    plan = state.plan
    found: dict[tuple[str, str], list[Tally]] = {}
    scope = Scope(cutoff=cutoff, plan=plan.key, added=None)
    for one in tallies(session, scope, Occurrence.item_key, Occurrence.period_key):
        item, period = one.keys
        if one.status not in UNCOUNTED:
            found.setdefault((item, str(period)[:4]), []).append(one)
    years = range(plan.first_year, plan.last_year + 1)
    return {
        item.key: tuple(
            _year(item, year, found.get((item.key, str(year)), ()), state) for year in years
        )
        for item in plan.every_item
    }


def _year(item: Item, year: int, some: Sequence[Tally], state: PlanState) -> YearCell:
    milestones = {key[:4]: label for key, label in item.calendar.milestones.items()}
    heats = [heat_of(one) for one in some]
    finished = {Status.CONFIRMED, Status.COVERED, Status.NOT_APPLICABLE}
    return YearCell(
        year=year,
        milestone=milestones.get(str(year)),
        heat=worst(heats) if heats else None,
        done=sum(one.count for one in some if one.status in finished),
        total=sum(one.count for one in some),
        before=year < state.tracking_start.year,
    )
