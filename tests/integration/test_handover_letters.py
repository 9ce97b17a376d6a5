"""An agency hands over its focal point: the old mailbox and the new one are told, each once (36)."""

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy.orm import Session

from models.tables import AgencyRow, ContactKind
from operations.contacts import ContactInput
from operations.handover import name_contact
from operations.links import LINK_PATH
from operations.outbox import LetterKind
from tests import world
from tests.builders import ScriptedMail, Town, focal, text_of, town
from tests.world import A

SATURDAY, MONDAY = date(2027, 2, 20), date(2027, 2, 22)
NEW = "moi.nt@khanhhoa.gov.vn"


@pytest.fixture
def place(database_url: str) -> Iterator[Town]:
    def work(session: Session) -> None:
        world.open_work(session, leads=(A,), partners=())

    with town(database_url, work=work) as made:
        yield made


def hand_over(place: Town, email: str = NEW, **changes: str) -> None:
    """The agency names another focal point on a Saturday."""
    said = {"name": "Lê Thị Mới", "post": "Công chức Văn phòng", **changes}
    wanted = ContactInput(agency_key=A, kind=ContactKind.FOCAL, email=email, **said)
    with place.changing() as session:
        name_contact(session, world.agency(A, SATURDAY), wanted)


def told(place: Town, day: date) -> dict[str, str]:
    """The letters about the handover that leave on a day, by address."""
    mail = ScriptedMail()
    place.send(day, mail)
    texts = {address: text_of(message) for address, message in mail.taken}
    return {address: text for address, text in texts.items() if "Lê Thị Mới" in text}


def test_the_old_and_the_new_mailbox_are_told_once_on_a_working_day(place: Town) -> None:
    """(5, 34, 36) Only the new focal point gets a link of its own."""
    hand_over(place)
    hand_over(place)
    assert told(place, SATURDAY) == {}
    found = told(place, MONDAY)
    assert set(found) == {focal(A), NEW}
    for text in found.values():
        assert "từ ngày 20/2/2027, đầu mối theo dõi nhiệm vụ của" in text
        assert "là Lê Thị Mới, Công chức Văn phòng" in text
    assert "Liên kết riêng của hộp thư này" in found[NEW]
    assert LINK_PATH in found[NEW]
    assert "Trân trọng cảm ơn sự phối hợp của Ông/Bà" in found[focal(A)]
    assert LINK_PATH not in found[focal(A)]
    assert told(place, MONDAY) == {}


def test_nobody_is_told_when_the_mailbox_is_the_same(place: Town) -> None:
    hand_over(place, focal(A))
    assert place.letters(kind=LetterKind.HANDOVER) == []


def test_an_agency_without_automatic_letters_gets_none(place: Town) -> None:
    """(36)"""
    with place.changing() as session:
        session.get_one(AgencyRow, A).letters = False
    hand_over(place)
    assert place.letters(kind=LetterKind.HANDOVER) == []
