"""Accounts: opened with a basis, given passwords, switched off and on. Logging in is in
``operations.login``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Account, AgencyRow
from notifications.addresses import AddressError, check_address
from operations.errors import Checks, NotFound, NotPermitted, Refused
from operations.guards import need_admin, need_text, vn_date
from operations.history import Change, record, snapshot_of
from operations.plans_seen import check_plans
from operations.stamp import Stamp
from rules.actors import AccountRole, ActorKind
from rules.passwords import (
    MIN_WITHOUT_TOTP,
    NotAUsername,
    WeakPassword,
    check_password,
    check_username,
    normalise_password,
)

_WITH_AGENCY = frozenset({AccountRole.AGENCY, AccountRole.COORDINATOR, AccountRole.LEADERSHIP})
_HASHER = PasswordHasher()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """An account to open. ``valid_to`` is its last day; without ``password`` nobody logs in yet."""

    username: str
    name: str
    role: AccountRole
    password: str | None = None
    post: str | None = None
    email: str | None = None
    agency: str | None = None
    basis: str | None = None
    valid_to: date | None = None
    plans: tuple[str, ...] = ()
    """The plans that it sees; none named, every plan there is."""


def account_names(session: Session) -> Mapping[str, str]:
    """The name of everybody who has or had an account, by user name."""
    return dict(session.execute(select(Account.username, Account.name)).tuples().all())


def add_account(session: Session, stamp: Stamp, new: NewAccount) -> Account:
    """Open an account.

    Raises:
        NotPermitted: not an administrator.
        Refused: as :func:`check_account`.
    """
    need_admin(stamp)
    username, name, hashed = check_account(session, stamp, new)
    row = Account(
        username=username,
        name=name,
        post=(new.post or "").strip() or None,
        email=work_address(new.email),
        agency_key=new.agency,
        role=new.role.value,
        plans=check_plans(session, new.plans, new.role),
        password_hash=hashed,
        basis=(new.basis or "").strip() or None,
        valid_to=new.valid_to,
        created_at=stamp.at,
        version=0,
    )
    session.add(row)
    note_account(session, stamp, row, "add", reason=row.basis)
    return row


def check_account(session: Session, stamp: Stamp, new: NewAccount) -> tuple[str, str, str | None]:
    """User name, name and password hash of an account that could be opened.

    Raises:
        Refused: with all of it: the user name is taken or unfit, the password too weak, or name,
            agency, basis or end are missing for this role.
    """
    checks = Checks()
    username = checks.run(lambda: _free_username(session, new.username), "")
    message = "Đề nghị ghi họ và tên người dùng."
    name = " ".join(checks.run(lambda: need_text(new.name, message, field="name"), "").split())
    checks.run(lambda: _check_agency(session, new), None)
    checks.run(lambda: work_address(new.email), None)
    checks.run(lambda: _check_basis(new), None)
    checks.run(lambda: _check_end(new, stamp.as_of), None)
    checks.run(lambda: check_plans(session, new.plans, new.role), None)
    password = new.password or ""
    hashed = checks.run(lambda: _hash(password, username, totp=False), "") if password else None
    checks.done()
    return username, name, hashed


def set_password(
    session: Session, stamp: Stamp, username: str, new: str, *, current: str | None = None
) -> None:
    """Set a password: one's own, with the current one, or an administrator's for somebody.

    All sessions of the account end.

    Raises:
        NotFound: there is no such account.
        NotPermitted: it is somebody else's and the actor is no administrator.
        Refused: the current password is wrong, or the new one too weak.
    """
    row = load_account(session, username)
    own = stamp.actor.kind is ActorKind.PERSON and stamp.actor.account == row.username
    if not own:
        need_admin(stamp)
    elif not verify_password(row.password_hash, current or ""):
        msg = "Mật khẩu hiện tại không đúng; đề nghị nhập lại."
        raise Refused(msg, field="current")
    give_password(session, stamp, row, new)


def give_password(session: Session, stamp: Stamp, row: Account, new: str) -> None:
    """Set the password of a locked row; who may is the caller's to ask. All sessions end.

    Raises:
        Refused: it is too weak.
    """
    row.password_hash = _hash(new, row.username, totp=row.totp_secret is not None)
    row.password_short = len(normalise_password(new)) < MIN_WITHOUT_TOTP
    row.totp_pending = None
    row.failures, row.locked_until = 0, None
    row.session_epoch += 1
    note_account(session, stamp, row, "set_password")


def set_email(session: Session, stamp: Stamp, username: str, email: str | None) -> bool:
    """Set the work address of somebody's account; False when it was that already.

    Raises:
        NotFound: there is no such account.
        NotPermitted: not an administrator.
        Refused: the address is none.
    """
    need_admin(stamp)
    row = load_account(session, username)
    wanted = work_address(email)
    if wanted == row.email:
        return False
    row.email = wanted
    note_account(session, stamp, row, "correct")
    return True


def work_address(text: str | None) -> str | None:
    """A work address, or None for nothing.

    Raises:
        Refused: it is none.
    """
    if not (text or "").strip():
        return None
    try:
        return check_address(text or "")
    except AddressError as error:
        raise Refused(str(error), field="email") from error


def disable_account(session: Session, stamp: Stamp, username: str, *, reason: str) -> None:
    """Switch an account off and end its sessions; its history keeps its name (rule 40).

    Raises:
        NotFound: there is no such account.
        NotPermitted: not an administrator, or one's own account.
        Refused: a reason is missing.
    """
    need_admin(stamp)
    row = load_account(session, username)
    if row.username == stamp.actor.account:
        msg = "Không thể ngừng tài khoản của chính mình; đề nghị người quản trị khác thực hiện."
        raise NotPermitted(msg)
    why = need_text(reason, "Đề nghị nêu lý do ngừng tài khoản.", field="reason")
    if row.active:
        switch_account(session, stamp, row, on=False, reason=why)


def enable_account(session: Session, stamp: Stamp, username: str, *, reason: str) -> None:
    """Switch an account on again, and let the days without use count from now.

    Raises:
        NotFound: there is no such account.
        NotPermitted: not an administrator.
        Refused: a reason is missing.
    """
    need_admin(stamp)
    row = load_account(session, username)
    why = need_text(reason, "Đề nghị nêu lý do mở lại tài khoản.", field="reason")
    if not row.active or row.locked_until is not None:
        switch_account(session, stamp, row, on=True, reason=why)


def list_accounts(session: Session) -> list[Account]:
    """All accounts, those switched off as well, by user name."""
    return list(session.scalars(select(Account).order_by(Account.username)))


def _free_username(session: Session, text: str) -> str:
    try:
        username = check_username(text)
    except NotAUsername as error:
        raise Refused(str(error), field="username") from error
    if find_account(session, username) is not None:
        msg = f"Tên đăng nhập “{username}” đã có; đề nghị chọn tên khác."
        raise Refused(msg, field="username")
    return username


def _check_agency(session: Session, new: NewAccount) -> None:
    if new.agency is None and new.role in _WITH_AGENCY:
        msg = "Tài khoản có vai trò này phải thuộc một cơ quan; đề nghị chọn cơ quan."
        raise Refused(msg, field="agency")
    if new.agency is not None and session.get(AgencyRow, new.agency) is None:
        msg = f"Không có cơ quan “{new.agency}”."
        raise Refused(msg, field="agency")


def _check_basis(new: NewAccount) -> None:
    if new.role is AccountRole.AUDITOR:
        word = "Tài khoản kiểm tra cần căn cứ, ví dụ số quyết định thành lập đoàn."
        need_text(new.basis, word, field="basis")


def _check_end(new: NewAccount, as_of: date) -> None:
    if new.role is AccountRole.AUDITOR and new.valid_to is None:
        msg = "Tài khoản kiểm tra cần ngày kết thúc, theo thời hạn của đoàn."
        raise Refused(msg, field="valid_to")
    if new.valid_to is not None and new.valid_to < as_of:
        msg = f"Ngày kết thúc {vn_date(new.valid_to)} đã qua; đề nghị chọn ngày từ hôm nay trở đi."
        raise Refused(msg, field="valid_to")


def _hash(password: str, username: str, *, totp: bool) -> str:
    try:
        return _HASHER.hash(check_password(password, totp=totp, username=username))
    except WeakPassword as error:
        raise Refused(str(error), field="password") from error


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return _HASHER.hash("nobody has this password")


def verify_password(stored: str | None, password: str) -> bool:
    """Whether ``password`` fits; as slow for no hash at all as for one that does not fit."""
    try:
        _HASHER.verify(stored or _nobodys_hash(), normalise_password(password))
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def fresh_hash(stored: str | None, password: str) -> str | None:
    """``stored``, or where it was made with weaker settings than today's, the hash made anew."""
    if stored is not None and _HASHER.check_needs_rehash(stored):
        return _HASHER.hash(normalise_password(password))
    return stored


def switch_account(session: Session, stamp: Stamp, row: Account, *, on: bool, reason: str) -> None:
    """Switch an account off, ending its sessions, or on, freed of its failures."""
    row.active = on
    row.failures, row.locked_until = 0, None
    if on:
        row.enabled_at = stamp.at
    else:
        row.session_epoch += 1
    note_account(session, stamp, row, "enable" if on else "disable", reason=reason)


def find_account(session: Session, username: str, *, lock: bool = False) -> Account | None:
    """The account of this user name, in small letters; ``lock`` it for a change."""
    query = select(Account).where(Account.username == username)
    if lock:  # several who guess at once are counted in turn
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalars(query).one_or_none()


def load_account(session: Session, username: str) -> Account:
    """The account of this user name, locked for a change.

    Raises:
        NotFound: there is none.
    """
    row = find_account(session, username.strip().lower(), lock=True)
    if row is None:
        msg = f"Không có tài khoản “{username}”."
        raise NotFound(msg, field="username")
    return row


def note_account(
    session: Session, stamp: Stamp, row: Account, word: str, *, reason: str | None = None
) -> None:
    """Write a change of an account into the history; secrets are only said to be set."""
    row.version += 1
    session.flush()
    change = Change(
        entity="account",
        entity_id=row.username,
        action=word,
        snapshot=snapshot_of(row),
        agency=row.agency_key,
        reason=reason,
    )
    record(session, stamp, [change])
