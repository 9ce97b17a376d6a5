"""Danh mục, cơ quan và đầu mối: who gets an agency's letters, and whether it gets any (36)."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import AgencyRow, ContactKind, Mailbox
from operations.address_book import contact_gaps
from operations.contacts import (
    CONTACT_WORDS,
    ContactInput,
    contacts_of,
    remove_contact,
    set_contact,
)
from operations.letter_switches import set_letters
from operations.stamp import Stamp
from operations.state import load_directory
from portal.errors import NotThere
from portal.filing import Do, file_form
from portal.forms import FormState, Posted, posted
from portal.permissions import RUNS_IT, visitor_of
from portal.portal import portal_of
from portal.reading import Reading
from portal.told import told
from portal.visitors import person_of

router = APIRouter()
_READ = ["GET", "HEAD"]
BASE: Final = "/danh-muc"
AGENCIES: Final = f"{BASE}/co-quan"


@router.api_route(BASE, methods=_READ, name="catalog")
def catalog() -> Response:
    """The catalog begins with the agencies."""
    return RedirectResponse(AGENCIES, status_code=303)


@router.api_route(AGENCIES, methods=_READ, name="agencies")
def agencies(request: Request) -> Response:
    """The agencies of today, those that letters do not reach first; and those that ended."""
    portal, asked = portal_of(request), request.query_params.get("ten", "")
    with portal.runtime.database.read() as session:
        directory = load_directory(session)
        gaps = {gap.agency_key: gap for gap in contact_gaps(session, portal.today)}
        pilots = set(session.scalars(select(AgencyRow.key).where(AgencyRow.pilot)))
    valid = directory.valid_on(portal.today)
    keys = {one.key for one in valid}
    wanted = asked.strip().casefold()
    return portal.pages(
        request,
        "agencies.html",
        agencies=[one for one in valid if wanted in one.name.casefold()],
        ended=[one for one in directory.agencies if one.key not in keys],
        total=len(valid),
        gaps=gaps,
        letters={one.key: directory.letters_on(one.key, portal.today) for one in valid},
        pilots=pilots,
        asked=asked,
    )


def show_agency(request: Request, key: str, form: FormState, status: int) -> Response:
    """One agency: what it is, its contacts with their forms, its letters."""
    portal, person = portal_of(request), person_of(request)
    with portal.runtime.database.read() as session:
        row = session.get(AgencyRow, key)
        if row is None:
            raise NotThere("Không có cơ quan này trong danh mục.")
        directory = load_directory(session)
        contacts = {ContactKind(one.kind): one for one in contacts_of(session, key)}
        addresses = [one.email for one in contacts.values() if one.email]
        broken = {
            box.address: box.answer or ""
            for box in session.scalars(select(Mailbox).where(Mailbox.address.in_(addresses)))
            if box.state != "ok"
        }
    names = {one.key: one.name for one in directory.agencies}
    return portal.pages(
        request,
        "agency.html",
        status=status,
        agency=row,
        contacts=contacts,
        kinds=CONTACT_WORDS,
        broken=broken,
        letters_on=directory.letters_on(key, portal.today),
        after=[one for one in directory.successions if one.predecessor == key],
        before=[one for one in directory.successions if one.successor == key],
        names=names,
        may_edit=visitor_of(person.role) in RUNS_IT,
        may_switch=person.can_decide,
        form=form,
        said=told(request),
    )


@router.api_route(AGENCIES + "/{name}", methods=_READ, name="agency_entry")
def agency_entry(request: Request, name: str) -> Response:
    """One agency."""
    return show_agency(request, name, FormState(), 200)


def _set(kind: ContactKind, key: str) -> Do:
    def do(session: Session, stamp: Stamp, reading: Reading) -> str:
        wanted = ContactInput(
            agency_key=key,
            kind=kind,
            name=reading.line("name"),
            post=reading.line("post"),
            email=reading.line("email"),
            phone=reading.line("phone"),
        )
        reading.done()
        set_contact(session, stamp, wanted)
        return f"Đã ghi {CONTACT_WORDS[kind].lower()}."

    return do


def _remove(kind: ContactKind, key: str) -> Do:
    def do(session: Session, stamp: Stamp, _reading: Reading) -> str:
        remove_contact(session, stamp, agency_key=key, kind=kind)
        return f"Đã thôi dùng {CONTACT_WORDS[kind].lower()}; lịch sử vẫn giữ tên khi đó."

    return do


def _switch(key: str, *, on: bool) -> Do:
    def do(session: Session, stamp: Stamp, reading: Reading) -> str:
        reason = reading.text("reason")
        reading.done()
        change = set_letters(session, stamp, key, on=on, reason=reason)
        word = "Đã bật thư tự động." if on else "Đã tắt thư tự động; theo dõi bằng cách khác."
        if change.still_silent:
            word += " Nhóm của cơ quan này vẫn đang tắt thư."
        return word

    return do


def _deed(key: str, deed: str) -> Do | None:
    word, _, rest = deed.partition("-")
    if word in {"ghi", "bo"} and rest in set(ContactKind):
        kind = ContactKind(rest)
        return _set(kind, key) if word == "ghi" else _remove(kind, key)
    switches: dict[str, Any] = {"bat-thu": True, "tat-thu": False}
    return _switch(key, on=switches[deed]) if deed in switches else None


@router.post(AGENCIES + "/{name}/{deed}", name="agency_entry_act")
def agency_entry_act(
    request: Request, name: str, deed: str, form: Annotated[Posted, Depends(posted)]
) -> Response:
    """Set or remove a contact, or switch letters on or off."""
    do = _deed(name, deed)
    if do is None:
        raise NotThere
    return file_form(
        request,
        form,
        deed,
        do,
        then=f"{AGENCIES}/{name}",
        show=lambda state, code: show_agency(request, name, state, code),
    )
