""" "Đề nghị phối hợp": a lead's partners, what they were asked, what they answered (rule 14)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import AgencyRow
from operations.errors import NotFound
from operations.queries import by_urgency, work_list
from operations.queries_detail import WorkDetail, work_detail
from operations.queues import filed, partner_counts, queue_counts
from operations.transition import check_version, load_work
from portal.added_tables import asking_table
from portal.attempts import attempt
from portal.doorway import Doorway
from portal.errors import NotThere
from portal.exporting import takes_away
from portal.forms import FormState
from portal.pages.queues import BASE, Form
from portal.pages.work import Desk
from portal.partnering import partner_rows, partners
from portal.portal import portal_of
from portal.reading import Reading
from portal.requesting import SAID, take_request
from portal.throttle import POSTS
from portal.typed import typed_lines
from portal.views import Card, Reader
from portal.visitors import person_of
from reports.tables import Table
from rules.actors import Capacity
from rules.lifecycle import OPEN, Status
from rules.values import Role

router = APIRouter()
_READ = ["GET", "HEAD"]
PATH: Final = BASE + "/phoi-hop"


@router.api_route(PATH, methods=_READ, name="requests")
def requests(request: Request, door: Desk) -> Response:
    """The coordinator's own open work that has partners."""
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        cards, counted = _with_partners(session, portal.today, door.agency)
        counts = queue_counts(session)
    return portal.pages(
        request, "requests.html", door=door, counts=counts, cards=cards, partners=counted
    )


def _with_partners(
    session: Session, as_of: date, agency: str
) -> tuple[tuple[Card, ...], Mapping[int, Mapping[str, int]]]:
    """The open work that an agency leads with partners, and how many of these stand where."""
    found = work_list(session, as_of=as_of, agency=agency, roles=[Role.LEAD], statuses=list(OPEN))
    counted = partner_counts(session, [row.occurrence for row in found])
    rows = [row for row in by_urgency(found) if row.occurrence in counted]
    return Reader(session, as_of).cards(rows), counted


def _file(request: Request) -> Table:
    portal, agency = portal_of(request), person_of(request).agency or ""
    with portal.runtime.database.read() as session:
        return asking_table(*_with_partners(session, portal.today, agency))


takes_away(router, "requests", _file)


def _lead(session: Session, request: Request, work_id: int) -> WorkDetail:
    try:
        detail = work_detail(session, work_id, as_of=portal_of(request).today)
    except NotFound:
        raise NotThere from None
    if detail.row.role is not Role.LEAD:
        raise NotThere
    return detail


def show(
    request: Request, door: Doorway, work_id: int, form: FormState, status: int = 200
) -> Response:
    """One lead's partners with the forms."""
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        detail = _lead(session, request, work_id)
        results = filed(session, [one.id for one in partner_rows(detail)])
        names = dict(session.execute(select(AgencyRow.key, AgencyRow.name)).tuples().all())
        counts = queue_counts(session)
    found = partners(detail, results, portal.today)
    held = door.held(detail)
    return portal.pages(
        request,
        "requests_one.html",
        status=status,
        door=door,
        counts=counts,
        row=detail.row,
        item=detail.item,
        partners=[one for one in found if one.row.status is not Status.DORMANT],
        askable=[one for one in found if one.askable],
        silent=[one for one in found if one.late],
        names=names,
        may=bool(held & {Capacity.LEAD, Capacity.DECIDER}),
        is_open=detail.row.status in OPEN,
        form=form,
        lost=typed_lines(form) if form.problem else (),
        said=SAID.get(request.query_params.get("da", ""), ""),
    )


@router.api_route(PATH + "/{work_id}", methods=_READ, name="requests_one")
def requests_one(request: Request, door: Desk, work_id: int) -> Response:
    """One lead's partners."""
    return show(request, door, work_id, FormState())


@router.post(PATH + "/{work_id}/{deed}", name="requests_act")
def requests_act(request: Request, door: Desk, work_id: int, deed: str, form: Form) -> Response:
    """Ask, mark received, say that one is not needed, or close over silence."""
    if deed not in SAID:
        raise NotThere
    portal, partner = portal_of(request), form.number("partner")
    portal.throttle.hit(POSTS, door.key)
    key = f"{deed}-{partner}" if partner is not None else deed
    state = FormState(deed=key, values=form.fields)

    def do(session: Session) -> None:
        lead = _lead(session, request, work_id)
        check_version(load_work(session, work_id), form.number("version"))
        take_request(session, door.stamp(portal), lead, deed, Reading(form))

    failed = attempt(portal, state, do)
    if failed is not None:
        return show(request, door, work_id, failed.form, failed.status)
    return RedirectResponse(f"{PATH}/{work_id}?da={deed}", status_code=303)
