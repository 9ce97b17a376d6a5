"""Who calls: a program with a token, counted, logged, and held to its scopes (rules 40, 46)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Final

from fastapi import Depends, Request

from models.tables import AgencyRow
from operations.access import log_access
from operations.api_tokens import SCOPE_WORDS, TokenRefused, TokenRow, check_token
from operations.stamp import Stamp
from portal.errors import NotAllowed, PageError
from portal.permissions import API_SCOPES, Visitor, may_open
from portal.portal import Portal, address_of
from portal.sight import look_at
from portal.throttle import API_ADDRESS, API_CALLS, FORGED, POSTS
from rules.actors import Actor, ActorKind

BASE: Final = "/api/v1"


class TokenNeeded(PageError):
    """No token, or one that opens nothing."""

    status, title = 401, "Cần mã API"

    def __init__(self, message: str = "") -> None:
        super().__init__(
            message
            or "Đề nghị gửi mã API trong tiêu đề “Authorization: Bearer td_…”. "
            "Phiên đăng nhập của trình duyệt không dùng được ở đây."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The program behind a request."""

    portal: Portal
    token: TokenRow
    agency_name: str | None
    address: str

    @property
    def agency(self) -> str | None:
        """The agency whose work it sees; None for a service, which sees everybody's."""
        return self.token.agency

    def stamp(self, name: str | None = None, post: str | None = None) -> Stamp:
        """The circumstances of an act now; ``name`` is who did it, as the program states."""
        actor = Actor(
            kind=ActorKind.TOKEN,
            name=self.token.name,
            account=self.token.id,
            agency=self.token.agency,
            address=self.address,
        )
        if name:
            actor = replace(actor, name=name, post=f"{post}, {actor.name}" if post else actor.name)
        return self.portal.stamp(actor)


def admit(portal: Portal, request: Request, route: str) -> None:
    """Let a request to the API pass by its token, and log it.

    Raises:
        TokenNeeded: there is no token, or it opens nothing.
        NotAllowed: another kind of token, or another scope is needed.
        TooMany: it calls too often.
    """
    address = address_of(request)
    portal.throttle.hit(API_ADDRESS, "api", address)
    token, agency_name = _token(portal, request, address)
    portal.throttle.hit(API_CALLS, token.id)
    if request.method == "POST":
        portal.throttle.hit(POSTS, token.id)
    with portal.runtime.database.write() as session:
        log_access(
            session,
            at=portal.runtime.clock.now(),
            actor=f"token:{token.id}",
            method=request.method,
            path=_path(request),
            api_token=token.id,
            address=address,
            agent=(request.headers.get("user-agent") or "")[:300] or None,
        )
    kind = Visitor.TOKEN_SERVICE if token.agency is None else Visitor.TOKEN_AGENCY
    if not may_open(route, kind, trial=False):
        whom = "của dịch vụ" if kind is Visitor.TOKEN_AGENCY else "của cơ quan"
        raise NotAllowed(f"Thao tác này chỉ dành cho mã API {whom}.")
    scope = API_SCOPES[route]
    if scope not in token.scopes:
        raise NotAllowed(
            f"Mã API này không có phạm vi “{scope}” ({SCOPE_WORDS[scope]}); "
            "đề nghị quản trị hệ thống cấp mã có phạm vi phù hợp."
        )
    look_at(token.plans)
    request.scope["state"]["caller"] = Caller(
        portal=portal, token=token, agency_name=agency_name, address=address
    )


def _token(portal: Portal, request: Request, address: str) -> tuple[TokenRow, str | None]:
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not text.strip():
        raise TokenNeeded
    portal.throttle.look(FORGED, "api", address)
    with portal.runtime.database.read() as session:
        try:
            token = check_token(session, text.strip(), on=portal.today)
        except TokenRefused as error:
            portal.throttle.hit(FORGED, "api", address)
            raise TokenNeeded(str(error)) from None
        agency = session.get(AgencyRow, token.agency) if token.agency else None
    return token, None if agency is None else agency.name


def _path(request: Request) -> str:
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{request.url.path}{query}"[:2000]


def caller_of(request: Request) -> Caller:
    """The program that was let in.

    Raises:
        TokenNeeded: none was.
    """
    found = request.scope["state"].get("caller")
    if not isinstance(found, Caller):
        raise TokenNeeded
    return found


By = Annotated[Caller, Depends(caller_of)]
