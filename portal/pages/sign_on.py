"""Single sign-on: away to the provider, and back with its word for who somebody is."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from operations.login import Login
from operations.sign_on import Kept, authenticate_by_provider, send_away, take_back
from portal.errors import NotThere, PageError
from portal.forms import Posted
from portal.pages.login import let_in, show_code, show_login
from portal.portal import Portal, address_of, portal_of
from portal.second_step import ask_for_code
from portal.strangers import browser_of, posted_by_stranger
from portal.throttle import FORGED, LOGIN
from rules.actors import Actor, ActorKind
from runtime.logs import logger
from runtime.sign_on import Identity, Provider, ProviderSilent, TokenRefused

router = APIRouter()
AWAY: Final = "/dang-nhap/mot-lan"
BACK: Final = f"{AWAY}/ve"
_LONGEST: Final = 2000
"""Characters of an address to go on to."""


def _provider(portal: Portal) -> Provider:
    if portal.provider is None:
        raise NotThere
    return portal.provider


def _silent(provider: Provider) -> str:
    return (
        f"Nơi đăng nhập “{provider.name}” chưa trả lời. Đề nghị thử lại sau ít phút, hoặc đăng nhập "
        "bằng mật khẩu."
    )


@router.post(AWAY, name="sign_on")
def sign_on(request: Request, form: Annotated[Posted, Depends(posted_by_stranger)]) -> Response:
    """Send the browser to the provider.

    By a page and not by a redirection: browsers hold the answers of a form to ``form-action``.
    """
    portal = portal_of(request)
    provider = _provider(portal)
    onward, kept = form.fields.get("onward", "")[:_LONGEST], form.fields.get("kept", "")
    again: dict[str, Any] = {"onward": onward, "kept": kept}
    try:
        portal.throttle.hit(LOGIN, address_of(request))
        start = provider.begin(_back(portal))
    except PageError as error:
        return show_login(request, status=error.status, problem=error.message, **again)
    except ProviderSilent as error:
        _log(error)
        return show_login(request, status=503, problem=_silent(provider), **again)
    stays = Kept(nonce=start.nonce, verifier=start.verifier, onward=onward, kept=kept)
    with portal.runtime.database.write() as session:
        send_away(
            session,
            portal.stamp(_nobody(request)),
            state=start.state,
            browser=browser_of(request) or "",
            kept=stays,
        )
    page = portal.pages(request, "sign_on_away.html", provider=provider, address=start.address)
    page.headers["refresh"] = f"0; url={start.address}"
    return page


@router.api_route(BACK, methods=["GET"], name="sign_on_return")
def sign_on_return(request: Request) -> Response:
    """Back from the provider: let in whoever it vouches for, if there is an account."""
    portal = portal_of(request)
    provider, asked = _provider(portal), request.query_params
    if request.method == "HEAD":  # changes nothing (34); only a person comes back once
        return Response()
    address = address_of(request)
    try:
        portal.throttle.look(FORGED, address)
    except PageError as error:
        return show_login(request, status=error.status, problem=error.message)
    stamp = portal.stamp(_nobody(request))
    with portal.runtime.database.write() as session:
        kept = take_back(
            session, stamp, state=asked.get("state", ""), browser=browser_of(request) or ""
        )
    if kept is None:
        portal.throttle.hit(FORGED, address)
        return show_login(request, status=403, problem=_LOST)
    again: dict[str, Any] = {"onward": kept.onward, "kept": kept.kept}
    if "error" in asked or not asked.get("code") or not provider.issued_by(asked.get("iss")):
        logger(__name__).warning("no single sign-on", why=str(asked.get("error", "-"))[:80])
        return show_login(request, status=403, problem=_denied(provider), **again)
    try:
        who = provider.finish(
            _back(portal),
            code=asked["code"],
            nonce=kept.nonce,
            verifier=kept.verifier,
            now=stamp.at,
        )
    except ProviderSilent as error:
        _log(error)
        return show_login(request, status=503, problem=_silent(provider), **again)
    except TokenRefused as error:
        _log(error)
        return show_login(request, status=403, problem=_unsure(provider), **again)
    return _admit(request, who, again)


def _admit(request: Request, who: Identity, again: dict[str, Any]) -> Response:
    """Whoever the provider vouches for, in; or to the page that asks for our code."""
    portal = portal_of(request)
    by_email = portal.runtime.settings.oidc_match == "email"
    # Whatever the answer is, it is committed: the attempt is logged.
    with portal.runtime.database.write() as session:
        found: Login = authenticate_by_provider(
            session,
            portal.stamp(_nobody(request)),
            who.told,
            by_email=by_email,
            strong=who.strong,
        )
    if found.account is None:
        return show_login(request, status=403, problem=found.refusal or "", **again)
    if found.needs_code:
        ask_for_code(portal, request, found.account, by_provider=True)
        return show_code(request, provider=portal.provider, **again)
    return let_in(request, found.account, by_provider=True, **again)


_LOST: Final = (
    "Lượt đăng nhập này đã được dùng, đã quá 10 phút hoặc bắt đầu ở trình duyệt khác. Đề nghị bấm "
    "đăng nhập lại."
)


def _denied(provider: Provider) -> str:
    return (
        f"Nơi đăng nhập “{provider.name}” cho biết việc đăng nhập chưa hoàn thành. Đề nghị thử lại, "
        "hoặc đăng nhập bằng mật khẩu."
    )


def _unsure(provider: Provider) -> str:
    return (
        f"Chưa xác nhận được kết quả do “{provider.name}” trả về nên hệ thống không cho vào. Đề nghị "
        "thử lại; nếu vẫn vậy, đăng nhập bằng mật khẩu và báo quản trị hệ thống."
    )


def _back(portal: Portal) -> str:
    return f"{portal.runtime.settings.portal_url}{BACK}"


def _nobody(request: Request) -> Actor:
    return Actor(kind=ActorKind.PERSON, name="-", address=address_of(request))


def _log(error: Exception) -> None:
    logger(__name__).warning("no single sign-on", kind=type(error).__name__, why=str(error))
