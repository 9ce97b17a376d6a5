"""A letter as it goes over the wire, built by the standard library alone.

Plain text and HTML are two parts of their own, base64-coded: no line is long, nothing between
here and the reader can rewrite a byte, and servers without 8BITMIME take it as it is. Headers and
parts are handed to the library in wire form, so that it neither parses nor folds them once more:
that took three quarters of the time of building a letter.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import datetime
from email.generator import BytesGenerator
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from hashlib import sha256
from io import BytesIO
from typing import Any, Final

from notifications.addresses import AddressError, check_address, is_sample_address
from notifications.calendar_file import METHOD
from notifications.formats import clean_line, shorten
from notifications.subjects import SUBJECT_LIMIT
from notifications.values import Rendered, Sender

__all__ = [
    "AddressError",
    "build_message",
    "check_address",
    "is_sample_address",
    "message_bytes",
    "message_id",
]

_CALENDAR_NAME: Final = "lich-nhac-viec.ics"
_NAME_LIMIT: Final = 100
_WORD_OCTETS: Final = 39
"""Of UTF-8 in one encoded word: with the longest header's name a line stays below 76."""
_LINE: Final = 76
"""Characters of base64 in a line."""
_PLAIN: Final = re.compile(r"[A-Za-z0-9 ]+")


class _Raw(str):
    """A header's value that is in wire form already."""

    __slots__ = ()


class _WirePolicy(EmailPolicy):
    """Writes encoded headers as they are."""

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:
        """Keeps a value in wire form as plain text, which is never folded again."""
        if isinstance(value, _Raw):
            return name, str(value)
        return super().header_store_parse(name, value)

    def header_max_count(self, name: str) -> int:
        """No header stands twice in a letter; the library would make a class to be told so."""
        return 1


class _WritingPolicy(_WirePolicy):
    """Hands the generator headers as they are: it reads types and boundaries, no more."""

    def header_fetch_parse(self, name: str, value: str) -> str:
        """The value unparsed."""
        return value


_WIRE: Final = _WirePolicy(linesep="\r\n", refold_source="none", cte_type="7bit")
_WRITING: Final = _WritingPolicy(linesep="\r\n", refold_source="none", cte_type="7bit")


def message_id(key: str, domain: str) -> str:
    """``<digest@domain>``: always the same for the same outbox key (rule 33).

    A digest of the key, not the key: it is short, header-safe, and tells nobody who is reminded.
    """
    return f"<{sha256(key.encode('utf-8')).hexdigest()[:32]}@{domain}>"


def build_message(
    rendered: Rendered,
    *,
    sender: Sender,
    to_address: str,
    to_name: str,
    key: str,
    date: datetime,
    headers: Mapping[str, str] | None = None,
) -> EmailMessage:
    """The letter as a message: headers, plain text, HTML and, if there is one, the calendar.

    ``date`` is an aware instant and ``key`` the key of the outbox row. Raises
    :class:`AddressError` for an address that letters cannot go to, ValueError for a naive date.
    """
    if date.tzinfo is None:
        raise ValueError("the date of a letter is an aware instant")
    message = EmailMessage(policy=_WIRE)
    message["From"] = _mailbox(sender.from_name, sender.from_address)
    message["To"] = _mailbox(to_name, to_address)
    if sender.reply_to is not None:
        message["Reply-To"] = _mailbox("", sender.reply_to)
    message["Subject"] = _text(shorten(clean_line(rendered.subject), SUBJECT_LIMIT))
    message["Date"] = _Raw(format_datetime(date))
    message["Message-ID"] = _Raw(message_id(key, sender.uid_domain))
    message["Auto-Submitted"] = _Raw("auto-generated")
    message["X-Auto-Response-Suppress"] = _Raw("All")
    for name, value in (headers or {}).items():
        message[name] = _text(clean_line(value))
    message["Content-Language"] = _Raw("vi")
    message["MIME-Version"] = _Raw("1.0")
    parts = [_part("text/plain", rendered.text), _part("text/html", rendered.html)]
    if rendered.ics is None:
        return _of_parts(message, "alternative", parts)
    body = _of_parts(EmailMessage(policy=_WIRE), "alternative", parts)
    return _of_parts(message, "mixed", [body, _calendar_part(rendered.ics)])


def message_bytes(message: EmailMessage) -> bytes:
    """The message with CRLF line ends, in ASCII, no line above 998 octets."""
    written = BytesIO()
    _Generator(written, policy=_WRITING).flatten(message)
    return written.getvalue()


class _Generator(BytesGenerator):
    """Writes bodies as they are: their lines end in CRLF already."""

    def _write_lines(self, lines: str) -> None:
        self.write(lines)


def _of_parts(message: EmailMessage, kind: str, parts: list[EmailMessage]) -> EmailMessage:
    # No line of base64 holds "=_", so the boundary stands in no part.
    message["Content-Type"] = _Raw(f'multipart/{kind}; boundary="=_{kind}_="')
    for part in parts:
        message.attach(part)
    return message


def _part(kind: str, text: str, *parameters: str) -> EmailMessage:
    part = EmailMessage(policy=_WIRE)
    part["Content-Type"] = _Raw(";\r\n ".join((kind, 'charset="utf-8"', *parameters)))
    part["Content-Transfer-Encoding"] = _Raw("base64")
    lines = text.encode("utf-8").splitlines()
    coded = b64encode(b"\r\n".join([*lines, b""])).decode("ascii")
    ends = range(0, len(coded), _LINE)
    part.set_payload("\r\n".join([coded[start : start + _LINE] for start in ends]) + "\r\n")
    return part


def _calendar_part(ics: str) -> EmailMessage:
    part = _part("text/calendar", ics, f'method="{METHOD}"')
    part["Content-Disposition"] = _Raw(f'attachment; filename="{_CALENDAR_NAME}"')
    return part


def _mailbox(name: str, address: str) -> _Raw:
    checked = check_address(address)
    shown = shorten(clean_line(name), _NAME_LIMIT)
    if not shown:
        return _Raw(checked)
    written = shown if _PLAIN.fullmatch(shown) else _text(shown)
    return _Raw(f"{written}\r\n <{checked}>")


def _text(text: str) -> _Raw:
    """Clean text as words of RFC 2047, each a line of its own."""
    return _Raw(
        "\r\n ".join(f"=?utf-8?B?{b64encode(piece).decode('ascii')}?=" for piece in _pieces(text))
    )


def _pieces(text: str) -> Iterator[bytes]:
    """UTF-8 cut between characters, because each encoded word must be readable by itself."""
    piece = b""
    for letter in text:
        octets = letter.encode("utf-8")
        if len(piece) + len(octets) > _WORD_OCTETS:
            yield piece
            piece = b""
        piece += octets
    if piece:
        yield piece
