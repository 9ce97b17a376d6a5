"""Hướng dẫn: how to use the portal, for everybody; one's own guide first."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from portal.errors import NotThere
from portal.guidance import PATH, TITLES, guide, picture
from portal.portal import portal_of
from portal.visitors import Person
from rules.actors import AccountRole

router = APIRouter()
_READ = ["GET", "HEAD"]
_OWN: Final = {
    AccountRole.AGENCY: "co-quan",
    AccountRole.COORDINATOR: "dieu-phoi",
    AccountRole.LEADERSHIP: "dieu-phoi",
    AccountRole.ADMIN: "dieu-phoi",
    AccountRole.AUDITOR: "kiem-tra",
}


@router.api_route(PATH, methods=_READ, name="guidance")
def own_guide(request: Request) -> Response:
    """The guide of whoever asks; strangers mostly come from an agency's letter."""
    person = request.scope["state"].get("visitor")
    return _show(request, _OWN[person.role] if isinstance(person, Person) else "co-quan")


@router.api_route(PATH + "/{guide}", methods=_READ, name="guidance_page")
def show_guide(request: Request, guide: str) -> Response:
    """One of the guides."""
    return _show(request, guide)


@router.api_route(PATH + "/hinh/{picture_name}", methods=_READ, name="guidance_picture")
def show_picture(picture_name: str) -> Response:
    """A picture of a guide."""
    content = picture(picture_name)
    if content is None:
        raise NotThere
    return Response(
        content, media_type="image/png", headers={"cache-control": "public, max-age=86400"}
    )


def _show(request: Request, key: str) -> Response:
    found = guide(key)
    if found is None:
        raise NotThere
    return portal_of(request).pages(request, "guidance.html", guide=found, titles=TITLES, path=PATH)
