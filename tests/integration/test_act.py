"""What people do to an assignment (rules 13, 20-22, 24-26, 34)."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import event, select

from models.tables import Assignment, Notice, Proposal, Submission
from operations.act import ActRequest
from operations.approvals import decide
from operations.catalog import apply_catalog
from operations.errors import Conflict, NotPermitted, Refused
from operations.results import Paper, Result
from rules.actors import AccountRole, Actor, ActorKind
from rules.lifecycle import Action, ActionNotAllowed, Status
from rules.timeliness import FutureDate
from tests.engine import PROVINCE, Engine, filed, person, stamp

JAN = date(2027, 1, 4)
MARCH = date(2027, 3, 15)
DUE = date(2027, 3, 31)
SO = "so_noi_vu"
XA = Actor(kind=ActorKind.MAILBOX, name="Trần B", mailbox="xa@x.test", agency="xa_van_ninh")
STAFF = person(AccountRole.COORDINATOR, SO, "Lê C")
HEAD = person(AccountRole.LEADERSHIP, SO, "Phạm D")


@pytest.fixture
def one(database_url: str) -> Iterator[Engine]:
    made = Engine(database_url, folder=PROVINCE, start=date(2027, 1, 1))
    made.run(JAN)
    made.run(MARCH)
    yield made
    made.database.close()


def test_a_result_needs_a_text_and_a_document(one: Engine) -> None:
    """(20) And says which one is missing."""
    row = one.find("I.1", "2027", "xa_van_ninh")
    for request, field in (
        (ActRequest(), "text"),
        (ActRequest(result=Result(text="Đã xong")), "document"),
        (
            ActRequest(result=Result(text="Đã xong", papers=(Paper(code="12/BC-UBND"),))),
            "issued_on",
        ),
        (ActRequest(result=Result(unchanged=True)), "document"),
    ):
        with pytest.raises(Refused) as refused:
            one.act(row, Action.SUBMIT, XA, MARCH, request)
        assert refused.value.field == field
    assert one.again(row).status == Status.NOT_STARTED


def test_a_date_in_the_future_is_refused_and_nothing_is_stored(one: Engine) -> None:
    """(21)"""
    row = one.find("I.1", "2027", "xa_van_ninh")
    with pytest.raises(FutureDate):
        one.act(row, Action.SUBMIT, XA, MARCH, filed(issued_on=date(2027, 3, 16)))
    with one.database.read() as session:
        assert session.scalars(select(Submission)).all() == []


def test_the_coordinator_confirms_what_an_agency_submitted(one: Engine) -> None:
    """(20, 21) I.1 asks for confirmation; the day of the document counts."""
    row = one.find("I.1", "2027", "xa_van_ninh")
    done = one.act(row, Action.SUBMIT, XA, MARCH, filed(issued_on=date(2027, 3, 12)))
    assert done.status is Status.SUBMITTED
    one.act(row, Action.CONFIRM, STAFF, date(2027, 3, 16))
    now = one.again(row)
    assert (now.status, now.completed_on, now.confirmed_by, now.self_confirmed) == (
        Status.CONFIRMED,
        date(2027, 3, 12),
        "account:lê.c",
        False,
    )


def test_whoever_submitted_or_entered_it_does_not_confirm_it(one: Engine) -> None:
    """(20) "Nhập thay" by one, confirmation by another."""
    row = one.find("I.1", "2027", "xa_van_ninh")
    entered = ActRequest(
        result=Result(
            text="Nhận bản giấy",
            papers=(Paper(code="12/BC-UBND", issued_on=MARCH),),
            entered_channel="văn bản giấy",
            entered_number="345",
        )
    )
    one.act(row, Action.SUBMIT, STAFF, MARCH, entered)
    with pytest.raises(NotPermitted):
        one.act(row, Action.CONFIRM, STAFF, MARCH)
    one.act(row, Action.CONFIRM, HEAD, MARCH)
    [event] = [e for e in one.events("assignment") if e.action == "submit"]
    assert (event.on_behalf_of, event.actor_account) == ("xa_van_ninh", "lê.c")


def test_entering_for_an_agency_says_through_which_channel(one: Engine) -> None:
    """(20)"""
    row = one.find("I.1", "2027", "xa_van_ninh")
    with pytest.raises(Refused, match="hình thức nhận"):
        one.act(row, Action.SUBMIT, STAFF, MARCH, filed(issued_on=MARCH))


def test_the_coordinators_own_result_is_decided_by_its_leadership(one: Engine) -> None:
    """(20, 34) Submitted by account, confirmed by the leadership, labelled and counted apart."""
    row = one.find("II.3", "2027", SO)
    by_link = Actor(kind=ActorKind.MAILBOX, name="X", mailbox="snv@x.test", agency=SO)
    with pytest.raises(ActionNotAllowed):
        one.act(row, Action.SUBMIT, by_link, MARCH, filed(issued_on=MARCH))
    assert one.act(row, Action.SUBMIT, STAFF, MARCH, filed(issued_on=MARCH)).status is (
        Status.SUBMITTED
    )
    with pytest.raises(ActionNotAllowed):
        one.act(row, Action.CONFIRM, person(AccountRole.COORDINATOR, SO, "Khác"), MARCH)
    one.act(row, Action.CONFIRM, HEAD, MARCH)
    assert one.again(row).self_confirmed


def test_an_item_that_is_accepted_at_once_is_confirmed_with_the_submission(one: Engine) -> None:
    """(20) II.5 of Sở Khoa học và Công nghệ; a sample is checked afterwards."""
    one.run(date(2027, 8, 2))
    row = one.find("II.5", "2027", "so_khcn")
    done = one.act(
        row,
        Action.SUBMIT,
        person(AccountRole.AGENCY, "so_khcn"),
        date(2027, 8, 3),
        filed(issued_on=date(2027, 8, 2)),
    )
    assert done.status is Status.CONFIRMED
    words = [e.action for e in one.events("assignment") if e.entity_id == str(row.id)]
    assert words[-2:] == ["submit", "accept"]


def test_a_check_in_takes_a_text_and_is_done(one: Engine) -> None:
    """(16)"""
    row = one.find("III.1", "2027-Q1", SO)
    request = ActRequest(result=Result(text="Đã cập nhật 12 chuyên mục"))
    assert one.act(row, Action.SUBMIT, STAFF, MARCH, request).status is Status.CONFIRMED


def test_a_return_moves_reminders_and_not_the_due_date(one: Engine) -> None:
    """(22) And tells the agency at once why and by when."""
    row = one.find("I.1", "2027", "xa_van_ninh")
    one.act(row, Action.SUBMIT, XA, MARCH, filed(issued_on=MARCH))
    with pytest.raises(Refused, match="lý do"):
        one.act(row, Action.RETURN, STAFF, MARCH)
    one.act(row, Action.RETURN, STAFF, date(2027, 3, 16), ActRequest(reason="Thiếu danh sách"))
    now = one.again(row)
    assert (now.status, now.due_on, now.respond_by) == (
        Status.IN_PROGRESS,
        DUE,
        date(2027, 3, 23),
    )
    with one.database.read() as session:
        [notice] = session.scalars(select(Notice).where(Notice.kind == "returned"))
    assert notice.at_once
    assert json.loads(notice.payload)["reason"] == "Thiếu danh sách"


def test_a_supplement_in_time_keeps_the_first_day(one: Engine) -> None:
    """(22) Submitted before the due date, supplemented after it, still on time."""
    row = one.find("I.1", "2027", "xa_van_ninh")
    one.act(row, Action.SUBMIT, XA, DUE, filed(issued_on=DUE))
    one.act(row, Action.RETURN, STAFF, date(2027, 4, 1), ActRequest(reason="Thiếu"))
    one.act(row, Action.SUBMIT, XA, date(2027, 4, 5), filed(issued_on=date(2027, 4, 5)))
    assert one.again(row).completed_on == DUE


def test_a_withdrawn_result_leaves_no_day_that_counts(one: Engine) -> None:
    row = one.find("I.1", "2027", "xa_van_ninh")
    one.act(row, Action.SUBMIT, XA, MARCH, filed(issued_on=MARCH))
    one.act(row, Action.WITHDRAW, XA, MARCH)
    now = one.again(row)
    assert (now.status, now.completed_on, now.submitted_by) == (Status.IN_PROGRESS, None, None)


def test_a_result_can_be_filed_however_late(one: Engine) -> None:
    """(24)"""
    row = one.find("I.1", "2027", "xa_van_ninh")
    late = date(2029, 1, 8)
    assert one.act(row, Action.SUBMIT, XA, late, filed(issued_on=late)).status is Status.SUBMITTED


def test_reopening_starts_a_new_round_and_keeps_the_first_result(one: Engine) -> None:
    """(25)"""
    row = one.find("I.1", "2027", "xa_van_ninh")
    one.act(row, Action.SUBMIT, XA, MARCH, filed(issued_on=MARCH))
    one.act(row, Action.CONFIRM, STAFF, MARCH)
    request = ActRequest(reason="Số liệu sai", due_on=date(2027, 5, 1))
    one.act(row, Action.REOPEN, STAFF, date(2027, 4, 12), request)
    now = one.again(row)
    assert (now.round, now.status, now.due_on, now.original_due_on) == (
        2,
        Status.IN_PROGRESS,
        date(2027, 5, 4),  # 1/5 is a Saturday, 3/5 its day off in lieu
        DUE,
    )
    one.act(row, Action.SUBMIT, XA, date(2027, 4, 20), filed("13/BC", date(2027, 4, 20)))
    with one.database.read() as session:
        rounds = session.execute(
            select(Submission.round, Submission.revision, Submission.outcome).order_by(
                Submission.round
            )
        ).all()
    assert [tuple(found) for found in rounds] == [(1, 1, "confirmed"), (2, 1, None)]


def test_the_second_of_two_people_is_told_who_was_first(one: Engine) -> None:
    """(26) Never a silent overwrite."""
    row = one.find("I.1", "2027", "xa_van_ninh")
    one.act(row, Action.START, XA, MARCH)
    with pytest.raises(Conflict, match=r"cập nhật bởi Trần B lúc 08 giờ 00 ngày 15/3/2027"):
        one.act(row, Action.SUBMIT, XA, MARCH, ActRequest(expected_version=row.version))


def test_a_suspension_stops_the_clock_and_a_resumption_lets_it_go_on(one: Engine) -> None:
    """(20) By a document; the due date moves by the working days that it stood."""
    row = one.find("I.1", "2027", "xa_van_ninh")
    with pytest.raises(Refused, match="văn bản"):
        one.act(row, Action.SUSPEND, STAFF, MARCH, ActRequest(reason="Bão"))
    suspended = ActRequest(reason="Bão", document="99/UBND-NC")
    one.act(row, Action.SUSPEND, STAFF, MARCH, suspended)
    assert one.again(row).next_reminder_on is None
    one.act(row, Action.RESUME, STAFF, date(2027, 3, 22))
    now = one.again(row)
    assert (now.status, now.due_on) == (Status.NOT_STARTED, date(2027, 4, 7))
    assert now.next_reminder_on is not None


def test_one_lead_may_be_covered_by_the_others_plan_but_not_in_a_circle(one: Engine) -> None:
    """(13) II.5: one plan together, or one each."""
    one.run(date(2027, 8, 2))
    own, other = one.find("II.5", "2027", SO), one.find("II.5", "2027", "so_khcn")
    khcn = person(AccountRole.AGENCY, "so_khcn")
    day = date(2027, 8, 3)
    with pytest.raises(Refused, match="khác của cùng nhiệm vụ"):
        one.act(other, Action.COVER, khcn, day, ActRequest(covered_by=other.id))
    one.act(other, Action.COVER, khcn, day, ActRequest(covered_by=own.id))
    with pytest.raises(Refused, match="chính cơ quan này"):
        one.act(own, Action.COVER, STAFF, day, ActRequest(covered_by=other.id))


def test_only_a_shared_item_can_be_covered(one: Engine) -> None:
    """(13)"""
    row = one.find("I.1", "2027", "xa_van_ninh")
    with pytest.raises(Refused, match="không cho phép"):
        one.act(row, Action.COVER, XA, MARCH, ActRequest(covered_by=1))


def test_two_steps_where_the_plan_asks_for_them(one: Engine) -> None:
    """(20) Proposed by one, approved by a leader, and never by the proposer."""
    catalog = one.catalog
    policies = replace(catalog.plan.policies, two_step=frozenset({"waive"}))
    with one.database.write() as session:
        plan = replace(catalog.plan, policies=policies)
        apply_catalog(
            session, stamp(MARCH), replace(catalog, plan=plan), tracking_start=date(2027, 1, 1)
        )
    row = one.find("I.1", "2027", "xa_van_ninh")
    result = one.act(row, Action.WAIVE, STAFF, MARCH, ActRequest(reason="Không có đối tượng"))
    assert result.status is Status.NOT_STARTED
    assert result.proposal is not None
    with pytest.raises(NotPermitted), one.database.write() as session:
        decide(session, stamp(MARCH, STAFF), result.proposal, approve=True)
    with one.database.write() as session:
        decide(session, stamp(MARCH, HEAD), result.proposal, approve=True)
    assert one.again(row).status == Status.NOT_APPLICABLE
    with one.database.read() as session:
        assert session.get_one(Proposal, result.proposal).state == "approved"


def test_another_agency_cannot_touch_it(one: Engine) -> None:
    """(46)"""
    row = one.find("I.1", "2027", "xa_van_ninh")
    stranger = Actor(kind=ActorKind.MAILBOX, name="E", mailbox="e@x.test", agency="xa_tu_bong")
    with pytest.raises(ActionNotAllowed):
        one.act(row, Action.START, stranger, MARCH)


def test_every_change_of_status_has_exactly_one_event(one: Engine) -> None:
    """(37) With the actor's fields apart and the snapshot after it."""
    row = one.find("I.1", "2027", "xa_van_ninh")
    one.act(row, Action.START, XA, MARCH)
    one.act(row, Action.SUBMIT, XA, MARCH, filed(issued_on=MARCH))
    one.act(row, Action.CONFIRM, STAFF, MARCH)
    events = [e for e in one.events("assignment") if e.entity_id == str(row.id)]
    assert [e.action for e in events] == ["assign", "start", "submit", "confirm"]
    assert [json.loads(e.snapshot)["status"] for e in events] == [
        "not_started",
        "in_progress",
        "submitted",
        "confirmed",
    ]
    assert (events[1].actor_mailbox, events[1].actor_agency) == ("xa@x.test", "xa_van_ninh")
    assert [json.loads(e.snapshot)["version"] for e in events] == [1, 2, 3, 4]


def test_an_act_asks_little_of_the_database(one: Engine) -> None:
    """Plan, agencies and days are known by then; what it writes goes in one statement a table."""
    rows = [one.find("I.1", "2027", key) for key in ("xa_van_ninh", "xa_dai_lanh")]
    asked: list[str] = []

    def act(row: Assignment, action: Action, actor: Actor, request: ActRequest) -> int:
        asked.clear()
        one.act(row, action, actor, MARCH, request)
        return len(asked)

    event.listen(one.database.engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
    found = [
        (
            act(row, Action.SUBMIT, replace(XA, agency=row.agency_key), filed(issued_on=MARCH)),
            act(row, Action.CONFIRM, STAFF, ActRequest()),
        )
        for row in rows
    ]
    submitted, confirmed = found[1]
    assert submitted <= 10
    assert confirmed <= 9
