"""What should be open on a day, and how it is followed (rules 10, 11, 17-19)."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.periods import Period
from rules.planning import FixedDate, full_tracking_from, ladder_key, mode_of, openings
from rules.values import DateAuthority, Document, ItemKind, LeadMode, Role, TrackingMode
from tasks_catalog.daysoff import work_calendar
from tasks_catalog.loader import load_plan
from tests.engine import PROVINCE, SMALL

CATALOGS = {folder.name: load_plan(folder) for folder in (PROVINCE, SMALL)}
CALENDAR = work_calendar(date(2022, 1, 1), date(2032, 12, 31))
names = st.sampled_from(sorted(CATALOGS))
days = st.dates(date(2023, 7, 21), date(2030, 12, 31))


def _missing(
    name: str, as_of: date, existing: set[tuple[str, str]], *, start: date = date(2023, 7, 21)
) -> list[tuple[object, ...]]:
    catalog = CATALOGS[name]
    return [
        (one.item.key, one.period.key, one.opens_on, one.original_due_on, one.mode, one.parties)
        for one in openings(
            catalog.plan,
            catalog.directory,
            CALENDAR,
            existing=existing,
            fixed={},
            tracking_start=start,
            as_of=as_of,
        )
    ]


def _keys(rows: list[tuple[object, ...]]) -> set[tuple[str, str]]:
    return {(str(row[0]), str(row[1])) for row in rows}


@given(names, days)
def test_planning_again_on_the_same_day_finds_nothing_missing(name: str, as_of: date) -> None:
    """(10) Idempotent."""
    first = _missing(name, as_of, set())
    assert _missing(name, as_of, _keys(first)) == []


@given(names, st.lists(days, max_size=12))
def test_any_order_of_missed_late_and_repeated_runs_ends_in_the_same_plan(
    name: str, runs: list[date]
) -> None:
    """(10, 11) What a run resolves depends on the opening day and not on the run."""
    last = date(2030, 12, 31)
    existing: set[tuple[str, str]] = set()
    found: list[tuple[object, ...]] = []
    for as_of in [*runs, last]:
        new = _missing(name, as_of, existing)
        existing |= _keys(new)
        found += new
    assert sorted(found, key=str) == sorted(_missing(name, last, set()), key=str)


@given(names, days)
def test_every_due_date_in_force_is_a_working_day_and_not_before_its_opening(
    name: str, start: date
) -> None:
    """(4) For every item, period and day on which tracking may begin."""
    for _, _, opens_on, due_on, _, _ in _missing(name, date(2030, 12, 31), set(), start=start):
        assert isinstance(due_on, date)
        assert isinstance(opens_on, date)
        assert CALENDAR.is_working(due_on)
        assert due_on >= opens_on


@given(names, days)
def test_nobody_is_lead_and_partner_of_the_same_occurrence(name: str, start: date) -> None:
    """(14) Nobody twice either; where each leads its own, a lead may partner the others."""
    modes = {item.key: item.parties.lead_mode for item in CATALOGS[name].plan.every_item}
    for item, *_, parties in _missing(name, date(2030, 12, 31), set(), start=start):
        assert isinstance(parties, tuple)
        each = modes[str(item)] is LeadMode.EACH
        agencies = [(one.agency, one.role if each else None) for one in parties]
        assert len(agencies) == len(set(agencies))


@pytest.mark.parametrize(
    ("start", "full_from"),
    [
        (date(2026, 11, 22), date(2027, 1, 1)),
        (date(2027, 3, 31), date(2027, 1, 1)),
        (date(2027, 4, 1), date(2028, 1, 1)),
        (date(2027, 1, 1), date(2027, 1, 1)),
        (date(2023, 7, 21), date(2024, 1, 1)),
    ],
)
def test_full_tracking_begins_with_the_next_year_unless_the_start_is_early(
    start: date, full_from: date
) -> None:
    """(19)"""
    assert full_tracking_from(start, "04-01") == full_from


def test_the_year_of_a_late_start_is_recorded_and_earlier_ones_are_imported() -> None:
    """(19)"""
    start = date(2026, 11, 22)
    assert mode_of(Period.parse("2025"), start, "04-01") is TrackingMode.IMPORTED
    assert mode_of(Period.parse("2026"), start, "04-01") is TrackingMode.RECORD
    assert mode_of(Period.parse("2026-Q3"), start, "04-01") is TrackingMode.IMPORTED
    assert mode_of(Period.parse("2027"), start, "04-01") is TrackingMode.FULL


def test_earlier_periods_are_never_opened() -> None:
    """(19) They come by import."""
    opened = _missing("qd_1718_2023", date(2026, 12, 31), set(), start=date(2026, 11, 22))
    assert {str(row[1])[:4] for row in opened} == {"2026"}
    assert {row[4] for row in opened} == {TrackingMode.RECORD}


def test_recorded_work_asks_for_the_last_working_day_of_the_year() -> None:
    """(19) One day for all of an agency's items, so one reminder."""
    opened = _missing("qd_1718_2023", date(2026, 12, 31), set(), start=date(2026, 11, 22))
    assert {row[3] for row in opened} == {date(2026, 12, 31)}


def test_a_date_that_a_document_fixed_goes_before_the_calendar() -> None:
    """(17)"""
    catalog = CATALOGS["qd_1718_2023"]
    fixed = FixedDate(
        due_on=date(2027, 4, 17),
        authority=DateAuthority.COORDINATOR,
        document=Document(code="15/SNV-CCHC"),
    )
    found = {
        (one.item.key, one.period.key): one
        for one in openings(
            catalog.plan,
            catalog.directory,
            CALENDAR,
            existing=set(),
            fixed={("I.1", "2027"): fixed},
            tracking_start=date(2027, 1, 1),
            as_of=date(2027, 12, 31),
        )
    }
    one = found["I.1", "2027"]
    assert (one.nominal_due_on, one.original_due_on) == (date(2027, 4, 17), date(2027, 4, 19))
    assert one.authority is DateAuthority.COORDINATOR
    assert found["I.2", "2027"].authority is DateAuthority.PROVISIONAL


@pytest.mark.parametrize(
    ("kind", "mode", "role", "provisional", "expected"),
    [
        (ItemKind.TASK, TrackingMode.FULL, Role.LEAD, False, "standard"),
        (ItemKind.TASK, TrackingMode.FULL, Role.LEAD, True, "provisional"),
        (ItemKind.TASK, TrackingMode.RECORD, Role.LEAD, True, "record"),
        (ItemKind.TASK, TrackingMode.IMPORTED, Role.LEAD, False, None),
        (ItemKind.CHECK_IN, TrackingMode.FULL, Role.LEAD, True, "standard"),
        (ItemKind.CHECK_IN, TrackingMode.RECORD, Role.LEAD, True, None),
        (ItemKind.TASK, TrackingMode.FULL, Role.PARTNER, False, "request"),
    ],
)
def test_each_kind_of_work_follows_its_own_ladder(
    kind: ItemKind,
    mode: TrackingMode,
    role: Role,
    provisional: bool,
    expected: str | None,
) -> None:
    """(16, 17, 19, 27)"""
    found = ladder_key("standard", kind=kind, mode=mode, role=role, provisional=provisional)
    assert found == expected


@given(names, days)
def test_a_year_of_openings_is_in_the_order_of_their_days(name: str, as_of: date) -> None:
    opened = [row[2] for row in _missing(name, as_of, set())]
    assert opened == sorted(opened, key=str)
    assert all(isinstance(day, date) and day <= as_of for day in opened)


def test_a_start_before_the_plan_changes_nothing() -> None:
    early = _missing(
        "huyen_mau", date(2026, 3, 1), set(), start=date(2026, 1, 1) - timedelta(days=400)
    )
    assert _keys(early) == {("A.1", "2026-01"), ("A.1", "2026-02"), ("A.1", "2026-03")}
