"""The list behind every number, and the same list as a spreadsheet."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from notifications.formats import vn_datetime
from operations.access import log_access
from portal.downloads import attachment
from portal.errors import NotThere
from portal.portal import Portal, address_of, portal_of
from portal.tables import LISTINGS
from portal.visitors import person_of
from portal.work_tables import Source, narrowing, read_source
from reports.tables import Table
from reports.xlsx import MEDIA_TYPE, workbook

router = APIRouter()
_READ = ["GET", "HEAD"]
PAGE_LINES = 100
"""Lines of one page; the spreadsheet holds all."""


def _build(source: Source, key: str) -> Table:
    listing = LISTINGS.get(key)
    if listing is None:
        raise NotThere("Không có danh sách này. Đề nghị mở lại từ trang Tổng quan tiến độ.")
    return listing.build(source)


@router.api_route("/bang/{table}", methods=_READ, name="table")
def show_table(request: Request, table: str) -> Response:
    """A list, a page at a time, with its filters in the address."""
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        source = read_source(request, session)
        found = _build(source, table)
    filters = source.filters
    pages = max(1, -(-len(found.lines) // PAGE_LINES))
    page = min(filters.page, pages)
    return portal.pages(
        request,
        "table.html",
        table=found,
        lines=found.lines[(page - 1) * PAGE_LINES : page * PAGE_LINES],
        page=page,
        pages=pages,
        filters=filters,
        scoped=LISTINGS[table].scoped,
        narrowed=narrowing(filters) if LISTINGS[table].scoped else (),
        now=source.now,
        action=f"/bang/{table}",
        excel=filters.link(f"/xuat/{table}.xlsx"),
    )


@router.api_route("/xuat/{table}.xlsx", methods=_READ, name="export")
def export(request: Request, table: str) -> Response:
    """The whole list as a spreadsheet; that it was taken is logged (rule 40)."""
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        source = read_source(request, session)
        found = _build(source, table)
    scoped = source.filters.notes if LISTINGS[table].scoped else ()
    narrowed = narrowing(source.filters) if LISTINGS[table].scoped else ()
    noted = Table(
        key=found.key,
        title=found.title,
        columns=found.columns,
        lines=found.lines,
        notes=(f"Số liệu lúc {vn_datetime(source.now)}.", *scoped, *narrowed),
    )
    content = workbook(noted, at=source.now, time_zone=portal.runtime.settings.time_zone)
    _log(portal, request, table)
    name = f"tien-do-{table}-{portal.today:%Y%m%d}.xlsx"
    headers = {"content-disposition": attachment(name)}
    return Response(content, media_type=MEDIA_TYPE, headers=headers)


def _log(portal: Portal, request: Request, table: str) -> None:
    query = f"?{request.url.query}" if request.url.query else ""
    with portal.runtime.database.write() as session:
        log_access(
            session,
            at=portal.runtime.clock.now(),
            actor=f"account:{person_of(request).username}",
            method="EXPORT",
            path=f"{table}{query}"[:500],
            address=address_of(request),
            agent=(request.headers.get("user-agent") or "")[:300] or None,
        )
