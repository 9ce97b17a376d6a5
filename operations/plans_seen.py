"""Which plans an account or a program's token sees, where a database holds several."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.seeing import SEEN, Seen, elsewhere_only, everything
from models.tables import Account, AgencyRow, PlanRow
from operations.errors import Refused
from operations.state import known_plans
from rules.actors import AccountRole

FIELD = "plans"


def plans_of(stored: str | None) -> frozenset[str] | None:
    """The plans that a row names; None for every plan there is."""
    return None if stored is None else frozenset(stored.split())


def plan_names(session: Session) -> dict[str, str]:
    """The short names of the active plans, by key."""
    return {one.key: one.short_code for one in known_plans(session)}


def check_plans(session: Session, keys: Iterable[str], role: AccountRole | None) -> str | None:
    """``keys`` as rows hold them; None, for every plan, where there is no key.

    Raises:
        Refused: there is no such plan, or the role looks after the whole system.
    """
    wanted = sorted(set(keys))
    known = set(session.scalars(select(PlanRow.key)))
    for key in wanted:
        if key not in known:
            msg = f"Không có đề án “{key}”; các đề án hiện có: {', '.join(sorted(known))}."
            raise Refused(msg, field=FIELD)
    if wanted and role is AccountRole.ADMIN:
        msg = (
            "Quản trị hệ thống phụ trách mọi đề án; đề nghị bỏ chọn đề án, hoặc mở tài khoản "
            "có vai trò khác cho người theo dõi riêng một đề án."
        )
        raise Refused(msg, field=FIELD)
    return " ".join(wanted) or None


def agencies_elsewhere(session: Session) -> frozenset[str]:
    """The agencies that work only for plans which ``session`` does not see."""
    seen: Seen | None = session.info.get(SEEN)
    if seen is None:
        return frozenset()
    with everything(session):
        return frozenset(
            session.scalars(
                select(AgencyRow.key).where(elsewhere_only(AgencyRow.key, seen, "agency"))
            )
        )


def who_see_all(session: Session) -> int:
    """How many accounts in use, administrators apart, see every plan there is."""
    found = select(Account.id).where(
        Account.active, Account.plans.is_(None), Account.role != AccountRole.ADMIN.value
    )
    return len(session.scalars(found).all())
