"""One-time codes (RFC 6238) beside the password: on, off, reset, and recovery codes.

The secret is kept encrypted (``operations.vault``) and never told to the history, which only says
that one is set.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime
from typing import Final

import pyotp
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from models.tables import Account, RecoveryCode
from operations.accounts import load_account, note_account, verify_password
from operations.errors import NotPermitted, Refused
from operations.guards import need_admin, need_text
from operations.stamp import Stamp
from operations.vault import Unreadable, Vault
from rules.actors import ActorKind
from rules.codes import (
    RECOVERY_CODES,
    RECOVERY_LENGTH,
    RECOVERY_LETTERS,
    STEP_SECONDS,
    one_code,
    recovery_code,
    steps_to_try,
)
from rules.passwords import MIN_WITHOUT_TOTP

ISSUER: Final = "Tiến độ"
"""How authenticator programs head the code."""
WRONG_CODE: Final = (
    "Mã không đúng, đã dùng hoặc đã hết hạn; đề nghị nhập mã đang hiện trên điện thoại. "
    "Nếu vẫn không đúng, đề nghị kiểm tra điện thoại đang để giờ tự động."
)
WRONG_PASSWORD: Final = "Mật khẩu hiện tại không đúng; đề nghị nhập lại."  # noqa: S105 - a sentence
_UNREADABLE: Final = (
    "Mã xác thực của tài khoản này không còn đọc được vì khóa của hệ thống đã thay đổi; "
    "đề nghị quản trị hệ thống đặt lại mã xác thực."
)


def begin_totp(
    session: Session, stamp: Stamp, vault: Vault, username: str, *, current: str
) -> None:
    """Make a secret that waits for its first code; an earlier one that waits is forgotten.

    Raises:
        Refused: the password is wrong, or codes are on already.
    """
    row = _own(session, stamp, username)
    if row.totp_secret is not None:
        raise Refused("Mã xác thực đang bật; muốn đổi điện thoại, đề nghị tắt rồi bật lại.")
    need_password(row, current)
    row.totp_pending = vault.lock(row.id, pyotp.random_base32())
    session.flush()


def pending_secret(vault: Vault, row: Account) -> str | None:
    """The secret that waits for its first code, in base32; None when none does."""
    if row.totp_pending is None:
        return None
    try:
        return vault.unlock(row.id, row.totp_pending)
    except Unreadable:
        return None


def secret_uri(row: Account, secret: str) -> str:
    """The ``otpauth`` address that an authenticator program reads from the picture."""
    return pyotp.TOTP(secret).provisioning_uri(name=row.username, issuer_name=ISSUER)


def confirm_totp(
    session: Session, stamp: Stamp, vault: Vault, username: str, *, code: str
) -> tuple[str, ...]:
    """Switch codes on by a first one; all sessions end. Returns the recovery codes, told once.

    Raises:
        Refused: nothing waits, or the code is wrong.
    """
    row = _own(session, stamp, username)
    secret = pending_secret(vault, row)
    if secret is None:
        raise Refused("Chưa có mã nào chờ xác nhận; đề nghị bắt đầu lại từ “Bật mã xác thực”.")
    step = _step_of(secret, code, stamp.at, last=None)
    if step is None:
        raise Refused(WRONG_CODE, field="totp")
    row.totp_secret, row.totp_pending = row.totp_pending, None
    row.totp_last_step, row.totp_reset_at = step, None
    row.session_epoch += 1
    note_account(session, stamp, row, "totp_on")
    return _fresh_codes(session, vault, row)


def switch_off_totp(
    session: Session, stamp: Stamp, vault: Vault, username: str, *, current: str, code: str
) -> None:
    """Switch codes off, by the password and a code; all sessions end.

    Raises:
        Refused: either is wrong, or the password is too short to stand alone.
    """
    row = _own(session, stamp, username)
    need_password(row, current)
    if row.password_short:
        msg = (
            f"Khi không dùng mã xác thực, mật khẩu phải từ {MIN_WITHOUT_TOTP} ký tự. Đề nghị đổi "
            f"mật khẩu thành từ {MIN_WITHOUT_TOTP} ký tự trước, rồi tắt mã xác thực."
        )
        raise Refused(msg, field="current")
    need_code(session, stamp, vault, row, code)
    _forget(session, row)
    row.session_epoch += 1
    note_account(session, stamp, row, "totp_off")


def reset_totp(session: Session, stamp: Stamp, username: str, *, reason: str) -> None:
    """Take somebody's codes away, whose telephone is lost; all sessions end.

    The account's page asks to set them again; a password that is lawful only with a code opens
    nothing else until then.

    Raises:
        NotFound: there is no such account.
        NotPermitted: not an administrator.
        Refused: a reason is missing, or there are no codes.
    """
    need_admin(stamp)
    row = load_account(session, username)
    why = need_text(reason, "Đề nghị nêu lý do đặt lại mã xác thực.", field="reason")
    if row.totp_secret is None:
        raise Refused("Tài khoản này không dùng mã xác thực.")
    _forget(session, row)
    row.totp_reset_at = stamp.at
    row.failures, row.locked_until = 0, None
    row.session_epoch += 1
    note_account(session, stamp, row, "totp_reset", reason=why)


def new_recovery_codes(
    session: Session, stamp: Stamp, vault: Vault, username: str, *, code: str
) -> tuple[str, ...]:
    """Ten new recovery codes, told once; the old ones open nothing any more.

    Raises:
        Refused: the code is wrong, or codes are off.
    """
    row = _own(session, stamp, username)
    need_code(session, stamp, vault, row, code)
    found = _fresh_codes(session, vault, row)
    note_account(session, stamp, row, "recovery_codes")
    return found


def codes_left(session: Session, row: Account) -> int:
    """How many recovery codes are unused."""
    query = select(func.count()).where(
        RecoveryCode.account_id == row.id, RecoveryCode.used_at.is_(None)
    )
    return session.scalar(query) or 0


def need_password(row: Account, current: str) -> None:
    """Let only the password of the account pass.

    Raises:
        Refused: it is another one.
    """
    if not verify_password(row.password_hash, current):
        raise Refused(WRONG_PASSWORD, field="current")


def need_code(session: Session, stamp: Stamp, vault: Vault, row: Account, code: str) -> None:
    """Let only a code that holds now pass, and use it up.

    Raises:
        Refused: it does not hold.
    """
    refusal = use_code(session, stamp, vault, row, code)
    if refusal is not None:
        raise Refused(refusal, field="totp")


def use_code(session: Session, stamp: Stamp, vault: Vault, row: Account, code: str) -> str | None:
    """Use up a code or a recovery code of a locked row; None, or in words why it does not hold."""
    if row.totp_secret is None:
        return "Tài khoản này không dùng mã xác thực."
    if (recovery := recovery_code(code)) is not None:
        return None if _use_recovery(session, stamp, vault, row, recovery) else WRONG_CODE
    try:
        secret = vault.unlock(row.id, row.totp_secret)
    except Unreadable:
        return _UNREADABLE
    step = _step_of(secret, code, stamp.at, last=row.totp_last_step)
    if step is None:
        return WRONG_CODE
    row.totp_last_step = step
    return None


def _step_of(secret: str, code: str, at: datetime, *, last: int | None) -> int | None:
    """The time step of a code that holds at ``at``; a step up to ``last`` is used up."""
    digits = one_code(code)
    if digits is None:
        return None
    totp = pyotp.TOTP(secret)
    now = int(at.timestamp()) // STEP_SECONDS
    fits = [
        step
        for step in steps_to_try(now, last)
        if hmac.compare_digest(totp.generate_otp(step), digits)
    ]
    return fits[0] if fits else None


def _use_recovery(session: Session, stamp: Stamp, vault: Vault, row: Account, code: str) -> bool:
    digest = vault.digest(row.id, code)
    found = session.scalars(
        select(RecoveryCode).where(
            RecoveryCode.account_id == row.id,
            RecoveryCode.digest == digest,
            RecoveryCode.used_at.is_(None),
        )
    ).one_or_none()
    if found is None:
        return False
    found.used_at = stamp.at
    note_account(session, stamp, row, "recovery_used")
    return True


def _fresh_codes(session: Session, vault: Vault, row: Account) -> tuple[str, ...]:
    _drop_codes(session, row)
    codes = tuple(
        "".join(secrets.choice(RECOVERY_LETTERS) for _ in range(RECOVERY_LENGTH))
        for _ in range(RECOVERY_CODES)
    )
    session.add_all(
        RecoveryCode(account_id=row.id, digest=vault.digest(row.id, one)) for one in codes
    )
    session.flush()
    return codes


def _drop_codes(session: Session, row: Account) -> None:
    session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == row.id))


def _forget(session: Session, row: Account) -> None:
    row.totp_secret = row.totp_pending = row.totp_last_step = None
    _drop_codes(session, row)


def _own(session: Session, stamp: Stamp, username: str) -> Account:
    row = load_account(session, username)
    if stamp.actor.kind is not ActorKind.PERSON or stamp.actor.account != row.username:
        raise NotPermitted("Mã xác thực do chính người dùng bật, tắt.")
    return row
