"""Danh mục, dữ liệu mở: the coordinator opens a kind of data to everybody, or closes it."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from operations.open_data import OpenKind, set_switch, switches
from operations.stamp import Stamp
from portal.errors import NotThere
from portal.filing import file_form
from portal.forms import FormState
from portal.open_shapes import PATH as PUBLIC
from portal.open_shapes import WORDS
from portal.pages.contacts import BASE
from portal.pages.queues import Form
from portal.permissions import DECIDES, visitor_of
from portal.portal import portal_of
from portal.reading import Reading
from portal.told import told
from portal.visitors import person_of

router = APIRouter()
PATH: Final = f"{BASE}/du-lieu-mo"


def _show(request: Request, form: FormState, status: int = 200) -> Response:
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        found = switches(session)
    return portal.pages(
        request,
        "open_desk.html",
        status=status,
        form=form,
        switches=list(found.values()),
        kinds=WORDS,
        public=PUBLIC,
        path=PATH,
        may=visitor_of(person_of(request).role) in DECIDES,
        said=told(request),
    )


@router.api_route(PATH, methods=["GET", "HEAD"], name="open_data")
def open_data(request: Request) -> Response:
    """What is open and what is not."""
    return _show(request, FormState())


@router.post(PATH + "/{open_kind}", name="open_data_act")
def open_data_act(request: Request, form: Form, open_kind: str) -> Response:
    """Open a kind (``mo=1``), or close it."""
    if open_kind not in {one.value for one in OpenKind}:
        raise NotThere
    kind = OpenKind(open_kind)

    def do(session: Session, stamp: Stamp, reading: Reading) -> str:
        items, basis = reading.line("items"), reading.line("basis")
        reading.done()
        is_open = form.ticked("mo")
        set_switch(
            session,
            stamp,
            kind,
            is_open=is_open,
            items=items,
            basis=basis,
            expected=form.number("number"),
        )
        return f"{WORDS[kind][1]}: {'đã công khai' if is_open else 'đã thôi công khai'}."

    return file_form(
        request,
        form,
        kind.value,
        do,
        then=PATH,
        show=lambda state, code: _show(request, state, code),
    )
