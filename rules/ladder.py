"""Which reminder is owed (rules 5, 22, 27, 28).

A rung's day is a number of working days from its anchor: the due date in force, or the day to
respond of returned work. Everything here is a function of (ladder, anchor, last rung sent).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from rules.values import Ladder, Rung
from rules.workdays import WorkCalendar

NO_RUNG = -1_000_000
"""Stands for "no rung sent yet": before every offset."""


@dataclass(frozen=True, slots=True)
class Step:
    """A rung on its day."""

    rung: Rung
    day: date


def steps(ladder: Ladder, anchor: date, calendar: WorkCalendar) -> tuple[Step, ...]:
    """The rungs of ``ladder`` on their days, in order.

    An anchor on a day off counts from the working day before it, so that a rung after it is
    never early.
    """
    return tuple(
        Step(rung, calendar.add(anchor, rung.offset))
        for rung in sorted(ladder.rungs, key=lambda rung: rung.offset)
    )


def owed(
    ladder: Ladder, anchor: date, calendar: WorkCalendar, *, last_rung: int, as_of: date
) -> Rung | None:
    """The latest rung whose day has come and that is later than the last one sent (rule 28)."""
    found = None
    for step in steps(ladder, anchor, calendar):
        if step.day <= as_of and step.rung.offset > last_rung:
            found = step.rung
    return found


def next_step(
    ladder: Ladder, anchor: date, calendar: WorkCalendar, *, last_rung: int
) -> Step | None:
    """The first rung after the last one sent, on its day; None when the ladder is at its end."""
    for step in steps(ladder, anchor, calendar):
        if step.rung.offset > last_rung:
            return step
    return None


def at_end(ladder: Ladder, last_rung: int) -> bool:
    """Whether the last rung was sent: the work stands under "Cần văn bản đôn đốc" (rule 27)."""
    return bool(ladder.rungs) and last_rung >= max(rung.offset for rung in ladder.rungs)
