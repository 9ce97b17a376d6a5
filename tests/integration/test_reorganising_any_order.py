"""However agencies change and whichever days are missed, the work ends in the same rows (11, 35)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Assignment, Occurrence
from operations.opening import open_due
from operations.reorganising import ReorganisationRefused, reorganise
from operations.state import load_directory
from rules.lifecycle import MOVABLE, Status
from rules.reorganising import ChangeKind, NewAgency, Reorganisation, Successor
from tests import world
from tests.world import COORDINATOR, PLAN, TODAY, A, B, C

ITEMS = ("I.1", "II.3", "II.5", "III.1")
LAST = TODAY + timedelta(days=30)


@dataclass(frozen=True)
class Wish:
    """A change that somebody may ask for; ``who`` are places among the agencies that there are."""

    kind: ChangeKind
    who: tuple[int, int]
    item: str
    after: int


wishes = st.builds(
    Wish,
    kind=st.sampled_from([ChangeKind.MERGE, ChangeKind.SPLIT, ChangeKind.RENAME]),
    who=st.tuples(st.integers(0, 6), st.integers(0, 6)),
    item=st.sampled_from(ITEMS),
    after=st.integers(-5, 20),
)
days = st.lists(st.integers(0, 29), max_size=4)


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    with world.opened(database_url) as session:
        world.open_work(session, leads=(A, B, C), partners=(COORDINATOR,))
        world.open_work(session, "II.5", leads=(A, C), partners=(B,))
        yield session


def change(wish: Wish, number: int, known: Sequence[str]) -> Reorganisation:
    old, other = (known[place % len(known)] for place in wish.who)
    new = Successor(new=NewAgency(name=f"Cơ quan {number}", key=f"moi_{number}"))
    heirs = {
        ChangeKind.MERGE: (Successor(agency=other),) if wish.after % 2 else (new,),
        ChangeKind.SPLIT: (new, Successor(agency=other, items=(wish.item,))),
        ChangeKind.RENAME: (new,),
    }
    merged = wish.kind is ChangeKind.MERGE and not wish.after % 2
    return Reorganisation(
        kind=wish.kind,
        effective_on=TODAY + timedelta(days=wish.after),
        document_code="1/QĐ-UBND",
        predecessors=(old, other) if merged else (old,),
        successors=heirs[wish.kind],
        late=True,
    )


def record(session: Session, asked: Sequence[Wish]) -> None:
    """Ask for all of them; what cannot be is refused and changes nothing."""
    for number, wish in enumerate(asked):
        known = [one.key for one in load_directory(session).agencies]
        point = session.begin_nested()
        try:
            reorganise(session, world.coordinator(), [change(wish, number, known)])
        except ReorganisationRefused:
            point.rollback()


def rows(session: Session) -> list[tuple[object, ...]]:
    columns = (
        *(Occurrence.item_key, Occurrence.period_key, Assignment.agency_key, Assignment.role),
        *(Assignment.status, Assignment.due_on, Assignment.original_due_on, Assignment.round),
        *(Assignment.extensions, Assignment.last_rung, Assignment.next_reminder_on),
    )
    query = select(*columns).join(Occurrence, Occurrence.id == Assignment.occurrence_id)
    return sorted((tuple(row) for row in session.execute(query)), key=str)


def played(
    session: Session, asked: Sequence[Wish], runs: Sequence[int]
) -> list[tuple[object, ...]]:
    """The rows after these changes and runs on these days, and one on the last day; undone."""
    point = session.begin_nested()
    try:
        record(session, asked)
        for after in runs:
            open_due(session, world.flow(TODAY + timedelta(days=after)), PLAN)
        open_due(session, world.flow(LAST), PLAN)
        check(session, LAST)
        return rows(session)
    finally:
        point.rollback()
        session.expire_all()


def check(session: Session, on: date) -> None:
    """Every open row has an owner that exists, and whatever moved led to exactly one row."""
    directory = load_directory(session)
    known = {row.id: row for row in session.scalars(select(Assignment))}
    keys = [(row.occurrence_id, row.agency_key, row.role) for row in known.values()]
    assert len(keys) == len(set(keys))
    for row in known.values():
        if Status(row.status) in MOVABLE:
            assert directory.agency(row.agency_key).valid_on(on), row.agency_key
        if row.status == Status.TRANSFERRED:
            heir = known[row.successor_id or 0]
            assert heir.occurrence_id == row.occurrence_id
            seen = {row.id}
            while heir.status == Status.TRANSFERRED:
                assert heir.id not in seen
                seen.add(heir.id)
                heir = known[heir.successor_id or 0]
            assert Status(heir.status) in MOVABLE | {Status.LAPSED, Status.CANCELLED}


@settings(
    max_examples=4,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(asked=st.lists(wishes, min_size=1, max_size=4), runs=days)
def test_any_order_of_runs_and_missed_days_ends_in_the_same_rows(
    session: Session, asked: list[Wish], runs: list[int]
) -> None:
    """(11, 35) Splits and mergers in any sequence: no open work is lost, doubled or without owner."""
    assert played(session, asked, sorted(runs)) == played(session, asked, ())
