"""Forms of visitors without a session: sign-in, one-time links. Their mark hangs on a cookie."""

from __future__ import annotations

import secrets
from typing import Final

from fastapi import Request

from portal.errors import StaleForm
from portal.forms import Posted, read_form
from portal.portal import BEFORE_LOGIN_COOKIE, portal_of
from portal.signing import BEFORE_LOGIN

_KEPT_SECONDS: Final = 24 * 3600


def stranger_mark(request: Request) -> str:
    """The mark of a form of this browser, which gets a cookie for it where it has none."""
    portal = portal_of(request)
    nonce = browser_of(request)
    if nonce is None:
        nonce = secrets.token_urlsafe(16)
        text = portal.signing.write(BEFORE_LOGIN, nonce)
        portal.set_cookie(request, BEFORE_LOGIN_COOKIE, text, max_age=_KEPT_SECONDS)
    return portal.signing.mark(f"before:{nonce}")


async def posted_by_stranger(request: Request) -> Posted:
    """The posted form, if it brings back the mark of this browser.

    Raises:
        StaleForm: it does not.
        TooLarge, BadForm: as :func:`portal.forms.read_form`.
    """
    form = await read_form(request)
    nonce = browser_of(request)
    signing = portal_of(request).signing
    if nonce is None or not signing.is_mark(f"before:{nonce}", form.fields.get("mark")):
        raise StaleForm
    return form


def browser_of(request: Request) -> str | None:
    """What only this browser has, from the page on which it found a form; None where it has none."""
    portal = portal_of(request)
    found = portal.signing.read(BEFORE_LOGIN, portal.cookie(request, BEFORE_LOGIN_COOKIE))
    return found if isinstance(found, str) else None
