"""A letter as it goes over the wire, built by the standard library alone.

Plain text and HTML are two parts of their own, base64-coded: no line is long, nothing between
here and the reader can rewrite a byte, and servers without 8BITMIME take it as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256
from typing import Final

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
    message = EmailMessage(policy=SMTP)
    message["From"] = _mailbox(sender.from_name, sender.from_address)
    message["To"] = _mailbox(to_name, to_address)
    if sender.reply_to is not None:
        message["Reply-To"] = _mailbox("", sender.reply_to)
    message["Subject"] = shorten(clean_line(rendered.subject), SUBJECT_LIMIT)
    message["Date"] = format_datetime(date)
    message["Message-ID"] = message_id(key, sender.uid_domain)
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message["Content-Language"] = "vi"
    for name, value in (headers or {}).items():
        message[name] = clean_line(value)
    message.set_content(rendered.text, subtype="plain", charset="utf-8", cte="base64")
    message.add_alternative(rendered.html, subtype="html", charset="utf-8", cte="base64")
    if rendered.ics is not None:
        message.add_attachment(
            rendered.ics,
            subtype="calendar",
            charset="utf-8",
            cte="base64",
            filename=_CALENDAR_NAME,
            params={"method": METHOD},
        )
    return message


def message_bytes(message: EmailMessage) -> bytes:
    """The message with CRLF line ends, in ASCII, no line above 998 octets."""
    return message.as_bytes(policy=SMTP)


def _mailbox(name: str, address: str) -> Address:
    shown = shorten(clean_line(name), _NAME_LIMIT)
    return Address(display_name=shown, addr_spec=check_address(address))
