"""Extensions (rules 17, 20, 23)."""

import json
from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy.orm import Session

from models.tables import Assignment, ExtensionRequest
from operations.act import ActRequest, act
from operations.errors import Conflict, NotFound, NotPermitted, Refused
from operations.extension_decisions import Decision, approve_extension, decide_extension
from operations.extensions import Asked, ask_extension, withdraw_extension
from operations.results import Paper, Result
from operations.transition import load_work
from rules.lifecycle import Action, Status
from rules.values import DateAuthority, TrackingMode
from tests import world
from tests.world import COORDINATOR, DUE, TODAY, A, B

LATER = date(2027, 4, 15)
YES = Decision(grant=True, reason="Lý do chính đáng")
NO = Decision(grant=False, reason="Còn đủ thời gian")


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    with world.opened(database_url) as session:
        yield session


@pytest.fixture
def work(session: Session) -> Assignment:
    return world.row_of(session, world.open_work(session), A)


def ask(session: Session, row: Assignment, until: date = LATER, day: date = TODAY) -> Asked:
    return ask_extension(
        session,
        world.agency(row.agency_key, day),
        row.id,
        until=until,
        reason="Chờ hướng dẫn của cấp trên",
        explanation="Đã báo cáo" if day > row.due_on else None,
    )


def test_a_granted_extension_moves_the_date_in_force_and_keeps_the_original(
    session: Session, work: Assignment
) -> None:
    """Rules 4, 23."""
    request = ask(session, work).request
    decided = decide_extension(session, world.coordinator(), request, YES)
    assert (decided.state, decided.due_on) == ("granted", LATER)
    assert (work.due_on, work.original_due_on, work.extensions) == (LATER, DUE, 1)
    assert work.status == Status.NOT_STARTED


def test_the_ladder_starts_anew_and_leaves_out_what_has_passed(
    session: Session, work: Assignment
) -> None:
    """Rules 23, 28: −15 working days before 15/4 is 25/3; on 26/3 the next rung is −5."""
    request = ask(session, work, day=date(2027, 3, 26)).request
    decide_extension(session, world.coordinator(date(2027, 3, 26)), request, YES)
    assert work.last_rung == -15
    assert work.next_reminder_on == date(2027, 4, 8)


def test_the_decision_is_told_at_once(session: Session, work: Assignment) -> None:
    """Rule 27."""
    decide_extension(session, world.coordinator(), ask(session, work).request, YES)
    (notice,) = world.notices(session, "extension_decided")
    assert notice.at_once
    assert json.loads(notice.payload) == {
        "granted": True,
        "asked_for": "2027-04-15",
        "previous_due_on": "2027-03-31",
        "reason": "Lý do chính đáng",
    }


def test_each_step_is_history_and_touches_the_occurrence(
    session: Session, work: Assignment
) -> None:
    """Rules 15, 37."""
    request = ask(session, work).request
    assert load_work(session, work.id).occurrence.touched
    decide_extension(session, world.coordinator(), request, YES)
    assert [one.action for one in world.events(session, "extension", request)] == ["ask", "grant"]
    assert [one.action for one in world.events(session, "assignment", work.id)] == ["extend"]


def test_a_refusal_changes_no_date_and_is_told(session: Session, work: Assignment) -> None:
    request = ask(session, work).request
    assert decide_extension(session, world.coordinator(), request, NO).state == "refused"
    assert (work.due_on, work.extensions) == (DUE, 0)
    (notice,) = world.notices(session, "extension_decided")
    assert json.loads(notice.payload)["granted"] is False


def test_a_date_on_a_day_off_is_rolled_and_both_are_told(
    session: Session, work: Assignment
) -> None:
    """Rule 4: 17/4/2027 is a Saturday."""
    asked = ask(session, work, until=date(2027, 4, 17))
    assert (asked.asked_for, asked.due_on) == (date(2027, 4, 17), date(2027, 4, 19))


@pytest.mark.parametrize("until", [DUE, date(2027, 3, 30)])
def test_a_date_that_is_not_later_is_refused(
    session: Session, work: Assignment, until: date
) -> None:
    with pytest.raises(Refused, match="phải sau hạn đang áp dụng 31/3/2027") as error:
        ask(session, work, until=until)
    assert error.value.field == "until"


def test_a_date_that_has_passed_is_refused(session: Session, work: Assignment) -> None:
    with pytest.raises(Refused, match="đã qua"):
        ask(session, work, until=date(2027, 4, 5), day=date(2027, 4, 8))


def test_a_year_beyond_the_known_days_off_is_refused_with_the_horizon(
    session: Session, work: Assignment
) -> None:
    with pytest.raises(Refused, match="31/12/2031"):
        ask(session, work, until=date(2072, 4, 15))


def test_overdue_work_needs_an_explanation(session: Session, work: Assignment) -> None:
    """Rule 23; what is due today is not overdue (rule 2)."""
    late = world.agency(A, date(2027, 4, 1))
    with pytest.raises(Refused, match="giải trình") as error:
        ask_extension(session, late, work.id, until=LATER, reason="Chờ hướng dẫn")
    assert error.value.field == "explanation"
    on_the_day = world.agency(A, DUE)
    asked = ask_extension(session, on_the_day, work.id, until=LATER, reason="Chờ hướng dẫn")
    request = session.get_one(ExtensionRequest, asked.request)
    assert not request.asked_overdue


def test_overdue_work_can_be_extended_with_an_explanation(
    session: Session, work: Assignment
) -> None:
    request = ask(session, work, day=date(2027, 4, 6)).request
    assert session.get_one(ExtensionRequest, request).asked_overdue
    decide_extension(session, world.coordinator(date(2027, 4, 7)), request, YES)
    assert work.due_on == LATER


def test_a_reason_is_needed_to_ask_and_to_decide(session: Session, work: Assignment) -> None:
    with pytest.raises(Refused, match="lý do"):
        ask_extension(session, world.agency(A), work.id, until=LATER, reason="  ")
    request = ask(session, work).request
    with pytest.raises(Refused, match="lý do"):
        decide_extension(session, world.coordinator(), request, Decision(grant=True, reason=" "))


def test_only_one_request_waits_at_a_time(session: Session, work: Assignment) -> None:
    first = ask(session, work)
    with pytest.raises(Refused, match="đang chờ trả lời"):
        ask(session, work)
    withdraw_extension(session, world.agency(A), first.request)
    ask(session, work)


def test_a_request_of_an_earlier_round_does_not_stand_in_the_way(
    session: Session, work: Assignment
) -> None:
    """Rule 25: work that was reopened has a date of its own."""
    old = ask(session, work).request
    waive = ActRequest(reason="Không phát sinh")
    act(session, world.coordinator(), work.id, Action.WAIVE, waive)
    reopen = ActRequest(reason="Có phát sinh", due_on=date(2027, 5, 4))
    act(session, world.coordinator(), work.id, Action.REOPEN, reopen)
    with pytest.raises(Refused, match="lần thực hiện thứ 2"):
        decide_extension(session, world.coordinator(), old, YES)
    ask(session, work, until=date(2027, 6, 1))
    assert session.get_one(ExtensionRequest, old).state == "withdrawn"


def test_a_request_is_decided_once(session: Session, work: Assignment) -> None:
    """Rule 26."""
    request = ask(session, work).request
    decide_extension(session, world.coordinator(), request, NO)
    with pytest.raises(Conflict, match="không đồng ý"):
        decide_extension(session, world.coordinator(), request, YES)
    with pytest.raises(Conflict):
        withdraw_extension(session, world.agency(A), request)


def test_an_old_version_of_the_work_is_refused(session: Session, work: Assignment) -> None:
    """Rule 26."""
    act(session, world.agency(A), work.id, Action.START)
    with pytest.raises(Conflict, match="đã được cập nhật bởi"):
        ask_extension(
            session, world.agency(A), work.id, until=LATER, reason="x", expected_version=1
        )


def test_a_second_extension_needs_a_reason_to_pass_the_cap(
    session: Session, work: Assignment
) -> None:
    """Rule 23: the default cap is one."""
    decide_extension(session, world.coordinator(), ask(session, work).request, YES)
    again = ask(session, work, until=date(2027, 5, 4))
    assert again.beyond_cap
    with pytest.raises(Refused, match="mức tối đa là 1") as error:
        decide_extension(session, world.coordinator(), again.request, YES)
    assert error.value.field == "cap_reason"
    passed = Decision(grant=True, reason="Đồng ý", cap_reason="Bộ chậm hướng dẫn")
    decide_extension(session, world.coordinator(), again.request, passed)
    assert work.extensions == 2
    assert work.due_on == date(2027, 5, 4)


def test_the_decider_may_grant_another_date(session: Session, work: Assignment) -> None:
    request = ask(session, work).request
    other = Decision(grant=True, reason="Sớm hơn", until=date(2027, 4, 8))
    assert decide_extension(session, world.coordinator(), request, other).due_on == other.until


def test_an_agency_neither_decides_nor_asks_for_another(session: Session, work: Assignment) -> None:
    """Rules 20, 46."""
    with pytest.raises(NotPermitted):
        ask_extension(session, world.agency(B), work.id, until=LATER, reason="Lý do")
    request = ask(session, work).request
    with pytest.raises(NotPermitted):
        decide_extension(session, world.agency(A), request, YES)
    with pytest.raises(NotPermitted):
        withdraw_extension(session, world.agency(B), request)
    with pytest.raises(NotPermitted):
        decide_extension(session, world.auditor(), request, YES)


def test_whoever_holds_the_link_may_ask(session: Session, work: Assignment) -> None:
    """Rule 34."""
    asked = ask_extension(session, world.link(A), work.id, until=LATER, reason="Lý do")
    request = session.get_one(ExtensionRequest, asked.request)
    assert request.asked_by == f"mailbox:{A}@co-quan.test"


def test_whoever_entered_a_request_does_not_decide_on_it(
    session: Session, work: Assignment
) -> None:
    """Rule 20: "nhập thay"."""
    stamp = world.coordinator()
    asked = ask_extension(session, stamp, work.id, until=LATER, reason="Công văn số 5")
    (event,) = world.events(session, "extension", asked.request)
    assert event.on_behalf_of == A
    with pytest.raises(NotPermitted, match="không tự quyết định"):
        decide_extension(session, stamp, asked.request, YES)
    other = world.coordinator(name="Điều phối viên khác")
    assert decide_extension(session, other, asked.request, YES).state == "granted"


def test_the_coordinators_own_work_is_extended_by_its_leadership(session: Session) -> None:
    """Rule 20."""
    occurrence = world.open_work(session, "II.3", leads=(COORDINATOR,), partners=(A,))
    row = world.row_of(session, occurrence, COORDINATOR)
    asked = ask_extension(session, world.coordinator(), row.id, until=LATER, reason="Chờ Bộ")
    with pytest.raises(NotPermitted, match="lãnh đạo"):
        decide_extension(session, world.coordinator(name="Khác"), asked.request, YES)
    assert decide_extension(session, world.leadership(), asked.request, YES).state == "granted"


def test_in_two_steps_one_proposes_and_leadership_approves(
    session: Session, work: Assignment
) -> None:
    """Rule 20."""
    world.set_policies(session, two_step=frozenset({"extend"}))
    request = ask(session, work).request
    assert decide_extension(session, world.coordinator(), request, YES).state == "proposed"
    assert work.due_on == DUE
    assert world.notices(session, "extension_decided") == []
    with pytest.raises(NotPermitted):
        approve_extension(session, world.coordinator(name="Khác"), request, approve=True)
    with pytest.raises(Conflict, match="chờ lãnh đạo duyệt"):
        decide_extension(session, world.coordinator(), request, NO)
    decided = approve_extension(session, world.leadership(), request, approve=True)
    assert (decided.state, work.due_on, work.extensions) == ("granted", LATER, 1)
    words = [one.action for one in world.events(session, "extension", request)]
    assert words == ["ask", "propose", "grant"]


def test_in_two_steps_leadership_refuses_with_a_reason(session: Session, work: Assignment) -> None:
    world.set_policies(session, two_step=frozenset({"extend"}))
    request = ask(session, work).request
    decide_extension(session, world.coordinator(), request, YES)
    with pytest.raises(Refused, match="lý do"):
        approve_extension(session, world.leadership(), request, approve=False)
    refused = approve_extension(
        session, world.leadership(), request, approve=False, reason="Chưa cần"
    )
    assert refused.state == "refused"
    assert work.due_on == DUE


def test_a_date_of_the_province_moves_only_by_its_own_document(session: Session) -> None:
    """Rule 17."""
    occurrence = world.open_work(session, authority=DateAuthority.PROVINCE)
    row = world.row_of(session, occurrence, A)
    request = ask(session, row).request
    with pytest.raises(Refused, match="UBND tỉnh ấn định"):
        decide_extension(session, world.coordinator(), request, YES)
    ours = Decision(grant=True, reason="Đồng ý", document="99/SNV-CCHC")
    with pytest.raises(Refused, match="không phải văn bản của UBND tỉnh"):
        decide_extension(session, world.coordinator(), request, ours)
    theirs = Decision(grant=True, reason="Đồng ý", document="số 45 / UBND-KGVX")
    decide_extension(session, world.coordinator(), request, theirs)
    assert (row.document_code, row.authority) == ("45/UBND-KGVX", DateAuthority.PROVINCE)


def test_a_provisional_date_stays_so_unless_a_document_moves_it(session: Session) -> None:
    """Rule 17."""
    occurrence = world.open_work(session, authority=DateAuthority.PROVISIONAL)
    first, second = (world.row_of(session, occurrence, key) for key in (A, B))
    decide_extension(session, world.coordinator(), ask(session, first).request, YES)
    by_document = Decision(grant=True, reason="Đồng ý", document="99/SNV-CCHC")
    decide_extension(session, world.coordinator(), ask(session, second).request, by_document)
    assert first.authority == DateAuthority.PROVISIONAL
    assert second.authority == DateAuthority.COORDINATOR


def test_a_check_in_or_a_recorded_year_has_no_date_to_extend(session: Session) -> None:
    """Rules 16, 19."""
    check_in = world.open_work(session, "III.1", "2027-Q1", leads=(A,), partners=())
    recorded = world.open_work(session, mode=TrackingMode.RECORD)
    for occurrence in (check_in, recorded):
        with pytest.raises(Refused, match="không cần gia hạn"):
            ask(session, world.row_of(session, occurrence, A))


def test_a_request_may_be_granted_after_the_result_was_filed(
    session: Session, work: Assignment
) -> None:
    """Rule 23: it was asked in time, and the answer took its time."""
    request = ask(session, work, until=date(2027, 4, 5)).request
    day = date(2027, 4, 5)
    result = Result(text="Đã ban hành", papers=(Paper(code="5/KH-UBND", issued_on=day),))
    act(session, world.agency(A, day), work.id, Action.SUBMIT, ActRequest(result=result))
    decide_extension(session, world.coordinator(date(2027, 4, 9)), request, YES)
    assert work.due_on == date(2027, 4, 5)
    assert work.status == Status.SUBMITTED
    assert work.next_reminder_on is None


def test_ended_work_is_not_extended(session: Session, work: Assignment) -> None:
    request = ask(session, work).request
    waive = ActRequest(reason="Không phát sinh")
    act(session, world.coordinator(), work.id, Action.WAIVE, waive)
    with pytest.raises(Refused, match="Không phát sinh nhiệm vụ"):
        decide_extension(session, world.coordinator(), request, YES)
    with pytest.raises(Refused, match="Không phát sinh nhiệm vụ"):
        ask(session, work)
    assert decide_extension(session, world.coordinator(), request, NO).state == "refused"


def test_returned_work_keeps_its_return_and_is_reminded_by_the_later_day(
    session: Session, work: Assignment
) -> None:
    """Rule 22."""
    result = Result(text="Đã ban hành", papers=(Paper(code="5/KH-UBND", issued_on=TODAY),))
    act(session, world.agency(A), work.id, Action.SUBMIT, ActRequest(result=result))
    act(session, world.coordinator(), work.id, Action.RETURN, ActRequest(reason="Thiếu"))
    decide_extension(session, world.coordinator(), ask(session, work).request, YES)
    assert work.respond_by == LATER


def test_an_agency_without_letters_gets_no_letter(session: Session) -> None:
    """Rule 36."""
    world.silence(session, A)
    row = world.row_of(session, world.open_work(session), A)
    decide_extension(session, world.coordinator(), ask(session, row).request, YES)
    assert world.notices(session) == []
    assert row.next_reminder_on is None


def test_an_unknown_request_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound, match="số 99"):
        decide_extension(session, world.coordinator(), 99, YES)
