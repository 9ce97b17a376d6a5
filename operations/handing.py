"""Handing work to a colleague: who at an agency works on a piece of its work.

The agency's own matter: it names one of its accounts or contacts, and its letters follow. Where the
colleague is a contact with an address, the lines that would go to the focal point ride in that
colleague's own digest instead (rule 30: no copies); the agency's mailbox keeps its line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from models.tables import Account, Assignment, ContactKind
from operations.contacts import contacts_of
from operations.errors import NotPermitted, Refused
from operations.stamp import Stamp
from operations.transition import amend, check_version, held_capacities, load_work
from rules.actors import AccountRole, Actor, Capacity
from rules.lifecycle import OPEN, STATUS_WORDS, Status

HANDED: Final = OPEN | {Status.SUBMITTED, Status.SUSPENDED, Status.DORMANT, Status.REQUESTED}
"""Statuses in which somebody still works on it, or will."""
_OWN: Final = frozenset({Capacity.LEAD, Capacity.PARTNER})
_WORKS_THERE: Final = (AccountRole.AGENCY.value, AccountRole.COORDINATOR.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """Somebody to whom an agency may hand work.

    ``key`` names them in forms: ``account:<user name>`` or ``contact:<kind>``. ``mailbox`` is an
    address of the agency's contacts, None where letters do not reach them under their own.
    """

    key: str
    name: str
    post: str | None
    account: str | None
    mailbox: str | None


def colleagues(session: Session, agency_key: str, as_of: date) -> tuple[Colleague, ...]:
    """The people of an agency: its accounts, and its contacts who have a name and no account."""
    contacts = [one for one in contacts_of(session, agency_key) if one.kind != ContactKind.MAILBOX]
    boxes = {one.email for one in contacts if one.email}
    query = select(Account).where(
        Account.agency_key == agency_key,
        Account.active,
        Account.role.in_(_WORKS_THERE),
        or_(Account.valid_to.is_(None), Account.valid_to >= as_of),
    )
    found = []
    for row in session.scalars(query.order_by(Account.name, Account.id)):
        email = (row.email or "").lower()
        found.append(
            Colleague(
                key=f"account:{row.username}",
                name=row.name,
                post=row.post,
                account=row.username,
                mailbox=email if email in boxes else None,
            )
        )
    known = {one.mailbox for one in found if one.mailbox}
    found.extend(
        Colleague(
            key=f"contact:{one.kind}",
            name=one.name,
            post=one.post,
            account=None,
            mailbox=one.email,
        )
        for one in contacts
        if one.name and one.email not in known
    )
    return tuple(found)


def hand_over(
    session: Session,
    stamp: Stamp,
    assignment_id: int,
    *,
    to: str | None,
    note: str | None = None,
    expected_version: int | None = None,
) -> None:
    """Hand an agency's work to one of its people; ``to`` None gives it back to the focal point.

    Raises:
        NotPermitted: the work is another agency's.
        Refused: the work has ended, or ``to`` is nobody of the agency.
        Conflict: somebody changed the work meanwhile (rule 26).
    """
    work = load_work(session, assignment_id)
    row = work.assignment
    if not held_capacities(session, work, stamp) & _OWN:
        msg = "Chỉ cơ quan được giao nhiệm vụ phân công người thực hiện."
        raise NotPermitted(msg)
    check_version(work, expected_version)
    if Status(row.status) not in HANDED:
        msg = f"Không phân công người thực hiện khi trạng thái là “{STATUS_WORDS[Status(row.status)]}”."
        raise Refused(msg)
    chosen = None if to is None else _colleague(session, stamp, row.agency_key, to)
    changes = {
        "handler": None if chosen is None else chosen.name,
        "handler_account": None if chosen is None else chosen.account,
        "handler_mailbox": None if chosen is None else chosen.mailbox,
    }
    if all(getattr(row, name) == value for name, value in changes.items()):
        who = chosen.name if chosen else "đầu mối chung của cơ quan"
        msg = f"Nhiệm vụ này đang do {who} thực hiện; đề nghị chọn người khác."
        raise Refused(msg, field="handler")
    amend(session, stamp, work, "hand", changes=changes, reason=(note or "").strip() or None)


def _colleague(session: Session, stamp: Stamp, agency_key: str, key: str) -> Colleague:
    for one in colleagues(session, agency_key, stamp.as_of):
        if one.key == key:
            return one
    msg = "Người này không còn trong danh sách tài khoản, đầu mối của cơ quan; đề nghị chọn lại."
    raise Refused(msg, field="handler")


def handled_by(session: Session, actor: Actor, agency_key: str) -> frozenset[int]:
    """The assignments of an agency that were handed to whoever acts: by account or by mailbox."""
    boxes: Sequence[str] = [actor.mailbox] if actor.mailbox else []
    mine: list[ColumnElement[bool]] = []
    if actor.account is not None:
        mine.append(Assignment.handler_account == actor.account)
        email = session.scalar(select(Account.email).where(Account.username == actor.account))
        boxes = [email.lower()] if email else []
    if boxes:
        mine.append(Assignment.handler_mailbox.in_(boxes))
    if not mine:
        return frozenset()
    query = select(Assignment.id).where(Assignment.agency_key == agency_key, or_(*mine))
    return frozenset(session.scalars(query))
