"""An agency's own work: the same pages behind a letter's link and behind an account."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from operations.errors import NotFound
from operations.links import LINK_PATH
from operations.queries import history_of
from operations.queries_detail import WorkDetail, paper_of, work_detail
from portal.deeds import AGENCY_DEEDS
from portal.desk_tables import own_table
from portal.doorway import Doorway, by_account, by_link, coordinator_name
from portal.downloads import hand_out
from portal.errors import NotThere
from portal.exporting import takes_away
from portal.forms import FormState, Posted, posted
from portal.portal import portal_of
from portal.recorded import show_recorded
from portal.taking import take
from portal.typed import typed_lines
from portal.views import agency_list, offer
from portal.words import date_story, pill
from reports.tables import Table

router = APIRouter()
BASE = "/co-quan"
_LINK = LINK_PATH.rstrip("/") + "/{token}"
_READ = ["GET", "HEAD"]

LinkDoor = Annotated[Doorway, Depends(by_link)]
AccountDoor = Annotated[Doorway, Depends(by_account)]
Form = Annotated[Posted, Depends(posted)]


def show_list(request: Request, door: Doorway) -> Response:
    """The agency's work by urgency."""
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        found = agency_list(session, door, portal.today)
    return portal.pages(request, "agency_list.html", door=door, found=found, today=portal.today)


def _own(door: Doorway, detail: WorkDetail) -> bool:
    return detail.row.agency == door.agency


def show_work(
    request: Request, door: Doorway, work_id: int, form: FormState, status: int = 200
) -> Response:
    """One piece of work with its forms; an agency's own only (rule 46)."""
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        try:
            detail = work_detail(session, work_id, as_of=portal.today)
        except NotFound:
            raise NotThere from None
        if not _own(door, detail):
            raise NotThere
        centre = coordinator_name(session, detail.standing.coordinator)
        history = history_of(session, work_id)
    offered = offer(detail, door.held(detail), by_link=door.by_link)
    return portal.pages(
        request,
        "agency_work.html",
        status=status,
        door=door,
        detail=detail,
        row=detail.row,
        item=detail.item,
        pill=pill(detail.row, portal.today, detail.state.calendar),
        story=date_story(detail.row, detail.item, detail.plan, centre),
        offer=offered,
        centre=centre,
        form=form,
        lost=typed_lines(form) if form.problem else (),
        history=list(reversed(history)),
        today=portal.today,
    )


def show_file(request: Request, door: Doorway, evidence_id: int) -> Response:
    """A file of the agency's own evidence."""
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        found = paper_of(session, evidence_id)
        if found is None:
            raise NotThere
        paper, work_id = found
        if not _own(door, work_detail(session, work_id, as_of=portal.today)):
            raise NotThere
    return hand_out(request, paper, who=door.key)


def _take(request: Request, door: Doorway, work_id: int, deed: str, form: Posted) -> Response:
    return take(
        request,
        door,
        work_id,
        deed,
        form,
        deeds=AGENCY_DEEDS,
        show=show_work,
        may_see=lambda detail: _own(door, detail),
    )


def _recorded(request: Request, door: Doorway, work_id: int) -> Response:
    return show_recorded(
        request,
        door,
        work_id,
        deeds=AGENCY_DEEDS,
        may_see=lambda detail: _own(door, detail),
        back_to=door.base,
    )


@router.api_route(_LINK, methods=_READ, name="link_list")
def link_list(request: Request, door: LinkDoor) -> Response:
    """What a letter's link opens."""
    return show_list(request, door)


@router.api_route(_LINK + "/viec/{work_id}", methods=_READ, name="link_work")
def link_work(request: Request, door: LinkDoor, work_id: int) -> Response:
    """One piece of work, by link."""
    return show_work(request, door, work_id, FormState())


@router.api_route(_LINK + "/viec/{work_id}/da-ghi-nhan", methods=_READ, name="link_recorded")
def link_recorded(request: Request, door: LinkDoor, work_id: int) -> Response:
    """What was recorded, by link."""
    return _recorded(request, door, work_id)


@router.post(_LINK + "/viec/{work_id}/{deed}", name="link_act")
def link_act(request: Request, door: LinkDoor, work_id: int, deed: str, form: Form) -> Response:
    """A form, by link."""
    return _take(request, door, work_id, deed, form)


@router.api_route(_LINK + "/tai-lieu/{evidence_id}", methods=_READ, name="link_file")
def link_file(request: Request, door: LinkDoor, evidence_id: int) -> Response:
    """A file, by link."""
    return show_file(request, door, evidence_id)


@router.api_route(BASE, methods=_READ, name="agency_list")
def account_list(request: Request, door: AccountDoor) -> Response:
    """The work of the account's own agency."""
    return show_list(request, door)


@router.api_route(BASE + "/viec/{work_id}", methods=_READ, name="agency_work")
def account_work(request: Request, door: AccountDoor, work_id: int) -> Response:
    """One piece of work, by account."""
    return show_work(request, door, work_id, FormState())


@router.api_route(BASE + "/viec/{work_id}/da-ghi-nhan", methods=_READ, name="agency_recorded")
def account_recorded(request: Request, door: AccountDoor, work_id: int) -> Response:
    """What was recorded, by account."""
    return _recorded(request, door, work_id)


@router.post(BASE + "/viec/{work_id}/{deed}", name="agency_act")
def account_act(
    request: Request, door: AccountDoor, work_id: int, deed: str, form: Form
) -> Response:
    """A form, by account."""
    return _take(request, door, work_id, deed, form)


@router.api_route(BASE + "/tai-lieu/{evidence_id}", methods=_READ, name="agency_file")
def account_file(request: Request, door: AccountDoor, evidence_id: int) -> Response:
    """A file, by account."""
    return show_file(request, door, evidence_id)


def _own_file(request: Request, door: Doorway) -> Table:
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        return own_table(door.agency_name, agency_list(session, door, portal.today, closed=None))


takes_away(router, "link_list", lambda request: _own_file(request, by_link(request)))
takes_away(router, "agency_list", lambda request: _own_file(request, by_account(request)))
