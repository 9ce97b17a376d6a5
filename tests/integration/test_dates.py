"""Dates that documents fix, and dates moved one by one (rules 4, 15, 17)."""

import json
from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Assignment, Event, Occurrence, PeriodDate
from operations.act import ActRequest, act
from operations.dates import DateMove, fix_year_dates, preview_year_dates
from operations.errors import Conflict, NotPermitted, Refused
from operations.extension_decisions import Decision, decide_extension
from operations.extensions import ask_extension
from operations.opening import open_due
from operations.rescheduling import reschedule
from operations.results import Paper, Result
from rules.lifecycle import Action
from rules.values import DateAuthority, Document, Role, TrackingMode
from tests import world
from tests.world import COORDINATOR, DUE, PLAN, TODAY, A, B, C

APRIL = date(2027, 4, 15)
PAPER = Document(code="12/QĐ-SNV", issued_on=date(2027, 2, 26))
PROVISIONAL, PROVINCE = DateAuthority.PROVISIONAL, DateAuthority.PROVINCE


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    with world.opened(database_url) as session:
        yield session


@pytest.fixture
def guessed(session: Session) -> Occurrence:
    """I.1 of 2027 with a provisional date, led by two."""
    return world.open_work(session, authority=PROVISIONAL)


def fix(session: Session, day: date = APRIL, paper: Document = PAPER) -> DateMove:
    stamp = world.coordinator()
    (move,) = fix_year_dates(session, stamp, PLAN, 2027, {("I.1", "2027"): day}, document=paper)
    return move


def leads(session: Session, occurrence: Occurrence) -> tuple[Assignment, Assignment]:
    return world.row_of(session, occurrence, A), world.row_of(session, occurrence, B)


def hand_in(session: Session, row: Assignment, day: date = TODAY) -> None:
    result = Result(text="Xong", papers=(Paper(code="1/KH-UBND", issued_on=day),))
    stamp = world.agency(row.agency_key, day)
    act(session, stamp, row.id, Action.SUBMIT, ActRequest(result=result))


def extend(session: Session, row: Assignment, until: date) -> None:
    asked = ask_extension(
        session, world.agency(row.agency_key), row.id, until=until, reason="Chờ hướng dẫn"
    )
    yes = Decision(grant=True, reason="Đồng ý")
    decide_extension(session, world.coordinator(), asked.request, yes)


def test_a_document_fixes_a_provisional_date_for_everybody(
    session: Session, guessed: Occurrence
) -> None:
    """Rule 17."""
    move = fix(session)
    for row in leads(session, guessed):
        assert (row.due_on, row.authority) == (APRIL, DateAuthority.COORDINATOR)
        assert row.document_code == "12/QĐ-SNV"
    assert set(move.moves) >= {row.id for row in leads(session, guessed)}
    assert world.row_of(session, guessed, COORDINATOR, Role.PARTNER).due_on == APRIL
    assert guessed.due_on == APRIL


def test_the_first_date_that_binds_is_the_original_one(
    session: Session, guessed: Occurrence
) -> None:
    """Rules 4, 17: a guess never bound anybody; a later document moves only the date in force."""
    fix(session)
    first, _ = leads(session, guessed)
    assert (first.nominal_due_on, first.original_due_on) == (APRIL, APRIL)
    fix(session, date(2027, 4, 29), Document(code="20/QĐ-SNV"))
    assert (first.due_on, first.original_due_on) == (date(2027, 4, 29), APRIL)
    assert (guessed.due_on, guessed.original_due_on) == (date(2027, 4, 29), APRIL)


def test_a_date_on_a_day_off_is_rolled_and_the_documents_own_day_is_kept(
    session: Session, guessed: Occurrence
) -> None:
    """Rule 4: 17/4/2027 is a Saturday."""
    move = fix(session, date(2027, 4, 17))
    assert (move.asked, move.due_on) == (date(2027, 4, 17), date(2027, 4, 19))
    first, _ = leads(session, guessed)
    assert (first.nominal_due_on, first.due_on) == (date(2027, 4, 17), date(2027, 4, 19))


def test_a_date_that_is_confirmed_as_it_was_is_fixed_without_a_letter(
    session: Session, guessed: Occurrence
) -> None:
    move = fix(session, DUE)
    first, second = leads(session, guessed)
    assert not move.moves
    assert {first.id, second.id} <= set(move.confirms)
    assert first.authority == DateAuthority.COORDINATOR
    assert world.notices(session, "date_changed") == []


def test_the_agency_is_told_of_another_date(session: Session, guessed: Occurrence) -> None:
    """Rule 27: in the Monday digest."""
    fix(session)
    notices = world.notices(session, "date_changed")
    assert [(one.agency_key, one.at_once) for one in notices] == [(A, False), (B, False)]
    assert json.loads(notices[0].payload) == {
        "previous_due_on": "2027-03-31",
        "document": "12/QĐ-SNV",
    }


def test_fixed_dates_follow_the_whole_ladder_from_their_own_day(
    session: Session, guessed: Occurrence
) -> None:
    """Rules 17, 27: the ladder of provisional dates ends there."""
    row, _ = leads(session, guessed)
    row.last_rung = -15
    session.flush()
    fix(session)
    assert row.last_rung < -15
    assert row.next_reminder_on == date(2027, 3, 25)


def test_preview_says_what_would_move_and_writes_nothing(
    session: Session, guessed: Occurrence
) -> None:
    """Rule 15."""
    (seen,) = preview_year_dates(session, PLAN, 2027, {("I.1", "2027"): APRIL})
    assert (seen.previous, seen.due_on) == (DUE, APRIL)
    assert session.scalars(select(Event)).all() == []
    assert session.scalars(select(PeriodDate)).all() == []
    assert seen == fix(session)


def test_fixing_again_changes_nothing(session: Session, guessed: Occurrence) -> None:
    """Level-triggered."""
    fix(session)
    before = len(session.scalars(select(Event)).all())
    assert fix(session).moves == ()
    assert len(session.scalars(select(Event)).all()) == before


def test_a_period_that_opens_later_opens_with_the_fixed_date(session: Session) -> None:
    """Rule 17."""
    moves = fix_year_dates(
        session,
        world.coordinator(),
        PLAN,
        2028,
        {("I.1", "2028"): date(2028, 4, 14)},
        document=PAPER,
    )
    assert moves[0].previous is None
    open_due(session, world.flow(date(2028, 1, 3)), PLAN, only_item="I.1")
    found = session.scalars(select(Occurrence).where(Occurrence.period_key == "2028")).one()
    assert found.due_on == date(2028, 4, 14)
    row = world.row_of(session, found, A)
    assert (row.authority, row.document_code) == (DateAuthority.COORDINATOR, "12/QĐ-SNV")


def test_begun_work_gets_the_same_date_as_the_others(session: Session, guessed: Occurrence) -> None:
    """The module says why: a document is no edited calendar (rules 15, 17)."""
    first, second = leads(session, guessed)
    act(session, world.agency(A), first.id, Action.START)
    fix(session)
    assert first.due_on == second.due_on == APRIL


def test_extended_work_keeps_its_later_date_and_is_no_longer_provisional(
    session: Session, guessed: Occurrence
) -> None:
    """Rules 15, 23."""
    first, _ = leads(session, guessed)
    extend(session, first, date(2027, 5, 4))
    (kept,) = fix(session).keeps
    assert (kept.assignment, kept.why) == (first.id, "đã được gia hạn")
    assert (first.due_on, first.authority) == (date(2027, 5, 4), DateAuthority.COORDINATOR)
    assert first.original_due_on == DUE


def test_extended_work_takes_a_fixed_date_that_is_later_still(
    session: Session, guessed: Occurrence
) -> None:
    first, _ = leads(session, guessed)
    extend(session, first, date(2027, 4, 8))
    fix(session)
    assert first.due_on == APRIL


def test_work_that_was_rescheduled_alone_keeps_its_date_however_often_it_is_fixed(
    session: Session, guessed: Occurrence
) -> None:
    """Rule 15."""
    fix(session)
    first, second = leads(session, guessed)
    reschedule(session, world.coordinator(), first.id, until=date(2027, 4, 1), reason="Cần sớm")
    (kept,) = fix(session).keeps
    assert kept.why == "đã được điều chỉnh hạn riêng"
    assert (first.due_on, second.due_on) == (date(2027, 4, 1), APRIL)


def test_a_result_that_was_handed_in_never_becomes_late(
    session: Session, guessed: Occurrence
) -> None:
    """Rule 21: handed in on 3/3, before a document said 2/3."""
    first, second = leads(session, guessed)
    hand_in(session, first, date(2027, 3, 3))
    (kept,) = fix(session, date(2027, 3, 2)).keeps
    assert kept.why == "đã cập nhật kết quả, ngày hoàn thành 3/3/2027"
    assert (first.due_on, first.authority) == (DUE, PROVISIONAL)
    assert second.due_on == date(2027, 3, 2)


def test_a_result_that_was_handed_in_before_takes_the_date(
    session: Session, guessed: Occurrence
) -> None:
    first, _ = leads(session, guessed)
    hand_in(session, first)
    fix(session)
    assert (first.due_on, first.next_reminder_on) == (APRIL, None)


def test_nothing_closed_is_touched(session: Session, guessed: Occurrence) -> None:
    first, _ = leads(session, guessed)
    act(session, world.coordinator(), first.id, Action.WAIVE, ActRequest(reason="Không có"))
    version = first.version
    fix(session)
    assert (first.due_on, first.authority, first.version) == (DUE, PROVISIONAL, version)


def test_a_recorded_year_keeps_its_last_day(session: Session) -> None:
    """Rule 19."""
    occurrence = world.open_work(session, mode=TrackingMode.RECORD, due_on=date(2027, 12, 31))
    assert fix(session).moves == ()
    assert world.row_of(session, occurrence, A).due_on == date(2027, 12, 31)


@pytest.mark.parametrize(
    ("dates", "year", "word"),
    [
        ({}, 2027, "ít nhất một hạn"),
        ({("X.9", "2027"): APRIL}, 2027, "không có nhiệm vụ “X.9”"),
        ({("I.1", "2027-Q1"): APRIL}, 2027, "các kỳ: 2027"),
        ({("I.1", "2028"): APRIL}, 2027, "trong năm 2027"),
        ({("I.1", "2035"): APRIL}, 2035, "không có kỳ nào"),
        ({("I.1", "2027"): date(2026, 4, 15)}, 2027, "trước ngày bắt đầu kỳ 4/1/2027"),
        ({("I.1", "2027"): date(2072, 4, 15)}, 2027, "31/12/2031"),
    ],
)
def test_a_wrong_item_period_or_date_is_refused_by_name(
    session: Session,
    guessed: Occurrence,
    dates: dict[tuple[str, str], date],
    year: int,
    word: str,
) -> None:
    with pytest.raises(Refused, match=word):
        fix_year_dates(session, world.coordinator(), PLAN, year, dates, document=PAPER)


def test_one_wrong_date_refuses_them_all_before_anything_is_written(
    session: Session, guessed: Occurrence
) -> None:
    dates = {("I.1", "2027"): APRIL, ("II.3", "2027"): date(2026, 1, 5)}
    with pytest.raises(Refused, match=r"II\.3"):
        fix_year_dates(session, world.coordinator(), PLAN, 2027, dates, document=PAPER)
    assert session.scalars(select(PeriodDate)).all() == []


def test_only_the_coordinator_fixes_dates_and_only_by_a_document(
    session: Session, guessed: Occurrence
) -> None:
    for stamp in (world.agency(A), world.auditor(), world.admin(), world.flow()):
        with pytest.raises(NotPermitted):
            fix_year_dates(session, stamp, PLAN, 2027, {("I.1", "2027"): APRIL}, document=PAPER)
    with pytest.raises(Refused, match="văn bản ấn định"):
        fix(session, paper=Document(code=" "))


def test_a_date_of_the_province_is_fixed_and_moved_only_by_its_own_documents(
    session: Session, guessed: Occurrence
) -> None:
    """Rule 17."""
    dates = {("I.1", "2027"): APRIL}
    stamp = world.coordinator()
    with pytest.raises(Refused, match="không phải văn bản của UBND tỉnh"):
        fix_year_dates(session, stamp, PLAN, 2027, dates, document=PAPER, authority=PROVINCE)
    theirs = Document(code="99/KH-UBND")
    fix_year_dates(session, stamp, PLAN, 2027, dates, document=theirs, authority=PROVINCE)
    with pytest.raises(Refused, match="hạn do UBND tỉnh ấn định"):
        fix(session, date(2027, 5, 4))
    later = {("I.1", "2027"): date(2027, 5, 4)}
    again = Document(code="120/KH-UBND")
    fix_year_dates(session, stamp, PLAN, 2027, later, document=again, authority=PROVINCE)
    assert leads(session, guessed)[0].due_on == date(2027, 5, 4)


def test_a_date_of_one_assignment_is_moved_with_a_reason(session: Session) -> None:
    """Rule 15."""
    row = world.row_of(session, world.open_work(session), A)
    with pytest.raises(Refused, match="lý do"):
        reschedule(session, world.coordinator(), row.id, until=APRIL, reason="")
    reschedule(session, world.coordinator(), row.id, until=APRIL, reason="Bão lũ")
    assert (row.due_on, row.original_due_on, row.extensions) == (APRIL, DUE, 0)
    (event,) = world.events(session, "assignment", row.id)
    assert (event.action, event.reason) == ("reschedule", "Bão lũ")
    (notice,) = world.notices(session, "date_changed")
    assert json.loads(notice.payload) == {"previous_due_on": "2027-03-31", "reason": "Bão lũ"}


@pytest.mark.parametrize("until", [date(2027, 2, 26), DUE, date(2072, 1, 4)])
def test_a_date_that_has_passed_or_is_in_force_is_no_new_date(
    session: Session, until: date
) -> None:
    row = world.row_of(session, world.open_work(session), A)
    with pytest.raises(Refused) as error:
        reschedule(session, world.coordinator(), row.id, until=until, reason="Lý do")
    assert error.value.field == "until"


def test_only_a_decider_reschedules_open_work_of_the_version_it_saw(session: Session) -> None:
    """Rules 20, 26."""
    occurrence = world.open_work(session, "II.3", leads=(COORDINATOR, C), partners=(A,))
    own = world.row_of(session, occurrence, COORDINATOR)
    other = world.row_of(session, occurrence, C)
    with pytest.raises(NotPermitted, match="lãnh đạo"):
        reschedule(session, world.coordinator(), own.id, until=APRIL, reason="Lý do")
    reschedule(session, world.leadership(), own.id, until=APRIL, reason="Lý do")
    with pytest.raises(NotPermitted):
        reschedule(session, world.agency(C), other.id, until=APRIL, reason="Lý do")
    with pytest.raises(Conflict):
        reschedule(
            session, world.coordinator(), other.id, until=APRIL, reason="x", expected_version=9
        )
    hand_in(session, other)
    with pytest.raises(Refused, match="Chờ xác nhận"):
        reschedule(session, world.coordinator(), other.id, until=APRIL, reason="Lý do")


def test_a_date_of_the_province_is_rescheduled_only_by_its_own_document(session: Session) -> None:
    """Rule 17."""
    row = world.row_of(session, world.open_work(session, authority=PROVINCE), A)
    stamp = world.coordinator()
    with pytest.raises(Refused, match="UBND tỉnh ấn định"):
        reschedule(session, stamp, row.id, until=APRIL, reason="Lý do")
    reschedule(session, stamp, row.id, until=APRIL, reason="Lý do", document="9/UBND-NC")
    assert (row.due_on, row.document_code) == (APRIL, "9/UBND-NC")
