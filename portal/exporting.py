"""A list as a file, CSV or xlsx: nothing in it can run, and that it was taken is logged (rule 40)."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from typing import Final

from fastapi import Request
from fastapi.responses import Response

from notifications.formats import TIME_ZONE, vn_number
from operations.access import log_access
from portal.downloads import attachment
from portal.errors import NotThere
from portal.portal import address_of, portal_of
from portal.visitors import person_of
from reports.tables import Table, Value
from reports.xlsx import MEDIA_TYPE, workbook

MOST: Final = {"csv": 20_000, "xlsx": 5_000}
"""Rows of one file, by its kind; the file says when there were more."""
_RUNS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet may take for the beginning of a formula (OWASP, "CSV Injection")."""


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


def export(request: Request, table: Table, kind: str) -> Response:
    """The file of ``table``; what was exported, by whom and how narrowed, is logged.

    Raises:
        NotThere: there is no such kind of file.
    """
    most(kind)
    portal = portal_of(request)
    now = portal.runtime.clock.now()
    if kind == "csv":
        content, media_type = as_csv(table), "text/csv; charset=utf-8"
    else:
        zone = portal.runtime.settings.time_zone
        content, media_type = workbook(table, at=now, time_zone=zone), MEDIA_TYPE
    with portal.runtime.database.write() as session:
        log_access(
            session,
            at=now,
            actor=f"account:{person_of(request).username}",
            method="EXPORT",
            path=f"{request.url.path}?{request.url.query} ({len(table.lines)} dòng)",
            address=address_of(request),
            agent=(request.headers.get("user-agent") or "")[:300] or None,
        )
    name = f"{table.key}-{now.astimezone(TIME_ZONE):%Y%m%d-%H%M}.{kind}"
    return Response(
        content, media_type=media_type, headers={"content-disposition": attachment(name)}
    )


def as_csv(table: Table) -> bytes:
    """The rows of ``table`` as UTF-8 with a byte order mark, which Excel asks for."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow([harmless(column.title) for column in table.columns])
    for line in table.lines:
        writer.writerow([harmless(_text(value)) for value in line.values])
    for note in table.notes:
        writer.writerow([harmless(f"({note})")])
    return b"\xef\xbb\xbf" + target.getvalue().encode()


def harmless(text: str) -> str:
    """``text`` marked as text where a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(_RUNS) else text


def _text(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(TIME_ZONE).strftime("%d/%m/%Y %H:%M:%S")
    if isinstance(value, date):
        return value.strftime("%d/%m/%Y")
    return str(value)
