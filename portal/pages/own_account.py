"""Tài khoản của tôi: one's data, password, one-time codes, sign-ins and sessions (rule 40)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Annotated, Final

import segno
from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from models.tables import Account
from operations.accounts import set_password
from operations.own_account import correct_own_data, end_sessions, last_sign_ins
from operations.sign_on import BY_PROVIDER, IN_BY_PROVIDER
from operations.stamp import Stamp
from operations.totp import (
    begin_totp,
    codes_left,
    confirm_totp,
    new_recovery_codes,
    pending_secret,
    secret_uri,
    switch_off_totp,
)
from operations.vault import Vault
from portal.attempts import attempt
from portal.errors import NotThere
from portal.forms import FormState, Posted, posted
from portal.pages.account_links import twice
from portal.portal import OWN, Portal, address_of, portal_of
from portal.reading import Reading
from portal.throttle import LOGIN_NAME, POSTS
from portal.told import say, told
from portal.visitors import Person, begin_session, end_session, person_of
from rules.codes import in_groups

router = APIRouter()
_READ = ["GET", "HEAD"]
CODES: Final = f"{OWN}/ma-xac-thuc"
PICTURE: Final = f"{CODES}/hinh.svg"
CONFIRM: Final = "xac-nhan-ma"
_SIGN_INS: Final = {
    "ok": "● Thành công",
    "password": "◄ Đúng mật khẩu, chờ mã xác thực",
    "refused": "▲ Không thành công",
    IN_BY_PROVIDER: "● Thành công, qua đăng nhập một lần",
    BY_PROVIDER: "◄ Đã đăng nhập một lần, chờ mã xác thực",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One form of somebody's own account, inside its transaction."""

    session: Session
    stamp: Stamp
    vault: Vault
    form: Posted
    reading: Reading
    username: str
    email_fixed: bool
    """Whether people sign in by their address, so that only administrators change it."""

    @property
    def current(self) -> str:
        """The present password as typed."""
        return self.form.secrets.get("current", "")

    @property
    def code(self) -> str:
        """The one-time code as typed."""
        return self.form.secrets.get("totp", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What became of a form: the sentence told, where to go on, and codes that are told once."""

    sentence: str = ""
    then: str = OWN
    codes: tuple[str, ...] = field(default=(), repr=False)
    leave: bool = False
    """Whether this session ends as well."""


def _correct(asked: Asked) -> Done:
    reading = asked.reading
    name, post, email = reading.line("name"), reading.line("post"), reading.line("email")
    reading.done()
    changed = correct_own_data(
        asked.session,
        asked.stamp,
        asked.username,
        name=name,
        post=post,
        email=email,
        email_fixed=asked.email_fixed,
    )
    return Done(sentence="Đã sửa thông tin." if changed else "Thông tin không thay đổi.")


def _password(asked: Asked) -> Done:
    new = twice(asked.form)
    set_password(asked.session, asked.stamp, asked.username, new, current=asked.current)
    return Done(sentence="Đã đổi mật khẩu; các phiên đăng nhập khác đã kết thúc.")


def _begin(asked: Asked) -> Done:
    begin_totp(asked.session, asked.stamp, asked.vault, asked.username, current=asked.current)
    return Done(then=CODES)


def _confirm(asked: Asked) -> Done:
    codes = confirm_totp(asked.session, asked.stamp, asked.vault, asked.username, code=asked.code)
    return Done(codes=codes)


def _off(asked: Asked) -> Done:
    switch_off_totp(
        asked.session,
        asked.stamp,
        asked.vault,
        asked.username,
        current=asked.current,
        code=asked.code,
    )
    return Done(sentence="Đã tắt mã xác thực; các phiên đăng nhập khác đã kết thúc.")


def _recovery(asked: Asked) -> Done:
    codes = new_recovery_codes(
        asked.session, asked.stamp, asked.vault, asked.username, code=asked.code
    )
    return Done(codes=codes)


def _leave(asked: Asked) -> Done:
    end_sessions(asked.session, asked.stamp, asked.username)
    return Done(
        sentence="Đã kết thúc mọi phiên đăng nhập của tài khoản.", then="/dang-nhap", leave=True
    )


_DEEDS: Final[dict[str, Callable[[Asked], Done]]] = {
    "thong-tin": _correct,
    "mat-khau": _password,
    "bat-ma": _begin,
    CONFIRM: _confirm,
    "tat-ma": _off,
    "ma-khoi-phuc": _recovery,
    "dang-xuat-moi-noi": _leave,
}
_SECRET: Final = frozenset({"mat-khau", "bat-ma", CONFIRM, "tat-ma", "ma-khoi-phuc"})
"""Forms by which passwords and codes could be guessed."""


@router.api_route(OWN, methods=_READ, name="own_account")
def own_account(request: Request) -> Response:
    """One's own account."""
    return _show(request, FormState(), 200)


def _email_fixed(portal: Portal) -> bool:
    settings = portal.runtime.settings
    return settings.oidc_issuer is not None and settings.oidc_match == "email"


def _show(request: Request, form: FormState, status: int) -> Response:
    portal, person = portal_of(request), person_of(request)
    with portal.runtime.database.read() as session:
        row = session.get_one(Account, person.account)
        left, log = codes_left(session, row), last_sign_ins(session, row.username)
    return portal.pages(
        request,
        "own_account.html",
        status=status,
        account=row,
        unready=person.unready,
        email_fixed=_email_fixed(portal),
        agency=person.agency_name,
        left=left,
        log=[(one.at, _SIGN_INS.get(one.path, one.path), one.address) for one in log],
        form=form,
        said=told(request),
    )


@router.api_route(CODES, methods=_READ, name="own_codes")
def own_codes(request: Request) -> Response:
    """The secret that waits for its first code."""
    return _show_secret(request, FormState(), 200)


def _show_secret(request: Request, form: FormState, status: int) -> Response:
    found = _pending(request)
    if found is None:
        return RedirectResponse(OWN, status_code=303)
    return portal_of(request).pages(
        request,
        "own_codes.html",
        status=status,
        username=found[0].username,
        secret=in_groups(found[1]),
        picture=PICTURE,
        form=form,
    )


@router.api_route(PICTURE, methods=_READ, name="own_codes_picture")
def own_codes_picture(request: Request) -> Response:
    """The same secret as a picture that authenticator programs read."""
    found = _pending(request)
    if found is None:
        raise NotThere
    picture = BytesIO()
    segno.make(secret_uri(*found), error="m").save(
        picture, kind="svg", scale=6, border=4, dark="#000", light="#fff"
    )
    return Response(picture.getvalue(), media_type="image/svg+xml")


def _pending(request: Request) -> tuple[Account, str] | None:
    portal, person = portal_of(request), person_of(request)
    with portal.runtime.database.read() as session:
        row = session.get_one(Account, person.account)
    secret = pending_secret(portal.runtime.vault, row)
    return None if secret is None else (row, secret)


@router.post(OWN + "/{deed}", name="own_account_act")
def own_account_act(
    request: Request, deed: str, form: Annotated[Posted, Depends(posted)]
) -> Response:
    """One form of one's own account."""
    portal, person = portal_of(request), person_of(request)
    if deed not in _DEEDS:
        raise NotThere
    portal.throttle.hit(POSTS, f"account:{person.account}")
    if deed in _SECRET:
        portal.throttle.hit(LOGIN_NAME, f"own:{person.account}")
    done: list[Done] = []

    def do(session: Session) -> None:
        asked = Asked(
            session=session,
            stamp=portal.stamp(person.actor(address_of(request))),
            vault=portal.runtime.vault,
            form=form,
            reading=Reading(form),
            username=person.username,
            email_fixed=_email_fixed(portal),
        )
        done.append(_DEEDS[deed](asked))

    failed = attempt(portal, FormState(deed=deed, values=form.fields), do)
    if failed is None:
        return _answer(request, portal, person, done[0])
    show = _show_secret if deed == CONFIRM else _show
    return show(request, failed.form, failed.status)


def _answer(request: Request, portal: Portal, person: Person, done: Done) -> Response:
    """Go on where the form leads, in a session that goes on where the others ended."""
    if done.leave:
        end_session(portal, request)
        return RedirectResponse(say(request, done.then, done.sentence), status_code=303)
    with portal.runtime.database.read() as session:
        row = session.get_one(Account, person.account)
    begin_session(portal, request, row, by_provider=person.by_provider)
    if not done.codes:
        then = say(request, done.then, done.sentence) if done.sentence else done.then
        return RedirectResponse(then, status_code=303)
    return portal.pages(
        request,
        "recovery_codes.html",
        username=person.username,
        at=portal.runtime.clock.now(),
        codes=[in_groups(one) for one in done.codes],
    )
