"""Letters of their own, and a whole conversation with a real server (rules 20, 23, 27, 33)."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from notifications.mailbox import LocalMailbox, list_messages, read_message
from notifications.smtp import MailSession, Security, SmtpSettings
from operations.act import ActRequest, act
from operations.extension_decisions import Decision, decide_extension
from operations.extensions import ask_extension
from operations.results import Paper, Result
from rules.lifecycle import Action
from runtime.clock import FixedClock
from runtime.delivery import PostOffice, deliver
from tests import world
from tests.builders import SECRET, SENDER, ScriptedMail, Town, focal, mailbox, text_of, town
from tests.world import A

WEDNESDAY, SATURDAY = date(2027, 3, 17), date(2027, 3, 20)
R5 = date(2027, 3, 24)


@pytest.fixture
def place(database_url: str) -> Iterator[Town]:
    def work(session: Session) -> None:
        world.open_work(session, leads=(A,), partners=())

    with town(database_url, work=work) as made:
        yield made


def file_result(place: Town, day: date) -> None:
    papers = (Paper(code="12/BC-UBND", issued_on=date(2027, 3, 15), title="Báo cáo"),)
    asked = ActRequest(result=Result(text="Đã phân công công chức", papers=papers))
    with place.changing() as session:
        act(session, world.link(A, day), place.row().id, Action.SUBMIT, asked)


def test_a_receipt_goes_at_once_on_a_day_off_to_whoever_filed(place: Town) -> None:
    """Rules 5, 20."""
    file_result(place, SATURDAY)
    mail = ScriptedMail()
    place.send(SATURDAY, mail)
    assert mail.addresses == ["xa_van_ninh@co-quan.test"]
    text = text_of(mail.taken[0][1])
    assert "12/BC-UBND ngày 15/3/2027" in text
    assert "Đã phân công công chức" in text


def test_a_decision_on_an_extension_goes_at_once_with_the_new_date(place: Town) -> None:
    """Rules 23, 27: on a working day, with a calendar file."""
    with place.changing() as session:
        request = ask_extension(
            session,
            world.agency(A, WEDNESDAY),
            place.row().id,
            until=date(2027, 4, 15),
            reason="Chờ hướng dẫn",
        ).request
        yes = Decision(grant=True, reason="Lý do chính đáng")
        decide_extension(session, world.coordinator(WEDNESDAY), request, yes)
    off = ScriptedMail()
    place.send(SATURDAY, off)
    assert off.taken == []
    mail = ScriptedMail()
    place.send(WEDNESDAY, mail)
    message = dict(mail.taken)[focal(A)]
    assert "Hạn mới: hết ngày 15/4/2027" in text_of(message)
    calendars = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
    assert f"SEQUENCE:{place.row().version}" in str(calendars[0].get_content())


def test_a_return_that_was_answered_before_it_went_is_dropped(place: Town) -> None:
    """Rule 29."""
    file_result(place, WEDNESDAY)
    place.send(WEDNESDAY)
    with place.changing() as session:
        reason = ActRequest(reason="Thiếu danh sách")
        act(session, world.coordinator(SATURDAY), place.row().id, Action.RETURN, reason)
    file_result(place, SATURDAY)
    mail = ScriptedMail()
    place.send(date(2027, 3, 22), mail)
    assert not [one for one in mail.taken if "Đề nghị bổ sung" in one[1]["Subject"]]


def test_a_confirmation_rides_on_monday(place: Town) -> None:
    """Rule 27."""
    file_result(place, WEDNESDAY)
    with place.changing() as session:
        act(session, world.coordinator(WEDNESDAY), place.row().id, Action.CONFIRM)
    place.send(WEDNESDAY)
    mail = ScriptedMail()
    assert place.run(date(2027, 3, 22), mail) == [focal(A)]
    assert "Đã xác nhận hoàn thành: I.1" in mail.taken[0][1]["Subject"]


def test_a_delivery_over_a_real_socket(place: Town, tmp_path: Path) -> None:
    """Rule 33: one login for the run, each letter in the mailbox of its address."""
    place.sweep(R5)
    with LocalMailbox(tmp_path / "mail") as local:
        settings = SmtpSettings(
            host=local.host,
            port=local.port,
            security=Security.NONE,
            timeout_seconds=10,
            helo_name="localhost",
        )
        session = MailSession(settings)
        office = PostOffice(
            database=place.database,
            open_mail=lambda: session,
            clock=FixedClock(world.at(R5)),
            sender=SENDER,
            secret=SECRET,
            real_server=False,
        )
        assert deliver(office, as_of=R5).sent == 2
        assert session.logins == 1
    heads = list_messages(tmp_path / "mail")
    assert {head.to for head in heads} == {mailbox(A), focal(A)}
    letter = read_message(tmp_path / "mail", heads[0].id)
    assert "Ủy ban nhân dân" in letter.text or "Xã Vạn Ninh" in letter.text


def test_a_server_that_is_away_leaves_the_letters_queued(place: Town, tmp_path: Path) -> None:
    """Rule 33."""
    place.sweep(R5)
    with LocalMailbox(tmp_path) as local:
        port = local.port
    settings = SmtpSettings(
        host="127.0.0.1",
        port=port,
        security=Security.NONE,
        timeout_seconds=5,
        helo_name="localhost",
    )
    office = PostOffice(
        database=place.database,
        open_mail=lambda: MailSession(settings),
        clock=FixedClock(world.at(R5)),
        sender=SENDER,
        secret=SECRET,
        real_server=False,
    )
    result = deliver(office, as_of=R5)
    assert result.trouble is not None
    assert set(place.states().values()) == {"queued"}
    assert place.send(R5).sent == 2
