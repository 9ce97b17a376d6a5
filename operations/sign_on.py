"""Single sign-on: what a browser goes away with, what it comes back with, and whose account it is.

The provider's word is checked in ``runtime.sign_on``; here a person whom it vouches for meets an
account that an administrator opened. None is ever made for somebody who has none. An account that
is locked, switched off or over stays closed, as it does to its password; where it has one-time
codes and the provider asked for no second factor, ours is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.tables import Account, SignOn
from notifications.formats import clean_line
from operations.accounts import find_account
from operations.login import LOCKED, Login, answer, closed, is_locked, welcome
from operations.stamp import Stamp
from rules.passwords import NotAUsername, check_username

HOLDS: Final = timedelta(minutes=10)
"""How long somebody may stay at the provider."""
BY_PROVIDER: Final = "provider"
"""How the access log says that a provider vouched for somebody, and a code is waited for."""
IN_BY_PROVIDER: Final = "provider_ok"
"""How it says that somebody came in by a provider."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What stays here while a browser is away."""

    nonce: str
    verifier: str
    onward: str
    kept: str


def send_away(session: Session, stamp: Stamp, *, state: str, browser: str, kept: Kept) -> None:
    """Note that a browser went to the provider; what has expired is forgotten."""
    session.execute(delete(SignOn).where(SignOn.expires_at <= stamp.at))
    row = SignOn(
        id=_digest(state),
        browser=_digest(browser),
        nonce=kept.nonce,
        verifier=kept.verifier,
        onward=kept.onward,
        kept=kept.kept,
        expires_at=stamp.at + HOLDS,
    )
    session.add(row)
    session.flush()


def take_back(session: Session, stamp: Stamp, *, state: str, browser: str) -> Kept | None:
    """What was kept for this ``state`` of this ``browser``, once; None where nothing was."""
    found = session.execute(
        delete(SignOn)
        .where(SignOn.id == _digest(state), SignOn.browser == _digest(browser))
        .returning(SignOn.nonce, SignOn.verifier, SignOn.onward, SignOn.kept, SignOn.expires_at)
    ).one_or_none()
    if found is None or found.expires_at <= stamp.at:
        return None
    return Kept(nonce=found.nonce, verifier=found.verifier, onward=found.onward, kept=found.kept)


def authenticate_by_provider(
    session: Session, stamp: Stamp, told: str, *, by_email: bool, strong: bool
) -> Login:
    """The account of whom a provider vouches for; the caller commits whatever the answer is.

    ``told`` is its claim, ``by_email`` what of an account it must equal (else the user name), and
    ``strong`` whether the provider asked for a second factor.
    """
    shown = clean_line(told)[:80]
    found = _by_email(session, told) if by_email else _by_username(session, told)
    if len(found) != 1:
        return answer(session, stamp, shown, refusal=_nobody(shown, len(found)))
    (row,) = found
    if is_locked(row, stamp):
        return answer(session, stamp, row.username, refusal=LOCKED)
    refusal = closed(session, stamp, row)
    if refusal is not None:
        return answer(session, stamp, row.username, refusal=refusal)
    if row.totp_secret is not None and not strong:
        return answer(session, stamp, row.username, account=row, word=BY_PROVIDER, needs_code=True)
    welcome(stamp, row)
    return answer(session, stamp, row.username, account=row, word=IN_BY_PROVIDER)


def _nobody(shown: str, count: int) -> str:
    if count:
        return (
            f"Thư điện tử “{shown}” đang ghi ở nhiều tài khoản nên hệ thống không biết mở tài khoản "
            "nào. Đề nghị đăng nhập bằng mật khẩu, hoặc liên hệ quản trị hệ thống để sửa."
        )
    return (
        f"Đã xác nhận danh tính “{shown}”, nhưng chưa có tài khoản Tiến độ nào ứng với tên này. "
        "Tài khoản do quản trị hệ thống mở; đề nghị liên hệ, hoặc đăng nhập bằng mật khẩu nếu đã có."
    )


def _by_username(session: Session, told: str) -> list[Account]:
    """Letter for letter but for capitals; a letter that only looks alike is another name."""
    if not told.isascii():
        return []
    try:
        name = check_username(told)
    except NotAUsername:
        return []
    row = find_account(session, name, lock=True)
    return [] if row is None else [row]


def _by_email(session: Session, told: str) -> list[Account]:
    if not told.isascii():
        return []
    wanted = told.strip().lower()
    rows = session.scalars(
        select(Account).where(Account.email.is_not(None)).order_by(Account.id)
    ).all()
    alike = [row.id for row in rows if (row.email or "").isascii() and _same(row.email, wanted)]
    query = select(Account).where(Account.id.in_(alike)).order_by(Account.id).with_for_update()
    return list(session.scalars(query.execution_options(populate_existing=True)))


def _same(email: str | None, wanted: str) -> bool:
    return email is not None and email.strip().lower() == wanted


def _digest(text: str) -> str:
    return sha256(text.encode(errors="replace")).hexdigest()
