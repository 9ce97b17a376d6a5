"""The sweep of reminders, end to end (rules 5, 17, 22, 27-30)."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from models.tables import Letter, LetterState, Notice
from operations.act import ActRequest, act
from operations.notices import add_notice, add_opening_notices
from operations.outbox import LetterKind
from operations.reminding import remind
from operations.results import Paper, Result
from rules.digest import NoticeKind
from rules.lifecycle import Action
from rules.values import Audience, DateAuthority, Ladder, Role, Rung, TrackingMode
from tests import world
from tests.builders import ScriptedMail, Town, focal, mailbox, text_of, town
from tests.world import COORDINATOR, DUE, A, B

R15, R5, R1 = date(2027, 3, 10), date(2027, 3, 24), date(2027, 3, 30)
O2, O6, O15, O30 = date(2027, 4, 2), date(2027, 4, 8), date(2027, 4, 21), date(2027, 5, 12)
SATURDAY = date(2027, 3, 27)
MONDAY = date(2027, 3, 15)


def one_lead(session: Session) -> None:
    world.open_work(session, leads=(A,), partners=())


@pytest.fixture
def place(database_url: str) -> Iterator[Town]:
    with town(database_url, work=one_lead) as made:
        yield made


def filed() -> ActRequest:
    papers = (Paper(code="12/BC-UBND", issued_on=date(2027, 3, 1)),)
    return ActRequest(result=Result(text="Đã xong", papers=papers))


def days(place: Town, address: str) -> list[tuple[date, int]]:
    return [(day, rung) for day, box, _, rung in place.rungs(sent_only=True) if box == address]


def test_overdue_work_climbs_its_whole_ladder_and_then_stands_still(place: Town) -> None:
    """Rules 27, 28: every rung on its day, once, and silence after the last."""
    day = date(2027, 3, 1)
    while day <= date(2027, 6, 30):
        place.run(day)
        day += timedelta(days=1)
    expected = [(R15, -15), (R5, -5), (R1, -1), (O2, 2), (O6, 6), (O15, 15), (O30, 30)]
    assert days(place, mailbox(A)) == expected
    assert days(place, focal(A)) == expected
    row = place.row()
    assert (row.last_rung, row.next_reminder_on) == (30, None)


def test_running_ten_times_a_day_queues_nothing_more(place: Town) -> None:
    """Rule 28."""
    assert place.sweep(R15).letters == 2
    for _ in range(9):
        assert place.sweep(R15).figures["letters"] == 0
    assert len(place.letters()) == 2


def test_after_an_outage_only_the_latest_rung_is_sent(place: Town) -> None:
    """Rule 28."""
    place.run(O6)
    assert days(place, mailbox(A)) == [(O6, 6)]


def test_nothing_is_queued_on_a_day_off(place: Town) -> None:
    """Rule 5: it is owed on the next working day."""
    result = place.sweep(SATURDAY)
    assert result.day_off
    assert not place.letters()
    assert place.run(SATURDAY + timedelta(days=2)) == [mailbox(A), focal(A)]


def test_a_business_date_that_has_passed_sends_nothing(place: Town) -> None:
    """Rule 1."""
    with place.changing() as session:
        result = remind(session, world.flow(R15), sending_allowed=False)
    assert not any(result.figures.values())
    assert not place.letters()


def test_handed_in_work_is_reminded_no_more(place: Town) -> None:
    """Rule 29."""
    with place.changing() as session:
        act(session, world.agency(A, date(2027, 3, 5)), place.row().id, Action.SUBMIT, filed())
    assert place.run(R5) == [mailbox(A)]
    assert [one.kind for one in place.letters()] == [LetterKind.RECEIPT]


def test_a_line_that_is_owed_no_more_at_the_claim_drops_the_digest(place: Town) -> None:
    """Rule 29: and the rung is owed again when the work is taken back."""
    place.sweep(R5)
    with place.changing() as session:
        act(session, world.agency(A, R5), place.row().id, Action.SUBMIT, filed())
    result = place.send(R5)
    assert result.dropped == 2
    assert place.row().last_rung is None
    with place.changing() as session:
        act(session, world.agency(A, R5), place.row().id, Action.WITHDRAW)
    assert place.run(R5 + timedelta(days=1)) == [mailbox(A), focal(A)]


def test_a_dropped_digest_takes_lines_again_on_its_day(place: Town) -> None:
    """Rule 28: still one digest a mailbox a day."""
    place.sweep(R5)
    with place.changing() as session:
        act(session, world.agency(A, R5), place.row().id, Action.SUBMIT, filed())
    place.send(R5)
    with place.changing() as session:
        act(session, world.agency(A, R5), place.row().id, Action.WITHDRAW)
    assert place.run(R5) == [mailbox(A), focal(A)]
    assert len(place.letters(R5, LetterKind.DIGEST)) == 2


def test_a_return_goes_at_once_and_moves_the_ladder_to_its_day(place: Town) -> None:
    """Rules 22, 27."""
    first = date(2027, 3, 16)
    with place.changing() as session:
        act(session, world.agency(A, first), place.row().id, Action.SUBMIT, filed())
    with place.changing() as session:
        request = ActRequest(reason="Thiếu danh sách", respond_by=date(2027, 3, 26))
        act(session, world.coordinator(first), place.row().id, Action.RETURN, request)
    mail = ScriptedMail()
    place.send(first, mail)
    told = [message["Subject"] for to, message in mail.taken if to == focal(A)]
    assert any("Đề nghị bổ sung kết quả: I.1" in subject for subject in told)
    place.run(date(2027, 3, 25))
    assert days(place, mailbox(A)) == [(date(2027, 3, 25), -1)]


def test_a_later_due_date_starts_the_ladder_anew(place: Town) -> None:
    """Rule 28: a rung belongs to a due date."""
    place.run(R5)
    with place.changing() as session:
        row = place.row()
        found = session.get_one(type(row), row.id)
        found.due_on, found.last_rung, found.next_reminder_on = date(2027, 4, 30), None, R5
    place.run(date(2027, 4, 23))
    assert days(place, mailbox(A)) == [(R5, -5), (date(2027, 4, 23), -5)]


def test_unsent_digests_are_superseded_and_their_rungs_owed_again(place: Town) -> None:
    """Rule 29: nothing is lost, and nothing comes twice."""
    place.sweep(R5)
    next_day = R5 + timedelta(days=1)
    result = place.sweep(next_day)
    assert (result.superseded, result.letters) == (2, 2)
    assert [one.state for one in place.letters(R5)] == [LetterState.SUPERSEDED] * 2
    place.send(next_day)
    assert days(place, mailbox(A)) == [(next_day, -5)]
    assert len(place.reminders()) == 2
    with place.changing() as session:
        assert len(world.events(session, "letter")) == 4


def test_the_mailbox_that_was_reached_is_not_told_again(place: Town) -> None:
    """Rules 28, 29: only the focal point's digest was left unsent."""
    place.sweep(R5)
    with place.changing() as session:
        letter = session.scalars(select(Letter).where(Letter.mailbox == mailbox(A))).one()
        letter.state = LetterState.SENT.value
    next_day = R5 + timedelta(days=1)
    assert place.run(next_day) == [focal(A)]


def test_a_digest_that_has_gone_takes_no_more_lines_that_day(database_url: str) -> None:
    """Rule 28: the rung waits for tomorrow."""
    with town(database_url, work=one_lead) as place:
        place.run(R5)
        with place.changing() as session:
            world.open_work(session, "II.3", leads=(A,), partners=())
        assert place.sweep(R5).postponed == 2
        assert place.run(R5 + timedelta(days=1)) == [mailbox(A), focal(A)]
        assert len(place.letters(kind=LetterKind.DIGEST)) == 4


def test_two_items_of_a_day_ride_in_one_digest(database_url: str) -> None:
    """Rule 30."""

    def work(session: Session) -> None:
        world.open_work(session, leads=(A,), partners=())
        world.open_work(session, "II.3", leads=(A,), partners=())

    with town(database_url, work=work) as place:
        assert place.sweep(R5, item="I.1").letters == 2
        assert place.sweep(R5, item="II.3").letters == 0
        mail = ScriptedMail()
        place.send(R5, mail)
        assert len(mail.taken) == 2
        assert "2 nhiệm vụ" in mail.taken[0][1]["Subject"]


def test_openings_wait_for_monday_and_ride_together(place: Town) -> None:
    """Rule 27; with a calendar file, for the date is new."""
    with place.changing() as session:
        add_opening_notices(
            session,
            world.flow(MONDAY - timedelta(days=4)),
            [(place.row().id, A)],
            TrackingMode.FULL,
        )
    assert place.run(MONDAY - timedelta(days=3)) == [mailbox(A), focal(A)]  # the rung of −15 only
    mail = ScriptedMail()
    place.run(MONDAY, mail)
    assert mail.addresses == [mailbox(A)]
    assert any(part.get_content_type() == "text/calendar" for part in mail.taken[0][1].walk())


def test_a_reminder_in_the_same_letter_says_the_opening_as_well(database_url: str) -> None:
    """Rule 30: each work is one line."""
    with town(database_url, work=one_lead) as place:
        with place.changing() as session:
            add_opening_notices(
                session, world.flow(MONDAY), [(place.row().id, A)], TrackingMode.FULL
            )
        mail = ScriptedMail()
        place.run(MONDAY, mail)
        subject = dict(mail.taken)[mailbox(A)]["Subject"]
        assert (
            subject
            == "[CCHC-1718] Nhắc việc: I.1 – hạn 31/3/2027 (còn 12 ngày làm việc) – Xã Vạn Ninh"
        )


def test_news_of_work_that_has_ended_is_left_out(place: Town) -> None:
    """Rule 27."""
    with place.changing() as session:
        add_opening_notices(session, world.flow(R15), [(place.row().id, A)], TrackingMode.FULL)
        act(session, world.agency(A, R15), place.row().id, Action.SUBMIT, filed())
    place.sweep(MONDAY)
    with place.changing() as session:
        opened = session.scalars(select(Notice).where(Notice.kind == NoticeKind.OPENED)).one()
        assert opened.void


def test_a_superseded_monday_digest_gives_its_news_back(place: Town) -> None:
    """Rule 29."""
    with place.changing() as session:
        row = session.get_one(type(place.row()), place.row().id)
        row.next_reminder_on = None
        add_notice(session, world.flow(MONDAY), kind="opened", assignment=row)
    place.sweep(MONDAY)
    assert place.run(MONDAY + timedelta(days=1)) == []  # said on Monday itself: next Monday
    assert place.run(MONDAY + timedelta(days=7)) == [mailbox(A)]


def test_a_provisional_date_that_passed_asks_the_coordinator_once_for_all_agencies(
    database_url: str,
) -> None:
    """Rules 17, 30: no agency is called overdue; one line for the occurrence."""
    ladders = dict(world.plan().ladders)
    coordinator = (Audience.COORDINATOR,)
    ladders["provisional"] = Ladder(
        key="provisional", rungs=(Rung(offset=1, audience=coordinator),), basis="thử"
    )

    def work(session: Session) -> None:
        world.open_work(session, leads=(A, B), partners=(), authority=DateAuthority.PROVISIONAL)

    with town(database_url, plan=replace(world.plan(), ladders=ladders), work=work) as place:
        mail = ScriptedMail()
        place.run(DUE + timedelta(days=1), mail)
        assert mail.addresses == [mailbox(COORDINATOR)]
        assert "Đề nghị ấn định hạn: I.1" in mail.taken[0][1]["Subject"]
        assert place.row(A).next_reminder_on is None
        assert place.row(B).next_reminder_on is None


def test_a_lead_without_any_contact_is_reminded_through_the_coordinator(
    database_url: str,
) -> None:
    """Rule 30."""
    with town(database_url, work=one_lead, contacts=(COORDINATOR,)) as place:
        mail = ScriptedMail()
        place.run(R5, mail)
        assert mail.addresses == [mailbox(COORDINATOR)]
        assert "https://tiendo.sonoivu.test" in text_of(mail.taken[0][1])
        with place.changing() as session:
            assert session.scalar(select(func.count()).select_from(Notice)) == 0


def test_when_nobody_at_all_can_be_reached_the_rung_stays_owed(database_url: str) -> None:
    """Rule 30."""
    with town(database_url, work=one_lead, contacts=()) as place:
        assert place.sweep(R5).unreachable == 1
        assert place.row().last_rung is None


def test_an_agency_whose_letters_are_off_gets_none(place: Town) -> None:
    """Rule 36."""
    with place.changing() as session:
        world.silence(session, A)
    assert place.run(R5) == []


def test_a_partner_is_reminded_of_a_request_only(database_url: str) -> None:
    """Rule 14."""

    def work(session: Session) -> None:
        world.open_work(session, leads=(A,), partners=(B,))

    with town(database_url, work=work) as place:
        row = place.row(B, Role.PARTNER)
        assert row.next_reminder_on is None
        place.run(R5)
        assert not [box for _, box, number, _ in place.rungs() if number == row.id]


def test_two_sweeps_at_once_queue_each_letter_once(place: Town) -> None:
    """Rule 28."""
    start = threading.Barrier(2)

    def go() -> None:
        start.wait()
        place.sweep(R5)

    threads = [threading.Thread(target=go) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.mailbox for one in place.letters()] == [mailbox(A), focal(A)]
    assert len(place.reminders()) == 2


def test_the_due_query_reads_the_partial_index_alone(place: Town) -> None:
    """The sweep costs what is due, not what is there."""
    with place.changing() as session:
        if session.get_bind().dialect.name == "postgresql":
            session.execute(text("SET LOCAL enable_seqscan = off"))
        verb = (
            "EXPLAIN" if session.get_bind().dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
        )
        wanted = "SELECT id FROM assignment WHERE next_reminder_on <= '2027-03-24'"
        steps = " ".join(str(row) for row in session.execute(text(f"{verb} {wanted}")))
    assert "ix_assignment_next_reminder_on" in steps
