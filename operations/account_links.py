"""One-time links to the door: opening the first account, and setting an account's password.

Signed like the links of letters, with a salt for each purpose; never stored, for the text can be
made again from the row and the secret. A link holds once and for a time. That of the first account
holds only while nobody can administrate or coordinate; that of a password only until anything else
ends the sessions of its account, a newer link or a new password among them.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Final

from itsdangerous import BadSignature, Signer
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models.tables import Account, AccountLink, AccountLinkPurpose
from notifications.formats import vn_datetime
from operations.accounts import (
    NewAccount,
    add_account,
    give_password,
    load_account,
    note_account,
)
from operations.errors import Refused
from operations.guards import need_admin
from operations.stamp import Stamp
from rules.actors import AccountRole, Actor, ActorKind

FIRST_PATH: Final = "/tai-khoan-dau-tien/"
PASSWORD_PATH: Final = "/dat-mat-khau/"  # noqa: S105 - an address
"""Where the links lead, below the portal's address; the text of the link follows."""
PATHS: Final = {
    AccountLinkPurpose.FIRST: FIRST_PATH,
    AccountLinkPurpose.PASSWORD: PASSWORD_PATH,
}
HOLDS: Final = {
    AccountLinkPurpose.FIRST: timedelta(hours=24),
    AccountLinkPurpose.PASSWORD: timedelta(hours=72),
}
COORDINATOR_NAME: Final = "dieu.phoi"
"""The user name that is proposed for the first account of the coordinator."""
_RUNNING: Final = frozenset({AccountRole.ADMIN.value, AccountRole.COORDINATOR.value})
_BASIS: Final = "Liên kết một lần in khi khởi động hệ thống"


class AccountLinkRefused(Refused):
    """A link to the door that opens nothing; the text says what to do instead."""


class AccountLinkForged(AccountLinkRefused):
    """Not signed by us for this purpose, or cut off on its way."""

    def __init__(self) -> None:
        super().__init__(
            "Liên kết không đúng hoặc bị thiếu ký tự. Đề nghị chép đủ cả dòng, hoặc xin liên kết "
            "mới."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstAccounts:
    """The accounts that a database begins with. ``agency`` is the coordinator's, when wanted."""

    username: str
    name: str
    password: str
    post: str | None = None
    email: str | None = None
    agency: str | None = None


def first_account_missing(session: Session) -> bool:
    """Whether there is neither an administrator nor anybody who coordinates."""
    query = select(func.count()).select_from(Account).where(Account.role.in_(_RUNNING))
    return not session.scalar(query)


def issue_first_link(session: Session, stamp: Stamp, *, secret: str) -> str | None:
    """The path of a link that opens the first account; None when there is one already.

    An earlier one ends: only the link printed last opens anything.
    """
    if not first_account_missing(session):
        return None
    link = _new(session, stamp, AccountLinkPurpose.FIRST, None)
    return link_path(link, secret)


def issue_password_link(session: Session, stamp: Stamp, username: str, *, secret: str) -> str:
    """The path of a link by which its holder sets the password of an account.

    Earlier links of the account end.

    Raises:
        NotFound: there is no such account.
        NotPermitted: not an administrator.
        Refused: the account is switched off.
    """
    need_admin(stamp)
    row = load_account(session, username)
    if not row.active:
        raise Refused("Tài khoản đã ngừng; đề nghị mở lại trước khi gửi liên kết đặt mật khẩu.")
    link = _new(session, stamp, AccountLinkPurpose.PASSWORD, row)
    note_account(session, stamp, row, "password_link")
    return link_path(link, secret)


def link_path(link: AccountLink, secret: str) -> str:
    """The address of a link below the portal's."""
    purpose = AccountLinkPurpose(link.purpose)
    return PATHS[purpose] + _signer(secret, purpose).sign(link.id).decode("ascii")


def check_link(
    session: Session,
    stamp: Stamp,
    text: str,
    purpose: AccountLinkPurpose,
    *,
    secret: str,
    lock: bool = False,
) -> AccountLink:
    """The link of this text if it is good for ``purpose`` now; ``lock`` it to use it.

    Raises:
        AccountLinkForged: we never issued it for this purpose.
        AccountLinkRefused: it was used, replaced, or its time is over.
    """
    try:
        raw = _signer(secret, purpose).unsign(text.encode("ascii", "replace"))
    except BadSignature:
        raise AccountLinkForged from None
    query = select(AccountLink).where(AccountLink.id == raw.decode("ascii"))
    if lock:  # two who use it at once: the second is told so
        query = query.with_for_update().execution_options(populate_existing=True)
    link = session.scalars(query).one_or_none()
    if link is None or link.purpose != purpose.value:
        raise AccountLinkForged
    refusal = _why_not(session, stamp, link)
    if refusal is not None:
        raise AccountLinkRefused(refusal)
    return link


def account_of(session: Session, link: AccountLink) -> Account:
    """Whose password a link sets."""
    return session.get_one(Account, link.account_id)


def open_first_accounts(
    session: Session, stamp: Stamp, link: AccountLink, new: FirstAccounts, *, secret: str
) -> str | None:
    """Open the first administrator by a checked link, and the coordinator's account when wanted.

    Returns the path by which the coordinator's account gets its password; None without one.

    Raises:
        Refused: user name, name or password are unfit.
    """
    actor = Actor(kind=ActorKind.OPERATOR, name=new.name, address=stamp.actor.address)
    opening = Stamp(at=stamp.at, as_of=stamp.as_of, actor=actor)
    link.used_at = stamp.at
    add_account(
        session,
        opening,
        NewAccount(
            username=new.username,
            name=new.name,
            role=AccountRole.ADMIN,
            password=new.password,
            post=new.post,
            email=new.email,
            basis=_BASIS,
        ),
    )
    if new.agency is None:
        return None
    both = NewAccount(
        username=COORDINATOR_NAME,
        name=new.name,
        role=AccountRole.COORDINATOR,
        agency=new.agency,
        post=new.post,
        basis=_BASIS,
    )
    add_account(session, opening, both)
    return issue_password_link(session, opening, both.username, secret=secret)


def set_password_by_link(session: Session, stamp: Stamp, link: AccountLink, new: str) -> Account:
    """Set the password of a checked link's account; the event names the account's person.

    Raises:
        Refused: the password is too weak.
    """
    row = load_account(session, account_of(session, link).username)
    link.used_at = stamp.at
    actor = Actor(
        kind=ActorKind.PERSON,
        name=row.name,
        role=AccountRole(row.role),
        account=row.username,
        agency=row.agency_key,
        post=row.post,
        address=stamp.actor.address,
    )
    give_password(session, Stamp(at=stamp.at, as_of=stamp.as_of, actor=actor), row, new)
    return row


def _why_not(session: Session, stamp: Stamp, link: AccountLink) -> str | None:
    first = link.purpose == AccountLinkPurpose.FIRST.value
    if link.used_at is not None:
        done = "tạo tài khoản" if first else "đặt mật khẩu"
        return (
            f"Liên kết này đã được dùng để {done} lúc {vn_datetime(link.used_at)}; mỗi liên kết "
            "chỉ dùng một lần. Đề nghị đăng nhập, hoặc liên hệ quản trị hệ thống nếu không phải "
            "Anh/Chị đã dùng."
        )
    if first and not first_account_missing(session):
        return (
            "Hệ thống đã có tài khoản quản trị hoặc điều phối nên liên kết này không còn dùng được. "
            "Đề nghị đăng nhập; cần thêm tài khoản, đề nghị liên hệ quản trị hệ thống."
        )
    remedy = (
        "khởi động lại hệ thống để in liên kết mới"
        if first
        else "liên hệ quản trị hệ thống để nhận liên kết mới"
    )
    if link.replaced_at is not None or not (first or _account_as_then(session, link)):
        return f"Liên kết này đã được thay hoặc thu hồi. Đề nghị dùng liên kết mới nhất, hoặc {remedy}."
    if link.expires_at <= stamp.at:
        return f"Liên kết đã hết hạn lúc {vn_datetime(link.expires_at)}. Đề nghị {remedy}."
    return None


def _account_as_then(session: Session, link: AccountLink) -> bool:
    row = account_of(session, link)
    return row.active and row.session_epoch == link.session_epoch


def _new(
    session: Session, stamp: Stamp, purpose: AccountLinkPurpose, row: Account | None
) -> AccountLink:
    account = None if row is None else row.id
    session.execute(
        update(AccountLink)
        .where(
            AccountLink.purpose == purpose.value,
            AccountLink.account_id.is_(None) if row is None else AccountLink.account_id == account,
            AccountLink.used_at.is_(None),
            AccountLink.replaced_at.is_(None),
        )
        .values(replaced_at=stamp.at)
    )
    link = AccountLink(
        id=secrets.token_urlsafe(16),
        purpose=purpose.value,
        account_id=account,
        session_epoch=None if row is None else row.session_epoch,
        issued_at=stamp.at,
        issued_by=stamp.actor.name,
        expires_at=stamp.at + HOLDS[purpose],
    )
    session.add(link)
    session.flush()
    return link


def _signer(secret: str, purpose: AccountLinkPurpose) -> Signer:
    salt = f"tiendo.account-link.{purpose}"
    return Signer(secret, salt=salt, key_derivation="hmac", digest_method=sha256)
