"""Signatures of what is sent to other programs, by the Standard Webhooks specification, v1."""

from __future__ import annotations

import base64
import hmac
import secrets
from hashlib import sha256
from typing import Final

PREFIX: Final = "whsec_"


def new_secret() -> str:
    """A secret of 256 bits, in the form in which libraries of the specification take it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode("ascii")


def signed_headers(secret: str, *, message: str, at: int, body: bytes) -> dict[str, str]:
    """The headers that say which message it is, when it was sent, and that it is ours.

    ``at`` is the second since 1970 of this attempt: a receiver refuses what is minutes old, so
    that nobody sends it again later.
    """
    key = base64.b64decode(secret.removeprefix(PREFIX))
    text = b".".join((message.encode(), str(at).encode(), body))
    mark = base64.b64encode(hmac.digest(key, text, sha256)).decode("ascii")
    return {
        "webhook-id": message,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{mark}",
        "content-type": "application/json",
        "user-agent": "Tiendo-Webhooks/1",
    }
