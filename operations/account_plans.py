"""Saying which plans somebody's account sees, where a database holds several."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.orm import Session

from operations.accounts import load_account, note_account
from operations.guards import need_admin
from operations.plans_seen import check_plans
from operations.stamp import Stamp
from rules.actors import AccountRole


def set_plans(session: Session, stamp: Stamp, username: str, keys: Iterable[str]) -> bool:
    """Say which plans somebody sees, none for every plan; False when it was so already.

    It holds from the next request on; no session ends.

    Raises:
        NotFound: there is no such account.
        NotPermitted: not an administrator.
        Refused: as :func:`check_plans`.
    """
    need_admin(stamp)
    row = load_account(session, username)
    wanted = check_plans(session, keys, AccountRole(row.role))
    if wanted == row.plans:
        return False
    row.plans = wanted
    note_account(session, stamp, row, "set_plans")
    return True
