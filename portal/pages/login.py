"""Logging in and out by account. A session that ended keeps the form that was posted (rule 26)."""

from __future__ import annotations

import json
import secrets
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from models.tables import Account
from operations.login import authenticate
from portal.errors import PageError, StaleForm
from portal.forms import Posted, posted, read_form
from portal.portal import BEFORE_LOGIN_COOKIE, Portal, address_of, portal_of
from portal.signing import BEFORE_LOGIN, KEPT_FORM
from portal.throttle import LOGIN, LOGIN_NAME
from portal.typed import LABELS
from portal.visitors import begin_session, end_session
from rules.actors import Actor, ActorKind

router = APIRouter()
_READ = ["GET", "HEAD"]
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
    portal = portal_of(request)
    nonce = portal.signing.read(BEFORE_LOGIN, request.cookies.get(BEFORE_LOGIN_COOKIE))
    if not isinstance(nonce, str):
        nonce = secrets.token_urlsafe(16)
        text = portal.signing.write(BEFORE_LOGIN, nonce)
        portal.set_cookie(request, BEFORE_LOGIN_COOKIE, text, max_age=24 * 3600)
    return portal.pages(
        request,
        "login.html",
        status=status,
        mark=portal.signing.mark(f"before:{nonce}"),
        problem=problem,
        username=username,
        onward=onward,
        kept=kept,
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
        "Phiên làm việc đã kết thúc sau 15 phút không thao tác. Nội dung vừa nhập được giữ lại; "
        "đề nghị đăng nhập để gửi tiếp."
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


async def _login_form(request: Request) -> Posted:
    form = await read_form(request)
    portal = portal_of(request)
    nonce = portal.signing.read(BEFORE_LOGIN, request.cookies.get(BEFORE_LOGIN_COOKIE))
    if not isinstance(nonce, str) or not portal.signing.is_mark(
        f"before:{nonce}", form.fields.get("mark")
    ):
        raise StaleForm
    return form


@router.post("/dang-nhap", name="login")
def login(request: Request, form: Annotated[Posted, Depends(_login_form)]) -> Response:
    """Log in, and go on where somebody wanted to go."""
    portal, username = portal_of(request), form.fields.get("username", "")[:80].strip()
    onward, kept = form.fields.get("onward", ""), form.fields.get("kept", "")
    again: dict[str, Any] = {"username": username, "onward": onward, "kept": kept}
    try:
        portal.throttle.hit(LOGIN, address_of(request))
        portal.throttle.hit(LOGIN_NAME, username.lower())
    except PageError as error:
        return show_login(request, status=error.status, problem=error.message, **again)
    account, refusal = _authenticate(portal, request, username, form.secrets.get("password", ""))
    if account is None:
        return show_login(request, status=403, problem=refusal, **again)
    begin_session(portal, request, account)
    portal.drop_cookie(request, BEFORE_LOGIN_COOKIE)
    return _send_again(portal, request, kept) or RedirectResponse(
        onward_path(onward), status_code=303
    )


def _authenticate(
    portal: Portal, request: Request, username: str, password: str
) -> tuple[Account | None, str]:
    """The account, or why not. Either is committed: failures count (five lock)."""
    actor = Actor(
        kind=ActorKind.PERSON, name=username, account=username, address=address_of(request)
    )
    with portal.runtime.database.write() as session:
        found = authenticate(session, portal.stamp(actor), username, password)
    if found.needs_code:
        return None, "Tài khoản này cần mã dùng một lần, hiện chưa nhập được ở trang này."
    return found.account, found.refusal or ""


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
    """End the session."""
    end_session(portal_of(request), request)
    return RedirectResponse("/", status_code=303)
