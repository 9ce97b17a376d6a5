"""Danh mục, nhóm: groups of agencies whose letters are switched on or off by hand (36)."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from models.tables import GroupRow
from operations.errors import Conflict
from operations.letter_switches import set_letters
from operations.queries_groups import group_history, letter_groups
from operations.stamp import Stamp
from portal.catalog_tables import groups_table
from portal.errors import NotThere
from portal.exporting import takes_away
from portal.filing import Do, file_form
from portal.forms import FormState, Posted, posted
from portal.history_words import act_word
from portal.pages.contacts import BASE
from portal.portal import portal_of
from portal.reading import Reading
from portal.told import told
from portal.visitors import person_of
from reports.tables import Table

router = APIRouter()
_READ = ["GET", "HEAD"]
GROUPS: Final = f"{BASE}/nhom"
_SWITCHES: Final = {"bat-thu": True, "tat-thu": False}


@router.api_route(GROUPS, methods=_READ, name="groups")
def groups(request: Request) -> Response:
    """The groups, those without automatic letters first."""
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        found = letter_groups(session, portal.today)
    return portal.pages(
        request,
        "groups.html",
        off=[one for one in found if not one.letters],
        on=[one for one in found if one.letters],
    )


def _file(request: Request) -> Table:
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        return groups_table(letter_groups(session, portal.today))


takes_away(router, "groups", _file)


def show_group(request: Request, key: str, form: FormState, status: int) -> Response:
    """One group: who is in it, its letters, the form that switches them, what was done."""
    portal, person = portal_of(request), person_of(request)
    with portal.runtime.database.read() as session:
        every = letter_groups(session, portal.today)
        found = next((one for one in every if one.key == key), None)
        if found is None:
            raise NotThere("Không có nhóm cơ quan này trong danh mục.")
        events = group_history(session, key)
    return portal.pages(
        request,
        "group.html",
        status=status,
        group=found,
        silent={one.key for one in found.silent},
        history=events,
        act_word=act_word,
        may_switch=person.can_decide,
        form=form,
        said=told(request),
    )


@router.api_route(GROUPS + "/{name}", methods=_READ, name="group")
def group(request: Request, name: str) -> Response:
    """One group."""
    return show_group(request, name, FormState(), 200)


def _switch(key: str, *, on: bool) -> Do:
    def do(session: Session, stamp: Stamp, reading: Reading) -> str:
        reason, document = reading.text("reason"), reading.line("document")
        reading.done()
        row = session.get(GroupRow, key)
        if row is not None and row.letters is on:
            word = "bật" if on else "tắt"
            msg = f"Thư tự động của nhóm này đã được {word} trước đó; không có gì thay đổi."
            raise Conflict(msg)
        change = set_letters(session, stamp, f"@{key}", on=on, reason=reason, document=document)
        said = f"Đã {'bật' if on else 'tắt'} thư tự động: {len(change.agencies)} cơ quan"
        said += f", {change.reminders} lịch nhắc tính lại."
        if change.still_silent:
            said += f" {len(change.still_silent)} cơ quan vẫn chưa nhận thư vì lý do khác."
        return said

    return do


@router.post(GROUPS + "/{name}/{deed}", name="group_act")
def group_act(
    request: Request, name: str, deed: str, form: Annotated[Posted, Depends(posted)]
) -> Response:
    """Switch the letters of a group on or off."""
    if deed not in _SWITCHES:
        raise NotThere
    return file_form(
        request,
        form,
        deed,
        _switch(name, on=_SWITCHES[deed]),
        then=f"{GROUPS}/{name}",
        show=lambda state, code: show_group(request, name, state, code),
    )
