"""Signed values that travel through a browser: sessions, form marks, kept forms, remembered names.

Each kind has a salt of its own, so that one can never be taken for another. The key is the one
that signs links.
"""

from __future__ import annotations

import hmac
import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from itsdangerous import BadData, URLSafeSerializer

_SIGNED: Final = re.compile(r"[A-Za-z0-9_.-]+")
"""base64 as it is written here: its readers would pass over anything else."""
SESSION: Final = "session"
KEPT_FORM: Final = "kept-form"
KEPT_FILES: Final = "kept-files"
REMEMBERED: Final = "remembered"
BEFORE_LOGIN: Final = "before-login"
SECOND_STEP: Final = "second-step"


@dataclass(frozen=True, slots=True)
class Signing:
    """Signs and reads values with one secret."""

    secret: str = field(repr=False)

    def _serializer(self, kind: str) -> URLSafeSerializer:
        return URLSafeSerializer(
            self.secret,
            salt=f"tiendo.portal.{kind}",
            serializer=json,
            signer_kwargs={"key_derivation": "hmac", "digest_method": sha256},
        )

    def write(self, kind: str, value: Any) -> str:
        """``value`` (JSON) as signed text that can stand in a cookie or a form."""
        return self._serializer(kind).dumps(value)

    def read(self, kind: str, text: str | None) -> Any:
        """The value, or None when the text is missing or was not signed by us for this kind."""
        if not text or _SIGNED.fullmatch(text) is None:
            return None
        try:
            return self._serializer(kind).loads(text)
        except (BadData, ValueError):
            return None

    def mark(self, owner: str) -> str:
        """The mark that every form of ``owner`` (a session, a link) must bring back."""
        key = f"tiendo.portal.form:{self.secret}".encode()
        return hmac.new(key, owner.encode(), sha256).hexdigest()

    def is_mark(self, owner: str, text: str | None) -> bool:
        """Whether ``text`` is the mark of ``owner``."""
        return hmac.compare_digest(self.mark(owner).encode(), (text or "").encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionValue:
    """What a session cookie says. ``seen_at`` moves with each request (15 minutes idle)."""

    account: int
    epoch: int
    sid: str
    seen_at: datetime
    began_at: datetime
    """When the person signed in (12 hours at most)."""
    by_provider: bool = False
    """Whether it began by single sign-on."""

    def as_json(self) -> list[object]:
        """The value as it is signed."""
        seen_at = int(self.seen_at.timestamp())
        began_at = int(self.began_at.timestamp())
        return [self.account, self.epoch, self.sid, seen_at, self.by_provider, began_at]
