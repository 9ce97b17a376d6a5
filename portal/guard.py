"""What surrounds every request: its size, the headers of every answer, the session that goes on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.seeing import SIGHT, Sight
from portal.errors import TooSlow

MAX_BODY: Final = 60 * 1024 * 1024
"""Bytes of one request: some files and their form."""
DRAIN: Final = 256 * 1024 * 1024
"""Bytes that are read and thrown away, so that the browser shows our answer and not an error."""

POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
"""Nothing but our own style sheet, pictures, forms and frames; no script at all."""

HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # A link's address holds its token: it goes nowhere else.
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
    "x-robots-tag": "noindex, nofollow",
}
"""What an answer says unless it says otherwise itself."""


IDLE_SECONDS: Final = 30.0
"""For the next bytes of a body."""
GRACE_SECONDS: Final = 60.0
"""For which a body may come at any pace."""
LEAST_PACE: Final = 512
"""Bytes a second, on the whole, after that: a scan of 2 MB may take an hour, and no longer."""


class BodyTooLarge(Exception):
    """More was sent than a request may hold."""


class Guard:
    """ASGI middleware around the whole application."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        secure: bool,
        on_crash: Callable[[Request, Exception], Response],
        max_body: int = MAX_BODY,
    ) -> None:
        self._app, self._secure, self._max_body = app, secure, max_body
        self._on_crash = on_crash

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})
        # Whoever lets the request in says what it sees; its threads share this one.
        SIGHT.set(Sight())
        receive = _hurried(receive)
        if _stated_length(scope) > self._max_body:
            with contextlib.suppress(TooSlow):
                await _drain(receive, DRAIN)
            scope["state"]["too_large"] = True
            receive = _nothing
        sending = self._sending(scope, send)
        try:
            await self._app(scope, _counting(receive, self._max_body), sending)
        except ClientDisconnect:
            return  # whoever sent half a body has gone: there is nobody to answer
        except Exception as error:
            if scope["state"].get("answered"):
                raise
            await self._on_crash(Request(scope), error)(scope, receive, sending)

    def _sending(self, scope: Scope, send: Send) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                scope["state"]["answered"] = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if self._secure:
                    headers["strict-transport-security"] = "max-age=31536000; includeSubDomains"
                for cookie in scope["state"].get("cookies", ()):
                    headers.append("set-cookie", cookie)
            await send(message)

        return sending


def _stated_length(scope: Scope) -> int:
    stated = Headers(scope=scope).get("content-length", "")
    return int(stated) if stated.isdecimal() else 0


async def _drain(receive: Receive, limit: int) -> None:
    read, more = 0, True
    while more and read < limit:
        message = await receive()
        read += len(message.get("body", b""))
        more = message["type"] == "http.request" and bool(message.get("more_body", False))


async def _nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


def _hurried(receive: Receive) -> Receive:
    """``receive``, giving up on a body that does not come.

    Once the body is there, whoever waits on is told only that the client has gone.
    """
    loop = asyncio.get_running_loop()
    began, read, over = loop.time(), 0, False

    async def hurried() -> Message:
        nonlocal read, over
        if over:
            return await receive()
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                message = await receive()
        except TimeoutError:
            raise TooSlow from None
        read += len(message.get("body", b""))
        over = message["type"] != "http.request" or not message.get("more_body", False)
        waited = loop.time() - began
        if not over and waited > GRACE_SECONDS and read < LEAST_PACE * waited:
            raise TooSlow
        return message

    return hurried


def _counting(receive: Receive, limit: int) -> Callable[[], Awaitable[Message]]:
    """``receive``, stopping a body that is longer than it may be and never said so."""
    read = 0

    async def counting() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > limit:
            raise BodyTooLarge
        return message

    return counting
