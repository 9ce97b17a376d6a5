"""Periods and how they are written (rule 10)."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.periods import Period
from rules.values import PeriodKind

DAYS = st.dates(date(1990, 1, 1), date(2200, 12, 31))
KINDS = st.sampled_from(PeriodKind)
PERIODS = st.builds(Period.containing, DAYS, KINDS)


@given(PERIODS)
def test_a_key_reads_back_as_the_same_period(period: Period) -> None:
    assert Period.parse(period.key) == period
    assert str(period) == period.key


@given(DAYS, KINDS)
def test_a_period_contains_its_day(day: date, kind: PeriodKind) -> None:
    period = Period.containing(day, kind)
    assert period.first_day <= day <= period.last_day
    assert period.kind is kind


@given(PERIODS)
def test_the_next_period_begins_the_day_after(period: Period) -> None:
    assert period.shift(1).first_day == period.last_day + timedelta(days=1)


@given(PERIODS, st.integers(-200, 200))
def test_shifting_back_comes_home(period: Period, count: int) -> None:
    assert period.shift(count).shift(-count) == period


@given(PERIODS, PERIODS)
def test_order_is_that_of_the_first_days(one: Period, two: Period) -> None:
    if one.first_day < two.first_day:
        assert one < two
    assert (one <= two) or (two < one)


@pytest.mark.parametrize(
    ("key", "label", "first", "last"),
    [
        ("2027", "năm 2027", date(2027, 1, 1), date(2027, 12, 31)),
        ("2027-Q4", "quý IV/2027", date(2027, 10, 1), date(2027, 12, 31)),
        ("2028-02", "tháng 2/2028", date(2028, 2, 1), date(2028, 2, 29)),
        ("2027-12", "tháng 12/2027", date(2027, 12, 1), date(2027, 12, 31)),
    ],
)
def test_a_period_has_a_name_for_people(key: str, label: str, first: date, last: date) -> None:
    period = Period.parse(key)
    assert (period.label, period.first_day, period.last_day) == (label, first, last)


@pytest.mark.parametrize(
    "text",
    ["", "27", "2027-13", "2027-00", "2027-Q5", "2027-Q0", "2027-3", " 2027", "2027-q1", "0000"],
)
def test_what_is_no_period_is_refused_with_what_would_be_right(text: str) -> None:
    with pytest.raises(ValueError, match="write a year"):
        Period.parse(text)


def test_a_year_has_no_fifth_quarter() -> None:
    with pytest.raises(ValueError, match="no quarter 5"):
        Period(PeriodKind.QUARTER, 2027, 5)


def test_a_period_is_not_ordered_against_something_else() -> None:
    with pytest.raises(TypeError):
        assert Period.parse("2027") < "2028"
