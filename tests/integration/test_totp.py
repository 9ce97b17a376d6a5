"""One-time codes: taken once, with a little drift, counted towards the lock, never told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pyotp
import pytest
from argon2 import PasswordHasher
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import AccessLog, Account, Event, RecoveryCode
from operations import accounts
from operations.accounts import NewAccount, add_account, set_password
from operations.errors import NotPermitted, Refused
from operations.login import LOCKED, LOGIN_AGAIN, Login, authenticate, authenticate_code
from operations.stamp import Stamp
from operations.totp import (
    WRONG_CODE,
    begin_totp,
    codes_left,
    confirm_totp,
    new_recovery_codes,
    pending_secret,
    reset_totp,
    switch_off_totp,
)
from operations.vault import Unreadable, Vault
from rules.actors import AccountRole, Actor, ActorKind
from tests import world
from tests.world import A

PASSWORD = "sáu con cá vàng bơi"
SHORT = "cá vàng 6"
VAULT = Vault("a key that only this place has, for tests")
NEW = NewAccount(
    username="tran.an", name="Trần Thị An", role=AccountRole.AGENCY, agency=A, password=PASSWORD
)


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many steps as the algorithm allows to leave out; the code is the same."""
    monkeypatch.setattr(accounts, "_HASHER", PasswordHasher(1, 8, 1))
    accounts._nobodys_hash.cache_clear()


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    with world.opened(database_url) as session:
        yield session


@pytest.fixture
def account(session: Session) -> Account:
    return add_account(session, world.admin(), NEW)


def own(seconds: int = 0) -> Stamp:
    actor = Actor(
        kind=ActorKind.PERSON,
        name="Trần Thị An",
        role=AccountRole.AGENCY,
        account="tran.an",
        agency=A,
        address="10.0.0.7",
    )
    at = world.at(world.TODAY) + timedelta(seconds=seconds)
    return Stamp(at=at, as_of=world.TODAY, actor=actor)


def code_at(secret: str, seconds: int) -> str:
    return pyotp.TOTP(secret).at(own(seconds).at)


def switched_on(session: Session, account: Account) -> tuple[str, tuple[str, ...]]:
    """Codes switched on at the second 0; the secret and the recovery codes."""
    begin_totp(session, own(), VAULT, "tran.an", current=PASSWORD)
    secret = pending_secret(VAULT, account)
    assert secret is not None
    return secret, confirm_totp(session, own(), VAULT, "tran.an", code=code_at(secret, 0))


def give_code(session: Session, account: Account, code: str, seconds: int) -> Login:
    first = authenticate(session, own(seconds), "tran.an", PASSWORD)
    assert first.needs_code, first.refusal
    return authenticate_code(
        session,
        own(seconds),
        VAULT,
        account=account.id,
        epoch=account.session_epoch,
        code=code,
    )


def test_codes_are_on_only_after_a_first_one(session: Session, account: Account) -> None:
    with pytest.raises(Refused, match="Mật khẩu hiện tại không đúng"):
        begin_totp(session, own(), VAULT, "tran.an", current="sai")
    begin_totp(session, own(), VAULT, "tran.an", current=PASSWORD)
    assert not authenticate(session, own(), "tran.an", PASSWORD).needs_code
    with pytest.raises(Refused, match="Mã không đúng"):
        confirm_totp(session, own(), VAULT, "tran.an", code="000000x")
    secret = pending_secret(VAULT, account)
    assert secret is not None
    epoch = account.session_epoch
    assert len(confirm_totp(session, own(), VAULT, "tran.an", code=code_at(secret, 0))) == 10
    assert account.session_epoch == epoch + 1
    assert authenticate(session, own(), "tran.an", PASSWORD).needs_code


def test_the_password_alone_is_no_use_of_the_account(session: Session, account: Account) -> None:
    secret, _ = switched_on(session, account)
    account.last_login_at = None
    authenticate(session, own(60), "tran.an", PASSWORD)
    assert account.last_login_at is None
    assert give_code(session, account, code_at(secret, 60), 60).account is account
    assert account.last_login_at == own(60).at
    words = session.scalars(select(AccessLog.path).order_by(AccessLog.id)).all()
    assert words == ["password", "password", "ok"]


def test_a_code_is_taken_once(session: Session, account: Account) -> None:
    secret, _ = switched_on(session, account)
    assert give_code(session, account, code_at(secret, 0), 5).refusal == WRONG_CODE
    code = code_at(secret, 60)
    assert give_code(session, account, f"{code[:3]} {code[3:]}", 60).account is account
    assert give_code(session, account, code, 65).refusal == WRONG_CODE


def test_an_earlier_code_than_the_last_one_is_refused(session: Session, account: Account) -> None:
    secret, _ = switched_on(session, account)
    assert give_code(session, account, code_at(secret, 120), 120).account is account
    assert give_code(session, account, code_at(secret, 90), 121).refusal == WRONG_CODE


@pytest.mark.parametrize(("drift", "taken"), [(-60, False), (-30, True), (30, True), (60, False)])
def test_a_clock_may_be_one_step_off(
    session: Session, account: Account, drift: int, taken: bool
) -> None:
    secret, _ = switched_on(session, account)
    found = give_code(session, account, code_at(secret, 600 + drift), 600)
    assert (found.account is account) is taken


def test_five_wrong_codes_lock_the_account_though_the_password_is_right(
    session: Session, account: Account
) -> None:
    secret, _ = switched_on(session, account)
    for _ in range(4):
        found = give_code(session, account, "abc", 60)
        assert (found.refusal, found.from_the_start) == (WRONG_CODE, False)
    fifth = give_code(session, account, "abc", 60)
    assert (fifth.refusal, fifth.from_the_start) == (LOCKED, True)
    epoch = account.session_epoch
    right = code_at(secret, 90)
    still = authenticate_code(session, own(90), VAULT, account=account.id, epoch=epoch, code=right)
    assert still.refusal == LOCKED
    assert authenticate(session, own(90), "tran.an", PASSWORD).account is None
    later = 16 * 60
    assert give_code(session, account, code_at(secret, later), later).account is account
    assert account.failures == 0


def test_a_recovery_code_is_taken_once_and_stored_as_a_digest(
    session: Session, account: Account
) -> None:
    _, codes = switched_on(session, account)
    typed = f"{codes[0][:4].lower()}-{codes[0][4:8]} {codes[0][8:]}"
    assert give_code(session, account, typed, 60).account is account
    assert codes_left(session, account) == 9
    assert give_code(session, account, codes[0], 61).refusal == WRONG_CODE
    stored = b"".join(session.scalars(select(RecoveryCode.digest)).all())
    assert not any(one.encode() in stored for one in codes)


def test_new_recovery_codes_end_the_old_ones(session: Session, account: Account) -> None:
    secret, old = switched_on(session, account)
    fresh = new_recovery_codes(session, own(60), VAULT, "tran.an", code=code_at(secret, 60))
    assert len({*old, *fresh}) == 20
    assert give_code(session, account, old[1], 61).refusal == WRONG_CODE
    assert give_code(session, account, fresh[1], 62).account is account


def test_the_value_between_password_and_code_ends_with_the_sessions(
    session: Session, account: Account
) -> None:
    secret, _ = switched_on(session, account)
    found = authenticate_code(
        session,
        own(60),
        VAULT,
        account=account.id,
        epoch=account.session_epoch - 1,
        code=code_at(secret, 60),
    )
    assert (found.refusal, found.from_the_start) == (LOGIN_AGAIN, True)


def test_switching_off_needs_password_code_and_a_password_that_stands_alone(
    session: Session, account: Account
) -> None:
    secret, _ = switched_on(session, account)
    set_password(session, own(), "tran.an", SHORT, current=PASSWORD)
    right = code_at(secret, 60)
    with pytest.raises(Refused, match="từ 14 ký tự trước"):
        switch_off_totp(session, own(60), VAULT, "tran.an", current=SHORT, code=right)
    set_password(session, own(), "tran.an", PASSWORD, current=SHORT)
    with pytest.raises(Refused, match="Mật khẩu hiện tại không đúng"):
        switch_off_totp(session, own(60), VAULT, "tran.an", current="sai", code=right)
    with pytest.raises(Refused, match="Mã không đúng"):
        switch_off_totp(session, own(60), VAULT, "tran.an", current=PASSWORD, code="123")
    switch_off_totp(session, own(60), VAULT, "tran.an", current=PASSWORD, code=right)
    assert authenticate(session, own(60), "tran.an", PASSWORD).account is account
    assert account.totp_secret is None
    assert codes_left(session, account) == 0


def test_an_administrator_resets_with_a_reason_and_the_account_says_so(
    session: Session, account: Account
) -> None:
    """Rule 37."""
    switched_on(session, account)
    for stamp in (world.coordinator(), world.leadership(), world.auditor(), own()):
        with pytest.raises(NotPermitted):
            reset_totp(session, stamp, "tran.an", reason="x")
    with pytest.raises(Refused, match="lý do"):
        reset_totp(session, world.admin(), "tran.an", reason=" ")
    epoch = account.session_epoch
    reset_totp(session, world.admin(), "tran.an", reason="Mất điện thoại")
    assert (account.totp_secret, account.session_epoch) == (None, epoch + 1)
    assert account.totp_reset_at is not None
    event = world.events(session, "account", "tran.an")[-1]
    assert (event.action, event.reason) == ("totp_reset", "Mất điện thoại")
    switched_on(session, account)
    assert account.totp_reset_at is None


def test_nobody_switches_on_the_codes_of_somebody_else(session: Session, account: Account) -> None:
    with pytest.raises(NotPermitted):
        begin_totp(session, world.admin(), VAULT, "tran.an", current=PASSWORD)


def test_no_secret_and_no_code_stands_in_the_history_or_the_database(
    session: Session, account: Account
) -> None:
    """Rule 37: the history says only that one is set."""
    begin_totp(session, own(), VAULT, "tran.an", current=PASSWORD)
    secret = pending_secret(VAULT, account)
    assert secret is not None
    pending = account.totp_pending or ""
    set_password(session, world.admin(), "tran.an", PASSWORD)
    secret, codes = switched_on(session, account)
    stored = account.totp_secret or ""
    assert secret not in stored
    switch_off_totp(session, own(60), VAULT, "tran.an", current=PASSWORD, code=codes[0])
    told = "".join(
        f"{one.snapshot}{one.reason}{one.entity_id}" for one in session.scalars(select(Event)).all()
    )
    assert '"totp_secret":true' in told
    for hidden in (secret, stored, pending, *codes):
        assert hidden not in told


def test_a_secret_is_read_with_its_key_and_for_its_account_only() -> None:
    stored = VAULT.lock(7, "JBSWY3DPEHPK3PXP")
    assert VAULT.unlock(7, stored) == "JBSWY3DPEHPK3PXP"
    for vault, number in ((VAULT, 8), (Vault("another key than that of this place"), 7)):
        with pytest.raises(Unreadable):
            vault.unlock(number, stored)
    assert VAULT.secret not in repr(VAULT)


def test_a_changed_key_of_the_place_is_told_with_the_remedy(
    session: Session, account: Account
) -> None:
    secret, _ = switched_on(session, account)
    found = authenticate_code(
        session,
        own(60),
        Vault("another key than that of this place"),
        account=account.id,
        epoch=account.session_epoch,
        code=code_at(secret, 60),
    )
    assert "đặt lại mã xác thực" in (found.refusal or "")
