"""The first page: what this is for strangers, the overview for those who follow everybody's work."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from operations.state import load_plan, plan_keys
from portal.errors import NotThere
from portal.pages.overview import show_overview
from portal.portal import Portal, portal_of
from portal.rendering import MEDIA_TYPES, STATIC
from portal.visitors import Person
from rules.actors import AccountRole

router = APIRouter()
_READ = ["GET", "HEAD"]
_FILES = frozenset({"style.css", "lists.css", "icon.svg"})


@router.api_route("/health", methods=_READ, name="health")
def health(request: Request) -> Response:
    """Whether pages and database answer; nothing more."""
    with portal_of(request).runtime.database.read() as session:
        plans = len(plan_keys(session))
    return JSONResponse({"status": "ok", "plans": plans})


@router.api_route("/static/{name}", methods=_READ, name="static")
def static(name: str) -> Response:
    """The style sheet and the icon."""
    if name not in _FILES:
        raise NotThere
    path = STATIC / name
    return Response(
        path.read_bytes(),
        media_type=MEDIA_TYPES[path.suffix],
        headers={"cache-control": "public, max-age=604800"},
    )


@router.api_route("/", methods=_READ, name="home")
def home(request: Request) -> Response:
    """The way on for whoever came."""
    portal, person = portal_of(request), request.scope["state"].get("visitor")
    if not isinstance(person, Person):
        return _landing(request, portal)
    if person.role is AccountRole.AGENCY:
        return RedirectResponse("/co-quan", status_code=303)
    return show_overview(request)


def _landing(request: Request, portal: Portal) -> Response:
    settings = portal.runtime.settings
    with portal.runtime.database.read() as session:
        trial = portal.is_trial(session)
        plans = [load_plan(session, key) for key in plan_keys(session)]
    return portal.pages(
        request,
        "landing.html",
        plans=plans,
        trial=trial,
        mailbox=settings.uses_local_mailbox and trial,
        prefect=settings.prefect_url.removesuffix("/api") if trial else None,
    )
