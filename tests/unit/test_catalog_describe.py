"""What a catalog means on a day."""

from datetime import date
from pathlib import Path

import pytest

from rules.recurrence import expand
from rules.values import DateAuthority
from rules.workdays import OutsideHorizon, WorkCalendar
from tasks_catalog.daysoff import work_calendar
from tasks_catalog.describe import describe_plan
from tasks_catalog.loader import CATALOG, load_plan, plan_folders

CATALOGS = Path(__file__).parents[1] / "catalogs"
SMALL = load_plan(CATALOGS / "huyen_mau")
SHIPPED = load_plan(CATALOG / "qd_1718_2023")


@pytest.fixture(scope="module")
def days() -> WorkCalendar:
    return work_calendar(date(2023, 1, 1), date(2031, 12, 31), SHIPPED.corrections)


def test_plans_are_found_by_their_folders() -> None:
    assert [folder.name for folder in plan_folders()] == ["qd_1718_2023"]
    assert [folder.name for folder in plan_folders(CATALOGS)] == ["huyen_mau"]


def test_next_dates_are_those_to_come_and_are_rolled(days: WorkCalendar) -> None:
    """Rule 4: 20 December 2026 is a Sunday."""
    found = {
        m.key: m for m in describe_plan(SHIPPED.plan, SHIPPED.directory, days, date(2026, 11, 22))
    }
    due, opening = found["V.1"].next_due, found["I.1"].next_opening
    assert due is not None
    assert opening is not None
    assert (due.day, due.nominal, due.period) == (
        date(2026, 12, 21),
        date(2026, 12, 20),
        "năm 2026",
    )
    assert (opening.day, opening.period) == (date(2027, 1, 2), "năm 2027")


def test_a_date_of_today_still_counts_as_next(days: WorkCalendar) -> None:
    """Rule 2."""
    found = {
        m.key: m for m in describe_plan(SHIPPED.plan, SHIPPED.directory, days, date(2026, 12, 21))
    }
    due = found["V.1"].next_due
    assert due is not None
    assert due.day == date(2026, 12, 21)


def test_meaning_names_people_basis_and_authority(days: WorkCalendar) -> None:
    meaning = describe_plan(SHIPPED.plan, SHIPPED.directory, days, date(2027, 1, 4))[3]
    assert meaning.key == "II.2"
    assert "Sở Nội vụ" in meaning.leads
    assert (meaning.authority, meaning.fixed_by) == (DateAuthority.PROVISIONAL, "Bộ Nội vụ")
    assert "chờ Sở Nội vụ quyết định" in meaning.calendar_basis


def test_after_the_plan_there_is_no_next_date(days: WorkCalendar) -> None:
    meanings = describe_plan(SHIPPED.plan, SHIPPED.directory, days, date(2031, 3, 1))
    assert {(m.next_opening, m.next_due) for m in meanings} == {(None, None)}


def test_days_off_must_be_resolved_far_enough() -> None:
    short = work_calendar(date(2026, 1, 1), date(2026, 6, 30))
    with pytest.raises(OutsideHorizon):
        describe_plan(SHIPPED.plan, SHIPPED.directory, short, date(2026, 6, 1))


def test_another_plan_works_the_same(days: WorkCalendar) -> None:
    """Nothing in the engine knows this province or this decision."""
    monthly, biennial = describe_plan(SMALL.plan, SMALL.directory, days, date(2026, 8, 10))
    assert monthly.leads == ("Xã Đông", "Xã Tây", "Xã Đảo")
    assert monthly.next_due is not None
    assert (monthly.next_due.period, monthly.next_due.day) == ("tháng 8/2026", date(2026, 9, 4))
    assert biennial.leads == ("Phòng Ba", "Xã Đông", "Xã Tây")
    assert biennial.next_opening is not None
    assert biennial.next_opening.day == date(2027, 2, 1)


def test_a_party_shrinks_on_its_date(days: WorkCalendar) -> None:
    """Rule 12: Xã Tây leaves its group at the end of 2026, the communes the row in 2029."""
    leads = [
        describe_plan(SMALL.plan, SMALL.directory, days, day)[1].leads
        for day in (date(2026, 12, 31), date(2027, 1, 1), date(2029, 1, 1))
    ]
    assert leads == [("Phòng Ba", "Xã Đông", "Xã Tây"), ("Phòng Ba", "Xã Đông"), ("Phòng Ba",)]


def test_the_small_plan_expands() -> None:
    monthly, biennial = (
        expand(item.calendar, SMALL.plan.first_year, SMALL.plan.last_year)
        for item in SMALL.plan.items
    )
    assert len(monthly) == 48
    assert [one.period.key for one in biennial] == ["2027", "2029"]
