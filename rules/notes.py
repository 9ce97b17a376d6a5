"""Signed checkpoints of the log, as C2SP's signed-note and tlog-checkpoint write them (rule 38).

A checkpoint is text: the origin, the size, the root in base64, then two lines of our own, ``time``
(the instant, UTC) and ``after`` (the size of the checkpoint before). A blank line ends it; each line
after that is a signature, ``— NAME BASE64(key id || Ed25519 signature)``. The key id is the first
four bytes of SHA-256(name || 0x0A || 0x01 || public key).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Self

_ED25519: Final = b"\x01"
_DASH: Final = "— "
_NAME: Final = re.compile(r"[^\s+]{1,200}")
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_TIME: Final = "%Y-%m-%dT%H:%M:%S.%fZ"


class BadNote(ValueError):
    """Text that is no checkpoint, or no key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a checkpoint says: ``size`` leaves have ``root``, at ``at``, after a log of ``after``."""

    origin: str
    size: int
    root: bytes
    at: datetime
    after: int

    @property
    def text(self) -> str:
        """The signed text."""
        return (
            f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"
            f"time {self.at.astimezone(UTC).strftime(_TIME)}\nafter {self.after}\n"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyingKey:
    """The public half of a key, under its name."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """Four bytes that point to it; no proof of anything."""
        return hashlib.sha256(f"{self.name}\n".encode() + _ED25519 + self.public).digest()[:4]

    @property
    def text(self) -> str:
        """``NAME+ID+KEY``: what auditors keep."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(_ED25519 + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read :attr:`text`.

        Raises:
            BadNote: it is none, or its id is not that of the key.
        """
        name, told, rest = _three(text.strip())
        key = _base64(rest)
        if key[:1] != _ED25519 or len(key) != 33:
            raise BadNote("not an Ed25519 key")
        found = cls(name=name, public=key[1:])
        if found.id.hex() != told:
            raise BadNote("the key's id is not that of the key")
        return found

    def holds(self, text: str, signature: bytes) -> bool:
        """Whether ``signature`` is this key's of ``text``."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A private key; its text form is that of C2SP's Go library."""

    name: str
    seed: bytes = field(repr=False)

    @classmethod
    def make(cls, name: str, seed: bytes) -> Self:
        """A key from 32 random bytes.

        Raises:
            BadNote: a name that notes cannot carry.
        """
        if not _NAME.fullmatch(name) or len(seed) != 32:
            raise BadNote("a name has neither blanks nor +, a seed 32 bytes")
        return cls(name=name, seed=seed)

    @property
    def verifying(self) -> VerifyingKey:
        """The public half."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key()
        return VerifyingKey(name=self.name, public=public.public_bytes_raw())

    @property
    def text(self) -> str:
        """``PRIVATE+KEY+NAME+ID+KEY``: secret."""
        key = base64.b64encode(_ED25519 + self.seed).decode()
        return f"PRIVATE+KEY+{self.name}+{self.verifying.id.hex()}+{key}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read :attr:`text`.

        Raises:
            BadNote: it is none.
        """
        start = "PRIVATE+KEY+"
        if not text.startswith(start):
            raise BadNote("not a signing key")
        name, told, rest = _three(text.strip().removeprefix(start))
        key = _base64(rest)
        if key[:1] != _ED25519 or len(key) != 33:
            raise BadNote("not an Ed25519 key")
        found = cls.make(name, key[1:])
        if found.verifying.id.hex() != told:
            raise BadNote("the key's id is not that of the key")
        return found

    def sign(self, text: str) -> str:
        """The line of a note that signs ``text``."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        signature = Ed25519PrivateKey.from_private_bytes(self.seed).sign(text.encode())
        whole = base64.b64encode(self.verifying.id + signature).decode()
        return f"{_DASH}{self.name} {whole}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One signature line: whose, by which key, and the signature itself."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A checkpoint with its signatures, read but not yet believed."""

    head: Head
    signatures: tuple[Signature, ...]

    def signer(self, keys: Iterable[VerifyingKey]) -> VerifyingKey | None:
        """The first of ``keys`` that signed it; None: nobody whom we know."""
        for key in keys:
            for one in self.signatures:
                known = one.name == key.name and one.key_id == key.id
                if known and key.holds(self.head.text, one.signature):
                    return key
        return None


def signed(head: Head, keys: Sequence[SigningKey]) -> str:
    """The checkpoint as a note, signed by each of ``keys``."""
    return f"{head.text}\n{''.join(key.sign(head.text) for key in keys)}"


def parse_note(text: str) -> Note:
    """Read a checkpoint; what stands before and after it, as in a letter, is passed over.

    Raises:
        BadNote: there is no checkpoint in the text.
    """
    lines = [line.strip().lstrip("> ") for line in text.splitlines()]
    last = "no checkpoint in the text"
    for start, line in enumerate(lines[:-5]):
        if not _SIZE.fullmatch(lines[start + 1]) or not line:
            continue
        try:
            return _note_at(lines, start)
        except BadNote as error:
            last = str(error)
    raise BadNote(last)


def _note_at(lines: Sequence[str], start: int) -> Note:
    origin, size, root, time, after, blank = lines[start : start + 6]
    if blank or not time.startswith("time ") or not after.startswith("after "):
        raise BadNote("the lines of the checkpoint are not those of this log")
    try:
        at = datetime.strptime(time.removeprefix("time "), _TIME).replace(tzinfo=UTC)
    except ValueError as error:
        raise BadNote("the time of the checkpoint cannot be read") from error
    before = after.removeprefix("after ")
    digest = _base64(root)
    if not _SIZE.fullmatch(before) or len(digest) != 32:
        raise BadNote("the root or the size before cannot be read")
    head = Head(origin=origin, size=int(size), root=digest, at=at, after=int(before))
    found = []
    for line in lines[start + 6 :]:
        if not line.startswith(_DASH):
            break
        name, _, rest = line.removeprefix(_DASH).partition(" ")
        raw = _base64(rest)
        if len(raw) != 68:
            raise BadNote("a signature has not its length")
        found.append(Signature(name=name, key_id=raw[:4], signature=raw[4:]))
    if not found:
        raise BadNote("the checkpoint is not signed")
    return Note(head=head, signatures=tuple(found))


def _three(text: str) -> tuple[str, str, str]:
    name, _, rest = text.partition("+")
    told, _, key = rest.partition("+")
    if not name or not told or not key:
        raise BadNote("a key has the form NAME+ID+KEY")
    return name, told, key


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadNote("not base64") from error
