""" "Đề nghị phối hợp": a lead's partners, what they were asked, what they answered (rule 14)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from operations.errors import NotFound
from operations.partners import (
    PartnerRequest,
    close_silence,
    dismiss,
    receive,
    request_contribution,
)
from operations.queries import WorkRow, by_urgency, work_list
from operations.queries_detail import WorkDetail, work_detail
from operations.queues import Filed, filed, partner_counts, queue_counts
from operations.results import Result
from operations.stamp import Stamp
from operations.transition import check_version, load_work
from portal.attempts import attempt
from portal.doorway import Doorway
from portal.errors import NotThere
from portal.forms import FormState, Posted
from portal.pages.queues import BASE, Form
from portal.pages.work import Desk
from portal.portal import portal_of
from portal.reading import Reading
from portal.throttle import POSTS
from portal.typed import typed_lines
from portal.views import Reader
from rules.actors import Capacity
from rules.lifecycle import OPEN, Status
from rules.values import Role

router = APIRouter()
_READ = ["GET", "HEAD"]
PATH: Final = BASE + "/phoi-hop"
_SAID: Final = {
    "de-nghi": "Đã gửi đề nghị phối hợp.",
    "da-nhan": "Đã ghi nhận nội dung phối hợp.",
    "khong-can": "Đã ghi: không cần phối hợp.",
    "ket-thuc": "Đã kết thúc các đề nghị chưa được trả lời.",
}
"""What people read once it is done, by the deed that the address names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """A partner with what it answered; ``late`` when its day to answer has passed."""

    row: WorkRow
    filed: Filed | None
    late: bool

    @property
    def received(self) -> bool:
        """Whether the lead has marked the contribution received."""
        return self.row.confirmed_at is not None


@router.api_route(PATH, methods=_READ, name="requests")
def requests(request: Request, door: Desk) -> Response:
    """The coordinator's own open work that has partners."""
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        reader = Reader(session, portal.today)
        found = work_list(
            session,
            as_of=portal.today,
            agency=door.agency,
            roles=[Role.LEAD],
            statuses=list(OPEN),
        )
        partners = partner_counts(session, [row.occurrence for row in found])
        cards = reader.cards(row for row in by_urgency(found) if row.occurrence in partners)
        counts = queue_counts(session)
    return portal.pages(
        request, "requests.html", door=door, counts=counts, cards=cards, partners=partners
    )


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
        rows = [one for one in detail.others if one.role is Role.PARTNER]
        rows = [one for one in rows if one.agency != detail.row.agency]
        results = filed(session, [one.id for one in rows])
        counts = queue_counts(session)
    partners = [
        Partner(
            row=one,
            filed=results.get(one.id),
            late=one.respond_by is not None
            and one.respond_by < portal.today
            and one.status is Status.REQUESTED,
        )
        for one in rows
    ]
    held = door.held(detail)
    return portal.pages(
        request,
        "requests_one.html",
        status=status,
        door=door,
        counts=counts,
        row=detail.row,
        item=detail.item,
        partners=[one for one in partners if one.row.status is not Status.DORMANT],
        askable=[
            one
            for one in partners
            if one.row.status in {Status.DORMANT, Status.UNANSWERED, Status.REQUESTED}
        ],
        silent=[one for one in partners if one.late],
        may=bool(held & {Capacity.LEAD, Capacity.DECIDER}),
        is_open=detail.row.status in OPEN,
        form=form,
        lost=typed_lines(form) if form.problem else (),
        said=_SAID.get(request.query_params.get("da", ""), ""),
    )


@router.api_route(PATH + "/{work_id}", methods=_READ, name="requests_one")
def requests_one(request: Request, door: Desk, work_id: int) -> Response:
    """One lead's partners."""
    return show(request, door, work_id, FormState())


@router.post(PATH + "/{work_id}/{deed}", name="requests_act")
def requests_act(request: Request, door: Desk, work_id: int, deed: str, form: Form) -> Response:
    """Ask, mark received, say that one is not needed, or close over silence."""
    if deed not in _SAID:
        raise NotThere
    portal, partner = portal_of(request), form.number("partner")
    portal.throttle.hit(POSTS, door.key)
    key = f"{deed}-{partner}" if partner is not None else deed
    state = FormState(deed=key, values=form.fields)

    def do(session: Session) -> None:
        lead = _lead(session, request, work_id)
        check_version(load_work(session, work_id), form.number("version"))
        _take(session, door.stamp(portal), lead, deed, form)

    failed = attempt(portal, state, do)
    if failed is not None:
        return show(request, door, work_id, failed.form, failed.status)
    return RedirectResponse(f"{PATH}/{work_id}?da={deed}", status_code=303)


def _take(session: Session, stamp: Stamp, lead: WorkDetail, deed: str, form: Posted) -> None:
    reading = Reading(form)
    if deed == "de-nghi":
        _ask(session, stamp, lead, reading)
        return
    text, reason = reading.text("text"), reading.text("reason")
    channel = reading.line("entered_channel")
    reading.done()
    if deed == "ket-thuc":
        close_silence(session, stamp, lead.row.id, reason=reason)
        return
    number = form.number("partner")
    if number is None or number not in {one.id for one in lead.others if one.role is Role.PARTNER}:
        raise NotFound("Cơ quan này không phối hợp nhiệm vụ này; đề nghị tải lại trang.")
    if deed == "khong-can":
        dismiss(session, stamp, number, reason=reason or None)
        return
    result = Result(text=text, entered_channel=channel or None) if text or channel else None
    receive(session, stamp, number, result)


def _ask(session: Session, stamp: Stamp, lead: WorkDetail, reading: Reading) -> None:
    fields = reading.posted.fields
    dormant = [
        one.id
        for one in lead.others
        if one.role is Role.PARTNER
        and one.status is Status.DORMANT
        and one.agency != lead.row.agency
    ]
    chosen = [
        int(name.removeprefix("chon."))
        for name in fields
        if name.startswith("chon.") and name.removeprefix("chon.").isdecimal()
    ]
    asked = PartnerRequest(
        content=reading.text("content"),
        respond_by=reading.needed_day("respond_by", "Đề nghị ghi ngày trả lời, ví dụ 26/3/2027."),
        form=reading.line("form") or None,
        document=reading.line("document") or None,
    )
    reading.done()
    partners = dormant if reading.posted.ticked("tat-ca") else chosen
    request_contribution(session, stamp, lead.row.id, partners, asked)
