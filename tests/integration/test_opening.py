"""Opening work in a database (rules 10, 11, 16, 19, 35)."""

from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, select

from models.tables import LogPending, Notice
from rules.lifecycle import Action, Status
from rules.values import Role
from tests.databases import Copies
from tests.engine import PROVINCE, Engine, engine

START = date(2023, 7, 21)
DAYS = st.dates(date(2026, 1, 1), date(2029, 12, 31))


@pytest.fixture(scope="module")
def weekly(
    sqlite_copies: Copies, tmp_path_factory: pytest.TempPathFactory
) -> list[tuple[object, ...]]:
    """The small plan's life, run each week and on its last day."""
    first = date(2026, 1, 1)
    weeks = [first + timedelta(days=7 * n) for n in range(209)]
    folder = tmp_path_factory.mktemp("weekly")
    with sqlite_copies.one(folder, migrated=True) as url, engine(url) as one:
        for as_of in [*weeks, date(2029, 12, 31)]:
            one.run(as_of)
        return one.work()


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(runs=st.lists(st.tuples(DAYS, st.sampled_from([None, "A.1", "A.2"])), max_size=10))
def test_any_order_of_missed_late_and_repeated_runs_ends_in_the_same_rows(
    copies: Copies,
    tmp_path: Path,
    weekly: list[tuple[object, ...]],
    runs: list[tuple[date, str | None]],
) -> None:
    """(10, 11, 35) On a real database: occurrences, assignments, statuses and dates."""
    with copies.one(tmp_path, migrated=True) as url, engine(url) as one:
        for as_of, item in runs:
            one.run(as_of, only_item=item)
        one.run(date(2029, 12, 31))
        assert one.work() == weekly


def test_a_second_run_writes_no_row(database_url: str) -> None:
    """(10)"""
    with engine(database_url) as one:
        one.run(date(2026, 9, 1))
        before = (one.work(), len(one.events()))
        again = one.run(date(2026, 9, 1))
        assert (again.occurrences, again.assignments, again.moved.total) == ([], 0, 0)
        assert (one.work(), len(one.events())) == before


@pytest.fixture
def province(database_url: str) -> Engine:
    """The province from the day of its decision."""
    return Engine(database_url, folder=PROVINCE, start=START)


def _by_agency(one: Engine, item: str, period: str, role: Role) -> dict[str, str]:
    return {
        str(row[5]): str(row[8])
        for row in one.work()
        if row[0] == item and row[1] == period and row[7] == role
    }


def test_all_items_open_in_2026_to_the_agencies_of_that_year(province: Engine) -> None:
    """(11, 12, 41) Communes lead I.1, I.2 and what V.1.3 asks; most are the coordinator's."""
    province.run(date(2026, 12, 31))
    leads = Counter(
        str(row[0]) for row in province.work() if str(row[1])[:4] == "2026" and row[7] == Role.LEAD
    )
    assert set(leads) == {item.key for item in province.catalog.plan.decided}
    assert leads["I.1"] == leads["I.2"] == leads["NPL.1"] == leads["NPL.2"] > 65
    assert leads["II.3"] == leads["V.1"] == 1
    assert leads["II.5"] == 2


def test_the_districts_end_and_their_open_work_ends_with_them(province: Engine) -> None:
    """(35) II.2 of 2025 was opened to nine districts that ended on 30/6/2025."""
    province.run(date(2025, 6, 30))
    before = _by_agency(province, "I.2", "2025", Role.LEAD)
    province.run(date(2025, 7, 1))
    after = _by_agency(province, "I.2", "2025", Role.LEAD)
    ended = {key for key in before if after[key] == Status.CANCELLED}
    assert len(ended) == 9
    assert all(before[key] == Status.NOT_STARTED for key in ended)


def test_a_department_that_merged_hands_its_work_to_its_successor(province: Engine) -> None:
    """(35) One of II.5's two leads, Sở Thông tin và Truyền thông, was succeeded on 1/3/2025."""
    province.run(date(2025, 2, 28))
    before = set(_by_agency(province, "I.1", "2025", Role.LEAD))
    province.run(date(2025, 3, 1))
    after = _by_agency(province, "I.1", "2025", Role.LEAD)
    transferred = {key for key, status in after.items() if status == Status.TRANSFERRED}
    assert transferred
    assert transferred <= before
    for key in transferred:
        row = province.find("I.1", "2025", key)
        heir = province.database
        with heir.read() as session:
            successor = session.get_one(type(row), row.successor_id)
        assert successor.status == Status.NOT_STARTED
        assert successor.due_on == row.due_on
        assert row.next_reminder_on is None


def test_no_rate_can_exceed_a_hundred_per_cent_after_a_merger(province: Engine) -> None:
    """(35) Two predecessors with the same occurrence become one row."""
    province.run(date(2025, 12, 31))
    rows = [(row[0], row[1], row[5], row[7]) for row in province.work()]
    assert len(rows) == len(set(rows))


def test_a_check_in_that_nobody_answered_lapses_when_the_next_opens(province: Engine) -> None:
    """(16)"""
    province.run(date(2026, 4, 1))
    first = province.find("III.1", "2026-Q1", province.coordinator)
    assert first.status == Status.NOT_STARTED
    province.run(date(2026, 7, 1))
    assert province.again(first).status == Status.LAPSED
    [event] = [
        event
        for event in province.events("assignment")
        if event.entity_id == str(first.id) and event.action == Action.LAPSE
    ]
    assert event.effective_on == date(2026, 6, 1)


def test_a_late_occurrence_does_not_stop_the_next(province: Engine) -> None:
    """(11) Both stay open and visible."""
    province.run(date(2027, 6, 30))
    agency = "xa_van_ninh"
    rows = [row for row in province.work() if row[0] == "I.1" and row[5] == agency]
    assert {row[1]: row[8] for row in rows} == {"2026": "not_started", "2027": "not_started"}


def test_every_row_has_its_event_with_the_run_and_its_place_in_the_log(province: Engine) -> None:
    """(37, 38) No assignment without its event, no event without its pending row."""
    province.run(date(2026, 1, 31), run="0b8b7a6e-run")
    events = province.events()
    assigned = {event.entity_id for event in events if event.action == "assign"}
    opened = [event for event in events if event.entity in {"assignment", "occurrence"}]
    assert {event.run for event in opened} == {"0b8b7a6e-run"}
    with province.database.read() as session:
        pending = set(session.scalars(select(LogPending.event_id)))
    assert pending == {event.id for event in events}
    assert len(assigned) >= len(
        [row for row in province.work() if row[8] != Status.TRANSFERRED and row[7] == Role.LEAD]
    ) - len([event for event in events if event.action == "take_over"])


def test_agencies_followed_by_hand_get_work_and_no_letters(province: Engine) -> None:
    """(36) The special zone of Trường Sa ships switched off."""
    province.run(date(2026, 1, 31))
    silent = {
        one.key
        for one in province.catalog.directory.agencies
        if not province.catalog.directory.letters_on(one.key, date(2026, 1, 31))
    }
    rows = [row for row in province.work() if row[5] in silent and row[1] == "2026"]
    assert rows
    assert all(row[13] is None for row in rows)
    with province.database.read() as session:
        told = set(session.scalars(select(Notice.agency_key)))
    assert told
    assert not told & silent


def test_the_events_of_an_opening_hold_the_whole_row(province: Engine) -> None:
    """(37) A full snapshot after the event."""
    province.run(date(2026, 1, 31))
    row = province.find("I.1", "2026", "xa_van_ninh")
    [event] = [e for e in province.events() if e.entity_id == str(row.id) and e.action == "assign"]
    assert f'"due_on":"{row.due_on}"' in event.snapshot
    assert '"agency_name":"Xã Vạn Ninh"' in event.snapshot


def test_the_small_plan_shrinks_and_skips_years(database_url: str) -> None:
    """A party that loses a member by date, and an item of every second year."""
    with engine(database_url) as one:
        one.run(date(2029, 12, 31))
        periods = {row[1] for row in one.work() if row[0] == "A.2"}
        assert periods == {"2027", "2029"}
        december = {row[5] for row in one.work() if row[:2] == ("A.1", "2026-12")}
        january = {row[5] for row in one.work() if row[:2] == ("A.1", "2027-01")}
        assert december - january == {"xa_tay"}


def test_databases_of_the_fixture_are_really_different(database_url: str, store: str) -> None:
    made = create_engine(database_url)
    assert made.dialect.name == store
    made.dispose()
