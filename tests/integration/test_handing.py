"""Handing work to a colleague, and the letters that follow (rules 26, 30, 36)."""

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy.orm import Session

from models.tables import ContactKind
from operations.accounts import NewAccount, add_account
from operations.contacts import ContactInput, remove_contact, set_contact
from operations.errors import Conflict, NotPermitted, Refused
from operations.handing import colleagues, hand_over, handled_by
from rules.actors import AccountRole
from tests import world
from tests.builders import Town, focal, mailbox, town
from tests.world import A, B

R15, R5 = date(2027, 3, 10), date(2027, 3, 24)
DEPUTY = "du-phong.xa-van-ninh@co-quan.test"


def one_lead(session: Session) -> None:
    world.open_work(session, leads=(A,), partners=())


@pytest.fixture
def place(database_url: str) -> Iterator[Town]:
    with town(database_url, work=one_lead) as made:
        with made.changing() as session:
            deputy = ContactInput(
                agency_key=A, kind=ContactKind.DEPUTY, name="Trần Văn Bình", email=DEPUTY
            )
            set_contact(session, world.admin(), deputy)
            new = NewAccount(
                username="le.an",
                name="Lê Thị An",
                role=AccountRole.AGENCY,
                agency=A,
                basis="Quyết định thử",
            )
            add_account(session, world.admin(), new)
        yield made


def hand(place: Town, to: str | None, **how: object) -> None:
    with place.changing() as session:
        hand_over(session, world.agency(A), place.row().id, to=to, **how)  # type: ignore[arg-type]


def test_an_agencys_people_are_its_accounts_and_its_named_contacts(place: Town) -> None:
    with place.changing() as session:
        keys = [one.key for one in colleagues(session, A, world.TODAY)]
        assert keys == ["account:le.an", "contact:focal", "contact:deputy", "contact:head"]
        assert "account:le.an" not in [one.key for one in colleagues(session, B, world.TODAY)]


def test_handing_is_history_with_its_note(place: Town) -> None:
    """Rules 26, 37."""
    hand(place, "contact:deputy", note="Làm trước 10/3", expected_version=1)
    row = place.row()
    assert (row.handler, row.handler_mailbox, row.handler_account) == (
        "Trần Văn Bình",
        DEPUTY,
        None,
    )
    with place.changing() as session:
        event = world.events(session, "assignment", row.id)[-1]
    assert (event.action, event.reason) == ("hand", "Làm trước 10/3")
    with pytest.raises(Conflict):
        hand(place, "account:le.an", expected_version=1)
    with pytest.raises(Refused, match="đang do Trần Văn Bình"):
        hand(place, "contact:deputy")


def test_the_colleagues_own_digest_has_the_line_and_the_focal_points_has_not(place: Town) -> None:
    """Rule 30: no copies; the agency's mailbox keeps its line."""
    hand(place, "contact:deputy")
    assert sorted(place.run(R15)) == sorted([mailbox(A), DEPUTY])
    hand(place, None)
    assert sorted(place.run(R5)) == sorted([mailbox(A), focal(A)])


def test_a_colleague_without_a_contacts_address_leaves_letters_as_they_are(place: Town) -> None:
    """Rule 36: letters go to contacts of the agency and to nobody else."""
    hand(place, "account:le.an")
    assert sorted(place.run(R15)) == sorted([mailbox(A), focal(A)])


def test_letters_fall_back_to_the_focal_point_when_the_colleague_has_left(place: Town) -> None:
    """Rule 30."""
    hand(place, "contact:deputy")
    with place.changing() as session:
        remove_contact(session, world.admin(), agency_key=A, kind=ContactKind.DEPUTY)
    assert sorted(place.run(R15)) == sorted([mailbox(A), focal(A)])


def test_work_is_handed_within_its_own_agency_only(place: Town) -> None:
    """Rule 46."""
    number = place.row().id
    for stamp in (world.agency(B), world.coordinator()):
        with place.changing() as session, pytest.raises(NotPermitted):
            hand_over(session, stamp, number, to="contact:deputy")
    with pytest.raises(Refused, match="không còn trong danh sách"):
        hand(place, "account:nobody")


def test_my_work_is_found_by_account_and_by_mailbox(place: Town) -> None:
    number = place.row().id
    hand(place, "account:le.an")
    with place.changing() as session:
        an = world.stamp(world.person("x", AccountRole.AGENCY, A)).actor
        mine = type(an)(kind=an.kind, name="An", account="le.an", agency=A)
        assert handled_by(session, mine, A) == {number}
        assert handled_by(session, world.link(A).actor, A) == frozenset()
    hand(place, "contact:deputy")
    with place.changing() as session:
        box = world.link(A).actor
        deputy = type(box)(kind=box.kind, name=DEPUTY, mailbox=DEPUTY, agency=A)
        assert handled_by(session, deputy, A) == {number}
