"""Agencies with the same work due on the same day, in one line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from notifications.formats import vn_number
from operations.queries import WorkRow
from portal.words import workdays
from portal.work_tables import Source

NAMES: Final = 8
"""How many agencies a line names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """Agencies with the same work due on the same day."""

    item: str
    period: str
    due_on: date
    count: int
    names: str
    days: int | None
    """Working days overdue, None when it is not."""
    href: str
    """The item with the agencies it is about."""


def together(source: Source, rows: Sequence[WorkRow]) -> list[Together]:
    """Rows by item, period and date, in the order of the first of each."""
    groups: dict[tuple[str, str, str, date], list[WorkRow]] = {}
    for row in rows:
        groups.setdefault((row.plan, row.item, row.period, row.due_on), []).append(row)
    return [
        Together(
            item=source.item(some[0]),
            period=some[0].period_label,
            due_on=some[0].due_on,
            count=len(some),
            names=_names(some),
            days=_days(source, some[0]),
            href=f"/nhiem-vu/{some[0].plan}/{some[0].item}?nam={some[0].period[:4]}#ky",
        )
        for some in groups.values()
    ]


def _names(rows: Sequence[WorkRow]) -> str:
    shown = ", ".join(row.agency_name for row in rows[:NAMES])
    rest = len(rows) - NAMES
    return f"{shown} và {vn_number(rest)} cơ quan khác" if rest > 0 else shown


def _days(source: Source, row: WorkRow) -> int | None:
    if not row.overdue:
        return None
    return workdays(source.states[row.plan].calendar, row.due_on, source.today)
