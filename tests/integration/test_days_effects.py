"""What a correction of days shows first is what it does, and no date ever comes earlier (rule 3)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Assignment, DayRow, Occurrence
from operations.day_effects import DayOrder
from operations.days import change_days, check_days
from operations.errors import Refused
from operations.opening import open_due
from operations.partners import PartnerRequest, request_contribution
from rules.values import Role
from tests import world
from tests.world import DUE, A, B

HOW = {"name": "Hoán đổi", "document": "1/VPCP-KGVX"}
Dates = dict[tuple[int, str], date | None]


@pytest.fixture
def busy(database_url: str) -> Iterator[Session]:
    """Work with different dates, a day to answer, and a period that has not opened."""
    with world.opened(database_url) as session:
        occurrence = world.open_work(session, "II.3", leads=(A,), partners=(B,))
        partner = world.row_of(session, occurrence, B, Role.PARTNER)
        asked = PartnerRequest(content="Góp ý", respond_by=date(2027, 3, 17))
        lead = world.row_of(session, occurrence, A)
        request_contribution(session, world.agency(A), lead.id, [partner.id], asked)
        world.open_work(session, due_on=date(2027, 4, 2))
        world.open_work(session, "II.5", leads=(A, B), partners=(), due_on=date(2027, 3, 15))
        yield session


def dates(session: Session) -> Dates:
    names = ("due_on", "respond_by", "next_reminder_on")
    rows = session.scalars(select(Assignment).execution_options(populate_existing=True))
    return {(row.id, name): getattr(row, name) for row in rows for name in names}


DAYS = st.dates(date(2027, 3, 8), date(2027, 4, 12))
SWAPS = st.lists(st.tuples(DAYS, DAYS), min_size=1, max_size=6)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(swaps=SWAPS)
def test_preview_is_what_comes_and_no_date_comes_earlier(
    busy: Session, swaps: list[tuple[date, date]]
) -> None:
    """Days become off and worked, back and forth."""
    with busy.begin_nested() as undone:
        for off, worked in swaps:
            orders = [DayOrder(day=off, working=False), DayOrder(day=worked, working=True)]
            before = dates(busy)
            try:
                shown = check_days(busy, world.coordinator(), orders, **HOW)
            except Refused:
                continue
            assert dates(busy) == before
            assert change_days(busy, world.coordinator(), orders, **HOW) == shown
            after = dates(busy)
            told: Dates = {(one.assignment, one.name): one.after for one in shown.moved}
            told |= {(one.assignment, "next_reminder_on"): one.after for one in shown.reminders}
            assert {key: day for key, day in after.items() if day != before[key]} == told
            for key, day in after.items():
                if key[1] != "next_reminder_on" and day is not None:
                    assert day >= (before[key] or day)
        undone.rollback()


def test_swapped_back_the_days_are_as_before_and_the_dates_stay(busy: Session) -> None:
    """Rule 3: forward only; resolved days stay stored."""
    with busy.begin_nested() as undone:
        saturday = date(2027, 4, 10)
        there = [DayOrder(day=DUE, working=False), DayOrder(day=saturday, working=True)]
        back = [DayOrder(day=DUE, working=True), DayOrder(day=saturday, working=False)]
        moved = change_days(busy, world.coordinator(), there, **HOW).moved
        assert {(one.before, one.after) for one in moved} == {(DUE, DUE + timedelta(1))}
        kept = dates(busy)
        assert change_days(busy, world.coordinator(), back, **HOW).moved == ()
        assert {k: v for k, v in dates(busy).items() if k[1] == "due_on"} == {
            k: v for k, v in kept.items() if k[1] == "due_on"
        }
        assert {row.day for row in busy.scalars(select(DayRow))} == {DUE, saturday}
        undone.rollback()


def test_a_period_that_has_not_opened_is_shown_and_opens_so(busy: Session) -> None:
    with busy.begin_nested() as undone:
        due = date(2028, 3, 31)
        orders = [DayOrder(day=due, working=False)]
        shown = change_days(busy, world.coordinator(), orders, **HOW)
        assert ("I.1", "năm 2028", due, date(2028, 4, 3)) in {
            (one.item, one.period_label, one.before, one.after) for one in shown.coming
        }
        open_due(busy, world.flow(date(2028, 1, 3)), world.PLAN, only_item="I.1")
        opened = busy.scalars(select(Assignment).where(Assignment.due_on == date(2028, 4, 3)))
        assert opened.first() is not None
        undone.rollback()


def test_a_day_off_is_nobodys_act_on_the_work(busy: Session) -> None:
    """Rule 15: untouched work that rolled still follows an edited calendar."""
    order = DayOrder(day=date(2027, 4, 2), working=False)
    assert change_days(busy, world.coordinator(), [order], **HOW).moved
    rows = busy.scalars(select(Occurrence).order_by(Occurrence.id))
    assert [one.touched for one in rows] == [True, False, False]
