"""The list behind every number, and the same list as a file."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from portal.errors import NotThere
from portal.exporting import export, most
from portal.past import looking
from portal.portal import portal_of
from portal.tables import LISTINGS
from portal.work_tables import Source, narrowing, read_source
from reports.tables import Table

router = APIRouter()
_READ = ["GET", "HEAD"]
PAGE_LINES = 100
"""Lines of one page; the spreadsheet holds all."""
_BY_WORK: Final = frozenset({"qua-han", "sap-den-han", "don-doc", "viec-dieu-phoi"})
"""Lists of whatever period that an item and an agency narrow all the same."""


def _build(source: Source, key: str) -> Table:
    listing = LISTINGS.get(key)
    if listing is None:
        raise NotThere("Không có danh sách này. Đề nghị mở lại từ trang Tổng quan tiến độ.")
    return listing.build(source)


@router.api_route("/bang/{table}", methods=_READ, name="table")
def show_table(request: Request, table: str) -> Response:
    """A list, a page at a time, with its filters in the address."""
    portal = portal_of(request)
    with looking(request) as view:
        source = read_source(request, view)
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
        csv=filters.link(f"/xuat/{table}.csv"),
    )


@router.api_route("/xuat/{table}.{kind}", methods=_READ, name="table_export")
def table_export(request: Request, table: str, kind: str) -> Response:
    """The whole list as a file; that it was taken is logged (rule 40)."""
    most(kind)
    with looking(request) as view:
        source = read_source(request, view)
        found = _build(source, table)
    scoped = LISTINGS[table].scoped
    if kind == "xlsx" and scoped:
        found = replace(found, notes=(*source.filters.notes, *found.notes))
    found = replace(found, notes=(*view.notes, *found.notes))
    return export(request, found, kind, fields=_fields(source, table, scoped=scoped))


def _fields(source: Source, table: str, *, scoped: bool) -> dict[str, str]:
    """The fields that could be read and that narrow this list."""
    work = {"nhiem-vu", "co-quan"} if table in _BY_WORK else set()
    return {
        key: text
        for key, text in source.filters.given.items()
        if scoped or key == "de-an" or key in work
    }
