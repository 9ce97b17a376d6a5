"""Secrets of accounts as they stand in the database: readable with the key of this place only.

The key comes from the one that signs links (``TIENDO_LINK_SECRET`` or its file), by HKDF (RFC
5869) with a label for each use. A copy of the database alone gives away no secret; whoever changes
the key has to reset the codes of everybody.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class Unreadable(Exception):
    """A stored secret was written with another key, or for another account."""


@dataclass(frozen=True, slots=True)
class Vault:
    """Encrypts secrets of accounts, and digests what need not be read again."""

    secret: str = field(repr=False)

    def _key(self, label: str) -> bytes:
        info = f"tiendo.account.{label}".encode()
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(
            self.secret.encode()
        )

    def _box(self, use: str) -> Fernet:
        return Fernet(urlsafe_b64encode(self._key(use)))

    def lock(self, account: int, text: str, *, use: str = "totp") -> str:
        """``text`` encrypted for this account, or for whatever has this number in another use."""
        # No instant: what was written when stands in the history.
        return self._box(use).encrypt_at_time(f"{account}:{text}".encode(), 0).decode("ascii")

    def unlock(self, account: int, stored: str, *, use: str = "totp") -> str:
        """What :meth:`lock` was given.

        Raises:
            Unreadable: another key or another account.
        """
        try:
            owner, _, text = self._box(use).decrypt(stored.encode()).decode().partition(":")
        except InvalidToken:
            raise Unreadable from None
        if owner != str(account):
            raise Unreadable
        return text

    def digest(self, account: int, text: str) -> bytes:
        """32 bytes that only this key makes of ``text`` for this account."""
        return hmac.digest(self._key("recovery"), f"{account}:{text}".encode(), sha256)
