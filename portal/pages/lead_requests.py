""" "Đề nghị phối hợp" by the agency that leads: what the coordinator has on its desk (rule 14)."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from operations.queries_detail import WorkDetail, work_detail
from operations.queues import filed
from operations.stamp import Stamp
from operations.transition import check_version, load_work
from portal.door_forms import file_at_door
from portal.doorway import Doorway
from portal.errors import NotThere
from portal.forms import FormState, Posted, posted
from portal.pages.agency import BASE, LINK, AccountDoor, LinkDoor, own_detail
from portal.partnering import partner_rows, partners
from portal.portal import portal_of
from portal.reading import Reading
from portal.requesting import SAID, take_request
from portal.told import told
from portal.typed import typed_lines
from rules.actors import Capacity
from rules.lifecycle import OPEN, Status
from rules.values import LeadMode, Role

router = APIRouter()
_READ = ["GET", "HEAD"]
_PATH: Final = "/viec/{work_id}/de-nghi-phoi-hop"
Form = Annotated[Posted, Depends(posted)]


def _lead(request: Request, door: Doorway, work_id: int) -> WorkDetail:
    detail = own_detail(request, door, work_id)
    if detail.row.role is not Role.LEAD:
        raise NotThere
    return detail


def show(
    request: Request, door: Doorway, work_id: int, form: FormState, status: int = 200
) -> Response:
    """The partners of one piece of the agency's work, with the forms."""
    portal, detail = portal_of(request), _lead(request, door, work_id)
    with portal.runtime.database.read() as session:
        results = filed(session, [one.id for one in partner_rows(detail)])
    found = partners(detail, results, portal.today)
    may = Capacity.LEAD in door.held(detail)
    return portal.pages(
        request,
        "lead_requests.html",
        status=status,
        door=door,
        row=detail.row,
        item=detail.item,
        each=detail.row.lead_mode is LeadMode.EACH,
        partners=[one for one in found if one.row.status is not Status.DORMANT],
        askable=[one for one in found if one.askable],
        silent=[one for one in found if one.late and not one.elsewhere],
        any_partner=bool(found),
        may=may,
        is_open=detail.row.status in OPEN,
        in_time=detail.row.due_on > portal.today,
        form=form,
        lost=typed_lines(form) if form.problem else (),
        said=told(request),
    )


def _act(request: Request, door: Doorway, work_id: int, deed: str, form: Posted) -> Response:
    if deed not in SAID:
        raise NotThere
    partner = form.number("partner")
    _lead(request, door, work_id)

    def do(session: Session, stamp: Stamp, reading: Reading) -> str:
        lead = work_detail(session, work_id, as_of=stamp.as_of)
        check_version(load_work(session, work_id), form.number("version"))
        take_request(session, stamp, lead, deed, reading)
        return SAID[deed]

    return file_at_door(
        request,
        door,
        form,
        deed if partner is None else f"{deed}-{partner}",
        do,
        then=f"{door.base}/viec/{work_id}/de-nghi-phoi-hop",
        show=lambda state, status: show(request, door, work_id, state, status),
    )


@router.api_route(LINK + _PATH, methods=_READ, name="link_requests")
def link_requests(request: Request, door: LinkDoor, work_id: int) -> Response:
    """The partners, by link."""
    return show(request, door, work_id, FormState())


@router.post(LINK + _PATH + "/{deed}", name="link_requests_act")
def link_requests_act(
    request: Request, door: LinkDoor, work_id: int, deed: str, form: Form
) -> Response:
    """A form towards a partner, by link."""
    return _act(request, door, work_id, deed, form)


@router.api_route(BASE + _PATH, methods=_READ, name="agency_requests")
def agency_requests(request: Request, door: AccountDoor, work_id: int) -> Response:
    """The partners, by account."""
    return show(request, door, work_id, FormState())


@router.post(BASE + _PATH + "/{deed}", name="agency_requests_act")
def agency_requests_act(
    request: Request, door: AccountDoor, work_id: int, deed: str, form: Form
) -> Response:
    """A form towards a partner, by account."""
    return _act(request, door, work_id, deed, form)
