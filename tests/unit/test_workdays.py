"""Working days (rules 3-5)."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.values import Roll
from rules.workdays import DaySource, OutsideHorizon, ResolvedDay, WorkCalendar

FIRST, LAST = date(2026, 1, 1), date(2028, 12, 31)
HORIZON = st.dates(FIRST, LAST)
MIDDLE = st.dates(date(2026, 10, 1), date(2028, 3, 31))
STEPS = st.integers(-60, 60)


@st.composite
def calendars(draw: st.DrawFn) -> WorkCalendar:
    return WorkCalendar(
        days_off=draw(st.frozensets(HORIZON, max_size=60)),
        worked=draw(st.frozensets(HORIZON, max_size=20)),
        first=FIRST,
        last=LAST,
    )


def calendar(*, days_off: tuple[date, ...] = (), worked: tuple[date, ...] = ()) -> WorkCalendar:
    return WorkCalendar(days_off=days_off, worked=worked, first=FIRST, last=LAST)


@given(calendars(), MIDDLE, STEPS)
def test_between_undoes_add(days: WorkCalendar, start: date, count: int) -> None:
    """Rule 5: offsets count working days, forwards and backwards alike."""
    assert days.between(start, days.add(start, count)) == count


@given(calendars(), MIDDLE, STEPS)
def test_adding_lands_on_a_working_day_on_the_right_side(
    days: WorkCalendar, start: date, count: int
) -> None:
    end = days.add(start, count)
    if count == 0:
        assert end == start
    else:
        assert days.is_working(end)
        assert (end > start) is (count > 0)


@given(calendars(), MIDDLE, STEPS, STEPS)
def test_later_counts_never_land_earlier(
    days: WorkCalendar, start: date, one: int, two: int
) -> None:
    low, high = sorted((one, two))
    assert days.add(start, low) <= days.add(start, high)


@given(calendars(), MIDDLE, MIDDLE)
def test_between_counts_what_a_person_would_count(
    days: WorkCalendar, start: date, end: date
) -> None:
    """The day of departure is not counted, the day of arrival is."""
    low, high = min(start, end), max(start, end)
    span = [low + timedelta(days=n) for n in range((high - low).days + 1)]
    counted = span[1:] if start <= end else span[:-1]
    expected = sum(days.is_working(day) for day in counted)
    assert days.between(start, end) == (expected if start <= end else -expected)


@given(calendars(), MIDDLE, st.sampled_from(Roll))
def test_rolling_a_rolled_date_changes_nothing(days: WorkCalendar, day: date, roll: Roll) -> None:
    """Rule 4: a due date is rolled once and stays."""
    rolled = days.roll(day, roll)
    assert days.roll(rolled, roll) == rolled
    assert days.is_working(rolled) or roll is Roll.NONE


@given(calendars(), MIDDLE)
def test_rolling_goes_the_way_it_says(days: WorkCalendar, day: date) -> None:
    assert days.roll(day, Roll.PREVIOUS) <= day <= days.roll(day, Roll.NEXT)
    assert days.roll(day, Roll.NONE) == day
    assert days.next_working(day) == days.roll(day, Roll.NEXT)


@given(calendars(), MIDDLE)
def test_every_day_of_a_week_has_the_same_letter_day(days: WorkCalendar, day: date) -> None:
    """Rule 27: the Monday digest goes once a week, on the first day worked."""
    monday = day - timedelta(days=day.weekday())
    chosen = days.first_working_of_week(day)
    assert chosen == days.first_working_of_week(monday)
    assert chosen >= monday
    assert days.is_working(chosen)


@given(calendars())
def test_calendars_that_say_the_same_are_equal(days: WorkCalendar) -> None:
    again = WorkCalendar(
        days_off=[*days.days_off, date(2026, 1, 3), date(2019, 1, 1)],
        worked=[*days.worked, date(2026, 1, 5)],
        first=FIRST,
        last=LAST,
    )
    assert again == days
    assert hash(again) == hash(days)


def test_the_working_day_after_friday_is_monday() -> None:
    assert calendar().add(date(2027, 1, 8), 1) == date(2027, 1, 11)


def test_counting_from_a_day_off_starts_beyond_it() -> None:
    sunday = date(2027, 1, 10)
    assert calendar().add(sunday, 1) == date(2027, 1, 11)
    assert calendar().add(sunday, -1) == date(2027, 1, 8)


def test_a_swapped_weekend_is_counted() -> None:
    """Rule 3: 2 January 2026 is off, 10 January is worked."""
    days = calendar(days_off=(date(2026, 1, 1), date(2026, 1, 2)), worked=(date(2026, 1, 10),))
    assert days.between(date(2026, 1, 9), date(2026, 1, 12)) == 2
    assert days.next_working(FIRST) == date(2026, 1, 5)


def test_fridays_work_is_one_working_day_overdue_on_monday() -> None:
    """Rule 2: what is due today is not overdue; the weekend adds nothing."""
    friday = date(2027, 1, 8)
    assert [calendar().between(friday, friday + timedelta(days=n)) for n in range(4)] == [
        0,
        0,
        0,
        1,
    ]


def test_a_week_wholly_off_writes_on_the_first_day_after_it() -> None:
    tet = tuple(date(2027, 2, day) for day in range(8, 13))
    assert calendar(days_off=tet).first_working_of_week(date(2027, 2, 10)) == date(2027, 2, 15)


@pytest.mark.parametrize("day", [date(2025, 12, 31), date(2029, 1, 1)])
def test_a_day_beyond_the_resolved_days_is_refused_with_the_remedy(day: date) -> None:
    days = calendar()
    for ask in (
        days.is_working,
        days.next_working,
        days.first_working_of_week,
        lambda d: days.add(d, 0),
        lambda d: days.roll(d, Roll.NONE),
        lambda d: days.between(d, FIRST),
        lambda d: days.between(FIRST, d),
    ):
        with pytest.raises(OutsideHorizon, match="resolve the days off") as caught:
            ask(day)
        assert (caught.value.asked, caught.value.first) == (day, FIRST)


def test_counting_beyond_the_resolved_days_is_refused() -> None:
    with pytest.raises(OutsideHorizon) as caught:
        calendar().add(date(2028, 12, 28), 5)
    assert caught.value.shift == 5


def test_a_horizon_must_not_end_before_it_begins() -> None:
    with pytest.raises(ValueError, match="ends on"):
        WorkCalendar(days_off=(), worked=(), first=LAST, last=FIRST)


def test_a_calendar_is_made_of_resolved_days() -> None:
    off = ResolvedDay(
        day=date(2027, 9, 2), working=False, name="Quốc khánh", source=DaySource.LIBRARY
    )
    worked = ResolvedDay(
        day=date(2027, 9, 4), working=True, name="Làm bù", source=DaySource.CORRECTION
    )
    days = WorkCalendar.from_days([off, worked], first=FIRST, last=LAST)
    assert not days.is_working(off.day)
    assert days.is_working(worked.day)
