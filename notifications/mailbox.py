"""The local mailbox: without a mail server, letters end here and are read in the portal.

An SMTP server on this machine only, that writes each letter into a folder, one file for each
address, readable by the owner alone: the letters hold live links.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import socket
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.policy import default as reading
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

_ID: Final = re.compile(r"\d{8}T\d{12}Z-[0-9a-f]{12}-[0-9a-f]{8}")
_ENDING: Final = ".eml"


class NoSuchLetter(LookupError):
    """There is no letter with this id in the mailbox."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that came with a letter."""

    filename: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterHead:
    """A line of the list; ``to`` is the address of the envelope, ``received_at`` in UTC."""

    id: str
    received_at: datetime
    to: str
    from_: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLetter:
    """A letter as read. ``html`` is what the sender wrote: show it in a sandbox only."""

    head: LetterHead
    date: str
    text: str
    html: str
    attachments: tuple[Attachment, ...]


class _Handler:
    """Writes what arrives; a letter is acknowledged when its file has its name."""

    def __init__(self, folder: Path, clock: Callable[[], datetime]) -> None:
        self._folder = folder
        self._clock = clock

    async def handle_DATA(  # noqa: N802  the name that aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        data = content if isinstance(content, bytes) else str(content or "").encode("utf-8")
        for address in envelope.rcpt_tos:
            store(self._folder, data, to=address, received_at=self._clock())
        return "250 2.0.0 OK"


class _BoundController(Controller):
    """A controller on a socket that is bound already, so that port 0 means a free one."""

    def __init__(self, handler: _Handler, bound: socket.socket) -> None:
        host, port = bound.getsockname()[:2]
        super().__init__(handler, hostname=host, port=port, ident="Tien do")
        self._bound = bound

    def _create_server(self) -> Coroutine[Any, Any, asyncio.AbstractServer]:
        return self.loop.create_server(self._factory_invoker, sock=self._bound)


class LocalMailbox:
    """Receives on 127.0.0.1 while it is open; ``port`` 0 takes a free one.

    ``clock`` gives aware instants; it names and sorts the files. Raises OSError when the port
    is taken.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._bound = socket.create_server(("127.0.0.1", port))
        self._controller = _BoundController(_Handler(folder, clock), self._bound)
        self.host = "127.0.0.1"
        self.port: int = self._bound.getsockname()[1]

    def start(self) -> None:
        """Begins to receive, in a thread of its own."""
        self._controller.start()

    def stop(self) -> None:
        """Stops receiving; what was acknowledged stays in the folder."""
        self._controller.stop(no_assert=True)
        self._bound.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def store(folder: Path, data: bytes, *, to: str, received_at: datetime) -> str:
    """Writes one letter for one address and returns its id; ids sort by arrival."""
    instant = received_at.astimezone(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    letter_id = f"{instant}-{_address_mark(to)}-{secrets.token_hex(4)}"
    safe_to = re.sub(r"[\x00-\x20\x7f]", "", to)
    part = folder / f".{letter_id}.part"
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(f"Delivered-To: {safe_to}\r\n".encode("utf-8", "replace") + data)
    part.replace(folder / f"{letter_id}{_ENDING}")
    return letter_id


def list_messages(folder: Path, *, to: str | None = None, limit: int = 100) -> list[LetterHead]:
    """The newest letters first; ``to`` keeps those of one address only."""
    mark = None if to is None else f"-{_address_mark(to)}-"
    ids = sorted(
        (
            path.stem
            for path in (folder.iterdir() if folder.is_dir() else ())
            if path.suffix == _ENDING and _ID.fullmatch(path.stem)
        ),
        reverse=True,
    )
    chosen = [letter_id for letter_id in ids if mark is None or mark in letter_id][:limit]
    return [head for letter_id in chosen if (head := _head_or_none(folder, letter_id))]


def read_message(folder: Path, letter_id: str) -> StoredLetter:
    """One letter, whatever state it is in. Raises :class:`NoSuchLetter`."""
    message = _parse(folder, letter_id, headers_only=False)
    text, html = _body(message, "plain"), _body(message, "html")
    attachments = tuple(
        Attachment(
            filename=part.get_filename() or "khong-ten",
            content_type=part.get_content_type(),
            content=_payload(part),
        )
        for part in message.iter_attachments()
    )
    return StoredLetter(
        head=_head(message, letter_id),
        date=_header(message, "Date"),
        text=text,
        html=html,
        attachments=attachments,
    )


def _address_mark(address: str) -> str:
    return sha256(address.strip().lower().encode("utf-8", "replace")).hexdigest()[:12]


def _parse(folder: Path, letter_id: str, *, headers_only: bool) -> EmailMessage:
    if _ID.fullmatch(letter_id) is None:
        raise NoSuchLetter(letter_id)
    try:
        with (folder / f"{letter_id}{_ENDING}").open("rb") as file:
            message = BytesParser(policy=reading).parse(file, headersonly=headers_only)
    except FileNotFoundError:
        raise NoSuchLetter(letter_id) from None
    if not isinstance(message, EmailMessage):
        raise TypeError("the default policy parses into EmailMessage")
    return message


def _head_or_none(folder: Path, letter_id: str) -> LetterHead | None:
    try:
        return _head(_parse(folder, letter_id, headers_only=True), letter_id)
    except NoSuchLetter:  # taken away since the folder was read
        return None


def _head(message: EmailMessage, letter_id: str) -> LetterHead:
    stamp = letter_id.partition("-")[0]
    return LetterHead(
        id=letter_id,
        received_at=datetime.strptime(stamp, "%Y%m%dT%H%M%S%fZ").replace(tzinfo=UTC),
        to=_header(message, "Delivered-To"),
        from_=_header(message, "From"),
        subject=_header(message, "Subject"),
    )


def _header(message: EmailMessage, name: str) -> str:
    try:
        return str(message.get(name, ""))
    except (ValueError, LookupError, AttributeError):  # headers that the parser trips over
        return ""


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, UnicodeError, KeyError):
        return _payload(part).decode("utf-8", "replace")


def _payload(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else part.as_bytes()
