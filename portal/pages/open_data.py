"""Dữ liệu mở: what the coordinator opened to everybody, for other sites to take."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.tables import Event
from operations.open_data import OpenDate, OpenKind, OpenPaper, Switch, open_dates, open_papers
from operations.open_data import switches as all_switches
from operations.remembered import remember
from portal.errors import NotThere
from portal.open_feeds import Feed, atom, rss
from portal.open_shapes import PATH, WORDS, json_page, kind_of, schema
from portal.portal import Portal, address_of, portal_of
from portal.throttle import OPEN_DATA

router = APIRouter()
_READ = ["GET", "HEAD"]
_FRESH: Final = "public, max-age=300"
_NEWEST: Final = 50
"""Entries of a feed."""
_BIGGEST: Final = 2**62
_SETTLED: Final = timedelta(seconds=2)
"""A second that is not over may yet bring a change that ``Last-Modified`` could not tell."""

After = Annotated[int, Query(alias="sau", ge=0, le=_BIGGEST)]
Limit = Annotated[int, Query(alias="so", ge=1, le=500)]


@router.api_route(PATH, methods=_READ, name="open_home")
def open_home(request: Request) -> Response:
    """What is open, on what basis, and where."""
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        found = all_switches(session)
    return portal.pages(
        request,
        "open_home.html",
        open_ones=[one for one in found.values() if one.is_open],
        kinds=WORDS,
        path=PATH,
        site=portal.runtime.settings.portal_url.rstrip("/"),
    )


@router.api_route(PATH + "/schema.json", methods=_READ, name="open_schema")
def open_schema() -> Response:
    """The JSON Schema of what is told."""
    return JSONResponse(schema(), headers={"cache-control": _FRESH})


@router.api_route(PATH + "/{kind}.json", methods=_READ, name="open_json")
def open_json(request: Request, kind: str, after: After = 0, limit: Limit = 100) -> Response:
    """A page of a kind, by number."""
    portal = _admitted(request)
    with portal.runtime.database.read() as session:
        switch = _open(session, kind)
        changed = _changed(session)

        def make() -> bytes:
            rows = _rows(session, switch, after=after, limit=limit + 1)
            following = None
            if len(rows) > limit:
                site = portal.runtime.settings.portal_url.rstrip("/")
                following = f"{site}{PATH}/{kind}.json?sau={rows[limit - 1].id}&so={limit}"
            return json_page(switch.kind, switch.basis, rows[:limit], following)

        body = remember(session, ("open", kind, after, limit), make)
    return _answer(request, portal, body, "application/json; charset=utf-8", changed)


@router.api_route(PATH + "/{kind}.atom", methods=_READ, name="open_atom")
def open_atom(request: Request, kind: str) -> Response:
    """The newest of a kind, for readers of feeds."""
    return _feed(request, kind, atom, "application/atom+xml; charset=utf-8")


@router.api_route(PATH + "/{kind}.rss", methods=_READ, name="open_rss")
def open_rss(request: Request, kind: str) -> Response:
    """The same entries, for readers that take RSS only."""
    return _feed(request, kind, rss, "application/rss+xml; charset=utf-8")


def _feed(request: Request, kind: str, write: Callable[[Feed], bytes], media_type: str) -> Response:
    portal = _admitted(request)
    with portal.runtime.database.read() as session:
        switch = _open(session, kind)
        changed = _changed(session)

        def make() -> bytes:
            rows = _rows(session, switch, limit=_NEWEST, newest=True)
            first = [one.set_at if isinstance(one, OpenDate) else one.confirmed_at for one in rows]
            settings = portal.runtime.settings
            feed = Feed(
                kind=switch.kind,
                rows=rows,
                office=portal.runtime.sender.office_name,
                site=settings.portal_url.rstrip("/"),
                domain=settings.mail_domain,
                updated=first[0] if first else changed or portal.runtime.clock.now(),
            )
            return write(feed)

        body = remember(session, ("open-feed", media_type, kind), make)
    return _answer(request, portal, body, media_type, changed)


def _admitted(request: Request) -> Portal:
    portal = portal_of(request)
    portal.throttle.hit(OPEN_DATA, address_of(request))
    return portal


def _open(session: Session, word: str) -> Switch:
    """The switch of an open kind; a closed one reads like one that is not there."""
    kind = kind_of(word)
    found = None if kind is None else all_switches(session)[kind]
    if found is None or not found.is_open:
        raise NotThere
    return found


def _rows(
    session: Session, switch: Switch, *, after: int = 0, limit: int, newest: bool = False
) -> list[OpenPaper] | list[OpenDate]:
    if switch.kind is OpenKind.DATES:
        return open_dates(session, switch, after=after, limit=limit, newest=newest)
    return open_papers(session, switch, after=after, limit=limit, newest=newest)


def _changed(session: Session) -> datetime | None:
    """When anything last changed: every change is an event (rule 37)."""
    newest = select(func.max(Event.id)).scalar_subquery()
    return session.scalar(select(Event.at).where(Event.id == newest))


def _answer(
    request: Request, portal: Portal, body: bytes, media_type: str, changed: datetime | None
) -> Response:
    """The body, or that the caller has it already (RFC 9110, section 13)."""
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = {"etag": tag, "cache-control": _FRESH, "vary": "origin"}
    origin = request.headers.get("origin")
    if origin in portal.runtime.settings.open_data_origins:
        headers["access-control-allow-origin"] = origin
    settled = changed is not None and portal.runtime.clock.now() - changed > _SETTLED
    if changed is not None and settled:
        headers["last-modified"] = format_datetime(changed, usegmt=True)
    if _has_it(request, tag, changed if settled else None):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


def _has_it(request: Request, tag: str, changed: datetime | None) -> bool:
    tags = request.headers.get("if-none-match")
    if tags is not None:
        held = {one.strip().removeprefix("W/") for one in tags.split(",")}
        return tag in held or "*" in held
    since = request.headers.get("if-modified-since")
    if since is None or changed is None:
        return False
    try:
        moment = parsedate_to_datetime(since)
    except ValueError:
        return False
    return moment.tzinfo is not None and changed.replace(microsecond=0) <= moment
