"""Which of several plans somebody looks at just now; remembered on the device."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from portal.forms import Posted, posted
from portal.pages.login import onward_path
from portal.portal import portal_of
from portal.sight import COOKIE
from portal.visitors import person_of

router = APIRouter()


@router.post("/de-an-dang-xem", name="choose_plan")
def choose_plan(request: Request, form: Annotated[Posted, Depends(posted)]) -> Response:
    """Look at one plan, or at all that the account sees; what it may see does not change."""
    portal, choice = portal_of(request), person_of(request).choice
    wanted = form.line("plan")
    if choice is not None and wanted in choice.names:
        portal.set_cookie(request, COOKIE, wanted)
    else:
        portal.drop_cookie(request, COOKIE)
    return RedirectResponse(onward_path(form.line("back")), status_code=303)
