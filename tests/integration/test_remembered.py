"""What pages remember until the next event: never stale, whoever acts, in whichever order."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from models.engine import Database
from models.tables import Event
from operations import state
from operations.act import ActRequest, ActResult, act
from operations.audit import HistorySearch, Place, search_history
from operations.extensions import ask_extension
from operations.history import Change, record
from operations.opening import open_due
from operations.policies import set_policy
from operations.remembered import Remembered, remember
from operations.state import load_state
from portal.permissions import Visitor
from rules.directory import Directory
from rules.lifecycle import Action
from tests import portal_site, world
from tests.portal_site import Site, text_of

REASON = "Chờ kiện toàn nhân sự sau kỳ họp"


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal with open work."""
    with portal_site.site(database_url, tmp_path) as found:
        yield found


@pytest.fixture
def other(site: Site, database_url: str) -> Iterator[Database]:
    """The same database as another process has it."""
    with closing(Database(database_url, durable=False)) as found:
        yield found


def note(session: Session, *words: str) -> None:
    """Record something small."""
    changes = [Change(entity="day", entity_id=one, action="correct", snapshot={}) for one in words]
    record(session, world.coordinator(), changes)


def test_an_act_of_another_process_shows_on_the_overview_at_once(
    site: Site, other: Database
) -> None:
    browser = site.logged_in(Visitor.COORDINATOR)
    assert REASON not in text_of(browser.get("/"))
    assert REASON not in text_of(browser.get("/"))
    number = site.work["I.1/xa_van_ninh"]
    with other.write() as session:
        until = world.DUE.replace(month=5)
        ask_extension(session, world.agency(), number, until=until, reason=REASON)
    assert REASON in text_of(browser.get("/"))


def test_the_overview_of_the_next_day_is_drawn_anew_without_any_event(site: Site) -> None:
    """Rule 2: what is due today is overdue tomorrow, and nobody has to do anything for that."""
    browser = site.logged_in(Visitor.COORDINATOR)
    site.clock.instant += world.DUE - world.TODAY
    browser = site.logged_in(Visitor.COORDINATOR, username="hom-do")
    assert "Quá hạn (0)" in text_of(browser.get("/"))
    site.clock.instant += timedelta(days=1)
    browser = site.logged_in(Visitor.COORDINATOR, username="hom-sau")
    assert "Quá hạn (0)" not in text_of(browser.get("/"))


class Counted:
    """Counts how often something was worked out."""

    def __init__(self, database: Database) -> None:
        self._database, self.made = database, 0

    def ask(self) -> int:
        """What is remembered, worked out when it is not."""

        def make() -> int:
            self.made += 1
            return self.made

        with self._database.read() as session:
            return remember(session, "key", make)


def test_a_value_is_kept_until_the_next_event(site: Site, other: Database) -> None:
    site.write(lambda session: note(session, "first"))
    counted = Counted(site.runtime.database)
    assert [counted.ask(), counted.ask()] == [1, 1]
    with other.write() as session:
        note(session, "second")
    assert [counted.ask(), counted.ask()] == [2, 2]


def test_an_event_that_is_committed_after_a_later_one_is_not_missed(
    site: Site, other: Database
) -> None:
    """Ids are drawn before they are committed: the newest may stay the newest though others come."""
    site.write(lambda session: note(session, "first"))
    counted = Counted(site.runtime.database)
    with other.write() as early:
        note(early, "early")
        if not other.is_sqlite:  # which has one writer at a time
            with other.write() as late:
                note(late, "late")
        before = counted.ask()
        assert counted.ask() == before + (0 if other.is_sqlite else 1)
    assert counted.ask() > before
    assert counted.ask() == counted.ask()


def test_an_act_that_was_rolled_back_is_never_remembered(site: Site, other: Database) -> None:
    site.write(lambda session: note(session, "first"))
    counted = Counted(site.runtime.database)
    with other.write() as session:
        note(session, "never")
        session.rollback()
    counted.ask()
    with other.write() as session:
        note(session, "instead")  # SQLite gives it the same id
    assert counted.ask() == counted.made == 2


def test_who_writes_works_everything_out_anew(site: Site) -> None:
    site.write(lambda session: note(session, "first"))
    found = [site.write(lambda session: remember(session, "key", object)) for _ in range(2)]
    assert found[0] is not found[1]


def test_only_so_many_values_are_kept() -> None:
    memory, newest = Remembered(kept=2), (1, b"")
    for key in "abc":
        memory.keep(key, newest, key)
    assert len(memory) == 2
    assert memory.find("a", newest) == (False, None)
    assert memory.find("c", newest) == (True, "c")


def test_looking_for_a_text_in_parts_finds_each_event_once_while_others_arrive(site: Site) -> None:
    """Every part reads so many events; the last one comes to the very beginning."""
    words = [f"kho-{n}" if n % 7 == 0 else f"khac-{n}" for n in range(60)]
    site.write(lambda session: note(session, *words))
    asked, parts = HistorySearch(text="ngày-lẻ"), 0
    seen: list[int] = []
    assert search(site, asked, None)[0] == []

    def odd(session: Session) -> None:
        changes = [
            Change(entity="day", entity_id=str(n), action="correct", snapshot={}, reason="Ngày-lẻ")
            for n in range(3)
        ]
        record(session, world.coordinator(), changes)

    site.write(odd)
    site.write(lambda session: note(session, *words))
    site.write(odd)
    wanted = {
        one.id
        for one in site.read(lambda session: session.query(Event).all())
        if one.reason == "Ngày-lẻ"
    }
    place: Place | None = None
    while True:
        found, place = search(site, asked, place)
        seen, parts = seen + found, parts + 1
        if place is None:
            break
        site.write(odd)
    assert sorted(seen) == sorted(wanted)
    assert parts > 5


def search(site: Site, asked: HistorySearch, place: Place | None) -> tuple[list[int], Place | None]:
    """A part of a search: the ids found, and where the next begins."""
    page = site.read(
        lambda session: search_history(session, asked, after=place, limit=2, window=20)
    )
    assert (page.read_until is None) or page.next_place is not None
    return [one.line.id for one in page.events], page.next_place


def test_acts_on_work_read_the_plan_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy day's acts change no plan, agency or day: what was read for the first still holds."""
    read = counted_readings(monkeypatch)
    number = site.work["I.1/xa_van_ninh"]
    site.write(lambda session: note(session, "the first of all"))
    for action in (Action.START, Action.AWAIT_ISSUANCE, Action.RESUME):
        with site.runtime.database.write() as session:
            act(session, world.agency(), number, action)
    assert len(read) == 1
    site.write(lambda session: note(session, "a day"))
    site.write(lambda session: act(session, world.agency(), number, Action.AWAIT_ISSUANCE))
    assert len(read) == 2


def counted_readings(monkeypatch: pytest.MonkeyPatch) -> list[Session]:
    """Whoever reads all agencies from the database from now on."""
    read = []
    real = state.load_directory

    def counted(session: Session) -> Directory:
        read.append(session)
        return real(session)

    monkeypatch.setattr(state, "load_directory", counted)
    return read


def test_the_openings_of_a_run_read_the_agencies_once(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rules 10, 11: what opens changes no agency, and a changed agency is seen by the next."""

    def open_on(day: date) -> int:
        return site.write(
            lambda session: open_due(session, world.flow(day), world.PLAN)
        ).assignments

    site.write(lambda session: note(session, "the first of all"))
    read = counted_readings(monkeypatch)
    assert open_on(world.TODAY) > 0
    assert open_on(world.TODAY.replace(year=2028)) > 0
    assert len(read) == 1
    site.write(lambda session: note(session, "a day"))
    open_on(world.TODAY.replace(year=2028))
    assert len(read) == 2


def test_what_a_transaction_read_is_gone_with_it(site: Site) -> None:
    """The rows of thousands of agencies do not wait for the garbage collector."""
    gc.disable()
    try:
        with site.runtime.database.write() as session:
            load_state(session, world.PLAN)
            gone = weakref.ref(session)
        del session
        assert gone() is None
    finally:
        gc.enable()


def test_an_act_goes_by_what_another_process_has_just_set(site: Site, other: Database) -> None:
    """Rule 20: the second step holds from the moment that it is asked for."""
    number = site.work["I.1/xa_van_ninh"]
    site.write(lambda session: act(session, world.agency(), number, Action.START))
    with other.write() as session:
        ask_for_two_steps(session)
    asked = ActRequest(reason=REASON)
    done = act_of(site, number, asked)
    assert done.proposal is not None


def test_a_transaction_goes_by_what_it_has_set_itself(site: Site) -> None:
    """What nobody else may see yet is neither passed over nor remembered."""
    number = site.work["I.1/xa_van_ninh"]
    site.write(lambda session: act(session, world.agency(), number, Action.START))
    with site.runtime.database.write() as session:
        ask_for_two_steps(session)
        asked = ActRequest(reason=REASON)
        done = act(session, world.coordinator(), number, Action.WAIVE, asked)
        assert done.proposal is not None
        session.rollback()
    assert act_of(site, number, asked).proposal is None


def ask_for_two_steps(session: Session) -> None:
    """Waiving takes two from now on."""
    set_policy(
        session,
        world.admin(),
        world.PLAN,
        "two_step.waive",
        value="true",
        basis="Công văn 9/SNV",
        reason="thử",
    )


def act_of(site: Site, number: int, asked: ActRequest) -> ActResult:
    """The coordinator waives the work."""
    with site.runtime.database.write() as session:
        return act(session, world.coordinator(), number, Action.WAIVE, asked)
