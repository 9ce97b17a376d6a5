"""Handing out a filed file: as an attachment, under its own name, never to be shown in place."""

from __future__ import annotations

import re
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import FileResponse, Response

from operations.access import log_access
from operations.errors import NotFound
from operations.files import find_file
from operations.queries_views import PaperView
from portal.errors import NotThere
from portal.portal import address_of, portal_of


def hand_out(request: Request, paper: PaperView, *, who: str) -> Response:
    """The file of ``paper``; that it was read is logged (rule 40).

    Raises:
        NotThere: it has no file, or one that was put under quarantine.
    """
    if paper.sha256 is None:
        raise NotThere("Tài liệu này không có tệp đính kèm, chỉ có số và ngày văn bản.")
    name = paper.file_name or "tai-lieu"
    return hand_out_file(request, paper.sha256, name, what=f"evidence/{paper.id}", who=who)


def hand_out_file(request: Request, sha256: str, name: str, *, what: str, who: str) -> Response:
    """A stored file under ``name``; that ``who`` read it as ``what`` is logged (rule 40).

    Raises:
        NotThere: it is not there, or was put under quarantine.
    """
    portal = portal_of(request)
    with portal.runtime.database.write() as session:
        try:
            row, path = find_file(session, sha256, folder=portal.runtime.uploads)
        except NotFound as error:
            raise NotThere(str(error)) from None
        log_access(
            session,
            at=portal.runtime.clock.now(),
            actor=who,
            method="FILE",
            path=what,
            address=address_of(request),
            agent=(request.headers.get("user-agent") or "")[:300] or None,
        )
    return FileResponse(
        path,
        media_type=row.media_type,
        headers={
            "content-disposition": attachment(name),
            "content-security-policy": "default-src 'none'; sandbox",
        },
    )


def attachment(name: str) -> str:
    """The header that has a browser keep a file under ``name``."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", name) or "tai-lieu"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
