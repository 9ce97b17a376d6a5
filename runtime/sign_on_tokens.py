"""What a provider of OpenID Connect says, checked before anything of it is believed. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from pydantic import AfterValidator, BaseModel

ALGORITHMS: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
"""Signatures that are believed. Neither ``none`` nor one by a secret that two parties share."""
LEEWAY: Final = 60
"""Seconds by which the provider's clock may differ from ours."""
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class TokenRefused(Exception):
    """What the provider answered is not believed; the text is for the log."""


class UnknownKey(TokenRefused):
    """A token signed by a key that the provider has not shown yet."""


def _endpoint(text: str) -> str:
    parts = urlsplit(text)
    plain = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if not (parts.scheme == "https" or plain) or not parts.hostname or not text.isascii():
        raise ValueError("not an https address")
    if any(letter.isspace() or not letter.isprintable() for letter in text):
        raise ValueError("not an address")
    return text


Endpoint = Annotated[str, AfterValidator(_endpoint)]


class Metadata(BaseModel):
    """What a provider says of itself (OpenID Connect Discovery 1.0), as far as we need it."""

    issuer: Endpoint
    authorization_endpoint: Endpoint
    token_endpoint: Endpoint
    jwks_uri: Endpoint
    userinfo_endpoint: Endpoint | None = None
    end_session_endpoint: Endpoint | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)

    @property
    def wants_secret_in_body(self) -> bool:
        """Whether it takes a client's secret in the body of a request only."""
        methods = self.token_endpoint_auth_methods_supported
        return "client_secret_post" in methods and "client_secret_basic" not in methods


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whom the provider vouches for."""

    told: str
    """The claim that names the account."""
    strong: bool
    """Whether the provider says that it asked for a second factor."""


def names_key(text: str, keys: Mapping[str, Any]) -> None:
    """See that the key that a token names is among ``keys``.

    Raises:
        UnknownKey: it is not.
        TokenRefused: this is no token.
    """
    try:
        header = jws.extract_compact(text.encode()).headers()
    except (JoseError, ValueError) as error:
        raise TokenRefused(f"no token: {type(error).__name__}") from None
    kid = header.get("kid")
    if kid is not None and kid not in {one.get("kid") for one in keys.get("keys", ())}:
        raise UnknownKey(f"no key {str(kid)[:80]}")


def verified(
    text: str,
    keys: Mapping[str, Any],
    known: Metadata,
    *,
    client_id: str,
    nonce: str,
    access_token: str | None,
    now: datetime,
) -> dict[str, Any]:
    """The claims of an ID token that the provider signed for us, now, for this ``nonce``.

    Raises:
        TokenRefused: signature, issuer, audience, times, nonce or hash are not as they must be.
    """
    options: dict[str, Any] = {
        "iss": {"essential": True, "value": known.issuer},
        "aud": {"essential": True, "value": client_id},
        "sub": {"essential": True},
        "nonce": {"essential": True, "value": nonce},
    }
    params = {"nonce": nonce, "client_id": client_id, "access_token": access_token}
    try:
        key_set = KeySet.import_key_set({"keys": list(keys["keys"])})
        token = jwt.decode(text, key_set, algorithms=sorted(ALGORITHMS))
        claims = CodeIDToken(token.claims, token.header, options=options, params=params)
        claims.validate(now=int(now.timestamp()), leeway=LEEWAY)
    except InvalidKeyIdError as error:
        raise UnknownKey(str(error)[:200]) from None
    except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise TokenRefused(f"{type(error).__name__}: {error}"[:300]) from None
    return dict(claims)


def identity_of(claims: Mapping[str, Any], *, claim: str, strong_acr: Sequence[str]) -> Identity:
    """Whom verified claims name, and whether a second factor was asked for.

    Raises:
        TokenRefused: the claim is missing, no text, or an address that nobody verified.
    """
    told = claims.get(claim)
    if not isinstance(told, str) or not told.strip():
        raise TokenRefused(f"no claim {claim}")
    if claim == "email" and claims.get("email_verified") is not True:
        raise TokenRefused("the provider has not verified the address")
    methods, level = claims.get("amr"), claims.get("acr")
    mfa = isinstance(methods, list) and "mfa" in methods
    return Identity(
        told=told.strip(), strong=mfa or (isinstance(level, str) and level in strong_acr)
    )
