"""Delivery by a scripted server (rules 5, 29, 33, 34)."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models.tables import ContactKind, Letter, LetterState, LinkToken, Mailbox
from notifications.answers import (
    NotConnected,
    Outcome,
    PermanentFailure,
    Phase,
    Sent,
    SessionRefused,
    TemporaryFailure,
    Unknown,
)
from notifications.formats import LINK_PLACEHOLDER
from operations.claiming import Desk, Drafts, draft, settle, take
from operations.contacts import ContactInput, set_contact
from operations.day_effects import DayOrder
from operations.days import change_days
from operations.delivery import begin_sending, recover
from operations.links import LINK_PATH, LinkPurpose, check
from operations.outbox import LetterKind, queue_operator_notice
from operations.outcomes import record_outcome
from rules.digest import Recipient
from rules.values import Audience
from runtime.clock import FixedClock
from runtime.delivery import deliver, is_alive, owner_id
from tests import world
from tests.builders import (
    SECRET,
    SENDER,
    ScriptedMail,
    Town,
    claimed,
    focal,
    mailbox,
    text_of,
    town,
)
from tests.world import A

R5 = date(2027, 3, 24)
DEAD = "nowhere:1:1"
DESK = Desk(owner=DEAD, sender=SENDER, secret=SECRET, real_server=False)


@pytest.fixture
def place(database_url: str) -> Iterator[Town]:
    def work(session: Session) -> None:
        world.open_work(session, leads=(A,), partners=())

    with town(database_url, work=work) as made:
        made.sweep(R5)
        yield made


def dead(_owner: str) -> bool:
    return False


@pytest.mark.parametrize(
    ("answer", "early", "state"),
    [
        (Sent(code=250, answer="OK"), False, LetterState.SENT),
        (TemporaryFailure(code=451, answer="later"), False, LetterState.RETRYING),
        (PermanentFailure(code=550, answer="no such user"), True, LetterState.UNDELIVERABLE),
        (PermanentFailure(code=554, answer="spam"), False, LetterState.UNDELIVERABLE),
        (Unknown(error="connection lost"), False, LetterState.UNKNOWN),
        (NotConnected(error="refused"), True, LetterState.QUEUED),
        (SessionRefused(code=535, answer="bad login", phase=Phase.LOGIN), True, LetterState.QUEUED),
    ],
)
def test_each_answer_of_the_server_has_its_state(
    place: Town, answer: Outcome, early: bool, state: LetterState
) -> None:
    """Rule 33."""
    mail = ScriptedMail({mailbox(A): answer}, early=frozenset({mailbox(A)} if early else ()))
    place.send(R5, mail)
    assert place.states()[mailbox(A)] == state


def test_a_failed_session_leaves_every_letter_queued(place: Town) -> None:
    """Rule 33."""
    down = NotConnected(error="connection refused")
    mail = ScriptedMail({mailbox(A): down, focal(A): down}, early=frozenset({mailbox(A), focal(A)}))
    result = place.send(R5, mail)
    assert result.trouble == "connection refused"
    assert set(place.states().values()) == {LetterState.QUEUED}
    assert place.send(R5).sent == 2


def test_a_refused_address_is_work_for_people_until_it_is_mended(place: Town) -> None:
    """Rules 30, 33, 36: the next letter falls back; entering the address again mends it."""
    gone = PermanentFailure(code=550, answer="no such user")
    place.send(R5, ScriptedMail({focal(A): gone}, early=frozenset({focal(A)})))
    with place.changing() as session:
        box = session.get_one(Mailbox, focal(A))
        assert (box.state, box.answer) == ("undeliverable", "550 no such user")
    assert place.run(date(2027, 3, 30)) == [mailbox(A)]
    with place.changing() as session:
        again = ContactInput(
            agency_key=A, kind=ContactKind.FOCAL, name="Người nhận", email=focal(A)
        )
        set_contact(session, world.coordinator(), again)
    assert place.run(date(2027, 4, 2)) == [mailbox(A), focal(A)]


def test_a_refused_content_says_nothing_about_the_address(place: Town) -> None:
    """Rule 33."""
    place.send(R5, ScriptedMail({focal(A): PermanentFailure(code=554, answer="spam")}))
    with place.changing() as session:
        assert session.get(Mailbox, focal(A)) is None


def test_a_temporary_failure_is_tried_again_after_its_time(place: Town) -> None:
    """Rule 33: five minutes first."""
    place.send(R5, ScriptedMail({focal(A): TemporaryFailure(code=451, answer="later")}))
    assert place.send(R5).sent == 0
    office = place.office(R5, ScriptedMail())
    office.clock.instant = world.at(R5) + timedelta(minutes=6)  # type: ignore[attr-defined]
    assert deliver(office, as_of=R5).sent == 1


def test_a_claim_without_an_owner_is_queued_again(place: Town) -> None:
    """Rule 33: it died between the claim and the sending."""
    with place.changing() as session:
        assert len(claimed(session, world.flow(R5), DESK, limit=10)) == 2
    result = place.send(R5)
    assert (result.sent, result.requeued) == (0, 0)  # of another machine nothing is known yet
    with place.changing() as session:
        assert recover(session, world.flow(R5), alive=dead) == (2, 0)
    assert place.send(R5).sent == 2


def test_a_letter_that_died_while_sending_is_unknown_and_never_resent(place: Town) -> None:
    """Rule 33: the next rung covers it."""
    with place.changing() as session:
        ready = claimed(session, world.flow(R5), DESK, limit=1)[0]
    with place.changing() as session:
        assert begin_sending(session, world.flow(R5), ready.letter_id, owner=DEAD)
    with place.changing() as session:
        assert recover(session, world.flow(R5), alive=dead) == (0, 1)
    mail = ScriptedMail()
    place.send(R5, mail)
    assert mail.addresses == [focal(A)]
    assert place.states()[mailbox(A)] == LetterState.UNKNOWN
    assert place.run(R5 + timedelta(days=1)) == []
    assert place.run(date(2027, 3, 30)) == [mailbox(A), focal(A)]


def test_a_crash_of_the_sender_itself_leaves_one_unknown_and_the_rest_queued(place: Town) -> None:
    """Rule 33."""
    with pytest.raises(RuntimeError):
        place.send(R5, ScriptedMail({mailbox(A): RuntimeError("power cut")}))
    assert place.states() == {mailbox(A): LetterState.UNKNOWN, focal(A): LetterState.QUEUED}


def test_a_late_answer_still_turns_unknown_into_sent(place: Town) -> None:
    """Rule 33."""
    with place.changing() as session:
        ready = claimed(session, world.flow(R5), DESK, limit=1)[0]
        begin_sending(session, world.flow(R5), ready.letter_id, owner=DEAD)
    with place.changing() as session:
        recover(session, world.flow(R5), alive=dead)
    with place.changing() as session:
        answer = Sent(code=250, answer="OK")
        state = record_outcome(session, world.flow(R5), ready.letter_id, answer, owner=DEAD)
    assert state is LetterState.SENT


def test_a_letter_that_was_superseded_meanwhile_is_not_sent(place: Town) -> None:
    """Rules 29, 33: the day changed between the claim and DATA."""
    mail = ScriptedMail()

    def midnight(_to: str) -> None:
        raise AssertionError("must not be sent")

    mail.on_data = midnight
    with place.changing() as session:
        ready = claimed(session, world.flow(R5), DESK, limit=10)
    place.sweep(R5 + timedelta(days=1))
    for one in ready:
        with place.changing() as session:
            assert not begin_sending(session, world.flow(R5), one.letter_id, owner=DEAD)


def test_a_letter_that_was_superseded_while_it_was_rendered_is_left_alone(place: Town) -> None:
    """Rules 28, 29: its rungs are owed again, and nothing of it is written."""
    flow = world.flow(R5)
    with place.changing() as session:
        taken = take(session, flow, DESK, limit=10)
    with place.database.read() as session:
        drafts = draft(session, flow, DESK, taken)
    place.sweep(R5 + timedelta(days=1))
    with place.changing() as session:
        assert settle(session, flow, DESK, taken, drafts).ready == []
    gone = place.letters(R5)
    assert {(one.state, one.body_text) for one in gone} == {(LetterState.SUPERSEDED, None)}


def test_people_write_while_letters_are_rendered(
    place: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule 29: rendering holds up nobody; what changes meanwhile is of the next letter."""
    written: list[str] = []

    def rendering(*given: Any) -> Drafts:
        with place.changing() as session:  # on SQLite this waits for any other writer
            other = ContactInput(
                agency_key=A, kind=ContactKind.MAILBOX, name="", email="khac@xa.test"
            )
            set_contact(session, world.coordinator(), other)
        written.append("khac@xa.test")
        return draft(*given)

    monkeypatch.setattr("runtime.claiming.draft", rendering)
    assert place.send(R5).sent == 2
    assert written


def test_letters_whose_rendering_fails_altogether_are_queued_again(
    place: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule 33: what is claimed and not sent has an owner who lives, or none."""

    def broken(*_given: Any) -> Drafts:
        raise OSError("no more files can be opened")

    with monkeypatch.context() as patch:
        patch.setattr("runtime.claiming.draft", broken)
        with pytest.raises(OSError, match="no more files"):
            place.send(R5)
    assert set(place.states().values()) == {LetterState.QUEUED}
    assert place.send(R5).sent == 2


def test_two_deliveries_at_once_send_each_letter_once(database_url: str) -> None:
    """Rule 33."""

    def work(session: Session) -> None:
        world.open_work(session, partners=())

    with town(database_url, work=work) as place:
        place.sweep(R5)
        posts = [ScriptedMail(), ScriptedMail()]
        start = threading.Barrier(2)

        def go(post: ScriptedMail) -> None:
            start.wait()
            deliver(place.office(R5, post), as_of=R5, batch=1)

        threads = [threading.Thread(target=go, args=(post,)) for post in posts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        sent = posts[0].addresses + posts[1].addresses
        assert len(sent) == len(set(sent)) == 4


def test_the_stored_letter_holds_a_placeholder_and_the_sent_one_a_live_link(place: Town) -> None:
    """Rule 34."""
    mail = ScriptedMail()
    place.send(R5, mail)
    text = text_of(dict(mail.taken)[mailbox(A)])
    assert LINK_PLACEHOLDER not in text
    token = text.partition(LINK_PATH)[2].split()[0]
    stored = next(one for one in place.letters() if one.mailbox == mailbox(A))
    assert LINK_PLACEHOLDER in (stored.body_text or "")
    assert token not in f"{stored.body_text}{stored.body_html}"
    with place.changing() as session:
        found = check(session, token, LinkPurpose.WORK, world.at(R5), secret=SECRET)
        assert (found.mailbox, found.agency_key, found.letter_id) == (mailbox(A), A, stored.id)


def test_a_letter_that_is_tried_again_keeps_its_link(place: Town) -> None:
    """Rules 33, 34."""
    place.send(R5, ScriptedMail({focal(A): TemporaryFailure(code=451, answer="later")}))
    with place.changing() as session:
        session.execute(
            update(Letter).where(Letter.state == "retrying").values(next_attempt_at=world.at(R5))
        )
    place.send(R5)
    with place.changing() as session:
        assert session.scalar(select(func.count()).select_from(LinkToken)) == 2


def test_the_message_id_follows_from_the_key(place: Town) -> None:
    """Rule 33: a letter that is offered twice has the same one."""
    mail = ScriptedMail()
    place.send(R5, mail)
    stored = {one.mailbox: one.message_id for one in place.letters()}
    assert {to: message["Message-ID"] for to, message in mail.taken} == stored


def test_sample_addresses_do_not_leave_by_a_real_server(place: Town) -> None:
    """Rule 33: "cần hộp thư thật", and no fault of the server."""
    mail = ScriptedMail()
    result = place.send(R5, mail, real_server=True)
    assert (result.undeliverable, mail.taken) == (2, [])
    assert "Cần hộp thư thật" in (place.letters()[0].answer or "")
    with place.changing() as session:
        assert session.scalar(select(func.count()).select_from(Mailbox)) == 0


def test_a_letter_that_cannot_be_composed_does_not_stop_the_others(place: Town) -> None:
    """Rule 33."""
    with place.changing() as session:
        session.execute(
            update(Letter).where(Letter.mailbox == focal(A)).values(payload='{"audience": "?"}')
        )
    result = place.send(R5)
    assert (result.sent, result.undeliverable) == (1, 1)


def test_a_limit_is_kept(place: Town) -> None:
    office = place.office(R5, ScriptedMail())
    assert deliver(office, as_of=R5, limit=1).sent == 1
    assert deliver(office, as_of=R5).sent == 1


@pytest.mark.parametrize("under_way", [False, True])
def test_a_delivery_ends_with_its_day(place: Town, *, under_way: bool) -> None:
    """Rules 5, 30: what is left at midnight waits, for the next day may be a day off."""
    mail = ScriptedMail()
    office = place.office(R5, mail)
    clock = office.clock
    assert isinstance(clock, FixedClock)

    def hold_up(_to: str = "") -> None:
        clock.instant += timedelta(hours=20)

    def open_late() -> ScriptedMail:
        hold_up()
        return mail

    if under_way:
        mail.on_data = hold_up
    else:
        office = replace(office, open_mail=open_late)
    result = deliver(office, as_of=R5)
    assert (result.sent, len(mail.taken)) == (int(under_way), int(under_way))
    left = [state for state in place.states(R5).values() if state != LetterState.SENT]
    assert left == [LetterState.QUEUED] * (2 - under_way)


def test_no_letter_begins_its_way_once_its_day_is_declared_off(place: Town) -> None:
    """Rules 3, 5: the one at the server goes on, and so does what goes on any day; the rest waits."""
    mail = ScriptedMail()
    with place.changing() as session:
        to = Recipient(address="van-hanh@tinh.example", agency=A, audience=Audience.FOCAL)
        queue_operator_notice(
            session, world.flow(R5), key="x", recipient=to, title="Thử", summary="Thử"
        )

    def declare_off(_to: str) -> None:
        mail.on_data = None
        with place.changing() as session:
            change_days(
                session,
                world.coordinator(R5),
                [DayOrder(day=R5, working=False)],
                name="Nghỉ bão",
                document="12/TB-BNV",
            )

    mail.on_data = declare_off
    assert place.send(R5, mail).sent == 2
    assert [one.state for one in place.letters(R5, LetterKind.OPERATOR)] == [LetterState.SENT]
    assert place.send(R5, mail).sent == 0
    waiting = [key for key, state in place.states(R5).items() if state == LetterState.QUEUED]
    assert len(waiting) == 1
    tomorrow = R5 + timedelta(days=1)
    place.sweep(tomorrow)
    assert place.send(tomorrow, mail).sent >= 1
    assert place.states(R5)[waiting[0]] == LetterState.SUPERSEDED


def test_every_end_of_a_letter_is_history(place: Town) -> None:
    """Rule 37: and nothing of its body."""
    gone = PermanentFailure(code=550, answer="no such user")
    place.send(R5, ScriptedMail({focal(A): gone}, early=frozenset({focal(A)})))
    with place.changing() as session:
        events = world.events(session, "letter")
    assert [event.action for event in events] == ["sent", "undeliverable"]
    assert all("body" not in event.snapshot for event in events)


def test_this_process_is_alive_and_another_start_of_its_number_is_not() -> None:
    """Rule 33."""
    owner = owner_id()
    assert is_alive(owner) is True
    assert is_alive(owner.rpartition(":")[0] + ":0") is False
    assert is_alive(DEAD) is None
    assert is_alive("") is False
