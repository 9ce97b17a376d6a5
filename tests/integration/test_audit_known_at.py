"""The work list as known at an instant is what the list was then (rule 39)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from models.tables import Assignment
from operations.act import ActRequest
from operations.known_at import unlike_history, work_known_at
from operations.queries import WorkRow, work_list
from operations.rescheduling import reschedule
from rules.actors import AccountRole
from rules.lifecycle import Action, Status
from rules.timeliness import Cell
from rules.values import Role
from tests.engine import Engine, engine, filed, person, stamp

AGAIN = ActRequest(reason="thiếu biểu", due_on=date(2026, 3, 16))
DAYS = (date(2026, 1, 31), date(2026, 2, 5), date(2026, 2, 6), date(2026, 3, 31))


@pytest.fixture
def one(database_url: str) -> Iterator[Engine]:
    with engine(database_url) as made:
        yield made


def live(one: Engine, day: date) -> dict[int, WorkRow]:
    with one.database.read() as session:
        return {row.id: row for row in work_list(session, as_of=day)}


def known(one: Engine, at: datetime, day: date) -> dict[int, WorkRow]:
    with one.database.read() as session:
        return {row.id: row for row in work_known_at(session, at, as_of=day)}


def assignment(one: Engine, number: int) -> Assignment:
    with one.database.read() as session:
        return session.get_one(Assignment, number)


def at(day: date) -> datetime:
    return stamp(day).at


def play(one: Engine) -> list[tuple[datetime, date, dict[int, WorkRow]]]:
    """Some weeks of the small plan, with a copy of the list after each step."""
    copies = []

    def keep(day: date) -> None:
        copies.append((at(day), day, live(one, day)))

    one.run(DAYS[0])
    keep(DAYS[0])
    rows = [row for row in live(one, DAYS[0]).values() if row.role is Role.LEAD]
    first, second = rows[0], rows[1]
    lead = person(AccountRole.AGENCY, first.agency)
    one.act(
        assignment(one, first.id),
        Action.SUBMIT,
        lead,
        DAYS[1],
        filed(issued_on=DAYS[1], ho_so="12"),
    )
    keep(DAYS[1])
    boss = person(AccountRole.COORDINATOR, one.coordinator, "Trần Thị B")
    with one.database.write() as session:
        reschedule(session, stamp(DAYS[2], boss), second.id, until=date(2026, 4, 30), reason="Tết")
    one.act(assignment(one, first.id), Action.REOPEN, boss, DAYS[2], AGAIN)
    keep(DAYS[2])
    one.run(DAYS[3])
    keep(DAYS[3])
    return copies


def test_list_known_at_an_instant_equals_the_copy_taken_then(one: Engine) -> None:
    """(39) Every field of every row, statuses, dates and cells among them."""
    copies = play(one)
    assert len({tuple(sorted(copy.items(), key=lambda row: row[0])) for _, _, copy in copies}) == 4
    for instant, day, copy in copies:
        assert copy
        assert known(one, instant, day) == copy
    assert known(one, copies[0][0] - timedelta(microseconds=1), DAYS[0]) == {}


def test_list_known_now_equals_the_live_list(one: Engine) -> None:
    """(39) And nothing in the tables is unlike the history."""
    play(one)
    now = datetime(2026, 4, 1, tzinfo=UTC)
    assert known(one, now, date(2026, 4, 1)) == live(one, date(2026, 4, 1))
    with one.database.read() as session:
        assert unlike_history(session, now) == []


def test_filters_are_those_of_what_was_known(one: Engine) -> None:
    """(39) A status that came later does not count."""
    copies = play(one)
    with one.database.read() as session:
        for instant, day, copy in copies:
            for status in (Status.CONFIRMED, Status.IN_PROGRESS):
                found = work_known_at(session, instant, as_of=day, statuses=[status])
                assert {row.id for row in found} == {
                    row.id for row in copy.values() if row.status is status
                }
            cells = [Cell.OPEN_IN_TIME]
            found = work_known_at(session, instant, as_of=day, cells=cells, year=2026)
            assert {row.id for row in found} == {
                row.id for row in copy.values() if row.timeliness is Cell.OPEN_IN_TIME
            }
            item = next(iter(copy.values())).item
            found = work_known_at(session, instant, as_of=day, item=item, plan=one.plan)
            assert {row.item for row in found} == {item}


def test_a_row_changed_behind_the_engine_is_named(one: Engine) -> None:
    """(37) Status and history are one write, so a difference is somebody else's doing."""
    play(one)
    changed = min(live(one, DAYS[3]))
    with one.database.write() as session:
        session.execute(
            text("UPDATE assignment SET due_on = '2029-01-01' WHERE id = :i"), {"i": changed}
        )
    with one.database.read() as session:
        assert [number for number, _ in unlike_history(session, at(DAYS[3]))] == [changed]
