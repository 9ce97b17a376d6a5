"""An agency's own contacts: it names its focal point and deputy itself (rule 36)."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from models.tables import ContactKind
from notifications.formats import vn_date
from operations.contacts import CONTACT_WORDS, ContactInput, contacts_of
from operations.handover import HANDED_OVER, name_contact, speaks_for
from operations.stamp import Stamp
from operations.state import plan_keys
from portal.door_forms import file_at_door
from portal.doorway import Doorway, coordinator_name
from portal.errors import NotThere
from portal.forms import FormState, Posted, posted
from portal.pages.agency import BASE, LINK, AccountDoor, LinkDoor
from portal.portal import portal_of
from portal.reading import Reading
from portal.told import told
from portal.typed import typed_lines
from portal.views import Reader

router = APIRouter()
_READ = ["GET", "HEAD"]
_PATH: Final = "/dau-moi"
_DEEDS: Final = {"dau-moi-chinh": ContactKind.FOCAL, "du-phong": ContactKind.DEPUTY}
Form = Annotated[Posted, Depends(posted)]


def show(request: Request, door: Doorway, form: FormState, status: int = 200) -> Response:
    """The agency's contacts with the forms that change two of them."""
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        contacts = {ContactKind(one.kind): one for one in contacts_of(session, door.agency)}
        may = speaks_for(session, door.actor, door.agency)
        centre = _centre(session, Reader(session, portal.today))
    return portal.pages(
        request,
        "own_contacts.html",
        status=status,
        door=door,
        contacts=contacts,
        kinds=CONTACT_WORDS,
        deeds={deed: kind for deed, kind in _DEEDS.items() if kind in HANDED_OVER},
        may=may,
        # A letter is forwarded: behind another mailbox's link names are enough (rule 40).
        shown=may or not door.by_link,
        centre=centre,
        form=form,
        lost=typed_lines(form) if form.problem else (),
        said=told(request),
        today=portal.today,
    )


def _centre(session: Session, reader: Reader) -> str:
    keys = plan_keys(session)
    return coordinator_name(session, reader.coordinator(keys[0]) if keys else "")


def _act(request: Request, door: Doorway, deed: str, form: Posted) -> Response:
    if deed not in _DEEDS:
        raise NotThere
    kind = _DEEDS[deed]

    def do(session: Session, stamp: Stamp, reading: Reading) -> str:
        wanted = ContactInput(
            agency_key=door.agency,
            kind=kind,
            name=reading.line("name"),
            post=reading.line("post"),
            email=reading.line("email"),
            phone=reading.line("phone"),
        )
        day = reading.day("effective_on") or stamp.as_of
        reading.done()
        row = name_contact(session, stamp, wanted, effective_on=day)
        return f"Đã ghi {CONTACT_WORDS[kind].lower()}: {row.name}, từ ngày {vn_date(day)}."

    return file_at_door(
        request,
        door,
        form,
        deed,
        do,
        then=f"{door.base}{_PATH}",
        show=lambda state, status: show(request, door, state, status),
    )


@router.api_route(LINK + _PATH, methods=_READ, name="link_contacts")
def link_contacts(request: Request, door: LinkDoor) -> Response:
    """The contacts, by link."""
    return show(request, door, FormState())


@router.post(LINK + _PATH + "/{deed}", name="link_contacts_act")
def link_contacts_act(request: Request, door: LinkDoor, deed: str, form: Form) -> Response:
    """Name a contact, by link."""
    return _act(request, door, deed, form)


@router.api_route(BASE + _PATH, methods=_READ, name="agency_contacts")
def agency_contacts(request: Request, door: AccountDoor) -> Response:
    """The contacts, by account."""
    return show(request, door, FormState())


@router.post(BASE + _PATH + "/{deed}", name="agency_contacts_act")
def agency_contacts_act(request: Request, door: AccountDoor, deed: str, form: Form) -> Response:
    """Name a contact, by account."""
    return _act(request, door, deed, form)
