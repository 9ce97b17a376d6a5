"""One-time links to the door: the first account of a database, and a new password."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from models.tables import AccountLink, AccountLinkPurpose
from operations.account_links import (
    COORDINATOR_NAME,
    FIRST_PATH,
    PASSWORD_PATH,
    AccountLinkForged,
    FirstAccounts,
    account_of,
    check_link,
    open_first_accounts,
    set_password_by_link,
)
from operations.errors import Refused
from operations.state import coordinators
from portal.attempts import attempt
from portal.forms import FormState, Posted
from portal.portal import Portal, address_of, portal_of
from portal.reading import Reading
from portal.strangers import posted_by_stranger, stranger_mark
from portal.throttle import FORGED, LOGIN
from portal.told import say
from rules.actors import Actor, ActorKind

router = APIRouter()
_READ = ["GET", "HEAD"]
FIRST: Final = "tao"
PASSWORD: Final = "dat"  # noqa: S105 - the name of a form
NOT_ALIKE: Final = "Hai lần nhập mật khẩu không giống nhau; đề nghị nhập lại cả hai ô."


def twice(form: Posted) -> str:
    """The password that was typed twice.

    Raises:
        Refused: nothing was typed, or not the same twice.
    """
    password = form.secrets.get("password", "")
    if not password:
        raise Refused("Đề nghị nhập mật khẩu mới.", field="password")
    if password != form.secrets.get("password_again", ""):
        raise Refused(NOT_ALIKE, field="password_again")
    return password


def _checked(
    request: Request,
    session: Session,
    key: str,
    purpose: AccountLinkPurpose,
    *,
    lock: bool = False,
) -> AccountLink:
    """The link of this request; whoever tries out links is stopped."""
    portal, address = portal_of(request), address_of(request)
    portal.throttle.look(FORGED, address)
    stamp = portal.stamp(Actor(kind=ActorKind.PERSON, name="-", address=address))
    secret = portal.runtime.link_secret
    try:
        return check_link(session, stamp, key, purpose, secret=secret, lock=lock)
    except AccountLinkForged:
        portal.throttle.hit(FORGED, address)
        raise


def _coordinator(portal: Portal, session: Session) -> tuple[str, str] | None:
    """Key and name of the coordinating agency, where all plans have the same."""
    found = coordinators(session, portal.today)
    return next(iter(found.items())) if len(found) == 1 else None


def _show_first(request: Request, key: str, form: FormState, status: int) -> Response:
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        _checked(request, session, key, AccountLinkPurpose.FIRST)
        coordinator = _coordinator(portal, session)
    return portal.pages(
        request,
        "first_account.html",
        status=status,
        path=f"{FIRST_PATH}{key}",
        mark=stranger_mark(request),
        coordinator=None if coordinator is None else coordinator[1],
        coordinator_name=COORDINATOR_NAME,
        form=form,
    )


@router.api_route(FIRST_PATH + "{key}", methods=_READ, name="first_account_form")
def first_account_form(request: Request, key: str) -> Response:
    """The form that opens the first account."""
    return _show_first(request, key, FormState(values={"both": "1"}, deed=FIRST), 200)


@router.post(FIRST_PATH + "{key}", name="first_account")
def first_account(
    request: Request, key: str, form: Annotated[Posted, Depends(posted_by_stranger)]
) -> Response:
    """Open the first account, and the coordinator's when it was ticked."""
    portal, reading = portal_of(request), Reading(form)
    portal.throttle.hit(LOGIN, address_of(request))
    made: list[str | None] = []

    def do(session: Session) -> None:
        link = _checked(request, session, key, AccountLinkPurpose.FIRST, lock=True)
        username, name = reading.line("username"), reading.line("name")
        post, email = reading.line("post") or None, reading.line("email") or None
        reading.done()
        coordinator = _coordinator(portal, session) if form.ticked("both") else None
        new = FirstAccounts(
            username=username,
            name=name,
            password=twice(form),
            post=post,
            email=email,
            agency=None if coordinator is None else coordinator[0],
        )
        actor = Actor(kind=ActorKind.OPERATOR, name=name, address=address_of(request))
        stamp, secret = portal.stamp(actor), portal.runtime.link_secret
        made.append(open_first_accounts(session, stamp, link, new, secret=secret))

    failed = attempt(portal, FormState(deed=FIRST, values=form.fields), do)
    if failed is not None:
        return _show_first(request, key, failed.form, failed.status)
    return portal.pages(
        request,
        "first_account_made.html",
        username=reading.line("username").lower(),
        coordinator_name=COORDINATOR_NAME,
        further=made[0],
    )


def _show_password(request: Request, key: str, form: FormState, status: int) -> Response:
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        link = _checked(request, session, key, AccountLinkPurpose.PASSWORD)
        row = account_of(session, link)
    return portal.pages(
        request,
        "new_password.html",
        status=status,
        path=f"{PASSWORD_PATH}{key}",
        mark=stranger_mark(request),
        account=row,
        form=form,
    )


@router.api_route(PASSWORD_PATH + "{key}", methods=_READ, name="new_password_form")
def new_password_form(request: Request, key: str) -> Response:
    """The form that sets a password."""
    return _show_password(request, key, FormState(), 200)


@router.post(PASSWORD_PATH + "{key}", name="new_password")
def new_password(
    request: Request, key: str, form: Annotated[Posted, Depends(posted_by_stranger)]
) -> Response:
    """Set the password, and on to signing in."""
    portal = portal_of(request)
    portal.throttle.hit(LOGIN, address_of(request))
    names: list[str] = []

    def do(session: Session) -> None:
        link = _checked(request, session, key, AccountLinkPurpose.PASSWORD, lock=True)
        actor = Actor(kind=ActorKind.PERSON, name="-", address=address_of(request))
        row = set_password_by_link(session, portal.stamp(actor), link, twice(form))
        names.append(row.username)

    failed = attempt(portal, FormState(deed=PASSWORD, values={}), do)
    if failed is not None:
        return _show_password(request, key, failed.form, failed.status)
    sentence = f"Đã đặt mật khẩu của tài khoản {names[0]}; đề nghị đăng nhập."
    return RedirectResponse(say(request, "/dang-nhap", sentence), status_code=303)
