"""Danh mục, mã API: issued for a program, shown once, taken back."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from operations.api_tokens import (
    SCOPE_WORDS,
    Issued,
    NewToken,
    Scope,
    issue_token,
    list_tokens,
    revoke_token,
)
from operations.plans_seen import plan_names
from operations.stamp import Stamp
from operations.state import load_directory
from portal.attempts import attempt
from portal.filing import file_form
from portal.forms import FormState, Posted, posted
from portal.pages.accounts import ticked_plans
from portal.pages.contacts import BASE
from portal.portal import address_of, portal_of
from portal.reading import Reading
from portal.throttle import POSTS
from portal.told import told
from portal.visitors import person_of

router = APIRouter()
TOKENS: Final = f"{BASE}/ma-api"
ADD: Final = "cap"


def show_tokens(
    request: Request, form: FormState, status: int, issued: Issued | None = None
) -> Response:
    """All tokens, the form that issues one, and the one that was issued just now."""
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        rows = list_tokens(session)
        directory = load_directory(session)
        plans = plan_names(session)
    return portal.pages(
        request,
        "tokens.html",
        status=status,
        tokens=rows,
        issued=issued,
        names={one.key: one.name for one in directory.agencies},
        agencies=directory.valid_on(portal.today),
        scopes=SCOPE_WORDS,
        plans=plans,
        form=form,
        today=portal.today,
        said=told(request),
    )


@router.api_route(TOKENS, methods=["GET", "HEAD"], name="api_tokens")
def api_tokens(request: Request) -> Response:
    """The tokens."""
    return show_tokens(request, FormState(), 200)


@router.post(TOKENS, name="api_tokens_add")
def api_tokens_add(request: Request, form: Annotated[Posted, Depends(posted)]) -> Response:
    """Issue a token; the answer is the only page that ever shows it."""
    portal, person = portal_of(request), person_of(request)
    portal.throttle.hit(POSTS, f"account:{person.account}")
    state, reading = FormState(deed=ADD, values=form.fields), Reading(form)
    stamp = portal.stamp(person.actor(address_of(request)))
    made: list[Issued] = []

    def do(session: Session) -> None:
        new = NewToken(
            name=reading.line("name"),
            purpose=reading.line("purpose"),
            agency=reading.line("agency") or None,
            scopes=[one.value for one in Scope if form.ticked(f"scope.{one.value}")],
            valid_to=reading.day("valid_to"),
            plans=ticked_plans(session, reading),
        )
        reading.done()
        made.append(issue_token(session, stamp, new))

    failed = attempt(portal, state, do)
    if failed is not None:
        return show_tokens(request, failed.form, failed.status)
    return show_tokens(request, FormState(), 200, made[0])


@router.post(TOKENS + "/{name}/thu-hoi", name="api_token_revoke")
def api_token_revoke(
    request: Request, name: str, form: Annotated[Posted, Depends(posted)]
) -> Response:
    """Take a token back."""

    def do(session: Session, stamp: Stamp, reading: Reading) -> str:
        reason = reading.line("reason")
        reading.done()
        revoke_token(session, stamp, name, reason=reason)
        return f"Đã thu hồi mã {name}; mã hết hiệu lực ngay."

    return file_form(
        request,
        form,
        name,
        do,
        then=TOKENS,
        show=lambda state, code: show_tokens(request, state, code),
    )
