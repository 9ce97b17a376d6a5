"""A large sweep shared out over shards: together the whole, and nothing twice (27, 28, 30)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Assignment, Reminder
from operations.reminding import remind
from rules.shards import NotAShard, Shard
from tests import world
from tests.builders import Town, town
from tests.world import COORDINATOR, DUE, A, B, C

R15 = date(2027, 3, 10)
LEADS = (A, B, C, COORDINATOR)


@given(st.sets(st.text(min_size=1, max_size=40)), st.integers(1, 64))
def test_every_agency_belongs_to_one_share_alone(agencies: set[str], of: int) -> None:
    shares = [Shard(number, of) for number in range(1, of + 1)]
    for agency in (*agencies, None):
        assert sum(one.holds(agency) for one in shares) == 1


@pytest.mark.parametrize("text", ["0/4", "5/4", "1/65", "1", "", "a/b", "1/2/3", "-1/2"])
def test_what_is_no_share_is_refused_with_what_would_be_right(text: str) -> None:
    with pytest.raises(NotAShard, match="k/n"):
        Shard.parse(text)


def test_a_share_reads_as_it_is_written() -> None:
    assert str(Shard.parse(" 2/4 ")) == "2/4"


def _open(session: Session) -> None:
    for item in ("I.1", "II.3"):
        world.open_work(session, item, leads=LEADS, partners=(), due_on=DUE)


@pytest.fixture
def place(database_url: str) -> Iterator[Town]:
    with town(database_url, work=_open) as made:
        yield made


def queued(session: Session) -> list[tuple[int, int, str]]:
    """Every reminder: assignment, rung, mailbox."""
    rows = session.execute(select(Reminder.assignment_id, Reminder.rung, Reminder.mailbox))
    return sorted((one[0], one[1], one[2]) for one in rows)


def digests(session: Session) -> list[tuple[str, int]]:
    """Every mailbox that has a digest, with how many reminders it holds."""
    found: dict[str, set[int]] = {}
    for one in session.scalars(select(Reminder)):
        assert one.letter_id is not None
        found.setdefault(one.mailbox, set()).add(one.letter_id)
    return sorted((mailbox, len(letters)) for mailbox, letters in found.items())


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2)])
def test_the_shares_together_queue_what_one_sweep_would_and_nothing_twice(
    place: Town, order: tuple[int, ...]
) -> None:
    with place.database.write() as session:
        point = session.begin_nested()
        whole = remind(session, world.flow(R15))
        expected, letters = queued(session), digests(session)
        point.rollback()
    assert whole.rungs == len(expected) > 0
    for number in order:
        with place.database.write() as session:
            before = queued(session)
            remind(session, world.flow(R15), shard=Shard(number, 3))
            touched = {one[0] for one in set(queued(session)) - set(before)}
            agencies = session.scalars(
                select(Assignment.agency_key).where(Assignment.id.in_(touched))
            ).all()
            assert all(Shard(number, 3).holds(agency) for agency in agencies)
    with place.database.write() as session:
        assert queued(session) == expected
        assert digests(session) == letters, "one digest a mailbox a day, whoever shares"
        again = remind(session, world.flow(R15))
        assert again.rungs == 0, "nothing is left for a sweep of everything"
