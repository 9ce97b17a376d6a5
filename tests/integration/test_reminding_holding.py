"""Letters that are kept back, and the coordinator's own letters (rules 19, 30, 32)."""

from datetime import date, timedelta

import pytest
from sqlalchemy.orm import Session

from models.tables import AgencyRow, LetterState, Mailbox
from operations.errors import Refused
from operations.outbox import HeldReason, LetterKind, release_held
from operations.summary import queue_monday_summary
from rules.values import Policies
from tests import world
from tests.builders import ScriptedMail, focal, mailbox, text_of, town
from tests.world import COORDINATOR, A, B

R5 = date(2027, 3, 24)
MONDAY = date(2027, 4, 19)


def two_leads(session: Session) -> None:
    world.open_work(session, partners=())


def test_a_run_above_the_cap_holds_its_letters_and_tells_the_coordinator(
    database_url: str,
) -> None:
    """Rule 32."""
    plan = world.plan(Policies(blast_factor=0.2))
    with town(database_url, plan=plan, work=two_leads) as place:
        result = place.sweep(R5)
        assert (result.letters, result.held) == (4, 4)
        mail = ScriptedMail()
        place.send(R5, mail)
        assert mail.addresses == [mailbox(COORDINATOR)]
        assert "Số thư tạm giữ: 4" in text_of(mail.taken[0][1])
        place.sweep(R5)
        assert len(place.letters(kind=LetterKind.OPERATOR)) == 1


def test_held_letters_go_when_they_are_released(database_url: str) -> None:
    """Rule 32."""
    plan = world.plan(Policies(blast_factor=0.2))
    with town(database_url, plan=plan, work=two_leads) as place:
        place.sweep(R5)
        with place.changing() as session:
            assert release_held(session, world.coordinator(R5)) == 4
        mail = ScriptedMail()
        place.send(R5, mail)
        assert set(mail.addresses) >= {mailbox(A), focal(A), mailbox(B), focal(B)}


def test_held_letters_that_nobody_released_are_owed_again_the_next_day(
    database_url: str,
) -> None:
    """Rules 29, 32."""
    plan = world.plan(Policies(blast_factor=0.2))
    with town(database_url, plan=plan, work=two_leads) as place:
        place.sweep(R5)
        result = place.sweep(R5 + timedelta(days=1))
        assert (result.superseded, result.letters, result.held) == (4, 4, 4)
        late = [one.id for one in place.letters(R5, LetterKind.DIGEST)]
        with place.changing() as session, pytest.raises(Refused):
            release_held(session, world.coordinator(R5), letter_ids=late)


def test_within_the_cap_nothing_is_held(database_url: str) -> None:
    """Rule 32: the default lets every mailbox have its digest."""
    with town(database_url, work=two_leads) as place:
        assert place.sweep(R5).held == 0


@pytest.mark.parametrize("summary_first", [True, False])
def test_the_summary_of_the_week_takes_no_room_under_the_cap(
    database_url: str, *, summary_first: bool
) -> None:
    """Rule 32: it is never held, and what is held does not depend on which run came first."""
    monday = date(2027, 3, 29)
    plan = world.plan(Policies(blast_factor=0.5))  # of nine mailboxes: four letters a day
    at = (COORDINATOR, A, B)
    with town(database_url, plan=plan, work=two_leads, contacts=at) as place:

        def summarise() -> None:
            with place.changing() as session:
                assert queue_monday_summary(session, world.flow(monday)) == 1

        if summary_first:
            summarise()
        result = place.sweep(monday)
        if not summary_first:
            summarise()
        assert (result.letters, result.held) == (4, 0)
        mail = ScriptedMail()
        place.send(monday, mail)
        assert len(mail.addresses) == 5


def test_while_somebody_is_a_pilot_letters_to_all_others_are_held(database_url: str) -> None:
    """Rule 19."""
    with town(database_url, work=two_leads) as place:
        with place.changing() as session:
            session.get_one(AgencyRow, A).pilot = True
        mail = ScriptedMail()
        assert place.run(R5, mail) == [mailbox(A), focal(A)]
        held = {one.mailbox: one.held_reason for one in place.letters() if one.held_reason}
        assert held == {mailbox(B): HeldReason.PILOT, focal(B): HeldReason.PILOT}


def test_when_the_pilot_ends_the_latest_rung_goes_to_everybody(database_url: str) -> None:
    """Rules 19, 28."""
    with town(database_url, work=two_leads) as place:
        with place.changing() as session:
            session.get_one(AgencyRow, A).pilot = True
        place.run(date(2027, 3, 10))
        place.run(R5)
        with place.changing() as session:
            session.get_one(AgencyRow, A).pilot = False
        assert place.run(date(2027, 3, 25)) == [mailbox(B), focal(B)]
        assert {rung for *_, box, _, rung in place.rungs(sent_only=True) if box == mailbox(B)} == {
            -5
        }


def test_the_coordinator_has_one_summary_on_monday(database_url: str) -> None:
    """Rules 27, 30: the four cells, what is overdue, who cannot be reached."""
    with town(database_url, work=two_leads, contacts=(COORDINATOR, A)) as place:
        for _ in range(2):
            with place.changing() as session:
                queue_monday_summary(session, world.flow(MONDAY))
        with place.changing() as session:
            session.add(
                Mailbox(
                    address="cu@co-quan.test",
                    state="undeliverable",
                    answer="550 No such user",
                    updated_at=world.at(MONDAY),
                )
            )
        mail = ScriptedMail()
        place.send(MONDAY, mail)
        assert mail.addresses == [mailbox(COORDINATOR)]
        text = text_of(mail.taken[0][1])
        assert "Chưa hoàn thành, quá hạn: 2" in text
        assert "Cơ quan chưa có hộp thư hoặc đầu mối: 2" in text
        assert "cu@co-quan.test" in text


def test_a_missed_monday_summary_goes_on_tuesday_and_not_again_that_week(
    database_url: str,
) -> None:
    """Rule 30, level-triggered."""
    with town(database_url, work=two_leads) as place:
        queued = []
        for ahead in (1, 2, 5, 7):
            with place.changing() as session:
                queued.append(
                    queue_monday_summary(session, world.flow(MONDAY + timedelta(days=ahead)))
                )
        assert queued == [1, 0, 0, 1]


def test_work_whose_ladder_has_ended_needs_an_official_letter(database_url: str) -> None:
    """Rule 27."""
    with town(database_url, work=two_leads) as place:
        place.run(date(2027, 5, 12))
        monday = date(2027, 5, 17)
        with place.changing() as session:
            queue_monday_summary(session, world.flow(monday))
        mail = ScriptedMail()
        place.send(monday, mail)
        assert "Cần văn bản đôn đốc: 2" in text_of(mail.taken[0][1])


def test_holding_is_history(database_url: str) -> None:
    """Rule 37."""
    plan = world.plan(Policies(blast_factor=0.2))
    with town(database_url, plan=plan, work=two_leads) as place:
        place.sweep(R5)
        with place.changing() as session:
            release_held(session, world.coordinator(R5))
        with place.changing() as session:
            said = [event.action for event in world.events(session, "letter")]
        assert said == ["hold"] * 4 + ["release"] * 4
        assert {one.state for one in place.letters(kind=LetterKind.DIGEST)} == {LetterState.QUEUED}
