"""The decision's targets in percent, from the figures that yearly reports carry (rule 41).

Each agency gives a part and the whole that it is of; both are those of the agencies that owed the
report of that year. A part is never above its whole, so no ratio is above 100%.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Assignment, Occurrence, Submission
from operations.state import PlanState
from rules.asked import Figure, read_number
from rules.lifecycle import UNCOUNTED, Status
from rules.values import Item, Role

_GONE = ("withdrawn", "returned")
_LEFT_OUT = {*UNCOUNTED, Status.NOT_APPLICABLE}


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRow:
    """What one agency said in one year; ``part`` and ``whole`` None while it has not answered.

    ``before`` is the whole that it gave the year before. ``confirmed`` says whether the report was
    confirmed.
    """

    agency: str
    agency_name: str
    assignment: int
    part: Decimal | None
    whole: Decimal | None
    before: Decimal | None
    confirmed: bool

    @property
    def answered(self) -> bool:
        """Whether both numbers are there."""
        return self.part is not None and self.whole is not None

    @property
    def percent(self) -> Decimal | None:
        """0-100, one decimal, rounded down so that only a full part reads 100; None without."""
        return _percent(self.part, self.whole)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One target in one year: ``wanted`` is what the decision wants, in percent."""

    item: str
    section: str
    key: str
    label: str
    whole_label: str
    goal: str
    unit: str
    wanted: int
    year: int
    rows: tuple[TargetRow, ...]

    @property
    def title(self) -> str:
        """The label as it stands alone: forms have it below the whole, as "Trong đó …"."""
        found = self.label.removeprefix("Trong đó ").strip()
        return f"{found[:1].upper()}{found[1:]}"

    @property
    def answered(self) -> tuple[TargetRow, ...]:
        """The agencies that gave both numbers."""
        return tuple(row for row in self.rows if row.answered)

    @property
    def silent(self) -> tuple[TargetRow, ...]:
        """The agencies that have not."""
        return tuple(row for row in self.rows if not row.answered)

    @property
    def part(self) -> Decimal:
        """The parts of those that answered, added up."""
        return sum((row.part or Decimal(0) for row in self.answered), Decimal(0))

    @property
    def whole(self) -> Decimal:
        """The wholes of those that answered, added up."""
        return sum((row.whole or Decimal(0) for row in self.answered), Decimal(0))

    @property
    def percent(self) -> Decimal | None:
        """Over those that answered alone; say beside it how many of how many they are."""
        return _percent(self.part, self.whole)


def targets(
    session: Session, state: PlanState, year: int, *, agency: str | None = None
) -> tuple[Target, ...]:
    """Every target of the plan in ``year``; with ``agency`` its own row alone (rule 46)."""
    found: list[Target] = []
    for item in state.plan.decided:
        wanted = [figure for figure in item.calendar.figures if figure.target is not None]
        if not wanted:
            continue
        now = _reports(session, state.plan.key, item.key, year, agency)
        last = {
            row.agency_key: figures
            for row, figures, _ in _reports(session, state.plan.key, item.key, year - 1, agency)
        }
        found += [_target(item, figure, year, now, last) for figure in wanted]
    return tuple(found)


_Report = tuple[Assignment, Mapping[str, str], bool]


def _reports(
    session: Session, plan: str, item: str, year: int, agency: str | None
) -> list[_Report]:
    """The leads that owed the report of a year, with the figures of what stands of theirs."""
    query = (
        select(Assignment)
        .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
        .where(
            Occurrence.plan_key == plan,
            Occurrence.item_key == item,
            Occurrence.period_key.startswith(str(year)),
            Assignment.role == Role.LEAD.value,
            Assignment.status.not_in([one.value for one in _LEFT_OUT]),
        )
        .order_by(Assignment.agency_name, Assignment.id)
    )
    if agency is not None:
        query = query.where(Assignment.agency_key == agency)
    rows = session.scalars(query).all()
    standing = _standing(session, [row.id for row in rows])
    return [(row, *standing.get(row.id, ({}, False))) for row in rows]


def _standing(session: Session, numbers: list[int]) -> dict[int, tuple[Mapping[str, str], bool]]:
    """The figures of the newest result of each assignment that was neither taken back nor returned."""
    query = (
        select(Submission.assignment_id, Submission.figures, Submission.outcome)
        .where(Submission.assignment_id.in_(numbers))
        .order_by(Submission.id)
    )
    found: dict[int, tuple[Mapping[str, str], bool]] = {}
    for number, figures, outcome in session.execute(query):
        if outcome in _GONE:
            found.pop(number, None)
        else:
            found[number] = (json.loads(figures), outcome == "confirmed")
    return found


def _target(
    item: Item,
    figure: Figure,
    year: int,
    now: Iterable[_Report],
    last: Mapping[str, Mapping[str, str]],
) -> Target:
    of = figure.of or ""
    whole = next(one for one in item.calendar.figures if one.key == of)
    rows = [
        TargetRow(
            agency=row.agency_key,
            agency_name=row.agency_name,
            assignment=row.id,
            part=read_number(figures.get(figure.key, "")),
            whole=read_number(figures.get(of, "")),
            before=read_number(last.get(row.agency_key, {}).get(of, "")),
            confirmed=confirmed,
        )
        for row, figures, confirmed in now
    ]
    return Target(
        item=item.key,
        section=item.text.section or "",
        key=figure.key,
        label=figure.label,
        whole_label=whole.label,
        goal=figure.goal or figure.label,
        unit=figure.unit or "",
        wanted=figure.target or 100,
        year=year,
        rows=tuple(rows),
    )


def _percent(part: Decimal | None, whole: Decimal | None) -> Decimal | None:
    if part is None or not whole:
        return None
    return (part * 100 / whole).quantize(Decimal("0.1"), rounding=ROUND_DOWN)
