"""Partners: asked, answering, silent (rule 14)."""

import json
from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Assignment, Occurrence, Submission
from operations.act import ActRequest, act
from operations.errors import NotFound, NotPermitted, Refused
from operations.partners import (
    PartnerRequest,
    Requested,
    close_silence,
    contribute,
    dismiss,
    receive,
    request_contribution,
)
from operations.results import Paper, Result
from rules.lifecycle import Action, ActionNotAllowed, Status
from rules.values import Role
from tests import world
from tests.world import COORDINATOR, DUE, TODAY, A, B, C

ANSWER_BY = date(2027, 3, 17)
ASKED = PartnerRequest(content="Góp ý dự thảo", form="Văn bản", respond_by=ANSWER_BY)
ANSWER = Result(text="Nhất trí", papers=(Paper(code="số 7/STC–VP", issued_on=TODAY),))


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    with world.opened(database_url) as session:
        yield session


@pytest.fixture
def single(session: Session) -> Occurrence:
    """Led by Xã Vạn Ninh alone, with two partners."""
    return world.open_work(session, "II.3", leads=(A,), partners=(B, C))


def ids(session: Session, occurrence: Occurrence, *keys: str) -> list[int]:
    return [world.row_of(session, occurrence, key, Role.PARTNER).id for key in keys]


def ask(
    session: Session,
    occurrence: Occurrence,
    *keys: str,
    lead: str = A,
    request: PartnerRequest = ASKED,
    day: date = TODAY,
) -> Requested:
    row = world.row_of(session, occurrence, lead)
    stamp = world.agency(lead, day)
    return request_contribution(session, stamp, row.id, ids(session, occurrence, *keys), request)


def partner(session: Session, occurrence: Occurrence, key: str) -> Assignment:
    return world.row_of(session, occurrence, key, Role.PARTNER)


def test_a_partner_owes_nothing_until_it_is_asked(session: Session, single: Occurrence) -> None:
    row = partner(session, single, B)
    assert (row.status, row.next_reminder_on) == (Status.DORMANT, None)


def test_only_the_chosen_partners_are_asked(session: Session, single: Occurrence) -> None:
    requested = ask(session, single, B)
    assert requested.respond_by == ANSWER_BY
    row = partner(session, single, B)
    assert row.status == Status.REQUESTED
    assert (row.request_text, row.request_form) == ("Góp ý dự thảo", "Văn bản")
    assert (row.requested_by, row.respond_by) == (A, ANSWER_BY)
    assert partner(session, single, C).status == Status.DORMANT


def test_a_request_has_a_shorter_ladder_up_to_its_own_day(
    session: Session, single: Occurrence
) -> None:
    """Rule 27: −3, −1, +2 working days of the day to answer."""
    ask(session, single, B)
    assert partner(session, single, B).next_reminder_on == date(2027, 3, 12)


def test_a_request_is_told_with_who_asks_for_what(session: Session, single: Occurrence) -> None:
    ask(session, single, B)
    (notice,) = world.notices(session, "request")
    assert (notice.agency_key, notice.at_once) == (B, False)
    assert json.loads(notice.payload) == {"note": "Xã Vạn Ninh: Góp ý dự thảo"}


def test_the_day_to_answer_lies_strictly_before_the_leads_own(
    session: Session, single: Occurrence
) -> None:
    for day in (DUE, date(2027, 4, 1), date(2027, 2, 26)):
        request = PartnerRequest(content="Góp ý", respond_by=day)
        with pytest.raises(Refused, match="trước hạn của nhiệm vụ 31/3/2027") as error:
            ask(session, single, B, request=request)
        assert error.value.field == "respond_by"
    today = PartnerRequest(content="Góp ý", respond_by=TODAY)
    assert ask(session, single, B, request=today).respond_by == TODAY


def test_a_day_to_answer_on_a_day_off_is_rolled(session: Session, single: Occurrence) -> None:
    """Rule 4: 13/3/2027 is a Saturday."""
    request = PartnerRequest(content="Góp ý", respond_by=date(2027, 3, 13))
    assert ask(session, single, B, request=request).respond_by == date(2027, 3, 15)


def test_a_lead_past_its_date_is_told_to_extend_first(session: Session, single: Occurrence) -> None:
    request = PartnerRequest(content="Góp ý", respond_by=date(2027, 4, 2))
    with pytest.raises(Refused, match="gia hạn"):
        ask(session, single, B, request=request, day=date(2027, 4, 1))


def test_a_request_without_content_or_partner_is_refused(
    session: Session, single: Occurrence
) -> None:
    empty = PartnerRequest(content=" ", respond_by=ANSWER_BY)
    with pytest.raises(Refused, match="nội dung cần phối hợp"):
        ask(session, single, B, request=empty)
    with pytest.raises(Refused, match="ít nhất một"):
        ask(session, single)


def test_who_is_no_partner_of_the_occurrence_is_not_asked(
    session: Session, single: Occurrence
) -> None:
    other = world.open_work(session, "II.5", leads=(A,), partners=(B,))
    lead = world.row_of(session, single, A)
    for stranger in (partner(session, other, B).id, lead.id):
        with pytest.raises(NotFound, match="không phải cơ quan phối hợp"):
            request_contribution(session, world.agency(A), lead.id, [stranger], ASKED)


def test_only_the_lead_or_the_coordinator_asks(session: Session, single: Occurrence) -> None:
    lead = world.row_of(session, single, A)
    partners = ids(session, single, B)
    for stamp in (world.agency(C), world.auditor(), world.flow()):
        with pytest.raises(NotPermitted):
            request_contribution(session, stamp, lead.id, partners, ASKED)
    request_contribution(session, world.coordinator(), lead.id, partners, ASKED)


def test_work_that_was_handed_in_asks_nobody_any_more(session: Session, single: Occurrence) -> None:
    row = world.row_of(session, single, A)
    result = Result(text="Xong", papers=(Paper(code="1/KH-UBND", issued_on=TODAY),))
    act(session, world.agency(A), row.id, Action.SUBMIT, ActRequest(result=result))
    with pytest.raises(Refused, match="Chờ xác nhận"):
        ask(session, single, B)


def test_a_partner_contributes_with_text_and_document(session: Session, single: Occurrence) -> None:
    ask(session, single, C)
    row = partner(session, single, C)
    number = contribute(session, world.agency(C), row.id, ANSWER)
    submission = session.get_one(Submission, number)
    assert (submission.assignment_id, submission.text) == (row.id, "Nhất trí")
    assert (row.status, row.next_reminder_on) == (Status.CONTRIBUTED, None)
    (event,) = world.events(session, "submission", number)
    assert "7/STC-VP" in event.snapshot


def test_a_contribution_needs_a_text_and_only_its_own_agency_files_it(
    session: Session, single: Occurrence
) -> None:
    ask(session, single, B)
    row = partner(session, single, B)
    with pytest.raises(Refused, match="nội dung phối hợp"):
        contribute(session, world.agency(B), row.id, Result())
    for stamp in (world.agency(A), world.coordinator()):
        with pytest.raises(ActionNotAllowed):
            contribute(session, stamp, row.id, ANSWER)
    contribute(session, world.link(B), row.id, ANSWER)


def test_the_lead_marks_a_contribution_received_once(session: Session, single: Occurrence) -> None:
    ask(session, single, B)
    row = partner(session, single, B)
    contribute(session, world.agency(B), row.id, ANSWER)
    with pytest.raises(NotPermitted):
        receive(session, world.agency(B), row.id)
    assert receive(session, world.agency(A), row.id) is None
    assert row.confirmed_on == TODAY
    with pytest.raises(Refused, match="đã được ghi nhận ngày 1/3/2027"):
        receive(session, world.agency(A), row.id)


def test_the_lead_marks_what_came_another_way(session: Session, single: Occurrence) -> None:
    ask(session, single, B)
    row = partner(session, single, B)
    with pytest.raises(Refused, match="hình thức đã nhận"):
        receive(session, world.agency(A), row.id, Result(text="Góp ý qua điện thoại"))
    heard = Result(text="Góp ý qua điện thoại", entered_channel="điện thoại")
    number = receive(session, world.agency(A), row.id, heard)
    assert row.status == Status.CONTRIBUTED
    assert session.get_one(Submission, number).entered_channel == "điện thoại"


def test_a_partner_that_is_not_needed_is_dismissed(session: Session, single: Occurrence) -> None:
    ask(session, single, B)
    row = partner(session, single, B)
    with pytest.raises(NotPermitted):
        dismiss(session, world.agency(B), row.id)
    dismiss(session, world.agency(A), row.id)
    assert (row.status, row.next_reminder_on) == (Status.NOT_NEEDED, None)


def test_silence_is_closed_with_one_reason_for_all_and_stays_visible(
    session: Session, single: Occurrence
) -> None:
    ask(session, single, B, C)
    lead = world.row_of(session, single, A)
    late = world.agency(A, date(2027, 3, 18))
    with pytest.raises(Refused, match="lý do"):
        close_silence(session, late, lead.id, reason="")
    closed = close_silence(session, late, lead.id, reason="Đã quá ngày đề nghị")
    assert list(closed) == ids(session, single, B, C)
    for number in closed:
        assert session.get_one(Assignment, number).status == Status.UNANSWERED
        assert world.events(session, "assignment", number)[-1].reason == "Đã quá ngày đề nghị"


def test_silence_is_not_closed_before_its_day_has_passed(
    session: Session, single: Occurrence
) -> None:
    """Rule 2: on the day itself there is still time."""
    ask(session, single, B)
    lead = world.row_of(session, single, A)
    with pytest.raises(Refused, match="Không cần phối hợp"):
        close_silence(session, world.agency(A, ANSWER_BY), lead.id, reason="Im lặng")


def test_an_unanswered_partner_can_be_asked_again_and_can_still_answer(
    session: Session, single: Occurrence
) -> None:
    ask(session, single, B, C)
    lead = world.row_of(session, single, A)
    day = date(2027, 3, 18)
    close_silence(session, world.agency(A, day), lead.id, reason="Im lặng")
    again = PartnerRequest(content="Đề nghị lần 2", respond_by=date(2027, 3, 25))
    ask(session, single, B, request=again, day=day)
    row = partner(session, single, B)
    assert (row.status, row.request_text) == (Status.REQUESTED, "Đề nghị lần 2")
    assert row.next_reminder_on == date(2027, 3, 22)
    contribute(session, world.agency(C, day), partner(session, single, C).id, ANSWER)


def test_the_same_lead_may_change_its_request(session: Session, single: Occurrence) -> None:
    ask(session, single, B)
    later = PartnerRequest(content="Góp ý, bản sửa", respond_by=date(2027, 3, 24))
    ask(session, single, B, request=later)
    row = partner(session, single, B)
    assert (row.request_text, row.respond_by) == ("Góp ý, bản sửa", date(2027, 3, 24))


def test_where_each_leads_its_own_the_requests_of_several_leads_add_up(session: Session) -> None:
    each = world.open_work(session, "I.1", leads=(A, B), partners=(COORDINATOR,))
    ask(session, each, COORDINATOR)
    ask(
        session,
        each,
        COORDINATOR,
        lead=B,
        request=PartnerRequest(content="Xin mẫu", respond_by=date(2027, 3, 24)),
    )
    row = partner(session, each, COORDINATOR)
    assert row.request_text == "Góp ý dự thảo\n\nPhường Nha Trang: Xin mẫu"
    assert (row.respond_by, row.requested_by) == (ANSWER_BY, A)
    assert len(world.notices(session, "request")) == 2


def test_where_each_leads_its_own_no_lead_disposes_of_the_others_partner(session: Session) -> None:
    each = world.open_work(session, "I.1", leads=(A, B), partners=(C,))
    ask(session, each, C)
    row = partner(session, each, C)
    with pytest.raises(NotPermitted, match="điều phối"):
        dismiss(session, world.agency(A), row.id)
    with pytest.raises(NotPermitted):
        receive(session, world.agency(B), row.id, Result(text="x", entered_channel="thư"))
    day = date(2027, 3, 18)
    other = world.row_of(session, each, B)
    with pytest.raises(Refused):
        close_silence(session, world.agency(B, day), other.id, reason="Im lặng")
    dismiss(session, world.coordinator(), row.id)


def test_contributions_stand_outside_the_leads_own_work(
    session: Session, single: Occurrence
) -> None:
    ask(session, single, B)
    contribute(session, world.agency(B), partner(session, single, B).id, ANSWER)
    lead = world.row_of(session, single, A)
    assert lead.status == Status.NOT_STARTED
    own = select(Submission).where(Submission.assignment_id == lead.id)
    assert session.scalars(own).all() == []


MORE = PartnerRequest(content="Bổ sung số liệu", respond_by=date(2027, 3, 24))


def test_a_second_lead_may_ask_a_partner_that_has_answered_the_first(session: Session) -> None:
    """Rule 14: the partner belongs to the occurrence; its answers are revisions of its one row."""
    each = world.open_work(session, "I.1", leads=(A, B), partners=(C,))
    ask(session, each, C)
    row = partner(session, each, C)
    first = contribute(session, world.agency(C), row.id, ANSWER)
    receive(session, world.agency(A), row.id)
    ask(session, each, C, lead=B, request=MORE)
    assert (row.status, row.requested_by, row.respond_by) == (Status.REQUESTED, B, MORE.respond_by)
    assert row.request_text == "Góp ý dự thảo\n\nPhường Nha Trang: Bổ sung số liệu"
    assert row.confirmed_on is None
    second = contribute(session, world.agency(C), row.id, Result(text="Số liệu đây"))
    filed = select(Submission.revision).where(Submission.id.in_([first, second]))
    assert sorted(session.scalars(filed)) == [1, 2]
    receive(session, world.agency(B), row.id)


def test_whom_a_partner_has_answered_cannot_ask_it_again(session: Session) -> None:
    """Rule 14: one request, one answer; where all lead together there is one request at all."""
    each = world.open_work(session, "I.1", leads=(A, B), partners=(C,))
    joint = world.open_work(session, "II.5", leads=(A, B), partners=(C,))
    for occurrence, lead in ((each, A), (joint, B)):
        ask(session, occurrence, C)
        contribute(session, world.agency(C), partner(session, occurrence, C).id, ANSWER)
        with pytest.raises(ActionNotAllowed):
            ask(session, occurrence, C, lead=lead, request=MORE)


def test_every_lead_that_asked_learns_of_the_answer_on_monday(session: Session) -> None:
    """Rules 14, 27: by a line of the next digest of each lead that asked, not at once."""
    each = world.open_work(session, "I.1", leads=(A, B, COORDINATOR), partners=(C,))
    ask(session, each, C)
    ask(session, each, C, lead=B, request=MORE)
    contribute(session, world.agency(C), partner(session, each, C).id, ANSWER)
    told = world.notices(session, "contributed")
    assert [(one.agency_key, one.at_once) for one in told] == [(A, False), (B, False)]
    assert json.loads(told[0].payload)["note"].endswith(": Nhất trí")


def test_a_lead_is_not_told_what_it_entered_itself(session: Session, single: Occurrence) -> None:
    """Rule 27: a letter says what its reader does not know."""
    ask(session, single, B)
    heard = Result(text="Góp ý", entered_channel="điện thoại")
    receive(session, world.agency(A), partner(session, single, B).id, heard)
    assert world.notices(session, "contributed") == []
