"""Corrections of the days off (rule 3)."""

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy.orm import Session

from models.tables import Assignment, DayRow
from operations.act import ActRequest, act
from operations.day_effects import DayOrder
from operations.days import change_day, check_days
from operations.errors import NotPermitted, Refused
from operations.partners import PartnerRequest, request_contribution
from rules.lifecycle import Action
from rules.values import Role
from tests import world
from tests.world import DUE, A, B

PAPER = "12729/VPCP-KGVX"
THURSDAY, FRIDAY = date(2027, 4, 1), date(2027, 4, 2)


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    with world.opened(database_url) as session:
        yield session


@pytest.fixture
def work(session: Session) -> Assignment:
    """Due on Wednesday, 31/3/2027."""
    return world.row_of(session, world.open_work(session), A)


def off(session: Session, day: date = DUE) -> tuple[int, ...]:
    stamp = world.coordinator()
    return change_day(session, stamp, day, working=False, name="Nghỉ bù", document=PAPER).rolled


def test_an_open_date_on_a_new_day_off_rolls_forward(session: Session, work: Assignment) -> None:
    rolled = off(session)
    assert work.id in rolled
    assert (work.due_on, work.original_due_on) == (THURSDAY, DUE)


def test_the_event_names_the_day_and_the_document(session: Session, work: Assignment) -> None:
    off(session)
    (event,) = world.events(session, "assignment", work.id)
    assert (event.action, event.document) == ("roll_day", PAPER)
    assert event.reason == "Ngày 31/3/2027 là ngày nghỉ: Nghỉ bù"
    (day,) = world.events(session, "day", "2027-03-31")
    assert (day.action, day.document) == ("correct", PAPER)


def test_the_occurrence_moves_with_its_work_and_the_agency_is_told(
    session: Session, work: Assignment
) -> None:
    off(session)
    other = world.row_of(session, world.open_work(session, "II.3", leads=(B,), partners=()), B)
    assert other.due_on == DUE  # opened after the correction, rolled by its opening or not at all
    assert {one.agency_key for one in world.notices(session, "date_changed")} == {A, B}
    occurrence = world.events(session, "occurrence")[-1]
    assert occurrence.action == "roll_day"


def test_two_days_off_in_a_row_roll_on(session: Session, work: Assignment) -> None:
    off(session)
    off(session, THURSDAY)
    assert work.due_on == FRIDAY


def test_a_day_that_becomes_worked_moves_no_date_back(session: Session, work: Assignment) -> None:
    off(session)
    change = change_day(
        session, world.coordinator(), DUE, working=True, name="Làm bù", document=PAPER
    )
    assert (change.rolled, change.rolled_to) == ((), None)
    assert work.due_on == THURSDAY
    assert session.get_one(DayRow, DUE).working


def test_sent_rungs_are_not_sent_again_for_the_rolled_date(
    session: Session, work: Assignment
) -> None:
    """Rule 28."""
    work.last_rung = -1
    session.flush()
    off(session)
    assert work.last_rung == -1
    assert work.next_reminder_on == date(2027, 4, 5)


def test_a_ladder_that_crosses_the_day_counts_anew(session: Session, work: Assignment) -> None:
    """Rule 5: fifteen working days before 31/3 is 10/3, and one earlier when 24/3 is off."""
    assert work.next_reminder_on == date(2027, 3, 10)
    stamp, day = world.coordinator(), date(2027, 3, 24)
    version = work.version
    change = change_day(session, stamp, day, working=False, name="Nghỉ", document=PAPER)
    assert work.next_reminder_on == date(2027, 3, 9)
    assert change.rolled == ()
    assert change.reminders >= 2
    assert work.version == version


def test_a_worked_saturday_brings_reminders_closer(session: Session, work: Assignment) -> None:
    stamp, saturday = world.coordinator(), date(2027, 3, 20)
    change_day(session, stamp, saturday, working=True, name="Làm bù", document=PAPER)
    assert work.next_reminder_on == date(2027, 3, 11)


def test_nothing_closed_is_touched(session: Session, work: Assignment) -> None:
    act(session, world.coordinator(), work.id, Action.WAIVE, ActRequest(reason="Không có"))
    assert work.id not in off(session)
    assert work.due_on == DUE


def test_a_day_to_answer_rolls_as_well(session: Session) -> None:
    """Rules 3, 14."""
    occurrence = world.open_work(session, "II.3", leads=(A,), partners=(B,))
    partner = world.row_of(session, occurrence, B, Role.PARTNER)
    asked = PartnerRequest(content="Góp ý", respond_by=date(2027, 3, 17))
    lead = world.row_of(session, occurrence, A)
    request_contribution(session, world.agency(A), lead.id, [partner.id], asked)
    off(session, date(2027, 3, 17))
    assert partner.respond_by == date(2027, 3, 18)


def test_the_same_correction_again_changes_nothing(session: Session, work: Assignment) -> None:
    off(session)
    assert off(session) == ()
    assert len(world.events(session, "day")) == 1


def test_what_is_so_already_needs_no_correction(session: Session) -> None:
    stamp = world.coordinator()
    for day, working, word in ((DUE, True, "ngày làm việc"), (date(2027, 4, 3), False, "nghỉ")):
        with pytest.raises(Refused, match=f"vốn đã là .*{word}"):
            change_day(session, stamp, day, working=working, name="Tên", document=PAPER)


def test_a_correction_needs_name_document_and_a_known_year(session: Session) -> None:
    stamp = world.coordinator()
    for name, document, day in (
        ("", PAPER, DUE),
        ("Nghỉ", " ", DUE),
        ("Nghỉ", PAPER, date(2040, 1, 2)),
    ):
        with pytest.raises(Refused):
            change_day(session, stamp, day, working=False, name=name, document=document)


def test_everything_that_lacks_is_said_at_once(session: Session) -> None:
    with pytest.raises(Refused) as refused:
        check_days(session, world.coordinator(), [], name=" ", document="")
    assert [one.field for one in refused.value.each] == ["off", "name", "document"]
    orders = [
        DayOrder(day=DUE, working=False, field="off"),
        DayOrder(day=DUE, working=True, field="worked"),
    ]
    with pytest.raises(Refused) as refused:
        check_days(session, world.coordinator(), orders, name="Nghỉ", document="")
    assert [one.field for one in refused.value.each] == ["off", "worked", "document"]


def test_only_the_coordinator_corrects_days(session: Session) -> None:
    for stamp in (world.agency(A), world.auditor(), world.flow()):
        with pytest.raises(NotPermitted):
            change_day(session, stamp, DUE, working=False, name="Nghỉ", document=PAPER)
