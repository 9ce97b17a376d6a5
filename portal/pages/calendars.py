"""Dates in people's own calendars: an agency's feed by its secret address, one date as a file.

The address is shown to accounts of the agency only. A letter's link expires and letters are
forwarded, while the address holds until it is renewed: shown behind a link, it would make lasting
access out of a passing one. The file of one date may be taken by link; it holds no token either.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import PlainTextResponse, Response
from sqlalchemy.orm import Session

from notifications.calendar_file import subscribed_text
from notifications.values import SubscribedCalendar
from operations.access import log_access
from operations.calendar_feeds import due_events, feed_agency, feed_events, renew_feed
from operations.stamp import Stamp
from portal.door_forms import file_at_door
from portal.doorway import Doorway
from portal.downloads import attachment
from portal.forms import Posted, posted
from portal.pages.agency import BASE, LINK, AccountDoor, LinkDoor, own_detail, show_list
from portal.portal import address_of, portal_of
from portal.reading import Reading
from portal.throttle import FEEDS, WRONG_FEEDS

router = APIRouter()
_READ = ["GET", "HEAD"]
FEED: Final = "/lich/{secret}.ics"
PLACE: Final = "lich"
"""Where on the agency's list the address stands."""
_MEDIA: Final = "text/calendar; charset=utf-8"
_FRESH: Final = "private, max-age=900"
_UNKNOWN: Final = "Không có lịch tại địa chỉ này. Đề nghị lấy địa chỉ mới tại trang của cơ quan.\n"


@router.api_route(FEED, methods=_READ, name="calendar_feed")
def calendar_feed(request: Request, secret: str) -> Response:
    """An agency's dates, for calendar programs; the same answer to every address that is none."""
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        agency = feed_agency(session, secret, secret=portal.runtime.link_secret)
        if agency is None:
            portal.throttle.hit(WRONG_FEEDS, address_of(request))
            return PlainTextResponse(_UNKNOWN, status_code=404)
        portal.throttle.hit(FEEDS, secret)
        events = feed_events(
            session,
            agency.key,
            as_of=portal.today,
            portal_url=portal.runtime.settings.portal_url,
        )
    calendar = SubscribedCalendar(name=f"Hạn việc – {agency.name}", events=events)
    body = subscribed_text(calendar, domain=portal.runtime.settings.mail_domain).encode()
    with portal.runtime.database.write() as session:
        log_access(
            session,
            at=portal.runtime.clock.now(),
            actor=f"calendar:{agency.key}",
            method=request.method,
            path="/lich/….ics",
            address=address_of(request),
            agent=(request.headers.get("user-agent") or "")[:300] or None,
        )
    headers = {"etag": f'"{sha256(body).hexdigest()[:32]}"', "cache-control": _FRESH}
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=_MEDIA, headers=headers)


def _one(request: Request, door: Doorway, work_id: int) -> Response:
    """One date as a file that a calendar takes in."""
    portal = portal_of(request)
    detail = own_detail(request, door, work_id)
    with portal.runtime.database.read() as session:
        url = portal.runtime.settings.portal_url
        events = due_events(session, [detail.row], portal_url=url)
    calendar = SubscribedCalendar(name=f"Hạn việc – {door.agency_name}", events=events)
    text = subscribed_text(calendar, domain=portal.runtime.settings.mail_domain)
    name = f"han-{detail.row.item}-{detail.row.period}.ics"
    return Response(text, media_type=_MEDIA, headers={"content-disposition": attachment(name)})


@router.api_route(LINK + "/viec/{work_id}/lich.ics", methods=_READ, name="link_calendar_file")
def link_calendar_file(request: Request, door: LinkDoor, work_id: int) -> Response:
    """One date, by link."""
    return _one(request, door, work_id)


@router.api_route(BASE + "/viec/{work_id}/lich.ics", methods=_READ, name="agency_calendar_file")
def agency_calendar_file(request: Request, door: AccountDoor, work_id: int) -> Response:
    """One date, by account."""
    return _one(request, door, work_id)


@router.post(BASE + "/lich", name="agency_calendar_renew")
def agency_calendar_renew(
    request: Request, door: AccountDoor, form: Annotated[Posted, Depends(posted)]
) -> Response:
    """Make the address, or a new one in place of the old."""

    def do(session: Session, stamp: Stamp, reading: Reading) -> str:
        reading.done()
        renew_feed(session, stamp, door.agency)
        return "Đã tạo địa chỉ lịch mới; địa chỉ cũ, nếu có, không còn dùng được."

    return file_at_door(
        request,
        door,
        form,
        PLACE,
        do,
        then=f"{door.base}#{PLACE}",
        show=lambda state, status: show_list(request, door, state, status),
    )
