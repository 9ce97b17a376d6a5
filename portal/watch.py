"""What surrounds even the guard: each request gets a number, one line of the log, and is counted.

The number stands on every line that is written meanwhile, in the answer's header and on pages of
errors, so that a telephone call leads to the lines. A line names the route and never the query;
what opens anything in a path is blotted out.
"""

from __future__ import annotations

import re
import secrets
import time
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from models.tables import LinkToken
from portal.api.door import Caller
from portal.meters import Meters
from portal.portal import NUMBER
from portal.visitors import Person
from runtime.logs import logger, mask_path

HEADER: Final = "x-request-id"
_TAKEN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
_QUIET: Final = frozenset({"health", "static", "metrics", "guidance_picture"})
"""Asked for all the time; written only with the level debug."""
_LEFT: Final = 499
"""The status of a request whose sender went away before the answer."""


class Watch:
    """ASGI middleware around the guard. ``trust`` takes a proxy's number over."""

    def __init__(self, app: ASGIApp, *, trust: bool, meters: Meters) -> None:
        self._app, self._trust, self._meters = app, trust, meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number = _number(scope, trust=self._trust)
        scope.setdefault("state", {})[NUMBER] = number
        status, begun = _LEFT, time.perf_counter()

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = number
            await send(message)

        with bound_contextvars(request=number):
            try:
                await self._app(scope, receive, sending)
            except Exception:
                status = 500
                raise
            finally:
                self._tell(scope, status, time.perf_counter() - begun)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "name", None)
        self._meters.note(
            route=route or "unknown", method=scope["method"], status=status, seconds=seconds
        )
        log = logger(__name__)
        say = log.debug if route in _QUIET else log.error if status >= 500 else log.info
        say(
            "request",
            route=route,
            method=scope["method"][:10],
            path=mask_path(scope["path"]),
            status=status,
            ms=round(seconds * 1000, 1),
            address=(scope.get("client") or ("-",))[0],
            **_who(scope["state"]),
        )


def _number(scope: Scope, *, trust: bool) -> str:
    given = Headers(scope=scope).get(HEADER, "") if trust else ""
    return given if _TAKEN.fullmatch(given) else secrets.token_hex(6).upper()


def _who(state: dict[str, Any]) -> dict[str, str | None]:
    """Who asked, by the name of the account, link or token, and for which agency."""
    person, caller, link = state.get("visitor"), state.get("caller"), state.get("token")
    if isinstance(person, Person):
        return {"who": f"account:{person.username}", "agency": person.agency}
    if isinstance(caller, Caller):
        return {"who": f"token:{caller.token.id}", "agency": caller.agency}
    if isinstance(link, LinkToken):
        return {"who": f"link:{link.id}", "agency": link.agency_key}
    return {"who": None, "agency": None}
