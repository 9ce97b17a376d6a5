"""The instant that a page stands at, and the links and searches that carry it on (rule 39)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote

FIELD: Final = "luc"
PLACES: Final = (
    *("/ban-do", "/giao-ban", "/nhiem-vu", "/bang/", "/xuat/", "/viec/", "/lich-su"),
    *("/nhu-da-biet", "/kiem-tra/ngoai-le", "/kiem-tra/can-cu", "/kiem-tra/kien-nghi"),
    *(
        "/danh-muc/co-quan",
        "/danh-muc/ngay-nghi",
        "/danh-muc/lich",
        "/danh-muc/sap-xep",
        "/danh-muc/chinh-sach",
    ),
    "/van-ban",
)
"""How the addresses begin of what can be shown as known at an instant, besides the overview."""
_LINK: Final = re.compile(r'(<a\b[^>]*?\bhref=")(/[^"]*)(")')
_FORM: Final = re.compile(r'<form\b[^>]*\bmethod="get"[^>]*>.*?</form>', re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The instant that a page shows, None for now, and the form that asks for another."""

    instant: datetime | None
    exact: str
    """The instant as an address carries it; empty for now."""
    typed: str
    problem: str | None
    path: str
    kept: tuple[tuple[str, str], ...]
    """The other fields of the address, which the form carries on."""

    @property
    def here(self) -> str:
        """The same page as of now."""
        fields = "&".join(f"{quote(name)}={quote(value)}" for name, value in self.kept)
        return f"{self.path}?{fields}" if fields else self.path


def keep_instant(page: str, exact: str) -> str:
    """``page`` with the instant in every link and every search that can show it.

    Done once on the finished page: a single link that forgot the instant would lead back to the
    present without a word.
    """
    held = f"{FIELD}={quote(exact, safe='')}"

    def link(found: re.Match[str]) -> str:
        begin, address, end = found.groups()
        place, mark, fragment = address.partition("#")
        path, _, query = place.partition("?")
        if (path != "/" and not path.startswith(PLACES)) or f"{FIELD}=" in query:
            return found[0]
        return f"{begin}{place}{'&amp;' if query else '?'}{held}{mark}{fragment}{end}"

    def form(found: re.Match[str]) -> str:
        if f'name="{FIELD}"' in found[0]:
            return found[0]
        field = f'<input type="hidden" name="{FIELD}" value="{exact}">'
        return found[0].removesuffix("</form>") + f"{field}</form>"

    whole, begin, content = page.partition("<main")
    return whole + begin + _FORM.sub(form, _LINK.sub(link, content))
