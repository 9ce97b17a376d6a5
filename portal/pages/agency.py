"""An agency's own work: the same pages behind a letter's link and behind an account."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from operations.calendar_feeds import feed_secret
from operations.errors import NotFound
from operations.filed_before import filed_before, papers_of
from operations.findings import FOLLOWED, STATE_WORDS, findings, is_overdue
from operations.handing import colleagues, handled_by
from operations.handover import focal_to_confirm
from operations.links import LINK_PATH
from operations.money import money_rows
from operations.queries import history_of
from operations.queries_detail import WorkDetail, paper_of, work_detail
from portal.deeds import AGENCY_DEEDS
from portal.desk_tables import own_table
from portal.doorway import Doorway, account_door, by_account, by_link, coordinator_name
from portal.downloads import hand_out
from portal.errors import NotThere
from portal.exporting import takes_away
from portal.forms import FormState, Posted, posted
from portal.papers import examine_work
from portal.partnering import contributed_to, partners_shown
from portal.portal import portal_of
from portal.recorded import show_recorded
from portal.taking import take
from portal.told import told
from portal.typed import typed_lines
from portal.views import agency_list, handed_to, offer
from portal.words import date_story, pill
from reports.tables import Table

router = APIRouter()
BASE = "/co-quan"
LINK = LINK_PATH.rstrip("/") + "/{token}"
_READ = ["GET", "HEAD"]
_EMPTY = FormState()

LinkDoor = Annotated[Doorway, Depends(by_link)]
AccountDoor = Annotated[Doorway, Depends(account_door)]
Form = Annotated[Posted, Depends(posted)]


def show_list(
    request: Request, door: Doorway, form: FormState = _EMPTY, status: int = 200
) -> Response:
    """The agency's work by urgency: all of it, or what was handed to whoever asks."""
    portal = portal_of(request)
    own_only = request.query_params.get("loc") == "cua-toi"
    secret = None
    with portal.runtime.database.read() as session:
        mine = handled_by(session, door.actor, door.agency)
        to_mend = findings(session, agency=door.agency, states=sorted(FOLLOWED))
        found = agency_list(session, door, portal.today, only=mine if own_only else None)
        if not door.by_link:
            secret = feed_secret(session, door.agency, secret=portal.runtime.link_secret)
    url = portal.runtime.settings.portal_url.rstrip("/")
    return portal.pages(
        request,
        "agency_list.html",
        status=status,
        door=door,
        found=found,
        mine=len(mine),
        to_mend=[(row, is_overdue(row, portal.today)) for row in to_mend],
        states=STATE_WORDS,
        own_only=own_only,
        feed=None if secret is None else f"{url}/lich/{secret}.ics",
        form=form,
        said=told(request),
        today=portal.today,
    )


def own_detail(request: Request, door: Doorway, work_id: int) -> WorkDetail:
    """A piece of the agency's own work.

    Raises:
        NotThere: there is none, or it is another agency's (rule 46).
    """
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        try:
            detail = work_detail(session, work_id, as_of=portal.today)
        except NotFound:
            raise NotThere from None
    if not _own(door, detail):
        raise NotThere
    return detail


def _own(door: Doorway, detail: WorkDetail) -> bool:
    return detail.row.agency == door.agency


def show_work(
    request: Request, door: Doorway, work_id: int, form: FormState, status: int = 200
) -> Response:
    """One piece of work with its forms; an agency's own only (rule 46)."""
    portal = portal_of(request)
    examine_work(portal, [work_id])
    detail = own_detail(request, door, work_id)
    with portal.runtime.database.read() as session:
        people = colleagues(session, door.agency, portal.today)
        before = filed_before(session, detail.row, papers_of(detail))
        centre = coordinator_name(session, detail.standing.coordinator)
        history = history_of(session, work_id)
        money = money_rows(session, detail.row.plan, assignment=work_id)
        focal = None
        if detail.item.calendar.asks_contact:
            focal = focal_to_confirm(session, door.actor, door.agency)
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
        people=people,
        handed=handed_to(detail, people),
        before=before,
        partners=partners_shown(detail),
        focal=focal,
        money=money,
        centre=centre,
        form=form,
        lost=typed_lines(form) if form.problem else (),
        history=list(reversed(history)),
        today=portal.today,
    )


def show_file(request: Request, door: Doorway, evidence_id: int) -> Response:
    """A file of the agency's own evidence, or of a contribution to work that it leads."""
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        found = paper_of(session, evidence_id)
        if found is None:
            raise NotThere
        paper, work_id = found
        detail = work_detail(session, work_id, as_of=portal.today)
        if not _own(door, detail) and not contributed_to(door.agency, detail):
            raise NotThere
    return hand_out(request, paper, who=door.reader)


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


@router.api_route(LINK, methods=_READ, name="link_list")
def link_list(request: Request, door: LinkDoor) -> Response:
    """What a letter's link opens."""
    return show_list(request, door)


@router.api_route(LINK + "/viec/{work_id}", methods=_READ, name="link_work")
def link_work(request: Request, door: LinkDoor, work_id: int) -> Response:
    """One piece of work, by link."""
    return show_work(request, door, work_id, FormState())


@router.api_route(LINK + "/viec/{work_id}/da-ghi-nhan", methods=_READ, name="link_recorded")
def link_recorded(request: Request, door: LinkDoor, work_id: int) -> Response:
    """What was recorded, by link."""
    return _recorded(request, door, work_id)


@router.post(LINK + "/viec/{work_id}/{deed}", name="link_act")
def link_act(request: Request, door: LinkDoor, work_id: int, deed: str, form: Form) -> Response:
    """A form, by link."""
    return _take(request, door, work_id, deed, form)


@router.api_route(LINK + "/tai-lieu/{evidence_id}", methods=_READ, name="link_file")
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
    own_only = request.query_params.get("loc") == "cua-toi"
    with portal.runtime.database.read() as session:
        mine = handled_by(session, door.actor, door.agency) if own_only else None
        found = agency_list(session, door, portal.today, closed=None, only=mine)
    return own_table(door.agency_name, found)


takes_away(router, "link_list", lambda request: _own_file(request, by_link(request)))
takes_away(router, "agency_list", lambda request: _own_file(request, by_account(request)))
