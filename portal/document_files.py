"""Handing out documents and dossiers as files, each time logged (rule 40)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from operations.access import log_access
from portal.downloads import attachment
from portal.errors import NotThere
from portal.portal import address_of, portal_of
from portal.visitors import person_of
from reports.official import as_docx, as_pdf
from reports.official.model import OfficialDocument

ZIP: Final = "application/zip"


def whole_minute(at: datetime) -> datetime:
    """The end of the last whole minute up to ``at``: papers name the minute of their data, and
    whoever types it again means its end (:func:`portal.instants.read_instant`)."""
    smallest = timedelta(microseconds=1)
    return (at + smallest).replace(second=0, microsecond=0) - smallest


def hand_out_document(
    request: Request, draw: Callable[[], OfficialDocument], kind: str, *, name: str
) -> Response:
    """A document as docx or PDF.

    Raises:
        NotThere: there is no such kind of file.
    """
    if kind == "docx":
        content, media_type = as_docx.as_docx(draw()), as_docx.MEDIA_TYPE
    elif kind == "pdf":
        content, media_type = as_pdf.as_pdf(draw()), as_pdf.MEDIA_TYPE
    else:
        raise NotThere
    log_taken(request)
    file = f"{name}.{kind}"
    return Response(
        content, media_type=media_type, headers={"content-disposition": attachment(file)}
    )


def hand_out_zip(request: Request, parts: Callable[[], Iterator[bytes]], *, name: str) -> Response:
    """A zip, sent while it is made."""
    log_taken(request)
    return StreamingResponse(
        parts(), media_type=ZIP, headers={"content-disposition": attachment(f"{name}.zip")}
    )


def log_taken(request: Request) -> None:
    """Log who took which document away, and when."""
    portal = portal_of(request)
    query = f"?{request.url.query}" if request.url.query else ""
    with portal.runtime.database.write() as session:
        log_access(
            session,
            at=portal.runtime.clock.now(),
            actor=f"account:{person_of(request).username}",
            method="EXPORT",
            path=f"{request.url.path}{query}"[:480],
            address=address_of(request),
            agent=(request.headers.get("user-agent") or "")[:300] or None,
        )
