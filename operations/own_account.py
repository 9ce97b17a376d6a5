"""What people do with their own account: see who signed in, correct their data, end sessions."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import AccessLog, Account
from operations.accounts import load_account, note_account, work_address
from operations.errors import NotPermitted
from operations.guards import need_text
from operations.login import LOGIN_METHOD
from operations.stamp import Stamp
from rules.actors import ActorKind


def correct_own_data(
    session: Session,
    stamp: Stamp,
    username: str,
    *,
    name: str,
    post: str | None,
    email: str | None,
    email_fixed: bool = False,
) -> bool:
    """Correct one's name, post and work address (rule 40); False when nothing was changed.

    Earlier events keep the name of then. ``email_fixed`` leaves the address as it is: where people
    sign in by it, whoever could write another's would be taken for them.

    Raises:
        Refused: the name is missing, or the address is none.
    """
    row = _own(session, stamp, username)
    wanted = (
        need_text(name, "Đề nghị ghi họ và tên.", field="name"),
        (post or "").strip() or None,
        row.email if email_fixed else work_address(email),
    )
    if wanted == (row.name, row.post, row.email):
        return False
    row.name, row.post, row.email = wanted
    note_account(session, stamp, row, "correct")
    return True


def end_sessions(session: Session, stamp: Stamp, username: str) -> None:
    """End all sessions of one's own account, this one as well."""
    row = _own(session, stamp, username)
    row.session_epoch += 1
    note_account(session, stamp, row, "end_sessions")


def last_sign_ins(session: Session, username: str, *, limit: int = 10) -> Sequence[AccessLog]:
    """The last attempts to sign in under this name, newest first, those that failed as well."""
    query = (
        select(AccessLog)
        .where(AccessLog.actor == username, AccessLog.method == LOGIN_METHOD)
        .order_by(AccessLog.id.desc())
        .limit(limit)
    )
    return session.scalars(query).all()


def _own(session: Session, stamp: Stamp, username: str) -> Account:
    row = load_account(session, username)
    if stamp.actor.kind is not ActorKind.PERSON or stamp.actor.account != row.username:
        raise NotPermitted("Thông tin này do chính người dùng sửa.")
    return row
