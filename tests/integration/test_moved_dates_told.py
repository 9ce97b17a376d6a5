"""A date that moved is told once, in the next digest, to those whose date it is (rules 3, 27)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy.orm import Session

from operations.act import ActRequest, act
from operations.days import change_day
from operations.rescheduling import reschedule
from rules.lifecycle import Action
from tests import world
from tests.builders import ScriptedMail, Town, focal, text_of, town
from tests.world import DUE, A, B

PAPER = "12729/VPCP-KGVX"
MONDAY, TUESDAY = date(2027, 3, 8), date(2027, 3, 9)
FIRST_RUNG = date(2027, 3, 10)


def two_leads(session: Session) -> None:
    world.open_work(session, leads=(A, B), partners=())


@pytest.fixture
def place(database_url: str) -> Iterator[Town]:
    with town(database_url, work=two_leads) as made:
        yield made


def move(place: Town, until: date, agency: str = A, day: date = world.TODAY) -> None:
    number = place.row(agency).id
    with place.changing() as session:
        reschedule(session, world.coordinator(day), number, until=until, reason="Dời theo kế hoạch")


def told(place: Town, day: date) -> dict[str, str]:
    """The letters of a day, by the mailbox they went to."""
    mail = ScriptedMail()
    place.run(day, mail)
    return {to: " ".join(text_of(message).split()) for to, message in mail.taken}


def test_a_day_off_tells_from_when_to_when_and_by_what_once(place: Town) -> None:
    """Rule 3."""
    with place.changing() as session:
        change_day(session, world.coordinator(), DUE, working=False, name="Nghỉ bù", document=PAPER)
    letters = told(place, MONDAY)
    said = f"Hạn đổi từ 31/3/2027 thành 1/4/2027 theo văn bản {PAPER}"
    assert {to for to, words in letters.items() if said in words} == {focal(A), focal(B)}
    assert "Ngày 31/3/2027 là ngày nghỉ: Nghỉ bù" in letters[focal(A)]
    later = [words for n in range(1, 90) for words in told(place, MONDAY + timedelta(n)).values()]
    assert later
    assert not [words for words in later if "đổi từ" in words]


def test_whose_date_stayed_hears_nothing(place: Town) -> None:
    move(place, date(2027, 4, 15))
    letters = told(place, MONDAY)
    assert set(letters) == {focal(A)}
    assert "Hạn đổi từ 31/3/2027 thành 15/4/2027" in letters[focal(A)]


def test_a_date_that_moved_twice_is_one_line_from_the_first_to_the_last(place: Town) -> None:
    move(place, date(2027, 4, 15))
    move(place, date(2027, 4, 30))
    words = told(place, MONDAY)[focal(A)]
    assert "Hạn đổi từ 31/3/2027 thành 30/4/2027" in words
    assert words.count("đổi từ") == 1


def test_a_date_that_came_back_before_anybody_was_told_is_no_news(place: Town) -> None:
    move(place, date(2027, 4, 15))
    move(place, DUE)
    assert told(place, MONDAY) == {}
    assert "đổi từ" not in " ".join(told(place, MONDAY + timedelta(7)).values())


def test_no_digest_is_made_before_monday_for_the_line_alone(place: Town) -> None:
    """Rule 27."""
    day = world.TODAY + timedelta(1)
    move(place, date(2027, 6, 30), day=day)
    assert [told(place, day + timedelta(n)) for n in range(4)] == [{}] * 4
    assert "đổi từ 31/3/2027 thành 30/6/2027" in told(place, MONDAY)[focal(A)]


def test_the_line_rides_in_a_reminder_that_goes_before_monday(place: Town) -> None:
    with place.changing() as session:
        other = world.open_work(session, "II.3", leads=(A,), partners=(), due_on=date(2027, 6, 30))
        second = world.row_of(session, other, A).id
    with place.changing() as session:
        until, why = date(2027, 7, 15), "Dời theo kế hoạch"
        reschedule(session, world.coordinator(TUESDAY), second, until=until, reason=why)
    words = told(place, FIRST_RUNG)[focal(A)]
    assert "đổi từ 30/6/2027 thành 15/7/2027" in words
    assert "đổi từ" not in " ".join(told(place, date(2027, 3, 15)).values())


def test_resumed_and_reopened_work_hears_of_its_new_date(place: Town) -> None:
    """Rules 20, 25."""
    first, second = place.row(A).id, place.row(B).id
    with place.changing() as session:
        stamp = world.coordinator()
        paper = ActRequest(reason="Chờ", document="7/UBND-NC")
        act(session, stamp, first, Action.SUSPEND, paper)
        act(session, world.coordinator(date(2027, 3, 5)), first, Action.RESUME)
        act(session, stamp, second, Action.WAIVE, ActRequest(reason="Không phát sinh"))
        again = ActRequest(reason="Có phát sinh", due_on=date(2027, 5, 20))
        act(session, stamp, second, Action.REOPEN, again)
    letters = told(place, MONDAY)
    assert "đổi từ 31/3/2027 thành 6/4/2027" in letters[focal(A)]
    assert "đổi từ 31/3/2027 thành 20/5/2027" in letters[focal(B)]
