"""When items open and are due (rules 4, 9, 10, 18)."""

from collections.abc import Mapping
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.periods import Period
from rules.recurrence import (
    BadCron,
    DueBeforeOpening,
    NeverFires,
    PeriodOutsidePlan,
    expand,
)
from rules.values import ItemCalendar, PeriodKind


def calendar(
    *,
    opens: str = "0 8 2 1 *",
    due: str = "0 17 31 3 *",
    period: PeriodKind = PeriodKind.YEAR,
    every: int = 1,
    first_period: str | None = None,
    last_period: str | None = None,
    due_in_next: int = 0,
    milestones: Mapping[str, str] | None = None,
) -> ItemCalendar:
    return ItemCalendar(
        opens=opens,
        due=due,
        period=period,
        every=every,
        first_period=first_period,
        last_period=last_period,
        due_in_next=due_in_next,
        milestones=milestones or {},
        basis="mặc định",
    )


def test_a_yearly_item_opens_once_a_year() -> None:
    found = expand(calendar(), 2023, 2030)
    assert [one.period.key for one in found] == [str(year) for year in range(2023, 2031)]
    assert {(one.opens_on.month, one.opens_on.day) for one in found} == {(1, 2)}
    assert found[4].nominal_due_on == date(2027, 3, 31)


def test_nominal_due_dates_are_not_rolled() -> None:
    """Rule 4: 20 December 2026 is a Sunday and stays what the calendar asked for."""
    found = expand(calendar(due="0 17 20 12 *"), 2026, 2026)
    assert found[0].nominal_due_on == date(2026, 12, 20)


def test_a_quarter_is_due_on_its_last_day() -> None:
    check_in = calendar(
        period=PeriodKind.QUARTER, opens="0 8 1 3,6,9,12 *", due="0 17 L 3,6,9,12 *"
    )
    found = expand(check_in, 2027, 2027)
    assert [(one.opens_on.month, one.nominal_due_on) for one in found] == [
        (3, date(2027, 3, 31)),
        (6, date(2027, 6, 30)),
        (9, date(2027, 9, 30)),
        (12, date(2027, 12, 31)),
    ]


def test_a_month_may_be_due_in_the_next_month() -> None:
    monthly = calendar(period=PeriodKind.MONTH, opens="0 8 1 * *", due="0 17 5 * *", due_in_next=1)
    last = expand(monthly, 2026, 2029)[-1]
    assert (last.period.key, last.nominal_due_on) == ("2029-12", date(2030, 1, 5))


def test_every_second_year_is_counted_from_the_first_period() -> None:
    found = expand(calendar(every=2, first_period="2024"), 2023, 2030)
    assert [one.period.key for one in found] == ["2024", "2026", "2028", "2030"]


def test_an_item_ends_with_its_last_period() -> None:
    found = expand(calendar(last_period="2025"), 2023, 2030)
    assert [one.period.key for one in found] == ["2023", "2024", "2025"]


def test_milestones_label_their_periods() -> None:
    """Rule 18: 2025 is also sơ kết, 2030 tổng kết."""
    found = expand(calendar(milestones={"2025": "so_ket", "2030": "tong_ket"}), 2023, 2030)
    labels = {one.period.key: one.milestone for one in found if one.milestone}
    assert labels == {"2025": "so_ket", "2030": "tong_ket"}


def test_calendars_that_differ_in_milestones_alone_are_not_mixed_up() -> None:
    plain, marked = calendar(), calendar(milestones={"2027": "so_ket"})
    assert expand(plain, 2027, 2027)[0].milestone is None
    assert expand(marked, 2027, 2027)[0].milestone == "so_ket"


def test_a_calendar_is_read_once() -> None:
    """Expanding costs once an item, never once an agency."""
    assert expand(calendar(), 2023, 2030) is expand(calendar(), 2023, 2030)


@given(st.integers(1, 12), st.integers(1, 28), st.integers(0, 23), st.integers(2000, 2100))
def test_a_date_of_the_year_is_found_in_every_year(
    month: int, day: int, hour: int, year: int
) -> None:
    item = calendar(opens="0 0 1 1 *", due=f"0 {hour} {day} {month} *")
    found = expand(item, year, year + 2)
    assert [one.nominal_due_on for one in found] == [date(year + n, month, day) for n in range(3)]


@pytest.mark.parametrize("due", ["0 17 31 2 *", "0 17 30 2 *", "0 17 29 2 *"])
def test_a_date_that_does_not_exist_is_refused(due: str) -> None:
    """Rule 9: a cron that never fires, in all years or in one."""
    with pytest.raises(NeverFires) as caught:
        expand(calendar(due=due), 2023, 2030)
    assert (caught.value.field, caught.value.period) == ("due", Period.parse("2023"))


def test_an_opening_that_never_comes_is_refused() -> None:
    with pytest.raises(NeverFires) as caught:
        expand(calendar(period=PeriodKind.MONTH, opens="0 8 31 * *", due="0 8 L * *"), 2027, 2027)
    assert caught.value.period.key == "2027-02"


@pytest.mark.parametrize(
    "due",
    ["", "x", "0 17 31 3", "0 17 31 3 * *", "0 17 31 3 * 0 2027", "@yearly", "0 17 32 3 *",
     "0 17 1 13 *", "0 25 1 1 *", "R 17 1 3 *", "H 17 1 3 *", "0 17 R(1-5) 3 *", "0  17 1 3 *",
     "0 17 1 3 mon#9"],
)  # fmt: skip
def test_what_is_no_cron_of_five_fields_is_refused(due: str) -> None:
    with pytest.raises(BadCron, match="write minute, hour") as caught:
        expand(calendar(due=due), 2027, 2027)
    assert (caught.value.field, caught.value.expression) == ("due", due)


def test_due_before_opening_is_refused() -> None:
    with pytest.raises(DueBeforeOpening) as caught:
        expand(calendar(due="0 17 1 1 *"), 2027, 2027)
    assert (caught.value.opens_on, caught.value.due_on) == (date(2027, 1, 2), date(2027, 1, 1))


def test_due_on_the_day_of_opening_is_allowed() -> None:
    found = expand(calendar(opens="0 8 31 3 *"), 2027, 2027)
    assert found[0].opens_on == found[0].nominal_due_on


@pytest.mark.parametrize("written", ["2022", "2031", "2027-Q1", "2027-03", "next"])
def test_a_first_period_outside_the_plan_is_refused(written: str) -> None:
    with pytest.raises(PeriodOutsidePlan) as caught:
        expand(calendar(first_period=written), 2023, 2030)
    assert (caught.value.field, caught.value.written) == ("first_period", written)


def test_a_last_period_outside_the_plan_is_refused() -> None:
    with pytest.raises(PeriodOutsidePlan, match="last_period"):
        expand(calendar(last_period="2031"), 2023, 2030)


def test_a_milestone_of_a_period_that_does_not_come_is_refused() -> None:
    with pytest.raises(PeriodOutsidePlan, match="milestones '2024'"):
        expand(calendar(every=2, first_period="2023", milestones={"2024": "so_ket"}), 2023, 2030)


def test_a_step_of_no_periods_is_refused() -> None:
    with pytest.raises(ValueError, match="1 or more"):
        expand(calendar(every=0), 2023, 2030)
