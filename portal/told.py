"""One sentence that a form leaves for the page it leads to, signed, so that nobody makes one up."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from fastapi import Request

from notifications.formats import vn_datetime
from portal.portal import portal_of

_SALT: Final = "told"
_FIELD: Final = "ghi"


def say(request: Request, path: str, sentence: str) -> str:
    """``path`` with a sentence about what was recorded, and when."""
    portal = portal_of(request)
    text = f"{sentence} Ghi nhận lúc {vn_datetime(portal.runtime.clock.now())}."
    join = "&" if "?" in path else "?"
    return f"{path}{join}{urlencode({_FIELD: portal.signing.write(_SALT, text)})}"


def told(request: Request) -> str:
    """The sentence that came with this request; empty when there is none of ours."""
    found = portal_of(request).signing.read(_SALT, request.query_params.get(_FIELD))
    return found if isinstance(found, str) else ""
