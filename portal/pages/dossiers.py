"""Dossiers as files: one task's for the archive, and those of sơ kết and tổng kết."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from operations.dossier_files import Known, dossier_document, dossier_known, dossier_zip
from operations.dossiers import Choice, of_milestone, of_task
from operations.errors import NotFound
from operations.state import plan_keys
from portal.document_files import hand_out_document, hand_out_zip
from portal.errors import NotThere
from portal.pages.documents import PATH
from portal.past import looking
from portal.portal import portal_of

router = APIRouter()
_READ = ["GET", "HEAD"]
_KINDS: Final = frozenset({"docx", "pdf", "zip"})


def _send(
    request: Request, choose: Callable[[Session], Choice], kind: str, *, name: str
) -> Response:
    """Of now, or as known at an instant (rule 39): papers up to it, and the history up to it."""
    runtime = portal_of(request).runtime
    if kind not in _KINDS:
        raise NotThere
    known: Known | None = None
    with looking(request) as view:
        now = view.now
        try:
            choice = choose(view.session)
        except NotFound as error:
            raise NotThere(str(error)) from None
        if kind != "zip":
            document = dossier_document(view.session, choice, now=now, history=view.present)
            return hand_out_document(request, lambda: document, kind, name=name)
        if view.is_past:
            known = dossier_known(view.session, choice, now=now, history=view.present)

    def parts() -> Iterator[bytes]:
        with runtime.database.read() as session:
            yield from dossier_zip(session, choice, folder=runtime.uploads, now=now, known=known)

    return hand_out_zip(request, parts, name=name)


@router.api_route(PATH + "/xuat/ho-so/{occurrence:int}.{kind}", methods=_READ, name="task_dossier")
def task_dossier(request: Request, occurrence: int, kind: str) -> Response:
    """One task's dossier: its index, or the zip with everything."""

    def choose(session: Session) -> Choice:
        return of_task(session, occurrence)

    return _send(request, choose, kind, name=f"ho-so-{occurrence}")


@router.api_route(
    PATH + "/xuat/giai-doan/{year:int}.{kind}", methods=_READ, name="milestone_dossier"
)
def milestone_dossier(request: Request, year: int, kind: str) -> Response:
    """The dossier of sơ kết or tổng kết: its papers, or the zip with everything."""

    def choose(session: Session) -> Choice:
        keys = plan_keys(session)
        asked = request.query_params.get("de-an", "") or (keys[0] if keys else "")
        if asked not in keys:
            raise NotThere
        return of_milestone(session, asked, year)

    return _send(request, choose, kind, name=f"ho-so-den-{year}")
