"""A list as a file, CSV or xlsx: nothing in it can run, and that it was taken is logged (rule 40).

A page with a list declares its file with :func:`takes_away`, beside itself; whoever may open the
page may take the file (``portal.permissions.FILES``), narrowed as the page is.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute

from models.tables import LinkToken
from notifications.formats import TIME_ZONE, vn_date, vn_datetime, vn_number
from operations.access import log_access
from operations.state import load_plan, plan_keys
from portal.downloads import attachment
from portal.errors import NotThere
from portal.narrowed import Words, narrowed_to
from portal.portal import address_of, portal_of
from portal.visitors import Person, person_of
from reports.tables import Table, Value, harmless
from reports.xlsx import MEDIA_TYPE, workbook

MOST: Final = {"csv": 20_000, "xlsx": 5_000}
"""Rows of one file, by its kind; the file says when there were more."""

Build = Callable[[Request], Table]
"""The list of a request, narrowed as its page is; its notes say only what is particular to it."""


def takes_away(router: APIRouter, page: str, build: Build, *, words: Words | None = None) -> None:
    """Declare that the list on the route ``page`` of ``router`` can be taken as a file.

    The file lies under the page's own address, and is called ``<page>_export`` in the table of
    permissions. ``words`` are what people read for values of fields in this list's address.

    Raises:
        LookupError: the router has no such page.
    """
    found = [one for one in router.routes if isinstance(one, APIRoute) and one.name == page]
    if not found:
        msg = f"no page {page!r} stands before its file"
        raise LookupError(msg)

    def endpoint(request: Request, kind: str) -> Response:
        most(kind)
        return export(request, build(request), kind, words=words)

    router.add_api_route(
        f"{found[0].path}/xuat/{{kind}}", endpoint, methods=["GET", "HEAD"], name=f"{page}_export"
    )


def most(kind: str) -> int:
    """How many rows a file of this kind holds.

    Raises:
        NotThere: there is no such kind.
    """
    if kind not in MOST:
        raise NotThere
    return MOST[kind]


def cut_note(kind: str) -> str:
    """What a file says that holds fewer rows than there are."""
    return (
        f"Tệp chỉ gồm {vn_number(most(kind))} dòng đầu; "
        "đề nghị thu hẹp khoảng thời gian hoặc điều kiện lọc rồi xuất tiếp."
    )


def export(
    request: Request,
    table: Table,
    kind: str,
    *,
    words: Words | None = None,
    fields: Mapping[str, str] | None = None,
) -> Response:
    """The file of ``table``; what was exported, by whom and how narrowed, is logged.

    ``fields`` are those of the address that narrow it, all of them unless told.

    Raises:
        NotThere: there is no such kind of file.
    """
    limit, portal = most(kind), portal_of(request)
    now = portal.runtime.clock.now()
    if len(table.lines) > limit:
        table = replace(table, lines=table.lines[:limit], notes=(*table.notes, cut_note(kind)))
    if kind == "csv":
        content, media_type = as_csv(table), "text/csv; charset=utf-8"
    else:
        asked = dict(request.query_params) if fields is None else fields
        headed = replace(table, notes=_head(request, table, now, asked, words or {}))
        zone = portal.runtime.settings.time_zone
        content, media_type = workbook(headed, at=now, time_zone=zone), MEDIA_TYPE
    _log(request, len(table.lines), now)
    name = f"tien-do-{_ascii(table.key)}-{now.astimezone(TIME_ZONE):%Y%m%d-%H%M}.{kind}"
    return Response(
        content, media_type=media_type, headers={"content-disposition": attachment(name)}
    )


def _head(
    request: Request, table: Table, now: datetime, fields: Mapping[str, str], words: Words
) -> tuple[str, ...]:
    """The lines above a spreadsheet's header: of when, of which plan, how narrowed, by whom."""
    with portal_of(request).runtime.database.read() as session:
        keys = plan_keys(session)
        asked = fields.get("de-an", "")
        plans = [load_plan(session, key) for key in keys if asked not in keys or key == asked]
        told = narrowed_to(session, fields, words)
    named = "; ".join(
        f"{one.short_code}, {one.decision.code} ngày {vn_date(one.decision.issued_on)}"
        if one.decision.issued_on
        else f"{one.short_code}, {one.decision.code}"
        for one in plans
    )
    return (
        f"Số liệu lúc {vn_datetime(now)}; {vn_number(len(table.lines))} dòng.",
        f"Đề án: {named or 'chưa nạp'}.",
        told,
        *table.notes,
        f"Người xuất: {_who(request)}.",
    )


def _who(request: Request) -> str:
    """Who takes a file, as its head names them."""
    visitor = request.scope["state"].get("visitor")
    if isinstance(visitor, Person):
        place = f", {visitor.agency_name}" if visitor.agency_name else ""
        return f"{visitor.name} (tài khoản {visitor.username}){place}"
    token = _token(request)
    return f"hộp thư {token.mailbox}" if token else "không rõ"


def _token(request: Request) -> LinkToken | None:
    found = request.scope["state"].get("token")
    return found if isinstance(found, LinkToken) else None


def _log(request: Request, rows: int, now: datetime) -> None:
    portal, token, path = portal_of(request), _token(request), request.url.path
    if token is not None:
        # The live link never goes into the log (rule 34).
        path = path.replace(str(request.path_params["token"]), "…")
    query = f"?{request.url.query}" if request.url.query else ""
    actor = token.mailbox if token else f"account:{person_of(request).username}"
    with portal.runtime.database.write() as session:
        log_access(
            session,
            at=now,
            actor=actor,
            method="EXPORT",
            path=f"{path}{query}"[:480] + f" ({rows} dòng)",
            token=token,
            address=address_of(request),
            agent=(request.headers.get("user-agent") or "")[:300] or None,
        )


def _ascii(text: str) -> str:
    """``text`` as file names hold it on every machine."""
    return "".join(one if one.isascii() and (one.isalnum() or one in "-_") else "-" for one in text)


def as_csv(table: Table) -> bytes:
    """The rows of ``table`` as UTF-8 with a byte order mark, which Excel asks for.

    The header is the first line, so that programs can read it; no lines stand above it.
    """
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow([harmless(column.title) for column in table.columns])
    for line in table.lines:
        writer.writerow([harmless(_text(value)) for value in line.values])
    for note in table.notes:
        writer.writerow([harmless(f"({note})")])
    return b"\xef\xbb\xbf" + target.getvalue().encode()


def _text(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(TIME_ZONE).strftime("%d/%m/%Y %H:%M:%S")
    if isinstance(value, date):
        return value.strftime("%d/%m/%Y")
    return str(value)
