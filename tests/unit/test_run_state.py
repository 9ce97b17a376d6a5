"""The name of a run's last state is a pure function of the item's work."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from rules.lifecycle import Status
from rules.run_state import PeriodWork, RunState, current, figures, run_state
from rules.timeliness import Cell, Work
from rules.values import ItemKind, TrackingMode

DUE = date(2027, 3, 31)
DAY = timedelta(days=1)

OPEN = Work(
    status=Status.IN_PROGRESS,
    status_before=None,
    kind=ItemKind.TASK,
    mode=TrackingMode.FULL,
    provisional=False,
    due_on=DUE,
    completed_on=None,
    respond_by=None,
)
DONE = replace(OPEN, status=Status.CONFIRMED, completed_on=DUE)
LATE = replace(DONE, completed_on=DUE + DAY)


def year(*works: Work, key: str = "2027", due_on: date = DUE) -> PeriodWork:
    return PeriodWork(
        period_key=key, period_last=date(int(key), 12, 31), due_on=due_on, works=works
    )


@pytest.mark.parametrize(
    ("works", "as_of", "expected"),
    [
        ([OPEN, DONE], DUE, RunState.IN_PROGRESS),  # due today is not overdue (rule 2)
        ([OPEN, DONE], DUE + DAY, RunState.OVERDUE),
        ([replace(OPEN, provisional=True)], DUE + DAY, RunState.IN_PROGRESS),
        ([DONE, DONE], DUE, RunState.DONE_IN_TIME),
        ([DONE, LATE], DUE + DAY, RunState.DONE_LATE),
        ([OPEN, LATE], DUE + DAY, RunState.OVERDUE),
        ([replace(DONE, status=Status.SUBMITTED)], DUE + 9 * DAY, RunState.IN_PROGRESS),
        ([replace(LATE, status=Status.SUBMITTED)], DUE + 9 * DAY, RunState.OVERDUE),
        (
            [replace(OPEN, status=Status.SUSPENDED, suspended_on=DUE)],
            DUE + DAY,
            RunState.IN_PROGRESS,
        ),
        ([replace(OPEN, mode=TrackingMode.RECORD)], DUE + DAY, RunState.IN_PROGRESS),
        ([replace(LATE, mode=TrackingMode.RECORD)], DUE + DAY, RunState.DONE_IN_TIME),
        ([replace(OPEN, kind=ItemKind.CHECK_IN)], DUE + DAY, RunState.IN_PROGRESS),
        (
            [replace(OPEN, kind=ItemKind.CHECK_IN, status=Status.LAPSED)],
            DUE + DAY,
            RunState.NOTHING_OPEN,
        ),
        ([DONE, replace(OPEN, status=Status.COVERED)], DUE + DAY, RunState.DONE_IN_TIME),
        ([DONE, replace(OPEN, status=Status.NOT_APPLICABLE)], DUE, RunState.DONE_IN_TIME),
        ([replace(OPEN, status=Status.NOT_APPLICABLE)], DUE, RunState.NOTHING_OPEN),
        ([replace(OPEN, status=Status.TRANSFERRED)], DUE, RunState.NOTHING_OPEN),
        ([], DUE, RunState.NOTHING_OPEN),
    ],
)
def test_worst_counts(works: list[Work], as_of: date, expected: RunState) -> None:
    assert run_state([year(*works)], as_of) is expected


def test_item_without_periods_has_none_open() -> None:
    assert run_state([], DUE) is RunState.NOTHING_OPEN


def test_finished_period_speaks_until_its_end_only() -> None:
    done = year(DONE)
    assert run_state([done], date(2027, 12, 31)) is RunState.DONE_IN_TIME
    assert run_state([done], date(2028, 1, 1)) is RunState.NOTHING_OPEN


def test_period_speaks_until_it_is_due_when_that_comes_after_its_end() -> None:
    done = year(DONE, due_on=date(2028, 1, 31))
    assert run_state([done], date(2028, 1, 31)) is RunState.DONE_IN_TIME


def test_late_period_stays_beside_the_next() -> None:
    old, new = year(OPEN), year(replace(OPEN, due_on=date(2028, 3, 31)), key="2028")
    day = date(2028, 2, 1)
    assert run_state([new, old], day) is RunState.OVERDUE
    assert [one.period_key for one in current([new, old], day)] == ["2027", "2028"]


def test_figures_count_each_cell_and_what_stands_outside() -> None:
    works = (OPEN, OPEN, DONE, LATE, replace(OPEN, status=Status.CANCELLED))
    assert figures([year(*works)], DUE + DAY) == {
        Cell.OPEN_OVERDUE: 2,
        Cell.DONE_IN_TIME: 1,
        Cell.DONE_LATE: 1,
        None: 1,
    }


def test_a_recorded_year_that_nobody_answered_is_silent_once_it_is_over() -> None:
    """(19) It was an invitation; the next year speaks for the item."""
    recorded = year(replace(OPEN, mode=TrackingMode.RECORD), key="2026")
    assert run_state([recorded], date(2026, 12, 31)) is RunState.IN_PROGRESS
    assert run_state([recorded], date(2027, 4, 1)) is RunState.NOTHING_OPEN
    assert run_state([recorded, year(DONE)], date(2027, 4, 1)) is RunState.DONE_IN_TIME
