"""Between the password (or the provider) and the code: a signed cookie that holds five minutes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from fastapi import Request

from models.tables import Account
from portal.portal import SECOND_STEP_COOKIE, Portal, portal_of
from portal.signing import SECOND_STEP

HOLDS: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Somebody who got past the first step. ``epoch`` is the account's; anything that ends sessions
    ends this too."""

    account: int
    epoch: int
    username: str
    by_provider: bool = False
    """Whether single sign-on came first, and not the password."""


def ask_for_code(
    portal: Portal, request: Request, account: Account, *, by_provider: bool = False
) -> None:
    """Note in the browser that the password was right, or that a provider vouched."""
    now = int(portal.runtime.clock.now().timestamp())
    value = [account.id, account.session_epoch, account.username, now, by_provider]
    text = portal.signing.write(SECOND_STEP, value)
    seconds = int(HOLDS.total_seconds())
    portal.set_cookie(request, SECOND_STEP_COOKIE, text, max_age=seconds)


def waiting_for_code(request: Request) -> Waiting | None:
    """Who waits in this browser for a code; None when nobody does, or for too long."""
    portal = portal_of(request)
    found = portal.signing.read(SECOND_STEP, portal.cookie(request, SECOND_STEP_COOKIE))
    if not isinstance(found, list) or len(found) != 5:
        return None
    if portal.runtime.clock.now() - datetime.fromtimestamp(found[3], UTC) > HOLDS:
        return None
    return Waiting(account=found[0], epoch=found[1], username=found[2], by_provider=bool(found[4]))


def forget_code(portal: Portal, request: Request) -> None:
    """Ask for no code any more."""
    if portal.cookie(request, SECOND_STEP_COOKIE):
        portal.drop_cookie(request, SECOND_STEP_COOKIE)
