"""Single sign-on: the one file that speaks to a provider of OpenID Connect, by Authlib.

Authorization code with PKCE, state and nonce (OpenID Connect Core 1.0, RFC 7636). What the provider
says is believed only by an ID token that it signed for us, now, in answer to this very request.
A provider that is gone or slow costs a person a sentence and the portal nothing: each exchange has
one deadline, and only a few go on at once.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
import threading
import time
import warnings
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

import httpx
from authlib.common.errors import AuthlibBaseError
from authlib.deprecate import AuthlibDeprecationWarning
from pydantic import ValidationError

from runtime.settings import Settings
from runtime.sign_on_tokens import (
    Identity,
    Metadata,
    TokenRefused,
    UnknownKey,
    identity_of,
    names_key,
    verified,
)

with warnings.catch_warnings():
    # Authlib asks for httpx2, which nothing else here uses yet; it takes httpx as well.
    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    from authlib.integrations.httpx_client import AsyncOAuth2Client

__all__ = ["Identity", "Provider", "ProviderSilent", "Start", "TokenRefused"]

SECONDS: Final = 10.0
"""For the whole of one exchange, however slowly the provider answers."""
LARGEST: Final = 256 * 1024
"""Bytes of one answer."""
KNOWN_FOR: Final = 3600.0
"""Seconds for which its configuration and keys are not asked for again."""
_KEYS_AGAIN: Final = 60.0
"""Seconds after which a key that is not known has the keys asked for once more."""
AT_ONCE: Final = 8
"""Exchanges that go on at once; a slow provider must not hold every thread of the portal."""

_T = TypeVar("_T")


class ProviderSilent(Exception):
    """The provider does not answer, or nothing that can be used; the text is for the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A sign-on that begins: where to send the browser, and what must come back with it."""

    address: str
    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


class _Capped(httpx.AsyncHTTPTransport):
    """Reads an answer whole, up to :data:`LARGEST`."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Ask, and read no more than is sensible."""
        request.headers["accept-encoding"] = "identity"
        answer = await super().handle_async_request(request)
        body = bytearray()
        async for part in answer.stream:  # type: ignore[union-attr]
            body += part
            if len(body) > LARGEST:
                await answer.aclose()
                raise ProviderSilent(f"more than {LARGEST} bytes from {request.url.host}")
        await answer.aclose()
        headers = [
            (name, value)
            for name, value in answer.headers.raw
            if name.lower() not in {b"content-encoding", b"transfer-encoding"}
        ]
        return httpx.Response(answer.status_code, headers=headers, content=bytes(body))


class Provider:
    """The provider of the settings, asked from several threads. Keeps what it said of itself."""

    def __init__(self, settings: Settings) -> None:
        if settings.oidc_issuer is None or settings.oidc_client_id is None:
            raise ValueError("no provider is set")
        self.name = settings.oidc_name
        self._settings = settings
        self._issuer, self._client_id = settings.oidc_issuer, settings.oidc_client_id
        self._free = threading.BoundedSemaphore(AT_ONCE)
        self._trusted = ssl.create_default_context()
        if settings.oidc_ca_file is not None:
            self._trusted.load_verify_locations(settings.oidc_ca_file)
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, Mapping[str, Any]] | None = None

    def begin(self, redirect_uri: str) -> Start:
        """What a browser is sent away with.

        Raises:
            ProviderSilent: the provider does not answer.
        """

        async def ask(client: AsyncOAuth2Client) -> Start:
            known = await self._configuration(client)
            state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
            address, _ = client.create_authorization_url(
                known.authorization_endpoint, state=state, nonce=nonce, code_verifier=verifier
            )
            return Start(address=address, state=state, nonce=nonce, verifier=verifier)

        return self._exchange(redirect_uri, ask)

    def finish(
        self, redirect_uri: str, *, code: str, nonce: str, verifier: str, now: datetime
    ) -> Identity:
        """Who it is that the provider sent back with ``code``.

        Raises:
            ProviderSilent: the provider does not answer.
            TokenRefused: what it answered is not believed.
        """

        async def ask(client: AsyncOAuth2Client) -> Identity:
            known = await self._configuration(client)
            if known.wants_secret_in_body:
                client.token_endpoint_auth_method = (
                    "client_secret_post" if client.client_secret else "none"
                )
            token = await client.fetch_token(
                known.token_endpoint,
                grant_type="authorization_code",
                code=code,
                redirect_uri=redirect_uri,
                code_verifier=verifier,
            )
            text, access = token.get("id_token"), token.get("access_token")
            if not isinstance(text, str):
                raise TokenRefused("no id_token")
            claims = verified(
                text,
                await self._keys_for(client, known, text),
                known,
                client_id=self._client_id,
                nonce=nonce,
                access_token=access if isinstance(access, str) else None,
                now=now,
            )
            if self._settings.oidc_claim not in claims and known.userinfo_endpoint:
                more = await _object(client, known.userinfo_endpoint, withhold_token=False)
                if more.get("sub") != claims["sub"]:  # 5.3.2: else it is somebody else's
                    raise TokenRefused("userinfo names another subject")
                claims = {**more, **claims}
            return identity_of(
                claims,
                claim=self._settings.oidc_claim,
                strong_acr=self._settings.oidc_second_factor_acr,
            )

        return self._exchange(redirect_uri, ask)

    def end_address(self, back: str) -> str | None:
        """Where a person ends the session at the provider; None where it never said. Asks nobody."""
        known = self._metadata
        if known is None or known[1].end_session_endpoint is None:
            return None
        query = urlencode({"client_id": self._client_id, "post_logout_redirect_uri": back})
        join = "&" if "?" in known[1].end_session_endpoint else "?"
        return f"{known[1].end_session_endpoint}{join}{query}"

    def issued_by(self, issuer: str | None) -> bool:
        """Whether an answer that names its issuer (RFC 9207) names ours."""
        return issuer is None or issuer.rstrip("/") == self._issuer

    def _exchange(self, redirect_uri: str, ask: Callable[[AsyncOAuth2Client], Awaitable[_T]]) -> _T:
        if not self._free.acquire(blocking=False):
            raise ProviderSilent(f"{AT_ONCE} exchanges go on already")
        try:
            return asyncio.run(self._in_time(redirect_uri, ask))
        except TimeoutError:
            raise ProviderSilent(f"no answer within {SECONDS:.0f} seconds") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise ProviderSilent(f"{type(error).__name__}: {error}"[:300]) from None
        except AuthlibBaseError as error:
            raise TokenRefused(f"{error.error}: {error.description}"[:300]) from None
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            # An answer that is no JSON, or JSON of another shape: not what a provider says.
            raise ProviderSilent(f"nonsense: {type(error).__name__}: {error}"[:300]) from None
        finally:
            self._free.release()

    async def _in_time(
        self, redirect_uri: str, ask: Callable[[AsyncOAuth2Client], Awaitable[_T]]
    ) -> _T:
        secret = self._settings.oidc_client_secret
        async with (
            asyncio.timeout(SECONDS),
            AsyncOAuth2Client(
                client_id=self._client_id,
                client_secret=None if secret is None else secret.get_secret_value(),
                scope=self._settings.oidc_scope,
                redirect_uri=redirect_uri,
                code_challenge_method="S256",
                transport=_Capped(verify=self._trusted),
                timeout=SECONDS,
                follow_redirects=False,
                trust_env=False,
            ) as client,
        ):
            return await ask(client)

    async def _configuration(self, client: AsyncOAuth2Client) -> Metadata:
        known = self._metadata
        if known is not None and time.monotonic() - known[0] < KNOWN_FOR:
            return known[1]
        found = await _object(client, f"{self._issuer}/.well-known/openid-configuration")
        try:
            metadata = Metadata.model_validate(found)
        except ValidationError as error:
            wrong = ", ".join(str(one["loc"][0]) for one in error.errors() if one["loc"])
            raise ProviderSilent(f"its configuration lacks or misstates: {wrong}") from None
        if metadata.issuer.rstrip("/") != self._issuer:
            raise ProviderSilent(f"its configuration names another issuer: {metadata.issuer[:200]}")
        self._metadata = (time.monotonic(), metadata)
        return metadata

    async def _keys_for(
        self, client: AsyncOAuth2Client, known: Metadata, text: str
    ) -> Mapping[str, Any]:
        """The provider's keys; asked for again when a token names one that is new."""
        kept, now = self._keys, time.monotonic()
        if kept is not None and now - kept[0] < KNOWN_FOR:
            try:
                names_key(text, kept[1])
            except UnknownKey:
                if now - kept[0] < _KEYS_AGAIN:
                    raise
            else:
                return kept[1]
        found = await _object(client, known.jwks_uri)
        self._keys = (now, found)
        return found


async def _object(
    client: AsyncOAuth2Client, address: str, *, withhold_token: bool = True
) -> dict[str, Any]:
    """A JSON object from the provider."""
    answer = await client.request("GET", address, withhold_token=withhold_token)
    if answer.status_code != 200:
        raise ProviderSilent(f"{answer.status_code} from {httpx.URL(address).path}")
    found = answer.json()
    if not isinstance(found, dict):
        raise ProviderSilent(f"no object from {httpx.URL(address).path}")
    return found
