"""Logging in: the same answer and the same time for every kind of wrong.

A refused login is an answer and no exception, because the count of failures has to be kept: the
caller commits in either case. An unknown name, a wrong password and a locked account read alike;
only whoever knows the password is told more. Every attempt is logged.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import AccessLog, Account
from operations.accounts import (
    find_account,
    fresh_hash,
    note_account,
    switch_account,
    verify_password,
)
from operations.guards import vn_date
from operations.stamp import Stamp

MAX_FAILURES = 5
LOCKED_FOR = timedelta(minutes=15)
UNUSED_FOR = timedelta(days=45)
WRONG = (
    "Tên đăng nhập hoặc mật khẩu không đúng, hoặc tài khoản đang tạm khóa "
    "(15 phút sau 5 lần nhập sai). Đề nghị kiểm tra lại."
)
_UNUSED = "Tài khoản không sử dụng trong 45 ngày"


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """The answer to a login: an account, or in words for people why not."""

    account: Account | None = None
    refusal: str | None = None

    @property
    def needs_code(self) -> bool:
        """Whether a one-time code has to be asked for before the session begins."""
        return self.account is not None and self.account.totp_secret is not None


def authenticate(session: Session, stamp: Stamp, username: str, password: str) -> Login:
    """Check a user name and a password; the caller commits whatever the answer is.

    Five wrong passwords lock the account for 15 minutes; 45 days without use disable it.
    """
    name = "".join(one for one in username.strip().lower() if one.isprintable())[:80]
    row = find_account(session, name, lock=True)
    locked = row is not None and row.locked_until is not None and row.locked_until > stamp.at
    stored = None if row is None or locked else row.password_hash
    right = verify_password(stored, password)
    if row is None or locked:
        return _answer(session, stamp, name, refusal=WRONG)
    if row.locked_until is not None:
        row.failures, row.locked_until = 0, None
    if not right:
        row.failures += 1
        if row.failures >= MAX_FAILURES:
            row.locked_until = stamp.at + LOCKED_FOR
            note_account(session, stamp, row, "lock")
        return _answer(session, stamp, name, refusal=WRONG)
    row.failures = 0
    if row.active and stamp.at - _last_use(row) > UNUSED_FOR:
        switch_account(session, stamp, row, on=False, reason=_UNUSED)
    if not row.active:
        msg = "Tài khoản đã ngừng sử dụng; đề nghị liên hệ quản trị hệ thống để mở lại."
        return _answer(session, stamp, name, refusal=msg)
    if row.valid_to is not None and row.valid_to < stamp.as_of:
        msg = (
            f"Tài khoản đã hết hạn ngày {vn_date(row.valid_to)}; đề nghị liên hệ quản trị hệ thống."
        )
        return _answer(session, stamp, name, refusal=msg)
    row.last_login_at = stamp.at
    row.password_hash = fresh_hash(stored, password)
    return _answer(session, stamp, name, account=row)


def disable_unused(session: Session, stamp: Stamp) -> tuple[str, ...]:
    """Switch off every account that nobody used for 45 days; their user names."""
    rows = session.scalars(
        select(Account).where(Account.active).order_by(Account.id).with_for_update()
    ).all()
    unused = [row for row in rows if stamp.at - _last_use(row) > UNUSED_FOR]
    for row in unused:
        switch_account(session, stamp, row, on=False, reason=_UNUSED)
    return tuple(row.username for row in unused)


def _last_use(row: Account) -> datetime:
    return max(filter(None, (row.created_at, row.last_login_at, row.enabled_at)))


def _answer(
    session: Session,
    stamp: Stamp,
    name: str,
    *,
    account: Account | None = None,
    refusal: str | None = None,
) -> Login:
    """Log the attempt, whoever it was, and give the answer."""
    session.add(
        AccessLog(
            at=stamp.at,
            actor=name,
            method="login",
            path="ok" if account is not None else "refused",
            address=stamp.actor.address,
        )
    )
    session.flush()
    return Login(account=account, refusal=refusal)
