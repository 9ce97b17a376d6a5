"""Danh mục, cơ quan và đầu mối: who gets an agency's letters, and whether it gets any (36)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import AgencyRow, ContactKind, Mailbox
from operations.address_book import ContactGap, contact_gaps
from operations.contacts import (
    CONTACT_WORDS,
    ContactInput,
    contacts_of,
    remove_contact,
    set_contact,
)
from operations.letter_switches import set_letters
from operations.plans_seen import agencies_elsewhere
from operations.stamp import Stamp
from operations.state import load_directory
from portal.catalog_tables import agencies_table
from portal.errors import NotThere
from portal.exporting import takes_away
from portal.filing import Do, file_form
from portal.forms import FormState, Posted, posted
from portal.past import looking
from portal.permissions import RUNS_IT, visitor_of
from portal.portal import portal_of
from portal.reading import Reading
from portal.told import told
from portal.visitors import person_of
from reports.tables import Table
from rules.values import Agency

router = APIRouter()
_READ = ["GET", "HEAD"]
BASE: Final = "/danh-muc"
AGENCIES: Final = f"{BASE}/co-quan"


@router.api_route(BASE, methods=_READ, name="catalog")
def catalog() -> Response:
    """The catalog begins with the agencies."""
    return RedirectResponse(AGENCIES, status_code=303)


MISSING: Final = {
    "mot-trong-hai": "hộp thư hoặc đầu mối dùng được",
    "hop-thu": "hộp thư dùng được",
    "dau-moi": "đầu mối dùng được",
}
"""What an agency may lack, by the word that addresses have for it (rule 36)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The agencies of today that fit what was asked, and what is known of all."""

    agencies: list[Agency]
    ended: list[Agency]
    total: int
    gaps: Mapping[str, ContactGap]
    letters: Mapping[str, bool]
    pilots: frozenset[str]


def _lacks(gap: ContactGap | None, missing: str) -> bool:
    """Whether an agency lacks what is looked for; everything fits when nothing is."""
    if missing not in MISSING:
        return True
    if gap is None:
        return False
    return {"hop-thu": not gap.mailbox, "dau-moi": not gap.focal}.get(missing, True)


def _found(request: Request) -> Found:
    asked = request.query_params
    with looking(request) as view:
        session, today = view.session, view.today
        directory = load_directory(session)
        gaps = {gap.agency_key: gap for gap in contact_gaps(session, today)}
        pilots = frozenset(session.scalars(select(AgencyRow.key).where(AgencyRow.pilot)))
        hidden = agencies_elsewhere(session)
    valid = [one for one in directory.valid_on(today) if one.key not in hidden]
    keys = {one.key for one in valid}
    wanted, missing = asked.get("ten", "").strip().casefold(), asked.get("thieu", "")
    return Found(
        agencies=sorted(
            (
                one
                for one in valid
                if wanted in one.name.casefold() and _lacks(gaps.get(one.key), missing)
            ),
            key=lambda one: (one.kind, one.key),
        ),
        ended=[one for one in directory.agencies if one.key not in keys | hidden],
        total=len(valid),
        gaps=gaps,
        letters={one.key: directory.letters_on(one.key, today) for one in valid},
        pilots=pilots,
    )


@router.api_route(AGENCIES, methods=_READ, name="agencies")
def agencies(request: Request) -> Response:
    """The agencies of today with whether letters reach them; and those that ended."""
    asked = request.query_params
    return portal_of(request).pages(
        request,
        "agencies.html",
        found=_found(request),
        asked=asked.get("ten", ""),
        missing=asked.get("thieu", "") if asked.get("thieu") in MISSING else "",
        lacks=MISSING,
    )


def _file(request: Request) -> Table:
    found = _found(request)
    return agencies_table(found.agencies, found.gaps, found.letters, found.pilots)


takes_away(router, "agencies", _file, words={"thieu": MISSING})


def show_agency(request: Request, key: str, form: FormState, status: int) -> Response:
    """One agency: what it is, its contacts with their forms, its letters."""
    portal, person = portal_of(request), person_of(request)
    with looking(request) as view:
        session = view.session
        row = session.get(AgencyRow, key)
        if row is None or key in agencies_elsewhere(session):
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
        letters_on=directory.letters_on(key, view.today),
        after=[one for one in directory.successions if one.predecessor == key],
        before=[one for one in directory.successions if one.successor == key],
        names=names,
        may_edit=visitor_of(person.role) in RUNS_IT and not view.is_past,
        may_switch=person.can_decide and not view.is_past,
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
    with portal_of(request).runtime.database.read() as session:
        hidden = name in agencies_elsewhere(session)
    if do is None or hidden:
        raise NotThere
    return file_form(
        request,
        form,
        deed,
        do,
        then=f"{AGENCIES}/{name}",
        show=lambda state, code: show_agency(request, name, state, code),
    )
