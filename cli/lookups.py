"""Finding what a person named; what is not there is refused with the nearest that is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from cli.edge import Here
    from rules.actors import Actor


def known_item(here: Here, item: str | None, plan: str | None = None) -> None:
    """Let only the key of an item of these plans pass; None passes.

    Raises:
        operations.errors.NotFound: no plan has it.
    """
    if item is None:
        return
    from operations.state import load_plan

    keys = here.plans(plan)
    with here.runtime.database.read() as session:
        known = [one.key for key in keys for one in load_plan(session, key).every_item]
    if item not in known:
        _refuse("nhiệm vụ", item, known, field="item", show=known)


def known_agency(session: Session, key: str | None) -> None:
    """Let only the key of an agency pass; None passes.

    Raises:
        operations.errors.NotFound: there is none; the text names those that come near.
    """
    if key is None:
        return
    from sqlalchemy import select

    from models.tables import AgencyRow

    found = session.execute(select(AgencyRow.key, AgencyRow.name))
    rows = {row.key: row.name for row in found}
    if key not in rows:
        by_name = [one for one, name in rows.items() if name.casefold() == key.casefold()]
        _refuse("cơ quan", key, list(rows), field="agency", near=by_name)


def _refuse(
    what: str,
    key: str,
    known: Sequence[str],
    *,
    field: str,
    near: Sequence[str] = (),
    show: Iterable[str] = (),
) -> None:
    from operations.errors import NotFound

    close = list(near) or get_close_matches(key, known, n=3)
    hint = f" Có phải {' hoặc '.join(f'“{one}”' for one in close)}?" if close else ""
    listed = list(show)
    if listed:
        hint += f" Các {what}: {', '.join(listed)}."
    msg = f"Không có {what} “{key}”.{hint}"
    raise NotFound(msg, field=field)


def account_actor(session: Session, username: str, as_of: date) -> Actor:
    """The actor of an account, for an act that an operator enters at the server.

    Raises:
        operations.errors.NotFound: there is no such account.
        operations.errors.NotPermitted: it is closed.
    """
    from sqlalchemy import select

    from cli.edge import ADDRESS
    from models.tables import Account
    from operations.errors import NotFound, NotPermitted
    from rules.actors import AccountRole, Actor, ActorKind

    row = session.scalars(
        select(Account).where(Account.username == username.strip().lower())
    ).one_or_none()
    if row is None:
        known = list(session.scalars(select(Account.username).order_by(Account.username)))
        close = get_close_matches(username, known, n=1)
        hint = f" Có phải “{close[0]}”?" if close else " Xem “tiendo accounts list”."
        msg = f"Không có tài khoản “{username}”.{hint}"
        raise NotFound(msg, field="as")
    if not row.active or (row.valid_to is not None and row.valid_to < as_of):
        msg = f"Tài khoản “{username}” đã khóa hoặc hết thời hạn sử dụng."
        raise NotPermitted(msg, field="as")
    return Actor(
        kind=ActorKind.PERSON,
        name=row.name,
        role=AccountRole(row.role),
        account=row.username,
        agency=row.agency_key,
        post=row.post,
        address=ADDRESS,
    )


def plan_of(session: Session, assignment: int) -> str | None:
    """The plan of an assignment; None when there is no such assignment."""
    from models.tables import Assignment, Occurrence

    row = session.get(Assignment, assignment)
    return None if row is None else session.get_one(Occurrence, row.occurrence_id).plan_key
