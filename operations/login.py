"""Logging in: the same answer and the same time for every kind of wrong.

A refused login is an answer and no exception, because the count of failures has to be kept: the
caller commits in either case. An unknown name, a wrong password and a locked account read alike;
only whoever knows the password is told more. Where the account has one-time codes, the password
alone forgives no failure and begins no session: wrong codes count towards the same lock. Every
attempt is logged.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from operations.totp import use_code
from operations.vault import Vault
from rules.actors import AccountRole

LOGIN_METHOD = "login"
"""How the access log names an attempt to sign in."""
MAX_FAILURES = 5
LOCKED_FOR = timedelta(minutes=15)
UNUSED_FOR = timedelta(days=45)
WRONG = (
    "Tên đăng nhập hoặc mật khẩu không đúng, hoặc tài khoản đang tạm khóa "
    "(15 phút sau 5 lần nhập sai). Đề nghị kiểm tra lại."
)
LOCKED = (
    "Tài khoản tạm khóa 15 phút sau 5 lần nhập sai. Đề nghị chờ rồi đăng nhập lại, "
    "hoặc liên hệ quản trị hệ thống."
)
LOGIN_AGAIN = "Đã quá thời gian nhập mã hoặc tài khoản vừa thay đổi; đề nghị đăng nhập lại."
_UNUSED = "Tài khoản không sử dụng trong 45 ngày"


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """The answer to a login: an account, or in words for people why not."""

    account: Account | None = None
    refusal: str | None = None
    needs_code: bool = False
    """Whether a one-time code has to be asked for before the session begins."""
    from_the_start: bool = False
    """Whether the password has to be given again, and not only the code."""


def authenticate(session: Session, stamp: Stamp, username: str, password: str) -> Login:
    """Check a user name and a password; the caller commits whatever the answer is.

    Five wrong passwords lock the account for 15 minutes; 45 days without use disable it. Where
    the answer needs a code, :func:`authenticate_code` comes next.
    """
    name = "".join(one for one in username.strip().lower() if one.isprintable())[:80]
    row = find_account(session, name, lock=True)
    locked = row is not None and is_locked(row, stamp)
    stored = None if row is None or locked else row.password_hash
    right = verify_password(stored, password)
    if row is None or locked:
        return answer(session, stamp, name, refusal=WRONG)
    if row.locked_until is not None:
        row.failures, row.locked_until = 0, None
    if not right:
        _count_failure(session, stamp, row)
        return answer(session, stamp, name, refusal=WRONG)
    refusal = closed(session, stamp, row)
    if refusal is not None:
        return answer(session, stamp, name, refusal=refusal)
    row.password_hash = fresh_hash(stored, password)
    if row.totp_secret is not None:
        return answer(session, stamp, name, account=row, word="password", needs_code=True)
    welcome(stamp, row)
    return answer(session, stamp, name, account=row)


def authenticate_code(
    session: Session, stamp: Stamp, vault: Vault, *, account: int, epoch: int, code: str
) -> Login:
    """Check the code after a right password; the caller commits whatever the answer is.

    ``account`` and ``epoch`` are those of the password's answer. Wrong codes count like wrong
    passwords; a code is taken once, a recovery code as well.
    """
    query = select(Account).where(Account.id == account).with_for_update()
    row = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if row is None or row.session_epoch != epoch or row.totp_secret is None:
        return Login(refusal=LOGIN_AGAIN, from_the_start=True)
    if is_locked(row, stamp):
        return answer(session, stamp, row.username, refusal=LOCKED, over=True)
    refusal = closed(session, stamp, row)
    if refusal is not None:
        return answer(session, stamp, row.username, refusal=refusal, over=True)
    refusal = use_code(session, stamp, vault, row, code)
    if refusal is not None:
        _count_failure(session, stamp, row)
        over = is_locked(row, stamp)
        refusal = LOCKED if over else refusal
        return answer(session, stamp, row.username, refusal=refusal, over=over)
    welcome(stamp, row)
    return answer(session, stamp, row.username, account=row)


def disable_unused(session: Session, stamp: Stamp) -> tuple[str, ...]:
    """Switch off every account that nobody used for 45 days; their user names.

    The last administrator who can sign in stays, however long ago that was: with nobody left to
    switch accounts on again, the portal could only be opened from the server's command line. Of
    several who are all unused, the one who came last stays.
    """
    rows = session.scalars(
        select(Account).where(Account.active).order_by(Account.id).with_for_update()
    ).all()
    stays = _last_administrator(rows, stamp)
    unused = [row for row in rows if row is not stays and _is_unused(row, stamp)]
    for row in unused:
        switch_account(session, stamp, row, on=False, reason=_UNUSED)
    return tuple(row.username for row in unused)


def _last_administrator(rows: Sequence[Account], stamp: Stamp) -> Account | None:
    """The administrator who came last, of those who can sign in."""
    able = [
        row
        for row in rows
        if row.role == AccountRole.ADMIN.value
        and row.active
        and row.password_hash is not None
        and not _has_ended(row, stamp)
    ]
    return max(able, key=lambda row: (_last_use(row), row.id), default=None)


def closed(session: Session, stamp: Stamp, row: Account) -> str | None:
    """Why an account does not open to somebody who is its owner; None when it does."""
    if row.active and _is_unused(row, stamp):
        active = session.scalars(select(Account).where(Account.active)).all()
        if row is not _last_administrator(active, stamp):
            switch_account(session, stamp, row, on=False, reason=_UNUSED)
    if not row.active:
        return "Tài khoản đã ngừng sử dụng; đề nghị liên hệ quản trị hệ thống để mở lại."
    if row.valid_to is not None and _has_ended(row, stamp):
        return (
            f"Tài khoản đã hết hạn ngày {vn_date(row.valid_to)}; đề nghị liên hệ quản trị hệ thống."
        )
    return None


def is_locked(row: Account, stamp: Stamp) -> bool:
    """Whether too many wrong passwords or codes keep an account closed for now."""
    return row.locked_until is not None and row.locked_until > stamp.at


def _has_ended(row: Account, stamp: Stamp) -> bool:
    return row.valid_to is not None and row.valid_to < stamp.as_of


def _is_unused(row: Account, stamp: Stamp) -> bool:
    return stamp.at - _last_use(row) > UNUSED_FOR


def _last_use(row: Account) -> datetime:
    return max(filter(None, (row.created_at, row.last_login_at, row.enabled_at)))


def _count_failure(session: Session, stamp: Stamp, row: Account) -> None:
    row.failures += 1
    if row.failures >= MAX_FAILURES:
        row.locked_until = stamp.at + LOCKED_FOR
        note_account(session, stamp, row, "lock")


def welcome(stamp: Stamp, row: Account) -> None:
    """Forget the failures of somebody who is in, and note the day."""
    row.failures = 0
    row.last_login_at = stamp.at


def answer(
    session: Session,
    stamp: Stamp,
    name: str,
    *,
    account: Account | None = None,
    refusal: str | None = None,
    word: str = "ok",
    needs_code: bool = False,
    over: bool = False,
) -> Login:
    """Log the attempt, whoever it was, and give the answer."""
    session.add(
        AccessLog(
            at=stamp.at,
            actor=name,
            method=LOGIN_METHOD,
            path=word if account is not None else "refused",
            address=stamp.actor.address,
        )
    )
    session.flush()
    return Login(account=account, refusal=refusal, needs_code=needs_code, from_the_start=over)
