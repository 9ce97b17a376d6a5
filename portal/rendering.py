"""Templates into pages: strict names, everything escaped, dates and numbers as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

import portal.words
from notifications.formats import vn_date, vn_datetime, vn_number
from portal.navigation import menu
from portal.past_links import Past, keep_instant
from portal.permissions import EVERY_PLAN, TABLE, visitor_of
from rules.lifecycle import ACTION_WORDS, RETURNED_WORD, STATUS_WORDS
from rules.timeliness import CELL_WORDS

_HERE: Final = Path(__file__).parent
STATIC: Final = _HERE / "static"
MEDIA_TYPES: Final[Mapping[str, str]] = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}


def _breaks(text: str) -> Markup:
    return Markup("<br>\n").join(escape(line) for line in text.split("\n"))


def _file_size(size: int) -> str:
    if size < 1_000_000:
        return f"{vn_number(max(size / 1000, 0.1), 1)} KB"
    return f"{vn_number(size / 1_000_000, 1)} MB"


def _capitalize(text: str) -> str:
    """A capital at the beginning, the rest as it is: Jinja2's own makes "Quý ii" of "quý II"."""
    return f"{text[:1].upper()}{text[1:]}"


def _letter_date(header: str) -> str:
    """The date of a letter's header as people read it; as it is where it is no date."""
    try:
        return vn_datetime(parsedate_to_datetime(header))
    except ValueError:
        return header


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {
        "vn_date": vn_date,
        "vn_datetime": vn_datetime,
        "vn_number": vn_number,
        "breaks": _breaks,
        "file_size": _file_size,
        "letter_date": _letter_date,
        "action_word": portal.words.history_word,
        "capitalize": _capitalize,
    }
    environment.globals |= {
        "STATUS_WORDS": STATUS_WORDS,
        "RETURNED_WORD": RETURNED_WORD,
        "ACTION_WORDS": ACTION_WORDS,
        "CELL_WORDS": CELL_WORDS,
        "words": portal.words,
        "style_version": _style_version(),
    }
    return environment


def _style_version() -> str:
    sheets = b"".join(path.read_bytes() for path in sorted(STATIC.glob("*.css")))
    return sha256(sheets).hexdigest()[:12]


class Pages:
    """Renders the templates of this folder, each compiled once."""

    def __init__(self, common: Mapping[str, Any]) -> None:
        self._environment = _environment()
        self._environment.globals |= dict(common)

    def __call__(
        self, request: Request, name: str, /, *, status: int = 200, **values: Any
    ) -> HTMLResponse:
        """The page ``name`` as an answer; ``visitor`` and ``mark`` come from the request.

        The menu is that of the visitor, with the place that was asked for marked in it.
        """
        state = request.scope.get("state", {})
        visitor, past = state.get("visitor"), state.get("past")
        known = {
            "visitor": visitor,
            "session_mark": state.get("mark", ""),
            "past": past,
            "downloads": _downloads(request),
            "plan_choice": _choice(request, visitor),
        }
        if visitor is not None:
            known["menu"] = menu(
                request.url.path,
                visitor_of(visitor.role),
                local_mailbox=bool(self._environment.globals["local_mailbox"]),
                every_plan=visitor.plans is None,
            )
        page = self._environment.get_template(name).render(known | values)
        if isinstance(past, Past) and past.instant is not None:
            page = keep_instant(page, past.exact)
        return HTMLResponse(page, status_code=status)


def _choice(request: Request, visitor: Any) -> Any:
    """The plans to choose from on this page; None where it is about every plan at once."""
    route = getattr(request.scope.get("route"), "name", "")
    return None if visitor is None or route in EVERY_PLAN else visitor.choice


_NO_FILTER: Final = frozenset({"trang", "truoc", "so", "su-kien", "ghi", "da"})
"""Fields of addresses that say which part of a page is shown, or what was just done."""


def _downloads(request: Request) -> dict[str, str]:
    """The addresses of this page's list as files, its filters kept; empty where it has none."""
    route = getattr(request.scope.get("route"), "name", "")
    if f"{route}_export" not in TABLE:
        return {}
    kept = [pair for pair in request.query_params.multi_items() if pair[0] not in _NO_FILTER]
    query = f"?{urlencode(kept)}" if kept else ""
    return {kind: f"{request.url.path}/xuat/{kind}{query}" for kind in ("xlsx", "csv")}
