"""Days off of Viet Nam and their corrections (rule 3)."""

from datetime import date

import pytest

from rules.workdays import DaySource, ResolvedDay, WorkCalendar
from tasks_catalog.daysoff import Correction, resolve_days, work_calendar
from tasks_catalog.loader import CATALOG, load_plan

FIRST, LAST = date(2023, 1, 1), date(2031, 12, 31)
SHIPPED = load_plan(CATALOG / "qd_1718_2023").corrections


@pytest.fixture(scope="module")
def shipped() -> WorkCalendar:
    return work_calendar(FIRST, LAST, SHIPPED)


def correction(day: date, *, working: bool) -> Correction:
    return Correction(day=day, working=working, name="Hoán đổi", document="1/TB")


def test_only_exceptions_are_resolved() -> None:
    days = resolve_days(FIRST, LAST, SHIPPED)
    assert all(day.working is (day.day.weekday() >= 5) for day in days)
    assert [day.day for day in days] == sorted({day.day for day in days})


@pytest.mark.parametrize(
    "day",
    [date(2024, 4, 29), date(2025, 1, 27), date(2025, 5, 2), date(2026, 1, 2), date(2026, 8, 31),
     date(2026, 11, 24), date(2027, 2, 8), date(2027, 9, 2)],
)  # fmt: skip
def test_days_off(shipped: WorkCalendar, day: date) -> None:
    assert not shipped.is_working(day)


@pytest.mark.parametrize(
    "day", [date(2024, 5, 4), date(2025, 4, 26), date(2026, 1, 10), date(2026, 8, 22)]
)
def test_weekend_days_that_were_worked(shipped: WorkCalendar, day: date) -> None:
    assert shipped.is_working(day)


def test_the_swap_that_the_library_misses_ships_with_its_document() -> None:
    found = {day.day: day for day in resolve_days(FIRST, LAST, SHIPPED)}
    for day in (date(2026, 1, 2), date(2026, 1, 10)):
        assert found[day].source is DaySource.CORRECTION
        assert found[day].document == "12729/VPCP-KGVX"


def test_a_correction_goes_before_the_library() -> None:
    holiday = date(2027, 9, 2)
    assert holiday in {day.day for day in resolve_days(FIRST, LAST)}
    worked = resolve_days(FIRST, LAST, [correction(holiday, working=True)])
    assert holiday not in {day.day for day in worked}


def test_a_correction_can_take_back_a_make_up_day() -> None:
    saturday = date(2026, 8, 22)
    assert work_calendar(FIRST, LAST).is_working(saturday)
    corrected = work_calendar(FIRST, LAST, [correction(saturday, working=False)])
    assert not corrected.is_working(saturday)


def test_a_correction_beyond_the_horizon_changes_nothing() -> None:
    first, last = date(2027, 3, 1), date(2027, 3, 31)
    assert resolve_days(first, last, [correction(date(2027, 4, 1), working=False)]) == ()


def test_a_resolved_day_says_what_it_is() -> None:
    found = resolve_days(date(2027, 9, 2), date(2027, 9, 2))
    assert found == (
        ResolvedDay(
            day=date(2027, 9, 2), working=False, name="Quốc khánh", source=DaySource.LIBRARY
        ),
    )
