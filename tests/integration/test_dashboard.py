"""The four cells, the lists behind them, the heat map and the strip, on one world for all tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from models.tables import Assignment, Occurrence, RunLog
from operations.dashboard import Figures, Scope, figures, figures_by, scoped_rows
from operations.heatmap import Heat, heat_map, strip
from operations.standing import FAILED_RUN, Standing
from operations.state import load_directory, load_state
from rules.lifecycle import Status
from rules.timeliness import Cell
from rules.values import DateAuthority, ItemKind, LeadMode
from tests import databases, world

TODAY = date(2027, 4, 12)
"""Eight working days after the due date of I.1."""
PROVISIONAL = DateAuthority.PROVISIONAL


def _plan() -> Any:
    reporting = world.item("V.1", mode=LeadMode.SINGLE, position=5)
    milestones = {"2027": "so_ket", "2030": "tong_ket"}
    reporting = replace(reporting, calendar=replace(reporting.calendar, milestones=milestones))
    return world.plan(items=[*world.plan().items, reporting])


def _set(session: Session, occurrence: Occurrence, key: str, **values: object) -> Assignment:
    row = world.row_of(session, occurrence, key)
    row.next_reminder_on = None
    for name, value in values.items():
        setattr(row, name, value)
    session.flush()
    return row


def _confirmed(day: date, **more: object) -> dict[str, object]:
    return {
        "status": Status.CONFIRMED.value,
        "submitted_on": day,
        "completed_on": day,
        "confirmed_on": day,
        **more,
    }


def _play(session: Session) -> None:
    """A is in time, B late and waiting for its check; the rest in every other state."""
    due = world.DUE
    first = world.open_work(session, "I.1")
    _set(session, first, world.A, **_confirmed(date(2027, 3, 20)))
    _set(session, first, world.B, last_rung=30)
    plans = world.open_work(session, "II.3", leads=(world.COORDINATOR,), partners=())
    late = _confirmed(date(2027, 4, 5), self_confirmed=True, late_entry=True)
    _set(session, plans, world.COORDINATOR, **late)
    trips = world.open_work(
        session, "II.5", leads=(world.A, world.C), partners=(), authority=PROVISIONAL
    )
    _set(session, trips, world.A, status=Status.SUBMITTED.value, submitted_on=due, completed_on=due)
    extended = world.open_work(session, "V.1", leads=(world.B,), partners=())
    _set(session, extended, world.B, due_on=date(2027, 4, 30), extensions=1)
    last = date(2026, 12, 21)
    gone = world.open_work(
        session, "V.1", "2026", leads=(world.C,), due_on=last, opens_on=date(2026, 10, 1)
    )
    _set(session, gone, world.C, status=Status.TRANSFERRED.value)
    check_in = world.open_work(session, "III.1", "2027-Q1", leads=(world.COORDINATOR,), partners=())
    _set(session, check_in, world.COORDINATOR, **_confirmed(date(2027, 3, 30)))
    for item, hours, state in (
        ("I.1", 2, "Đang thực hiện"),
        ("II.3", 40, "x"),
        ("II.5", 3, FAILED_RUN),
    ):
        at = world.at(TODAY) - timedelta(hours=hours)
        session.add(
            RunLog(
                job="item",
                plan_key=world.PLAN,
                item_key=item,
                as_of=TODAY,
                started_at=at,
                finished_at=at,
                state=state,
                figures="{}",
            )
        )
    session.flush()


@pytest.fixture(scope="module", params=databases.STORES)
def session(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Session]:
    """One world on each database; the tests only read."""
    name = "sqlite_copies" if request.param == "sqlite" else "postgres_copies"
    copies: databases.Copies = request.getfixturevalue(name)
    with (
        copies.one(tmp_path_factory.mktemp("dashboard"), migrated=True) as url,
        world.opened(url, _plan()) as found,
    ):
        _play(found)
        yield found


def year(**more: Any) -> Scope:
    """2027 as of today, unless told otherwise."""
    return replace(Scope(cutoff=TODAY, year=2027), **more)


def test_every_row_of_the_year_stands_in_one_cell(session: Session) -> None:
    found = figures(session, year())
    assert found.cells == {
        Cell.DONE_IN_TIME: 1,
        Cell.DONE_LATE: 1,
        Cell.OPEN_IN_TIME: 3,
        Cell.PAST_PROVISIONAL: 1,
        Cell.OPEN_OVERDUE: 1,
    }
    assert (found.total, found.outside) == (6, 1)


def test_a_passed_provisional_date_counts_as_in_time_and_apart(session: Session) -> None:
    found = figures_by(session, year(), Occurrence.item_key)[("II.5",)]
    assert found.cells == {Cell.OPEN_IN_TIME: 2, Cell.PAST_PROVISIONAL: 1}


def test_what_the_coordinator_confirmed_itself_is_counted_apart(session: Session) -> None:
    found = figures(session, year())
    assert (found.own, found.late_entry) == ({Cell.DONE_IN_TIME: 0, Cell.DONE_LATE: 1}, 1)


def test_check_ins_have_a_rate_of_their_own(session: Session) -> None:
    found = figures(session, year())
    assert (found.check_ins, found.answered) == (1, 1)


def test_an_extension_counts_by_the_date_asked_for(session: Session) -> None:
    by_item = figures_by(session, year(), Occurrence.item_key)
    assert by_item[("V.1",)].cells == {Cell.OPEN_IN_TIME: 1}
    by_item = figures_by(session, year(original=True), Occurrence.item_key)
    assert by_item[("V.1",)].cells == {Cell.OPEN_OVERDUE: 1}


def test_what_was_done_after_the_cut_off_was_open_then(session: Session) -> None:
    found = figures(session, year(cutoff=date(2027, 3, 15)))
    assert found.cells == {Cell.OPEN_IN_TIME: 6}
    assert figures(session, year(cutoff=date(2027, 1, 3))).total == 0


def test_a_quarter_keeps_what_is_due_in_it(session: Session) -> None:
    assert figures(session, year(quarter=2)).cells == {Cell.OPEN_IN_TIME: 1}
    assert figures(session, year(quarter=2, original=True)).total == 0
    assert figures(session, year(quarter=1, original=True)).total == 6


@pytest.mark.parametrize(
    "scope",
    [
        year(),
        year(year=None),
        year(year=2026),
        year(quarter=1),
        year(quarter=2),
        year(original=True),
        year(quarter=2, original=True),
        year(cutoff=date(2027, 3, 25)),
        year(cutoff=date(2027, 4, 2), original=True),
    ],
)
def test_each_number_is_as_long_as_its_list(session: Session, scope: Scope) -> None:
    rows, counted = scoped_rows(session, scope), figures(session, scope)
    listed = Counter(row.timeliness for row in rows)
    listed[Cell.OPEN_IN_TIME] += listed[Cell.PAST_PROVISIONAL]
    for cell in Cell:
        assert counted.cells[cell] == listed[cell], cell
    assert counted.outside == listed[None]
    assert sum(1 for row in rows if row.kind is ItemKind.CHECK_IN) == counted.check_ins


def test_the_heat_map_shows_each_agency_and_item_once(session: Session) -> None:
    groups = heat_map(session, year(), load_directory(session))
    rows = {row.agency: row for group in groups for row in group.rows}
    assert {
        (agency, item): (cell.heat, cell.count)
        for agency, row in rows.items()
        for (_, item), cell in row.cells.items()
    } == {
        (world.A, "I.1"): (Heat.DONE, 1),
        (world.B, "I.1"): (Heat.OVERDUE, 1),
        (world.COORDINATOR, "II.3"): (Heat.DONE_LATE, 1),
        (world.A, "II.5"): (Heat.WAITING, 1),
        (world.C, "II.5"): (Heat.PAST_PROVISIONAL, 1),
        (world.B, "V.1"): (Heat.OPEN, 1),
        (world.COORDINATOR, "III.1"): (Heat.OUTSIDE, 1),
    }
    only = rows[world.B].cells[world.PLAN, "I.1"].only
    assert session.get_one(Assignment, only).agency_key == world.B
    assert sum(groups[0].counts.values()) == 7


def test_the_heat_map_keeps_the_items_asked_for(session: Session) -> None:
    groups = heat_map(session, year(year=None), load_directory(session), items=["V.1"])
    assert [row.agency for group in groups for row in group.rows] == [world.B]


def test_the_strip_says_what_each_year_is(session: Session) -> None:
    years = strip(session, load_state(session, world.PLAN), TODAY)["V.1"]
    assert [(one.year, one.milestone, one.heat) for one in years] == [
        (2026, None, None),
        (2027, "so_ket", Heat.OPEN),
        (2028, None, None),
        (2029, None, None),
        (2030, "tong_ket", None),
    ]
    assert [(one.done, one.total) for one in years][:2] == [(0, 0), (0, 1)]


@pytest.fixture(scope="module")
def standing(session: Session) -> Standing:
    """Everything unfinished today."""
    return Standing(session, TODAY, {world.PLAN: load_state(session, world.PLAN)})


def test_what_waits_is_found_with_its_days(standing: Standing) -> None:
    assert [(one.row.agency, one.days, one.over, one.own) for one in standing.waiting()] == [
        (world.A, 8, 3, False)
    ]
    assert [(row.item, row.agency) for row in standing.overdue()] == [("I.1", world.B)]
    assert [(row.item, row.agency) for row in standing.soon()] == [("V.1", world.B)]
    assert [(row.item, row.agency) for row in standing.to_urge()] == [("I.1", world.B)]
    assert [(one.row.item, one.count, one.past) for one in standing.provisional()] == [
        ("II.5", 2, True)
    ]


def test_a_run_that_was_missed_or_failed_is_an_alarm(standing: Standing) -> None:
    found = {one.item: one for one in standing.runs(world.at(TODAY))}
    assert {key: (one.missed, one.alarming) for key, one in found.items()} == {
        "I.1": (False, False),
        "II.3": (True, True),
        "II.5": (False, True),
        "III.1": (True, True),
        "V.1": (True, True),
    }


def test_nothing_at_all_adds_up_to_nothing(session: Session) -> None:
    found = figures(session, year(year=2030))
    assert found == Figures()
