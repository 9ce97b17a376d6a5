""" "Nhập thay": what an agency answered on paper or Zalo, entered for it (rule 20).

Find the agency's open work, then enter its result, its request for another date or its obstacle.
That it was entered is said wherever it shows, and whoever entered it does not decide on it.
"""

from __future__ import annotations

from datetime import date
from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Assignment
from operations.errors import NotFound
from operations.queries import by_urgency, work_list
from operations.queries_detail import WorkDetail, work_detail
from operations.queues import queue_counts
from portal.added_tables import open_work_table
from portal.deciding import DECIDER_DEEDS
from portal.deeds import AGENCY_DEEDS
from portal.doorway import Doorway
from portal.errors import NotThere
from portal.exporting import takes_away
from portal.forms import FormState
from portal.pages.queues import BASE, Form, done_just_now
from portal.pages.work import Desk
from portal.portal import portal_of
from portal.taking import take
from portal.typed import typed_lines
from portal.views import Card, Reader
from portal.words import pill
from reports.tables import Table
from rules.actors import Capacity
from rules.lifecycle import OPEN
from rules.values import ItemKind, Role, TrackingMode

router = APIRouter()
_READ = ["GET", "HEAD"]
PATH: Final = BASE + "/nhap-thay"
_DEEDS: Final = {
    "nhap-thay": DECIDER_DEEDS["nhap-thay"],
    "gia-han": AGENCY_DEEDS["gia-han"],
    "vuong-mac": AGENCY_DEEDS["vuong-mac"],
}


def _agencies(session: Session) -> list[tuple[str, str]]:
    """Key and name of every agency that leads open work, by name."""
    query = (
        select(Assignment.agency_key, Assignment.agency_name)
        .where(
            Assignment.role == Role.LEAD.value,
            Assignment.status.in_([status.value for status in OPEN]),
        )
        .distinct()
        .order_by(Assignment.agency_name)
    )
    return list(dict(session.execute(query).tuples().all()).items())


def _open_of(session: Session, as_of: date, agency: str) -> tuple[Card, ...]:
    """The open work that an agency leads, by urgency; none while no agency is chosen."""
    if not agency:
        return ()
    rows = work_list(session, as_of=as_of, agency=agency, roles=[Role.LEAD], statuses=list(OPEN))
    return Reader(session, as_of).cards(by_urgency(rows))


@router.api_route(PATH, methods=_READ, name="entering")
def entering(request: Request, door: Desk) -> Response:
    """Choose an agency, then one of its open pieces of work."""
    portal, agency = portal_of(request), request.query_params.get("co-quan", "")
    with portal.runtime.database.read() as session:
        cards = _open_of(session, portal.today, agency)
        agencies, counts = _agencies(session), queue_counts(session)
        done = done_just_now(session, request, portal)
    return portal.pages(
        request,
        "entering.html",
        door=door,
        counts=counts,
        agencies=agencies,
        chosen=agency,
        cards=cards,
        done=done,
    )


def _may_enter(door: Doorway, detail: WorkDetail) -> bool:
    """Whether it is somebody else's open work that this visitor decides on."""
    row, held = detail.row, door.held(detail)
    enters = Capacity.DECIDER in held and Capacity.LEAD not in held
    return enters and row.role is Role.LEAD and row.status in OPEN


def _file(request: Request) -> Table:
    portal, agency = portal_of(request), request.query_params.get("co-quan", "")
    with portal.runtime.database.read() as session:
        cards = _open_of(session, portal.today, agency)
    return open_work_table("nhap-thay", "Việc đang mở để nhập thay", cards)


takes_away(router, "entering", _file)


def show_entering(
    request: Request, door: Doorway, work_id: int, form: FormState, status: int
) -> Response:
    """The forms of one piece of work."""
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        try:
            detail = work_detail(session, work_id, as_of=portal.today)
        except NotFound:
            raise NotThere from None
        counts = queue_counts(session)
    row = detail.row
    counted = row.kind is ItemKind.TASK and row.mode is TrackingMode.FULL
    asked = any(one.state in {"asked", "proposed"} for one in detail.extensions)
    return portal.pages(
        request,
        "entering_one.html",
        status=status,
        door=door,
        counts=counts,
        detail=detail,
        row=row,
        item=detail.item,
        pill=pill(row, portal.today, detail.state.calendar),
        may=_may_enter(door, detail),
        extends=counted and not asked,
        overdue=row.overdue,
        form=form,
        lost=typed_lines(form) if form.problem else (),
    )


@router.api_route(PATH + "/{work_id}", methods=_READ, name="entering_one")
def entering_one(request: Request, door: Desk, work_id: int) -> Response:
    """Enter something for the agency of one piece of work."""
    return show_entering(request, door, work_id, FormState(), 200)


@router.post(PATH + "/{work_id}/{deed}", name="entering_act")
def entering_act(request: Request, door: Desk, work_id: int, deed: str, form: Form) -> Response:
    """Record what was entered, and go on with the same agency."""
    answer = take(
        request,
        door,
        work_id,
        deed,
        form,
        deeds=_DEEDS,
        show=show_entering,
        may_see=lambda _: True,
    )
    if answer.status_code != 303:
        return answer
    event = answer.headers["location"].partition("su-kien=")[2]
    with portal_of(request).runtime.database.read() as session:
        agency = session.get_one(Assignment, work_id).agency_key
    query = urlencode({"co-quan": agency, "so": work_id, "su-kien": event})
    return RedirectResponse(f"{PATH}?{query}", status_code=303)
