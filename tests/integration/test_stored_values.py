"""Plan, agencies and days are built once for equal rows, and anew within the act that changes them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy.orm import Session

from models.tables import AgencyRow
from operations.policies import set_policy
from operations.state import PlanState, load_state
from tests import world
from tests.world import PLAN, A

HOLIDAY = date(2027, 3, 3)


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    with world.opened(database_url) as session:
        yield session


def parts(session: Session) -> tuple[object, ...]:
    found: PlanState = load_state(session, PLAN)
    return found.plan, found.directory, found.calendar


def test_equal_rows_are_built_once(session: Session) -> None:
    before, after = parts(session), parts(session)
    assert all(one is other for one, other in zip(before, after, strict=True))


def test_what_a_transaction_changed_it_reads_at_once(session: Session) -> None:
    """Also what it has not written yet."""
    load_state(session, PLAN)
    session.get_one(AgencyRow, A).name = "Xã mới"
    world.day_off(session, HOLIDAY)
    set_policy(
        session,
        world.leadership(),
        PLAN,
        "extension_cap",
        value="3",
        basis="15/QĐ-SNV",
        reason="Thống nhất",
    )
    state = load_state(session, PLAN)
    assert state.directory.agency(A).name == "Xã mới"
    assert not state.calendar.is_working(HOLIDAY)
    assert state.plan.policies.extension_cap == 3


def test_what_was_undone_is_read_as_it_was(session: Session) -> None:
    """Also where it was read, or written without a reading, before it was undone."""
    name = load_state(session, PLAN).directory.agency(A).name
    for looks in (True, False):
        undone = session.begin_nested()
        session.get_one(AgencyRow, A).name = "Xã mới"
        session.flush()
        if looks:
            assert load_state(session, PLAN).directory.agency(A).name == "Xã mới"
        undone.rollback()
        assert load_state(session, PLAN).directory.agency(A).name == name
