"""Dates, numbers and words as people read them in Vietnam, and text made safe for a letter.

Formats follow the letters of Sở Nội vụ: ``31/3/2027`` (no leading zero), ``08 giờ 00 ngày
31/3/2027``, ``1.234,5``. Text is Unicode NFC (TCVN 6909:2001).
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final
from zoneinfo import ZoneInfo

TIME_ZONE: Final = ZoneInfo("Asia/Ho_Chi_Minh")

LINK_PLACEHOLDER: Final = "{{LIEN_KET}}"
"""Stands in a stored letter where the live link goes at sending (rule 34)."""

_UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]|"
    + re.escape(LINK_PLACEHOLDER)
)
_SPACES: Final = re.compile(r"[^\S\n]{2,}|[^\S\n ]")


def vn_date(day: date) -> str:
    """``31/3/2027``: day, month and year without leading zeros."""
    return f"{day.day}/{day.month}/{day.year}"


def vn_datetime(moment: datetime) -> str:
    """``08 giờ 00 ngày 31/3/2027``.

    An aware instant is shown in Asia/Ho_Chi_Minh; a naive one is taken to be there already.
    """
    local = moment.astimezone(TIME_ZONE) if moment.tzinfo is not None else moment
    return f"{local.hour:02d} giờ {local.minute:02d} ngày {vn_date(local)}"


def vn_number(number: float | Decimal, decimals: int | None = None) -> str:
    """``1.234,5``: points between thousands, a comma before decimals.

    ``decimals`` rounds half up to that many places; None shows the number as it is, without
    trailing zeros. Raises ValueError for infinities and not-a-number.
    """
    value = Decimal(str(number))
    if not value.is_finite():
        raise ValueError(f"not a number that can be shown: {number!r}")
    if decimals is not None:
        value = value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    text = f"{value:,f}"
    if decimals is None and "." in text:
        text = text.rstrip("0").rstrip(".")
    text = "0" if text == "-0" else text
    return text.translate(str.maketrans(",.", ".,"))


def vn_list(words: list[str] | tuple[str, ...]) -> str:
    """``A, B và C``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} và {words[-1]}"


def clean_text(text: str) -> str:
    """``text`` as NFC without control, bidirectional or invisible characters; lines are kept.

    Lone surrogates, which no mail can carry, go as well, and so does the link's placeholder, so
    that no stored reason or name can plant a second live link.
    """
    if not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    if _UNSAFE.search(text) is not None:
        text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n")
        text = text.replace("\u2029", "\n")
        while _UNSAFE.search(text.replace("\n", "")) is not None:
            text = _UNSAFE.sub(_replacement, text)
    if _SPACES.search(text) is not None:
        text = _SPACES.sub(" ", text)
    return text.strip()


def _replacement(match: re.Match[str]) -> str:
    found = match.group()
    if found == "\n":
        return found
    return " " if found < " " else ""


def clean_line(text: str) -> str:
    """``text`` cleaned as by :func:`clean_text`, on a single line: safe in a header."""
    return " ".join(clean_text(text).split())


def shorten(text: str, limit: int) -> str:
    """At most ``limit`` characters, cut at a word where there is one, with ``…`` if cut."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    head = cut.rsplit(" ", 1)[0] if " " in cut[limit // 2 :] else cut
    return head.rstrip(" ,;:–-") + "…"
