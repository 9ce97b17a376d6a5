"""Figures with a denominator, required outcomes, and the focal point that a result names (41)."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select

from models.tables import Contact, ContactKind, Event, Submission
from operations.contacts import ContactInput
from operations.errors import NotPermitted, Refused
from operations.results import OutcomeFiled, Result
from rules.actors import AccountRole, Actor, ActorKind
from rules.lifecycle import Action, Status
from tests.engine import PROVINCE, Engine, filed, person

JAN, MARCH, DEC = date(2027, 1, 4), date(2027, 3, 15), date(2027, 12, 1)
XA = "xa_van_ninh"
STAFF = person(AccountRole.AGENCY, XA, "Trần B")
CENTRE = person(AccountRole.COORDINATOR, "so_noi_vu", "Lê C")
PRAISE = OutcomeFiled(code="70/QĐ-SNV", issued_on=date(2027, 11, 30))
NONE = OutcomeFiled(none_because="Không có người chưa đạt")


@pytest.fixture
def one(database_url: str) -> Iterator[Engine]:
    made = Engine(database_url, folder=PROVINCE, start=date(2027, 1, 1))
    made.run(JAN)
    made.run(MARCH)
    yield made
    made.database.close()


@pytest.mark.parametrize(
    ("figures", "field", "words"),
    [
        ({"staff": "10", "trained": "11", "reached": "10"}, "figure.trained", "không thể lớn hơn"),
        ({"staff": "10", "trained": "10"}, "figure.reached", "Đề nghị nhập"),
        ({"staff": "mười", "trained": "1", "reached": "1"}, "figure.staff", "số không âm"),
    ],
)
def test_a_figure_above_its_denominator_is_refused(
    one: Engine, figures: dict[str, str], field: str, words: str
) -> None:
    """Rule 41."""
    one.run(DEC)
    row = one.find("NPL.1", "2027", XA)
    with pytest.raises(Refused, match=words) as refused:
        one.act(row, Action.SUBMIT, STAFF, DEC, filed(issued_on=DEC, **figures))
    assert refused.value.field == field


def test_the_yearly_report_waits_for_confirmation_and_is_never_unchanged(one: Engine) -> None:
    """Rules 20, 41."""
    one.run(DEC)
    row = one.find("NPL.1", "2027", XA)
    again = filed(issued_on=DEC)
    unchanged = replace(again, result=replace(again.result, unchanged=True))
    with pytest.raises(Refused, match="không dùng"):
        one.act(row, Action.SUBMIT, STAFF, DEC, unchanged)
    done = one.act(
        row, Action.SUBMIT, STAFF, DEC, filed(issued_on=DEC, staff="10", trained="9", reached="10")
    )
    assert done.status is Status.SUBMITTED


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "outcome.bieu_duong.document"),
        ({"bieu_duong": PRAISE}, "outcome.khuyen_nghi.document"),
        ({"bieu_duong": OutcomeFiled(code="70/QĐ-SNV")}, "outcome.bieu_duong.issued_on"),
        (
            {"bieu_duong": replace(PRAISE, none_because="không"), "khuyen_nghi": NONE},
            "outcome.bieu_duong.none",
        ),
        (
            {"bieu_duong": PRAISE, "khuyen_nghi": NONE, "khac": NONE},
            "outcome.khac.document",
        ),
    ],
)
def test_the_knowledge_test_wants_praise_and_advice_each_by_itself(
    one: Engine, given: dict[str, OutcomeFiled], field: str
) -> None:
    """Rule 20, IV.1: a document each, or why there is none."""
    one.run(DEC)
    row = one.find("IV.1", "2027", "so_noi_vu")
    request = filed(issued_on=DEC)
    filled = replace(request, result=replace(request.result, outcomes=given))
    with pytest.raises(Refused) as refused:
        one.act(row, Action.SUBMIT, CENTRE, DEC, filled)
    assert refused.value.field == field


def test_outcomes_are_stored_with_their_documents_and_stand_in_the_history(one: Engine) -> None:
    one.run(DEC)
    row = one.find("IV.1", "2027", "so_noi_vu")
    result = Result(text="Đã xong", outcomes={"bieu_duong": PRAISE, "khuyen_nghi": NONE})
    one.act(row, Action.SUBMIT, CENTRE, DEC, replace(filed(), result=result))
    stored = {
        "bieu_duong": {"code": "70/QĐ-SNV", "issued_on": "2027-11-30"},
        "khuyen_nghi": {"none": "Không có người chưa đạt"},
    }
    with one.database.read() as session:
        assert json.loads(session.scalars(select(Submission.outcomes)).one()) == stored
        event = session.scalars(select(Event).where(Event.entity == "submission")).one()
    snapshot = json.loads(event.snapshot)
    assert snapshot["outcomes"] == stored
    assert [paper["code"] for paper in snapshot["papers"]] == ["70/QĐ-SNV"]


def _naming(name: str, email: str) -> Result:
    focal = ContactInput(agency_key=XA, kind=ContactKind.FOCAL, name=name, email=email)
    return replace(filed(issued_on=MARCH).result, focal=focal)


def test_the_result_of_i_1_names_the_focal_point_and_the_history_says_why(one: Engine) -> None:
    """Rule 36."""
    row = one.find("I.1", "2027", XA)
    named = replace(filed(), result=_naming("Nguyễn Thị Hoa", "hoa@khanhhoa.gov.vn"))
    one.act(row, Action.SUBMIT, STAFF, MARCH, named)
    with one.database.read() as session:
        contact = session.scalars(
            select(Contact).where(Contact.agency_key == XA, Contact.kind == "focal")
        ).one()
        event = session.scalars(select(Event).where(Event.entity == "contact")).all()[-1]
    assert (contact.name, contact.email) == ("Nguyễn Thị Hoa", "hoa@khanhhoa.gov.vn")
    assert event.reason == "Theo kết quả nhiệm vụ I.1 · 2027"


def test_whoever_does_not_speak_for_the_agency_names_nobody(one: Engine) -> None:
    """Rule 34: a forwarded letter's link is no word of the agency; nothing at all is stored."""
    stranger = Actor(kind=ActorKind.MAILBOX, name="Ai đó", mailbox="khac@x.test", agency=XA)
    row = one.find("I.1", "2027", XA)
    named = replace(filed(), result=_naming("Kẻ lạ", "la@x.test"))
    with pytest.raises(NotPermitted):
        one.act(row, Action.SUBMIT, stranger, MARCH, named)
    assert one.again(row).status == Status.NOT_STARTED


def test_a_wrong_address_is_told_beside_its_field(one: Engine) -> None:
    row = one.find("I.1", "2027", XA)
    with pytest.raises(Refused) as refused:
        one.act(row, Action.SUBMIT, STAFF, MARCH, replace(filed(), result=_naming("Hoa", "hoa@")))
    assert refused.value.field == "focal.email"


def test_another_items_result_names_no_focal_point(one: Engine) -> None:
    row = one.find("NPL.2", "2027", XA)
    named = replace(filed(), result=_naming("Hoa", "hoa@khanhhoa.gov.vn"))
    with pytest.raises(Refused, match="không kèm đầu mối"):
        one.act(row, Action.SUBMIT, STAFF, MARCH, named)
