"""After a restore no letter goes by itself that may have gone before it (rules 28, 33)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.tables import AgencyRow, Assignment, Letter, LetterState
from operations.backups import record_restored
from operations.doctor import Check, Level, Surroundings, examine
from operations.errors import Refused
from operations.notices import add_notice
from operations.outbox import HeldReason, LetterKind, release_held
from operations.resending import resend
from operations.restored import CLOSED, HeldBack, close_held, hold_waiting
from operations.summary import queue_monday_summary
from rules.digest import NoticeKind
from simulator import promises_of_letters
from tests import world
from tests.builders import ScriptedMail, Town, focal, mailbox, text_of, town
from tests.world import COORDINATOR, A, B

R5 = date(2027, 3, 24)
"""A Wednesday: the rung five working days before the due date."""
R1 = date(2027, 3, 30)
EVERYBODY = {mailbox(A), focal(A), mailbox(B), focal(B)}


def two_leads(session: Session) -> None:
    world.open_work(session, partners=())


@pytest.fixture
def place(database_url: str) -> Iterator[Town]:
    with town(database_url, work=two_leads) as found:
        yield found
        check_letters(found)


def check_letters(place: Town) -> None:
    """States are legal, no letter went twice, and what counts as said is in a letter that says it."""
    with place.database.read() as session:
        broken = [
            *promises_of_letters.letters_stand_in_legal_states(session),
            *promises_of_letters.no_letter_sent_twice(session),
            *promises_of_letters.one_digest_a_mailbox_a_day(session),
            *promises_of_letters.reminders_point_to_a_letter(session),
        ]
    assert broken == []


def restore(place: Town, *, made: date, day: date) -> HeldBack:
    """What a restore writes: a backup of ``made``, put back on ``day``."""
    stamp = world.admin(day)
    with place.changing() as session:
        record_restored(
            session,
            stamp,
            name="tiendo.tar.gz",
            made_at=world.at(made, 1),
            revision="0018",
            rows=1,
            events=1,
            files=0,
        )
        return hold_waiting(session, stamp)


def held(place: Town, reason: HeldReason = HeldReason.RESTORED) -> set[str]:
    return {one.mailbox for one in place.letters() if one.held_reason == reason}


def told(place: Town, day: date, level: Level) -> str:
    around = Surroundings(as_of=day, real_mail_server=False)
    with place.database.read() as session:
        found = [one for one in examine(session, around) if one.check is Check.LETTERS]
    return " ".join(f"{one.text}: {one.remedy}" for one in found if one.level is level)


def test_reminders_that_came_due_in_the_gap_wait_for_a_person(place: Town) -> None:
    """Rules 28, 33: a backup of the night, a restore in the afternoon; the morning's letters went."""
    restore(place, made=R5, day=R5)
    mail = ScriptedMail()
    place.sweep(R5)
    place.send(R5, mail)
    assert held(place) == EVERYBODY
    assert mail.addresses == [mailbox(COORDINATOR)]
    assert "tạm giữ sau khi khôi phục" in text_of(mail.taken[0][1])
    assert "4 thư tạm giữ sau khi khôi phục" in told(place, R5, Level.WRONG)
    assert "tiendo release --restored" in told(place, R5, Level.WRONG)


def test_what_is_released_goes_once(place: Town) -> None:
    restore(place, made=R5, day=R5)
    place.sweep(R5)
    with place.changing() as session:
        assert release_held(session, world.coordinator(R5)) == 0
        given = release_held(session, world.coordinator(R5), reason=HeldReason.RESTORED)
    assert given == 4
    mail = ScriptedMail()
    place.send(R5, mail)
    assert set(mail.addresses) >= EVERYBODY
    assert place.run(R5 + timedelta(days=1)) == []
    assert told(place, R5, Level.WRONG) == ""


def test_what_is_closed_never_goes_and_the_next_rung_covers_it(place: Town) -> None:
    """Rule 33: it stands as unknown, and a person may still send it again."""
    restore(place, made=R5, day=R5)
    place.sweep(R5)
    with place.changing() as session:
        assert close_held(session, world.coordinator(R5)) == 4
    digests = place.letters(R5, LetterKind.DIGEST)
    assert {one.state for one in digests} == {LetterState.UNKNOWN}
    assert {one.answer for one in digests} == {CLOSED}
    place.send(R5)
    assert place.run(R5 + timedelta(days=1)) == []
    assert set(place.run(R1)) == EVERYBODY
    assert {rung for *_, rung in place.rungs(sent_only=True)} == {-1}


def test_a_closed_letter_goes_when_a_person_sends_it_again(place: Town) -> None:
    restore(place, made=R5, day=R5)
    place.sweep(R5)
    with place.changing() as session:
        close_held(session, world.coordinator(R5))
        number = session.scalars(select(Letter.id).where(Letter.mailbox == mailbox(A))).one()
        resend(session, world.coordinator(R5), number, address=mailbox(A))
    mail = ScriptedMail()
    place.send(R5, mail)
    assert mailbox(A) in mail.addresses
    assert mailbox(B) not in mail.addresses


def test_what_nobody_decides_waits_again_the_next_day(place: Town) -> None:
    """Rule 29: superseded, owed again, and held again."""
    restore(place, made=R5, day=R5)
    place.sweep(R5)
    result = place.sweep(R5 + timedelta(days=1))
    assert (result.superseded, result.held) == (4, 4)
    assert held(place) == EVERYBODY


def test_a_rung_of_a_day_after_the_restore_goes_by_itself(place: Town) -> None:
    restore(place, made=R5 - timedelta(days=2), day=R5 - timedelta(days=1))
    assert held(place) == set()
    place.sweep(R5 - timedelta(days=1))
    with place.changing() as session:  # the rung before, of the tenth of March
        close_held(session, world.coordinator(R5 - timedelta(days=1)))
    assert set(place.run(R5)) - {mailbox(COORDINATOR)} == EVERYBODY


def test_a_letter_with_new_lines_is_closed_only_for_the_old_ones(database_url: str) -> None:
    """Rule 28: what cannot have gone is owed again, in the next day's letter."""

    def two_items(session: Session) -> None:
        world.open_work(session, "I.1", leads=(A,), partners=())
        world.open_work(session, "II.3", leads=(A,), partners=(), due_on=date(2027, 4, 7))

    day = date(2027, 3, 17)
    with town(database_url, work=two_items) as place:
        restore(place, made=day - timedelta(days=2), day=day - timedelta(days=1))
        place.sweep(day)  # the first is owed since the tenth, the second from today on
        assert held(place) == {mailbox(A), focal(A)}
        assert len({work for *_, work, _ in place.rungs()}) == 2
        with place.changing() as session:
            assert close_held(session, world.coordinator(day)) == 2
        later = set(place.run(day + timedelta(days=1)))
        assert later - {mailbox(COORDINATOR)} == {mailbox(A), focal(A)}
        sent = {work for *_, work, _ in place.rungs(sent_only=True)}
        with place.database.read() as session:
            second = session.scalars(
                select(Assignment.id).where(Assignment.due_on == date(2027, 4, 7))
            ).one()
        assert sent == {second}
        check_letters(place)


def test_letters_that_waited_at_the_backup_are_held(place: Town) -> None:
    """Rule 33: what was on its way is unknown; what a pilot holds needs a person anyhow."""
    place.sweep(R5)
    states = [LetterState.QUEUED, LetterState.RETRYING, LetterState.CLAIMED, LetterState.SENDING]
    ids = [one.id for one in place.letters(R5, LetterKind.DIGEST)]
    with place.changing() as session:
        for number, state in zip(ids, states, strict=True):
            session.execute(
                update(Letter)
                .where(Letter.id == number)
                .values(
                    state=state.value,
                    claimed_by="may-cu:1:1",
                    message_id=f"<{number}@may>",
                    next_attempt_at=world.at(R5),
                    sending_at=world.at(R5) if state is LetterState.SENDING else None,
                )
            )
    assert restore(place, made=R5, day=R5) == HeldBack(held=3, unknown=1)
    mail = ScriptedMail()
    place.send(R5, mail)
    assert mail.addresses == []
    now = [one.state for one in place.letters(R5, LetterKind.DIGEST)]
    assert now == [LetterState.HELD] * 3 + [LetterState.UNKNOWN]


def test_what_a_pilot_holds_stays_held_for_the_pilot(place: Town) -> None:
    """Rule 19."""
    with place.changing() as session:
        session.get_one(AgencyRow, A).pilot = True
    restore(place, made=R5, day=R5)
    place.sweep(R5)
    assert held(place, HeldReason.PILOT) == {mailbox(B), focal(B)}
    assert held(place) == {mailbox(A), focal(A)}
    with place.changing() as session:
        release_held(session, world.coordinator(R5), reason=HeldReason.RESTORED)
    assert held(place, HeldReason.PILOT) == {mailbox(B), focal(B)}


def test_a_gap_without_a_working_day_holds_nothing(place: Town) -> None:
    """Rule 5: nothing is sent on a day off, so nothing can have gone."""
    saturday = date(2027, 3, 20)
    restore(place, made=saturday, day=saturday + timedelta(days=1))
    assert set(place.run(date(2027, 3, 22))) == EVERYBODY


def say(place: Town, when: datetime, day: date) -> None:
    with place.changing() as session:
        stamp = world.flow(day)
        add_notice(
            session,
            type(stamp)(at=when, as_of=day, actor=stamp.actor),
            kind=NoticeKind.RETURNED,
            assignment=place.row(A),
            payload={"reason": "Thiếu số văn bản", "respond_by": day + timedelta(days=7)},
        )


def test_what_was_said_at_once_before_the_restore_waits_and_what_is_said_after_it_goes(
    place: Town,
) -> None:
    """Rule 27."""
    day = date(2027, 3, 2)
    say(place, world.at(day, 1), day)
    restore(place, made=day, day=day)
    say(place, world.at(day, 3), day)
    mail = ScriptedMail()
    place.send(day, mail)
    assert mail.addresses == [mailbox(A), mailbox(COORDINATOR)]
    assert held(place) == {mailbox(A)}


def test_the_summary_of_a_monday_in_the_gap_waits(place: Town) -> None:
    """Rules 27, 30."""
    monday = date(2027, 3, 22)
    restore(place, made=monday, day=monday + timedelta(days=1))
    with place.changing() as session:
        assert queue_monday_summary(session, world.flow(monday + timedelta(days=1))) == 1
    assert held(place) == {mailbox(COORDINATOR)}
    with place.changing() as session:
        assert queue_monday_summary(session, world.flow(monday + timedelta(days=7))) == 1
    assert [one.state for one in place.letters(kind=LetterKind.MONDAY)] == [
        LetterState.HELD,
        LetterState.QUEUED,
    ]


def test_only_what_a_restore_holds_can_be_closed(place: Town) -> None:
    place.sweep(R5)
    number = place.letters(R5)[0].id
    with place.changing() as session, pytest.raises(Refused, match="sau khi khôi phục"):
        close_held(session, world.coordinator(R5), letter_ids=[number])
