"""Logging in and out by account. A session that ended keeps the form that was posted (rule 26)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from models.tables import Account
from operations.login import LOGIN_AGAIN, authenticate, authenticate_code
from portal.errors import PageError
from portal.forms import Posted, posted
from portal.portal import BEFORE_LOGIN_COOKIE, Portal, address_of, portal_of
from portal.second_step import ask_for_code, forget_code, waiting_for_code
from portal.signing import KEPT_FORM
from portal.strangers import posted_by_stranger, stranger_mark
from portal.throttle import LOGIN, LOGIN_NAME
from portal.told import told
from portal.typed import LABELS
from portal.visitors import begin_session, end_session, person_of
from rules.actors import Actor, ActorKind

if TYPE_CHECKING:
    from runtime.sign_on import Provider

router = APIRouter()
_READ = ["GET", "HEAD"]
CODE_PATH: Final = "/dang-nhap/ma-xac-thuc"
_KEPT_LIMIT: Final = 100_000
"""Characters of a form that is kept through a login."""


def show_login(
    request: Request,
    *,
    status: int = 200,
    problem: str = "",
    username: str = "",
    onward: str = "",
    kept: str = "",
) -> Response:
    """The login form, with a mark of its own: there is no session yet."""
    return portal_of(request).pages(
        request,
        "login.html",
        status=status,
        mark=stranger_mark(request),
        problem=problem,
        username=username,
        onward=onward,
        kept=kept,
        provider=portal_of(request).provider,
        said=told(request),
    )


def show_expired(request: Request, form: Posted | None) -> Response:
    """The login form for somebody whose session ended over a form; the form is kept."""
    if form is None:
        return show_login(request, status=401, onward=request.url.path)
    fields = {
        name: text for name, text in form.fields.items() if name not in {"mark", "kept_files"}
    }
    text = json.dumps([request.url.path, fields, bool(form.files)], ensure_ascii=False)
    kept = portal_of(request).signing.write(KEPT_FORM, text) if len(text) <= _KEPT_LIMIT else ""
    problem = (
        "Phiên làm việc đã kết thúc (15 phút không thao tác, hoặc 12 giờ từ khi đăng nhập). "
        "Nội dung vừa nhập được giữ lại; đề nghị đăng nhập để gửi tiếp."
    )
    return show_login(request, status=401, problem=problem, kept=kept)


def onward_path(text: str) -> str:
    """A path of ours to go on to; the first page for anything else."""
    inside = text.startswith("/") and not text.startswith(("//", "/\\"))
    plain = inside and not any(letter in text for letter in "\r\n\\") and text.isprintable()
    return text if plain else "/"


@router.api_route("/dang-nhap", methods=_READ, name="login_form")
def login_form(request: Request) -> Response:
    """The login form."""
    return show_login(request, onward=request.query_params.get("tiep", ""))


@router.post("/dang-nhap", name="login")
def login(request: Request, form: Annotated[Posted, Depends(posted_by_stranger)]) -> Response:
    """Log in, and go on where somebody wanted to go; or to the page that asks for a code."""
    portal, username = portal_of(request), form.fields.get("username", "")[:80].strip()
    onward, kept = form.fields.get("onward", ""), form.fields.get("kept", "")
    again: dict[str, Any] = {"username": username, "onward": onward, "kept": kept}
    try:
        count_try(portal, request, username)
    except PageError as error:
        return show_login(request, status=error.status, problem=error.message, **again)
    actor = Actor(
        kind=ActorKind.PERSON, name=username, account=username, address=address_of(request)
    )
    # Whatever the answer is, it is committed: failures count (five lock).
    with portal.runtime.database.write() as session:
        found = authenticate(
            session, portal.stamp(actor), username, form.secrets.get("password", "")
        )
    if found.account is None:
        return show_login(request, status=403, problem=found.refusal or "", **again)
    if found.needs_code:
        ask_for_code(portal, request, found.account)
        return show_code(request, onward=onward, kept=kept)
    return let_in(request, found.account, onward=onward, kept=kept)


@router.api_route(CODE_PATH, methods=_READ, name="login_code_form")
def login_code_form(request: Request) -> Response:
    """The page that asks for the code, opened again."""
    if waiting_for_code(request) is None:
        return RedirectResponse("/dang-nhap", status_code=303)
    return show_code(request)


@router.post(CODE_PATH, name="login_code")
def login_code(request: Request, form: Annotated[Posted, Depends(posted_by_stranger)]) -> Response:
    """The code after the password; then on, as after a login without one."""
    portal, waiting = portal_of(request), waiting_for_code(request)
    onward, kept = form.fields.get("onward", ""), form.fields.get("kept", "")
    ways: dict[str, Any] = {"onward": onward, "kept": kept}
    if waiting is None:
        return show_login(request, status=401, problem=LOGIN_AGAIN, **ways)
    try:
        count_try(portal, request, f"#{waiting.account}")
    except PageError as error:
        return show_code(request, status=error.status, problem=error.message, **ways)
    actor = Actor(
        kind=ActorKind.PERSON,
        name=waiting.username,
        account=waiting.username,
        address=address_of(request),
    )
    with portal.runtime.database.write() as session:
        found = authenticate_code(
            session,
            portal.stamp(actor),
            portal.runtime.vault,
            account=waiting.account,
            epoch=waiting.epoch,
            code=form.secrets.get("totp", ""),
        )
    if found.account is not None:
        by_provider = waiting.by_provider
        return let_in(request, found.account, onward=onward, kept=kept, by_provider=by_provider)
    if found.from_the_start:
        forget_code(portal, request)
        return show_login(request, status=403, problem=found.refusal or "", **ways)
    return show_code(request, status=403, problem=found.refusal or "", **ways)


def show_code(
    request: Request,
    *,
    status: int = 200,
    problem: str = "",
    onward: str = "",
    kept: str = "",
    provider: Provider | None = None,
) -> Response:
    """The page that asks for the code; after ``provider``, else after a password."""
    waiting = waiting_for_code(request)
    if waiting is not None and waiting.by_provider:
        provider = portal_of(request).provider
    return portal_of(request).pages(
        request,
        "login_code.html",
        status=status,
        provider=provider,
        mark=stranger_mark(request),
        problem=problem,
        onward=onward,
        kept=kept,
    )


def count_try(portal: Portal, request: Request, who: str) -> None:
    """Count one try to get in.

    Raises:
        TooMany: there were too many, from this address or for this account.
    """
    portal.throttle.hit(LOGIN, address_of(request))
    portal.throttle.hit(LOGIN_NAME, who.lower())


def let_in(
    request: Request, account: Account, *, onward: str, kept: str, by_provider: bool = False
) -> Response:
    """Begin a session, always a new one, and go on."""
    portal = portal_of(request)
    begin_session(portal, request, account, by_provider=by_provider)
    portal.drop_cookie(request, BEFORE_LOGIN_COOKIE)
    forget_code(portal, request)
    return _send_again(portal, request, kept) or RedirectResponse(
        onward_path(onward), status_code=303
    )


def _send_again(portal: Portal, request: Request, kept: str) -> Response | None:
    """A page from which the kept form is sent again, with one button."""
    text = portal.signing.read(KEPT_FORM, kept)
    if not isinstance(text, str):
        return None
    path, fields, files = json.loads(text)
    shown = [(label, fields[name]) for name, label in LABELS.items() if fields.get(name)]
    return portal.pages(
        request,
        "send_again.html",
        path=onward_path(path),
        fields=fields,
        shown=shown,
        files=files,
        mark=request.scope["state"]["mark"],
    )


@router.post("/dang-xuat", name="logout", dependencies=[Depends(posted)])
def logout(request: Request) -> Response:
    """End the session; who came by single sign-on is told of the one that goes on there."""
    portal, person = portal_of(request), person_of(request)
    end_session(portal, request)
    if portal.provider is None or not person.by_provider:
        return RedirectResponse("/", status_code=303)
    request.scope["state"]["visitor"] = None
    end = portal.provider.end_address(f"{portal.runtime.settings.portal_url}/dang-nhap")
    return portal.pages(request, "signed_out.html", provider=portal.provider, end=end)
