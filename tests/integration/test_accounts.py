"""Accounts and logging in."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import AccessLog, Account
from operations import accounts
from operations.accounts import (
    NewAccount,
    add_account,
    disable_account,
    enable_account,
    list_accounts,
    set_password,
)
from operations.errors import NotFound, NotPermitted, Refused
from operations.login import WRONG, Login, authenticate, disable_unused
from operations.stamp import Stamp
from rules.actors import AccountRole, Actor, ActorKind
from tests import world
from tests.world import TODAY, A

PASSWORD = "sáu con cá vàng bơi"
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


def visitor(minutes: int = 0, day: date = TODAY) -> Stamp:
    actor = Actor(kind=ActorKind.PERSON, name="?", address="10.0.0.7")
    return Stamp(at=world.at(day) + timedelta(minutes=minutes), as_of=day, actor=actor)


def own(stamp_of: Account) -> Stamp:
    actor = Actor(
        kind=ActorKind.PERSON,
        name=stamp_of.name,
        role=AccountRole(stamp_of.role),
        account=stamp_of.username,
        agency=stamp_of.agency_key,
    )
    return world.stamp(actor)


def log_in(session: Session, password: str = PASSWORD, minutes: int = 0) -> Login:
    return authenticate(session, visitor(minutes), "tran.an", password)


def test_the_right_password_opens_the_account(session: Session, account: Account) -> None:
    login = authenticate(session, visitor(), " TRAN.AN ", PASSWORD)
    assert login.account is account
    assert not login.needs_code
    assert account.last_login_at == visitor().at


def test_no_password_is_stored_or_told(session: Session, account: Account) -> None:
    """Rule 37: the history says only that one is set."""
    assert PASSWORD not in (account.password_hash or "")
    assert (account.password_hash or "").startswith("$argon2id$")
    (event,) = world.events(session, "account", "tran.an")
    assert '"password_hash":true' in event.snapshot


def test_unknown_names_wrong_passwords_and_locked_accounts_read_alike(
    session: Session, account: Account
) -> None:
    assert authenticate(session, visitor(), "nobody", PASSWORD).refusal == WRONG
    assert log_in(session, "sai").refusal == WRONG
    account.locked_until = visitor(5).at
    session.flush()
    assert log_in(session).refusal == WRONG


def test_an_unknown_name_costs_as_much_as_a_wrong_password(
    session: Session, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []
    hasher = accounts._HASHER

    class Counting:
        def verify(self, stored: str, password: str) -> bool:
            verified.append(password)
            return hasher.verify(stored, password)

        def hash(self, password: str) -> str:
            return hasher.hash(password)

        def check_needs_rehash(self, stored: str) -> bool:
            return hasher.check_needs_rehash(stored)

    monkeypatch.setattr(accounts, "_HASHER", Counting())
    authenticate(session, visitor(), "nobody", "một")
    log_in(session, "hai")
    account.locked_until = visitor(5).at
    log_in(session, "ba")
    assert verified == ["một", "hai", "ba"]


def test_five_wrong_passwords_lock_for_fifteen_minutes(session: Session, account: Account) -> None:
    for _ in range(5):
        log_in(session, "sai")
    assert log_in(session, minutes=14).account is None
    assert log_in(session, minutes=15).account is account
    assert account.failures == 0
    assert [one.action for one in world.events(session, "account", "tran.an")] == ["add", "lock"]


def test_after_the_lock_the_count_begins_anew(session: Session, account: Account) -> None:
    for _ in range(5):
        log_in(session, "sai")
    log_in(session, "sai", minutes=16)
    assert (account.failures, account.locked_until) == (1, None)


def test_a_right_password_forgives_the_wrong_ones(session: Session, account: Account) -> None:
    for _ in range(4):
        log_in(session, "sai")
    log_in(session)
    for _ in range(4):
        log_in(session, "sai")
    assert log_in(session).account is account


def test_every_attempt_is_logged_with_its_address(session: Session, account: Account) -> None:
    log_in(session, "sai")
    log_in(session)
    authenticate(session, visitor(), "no\x00body", PASSWORD)
    rows = session.scalars(select(AccessLog).order_by(AccessLog.id)).all()
    assert [(one.actor, one.path) for one in rows] == [
        ("tran.an", "refused"),
        ("tran.an", "ok"),
        ("nobody", "refused"),
    ]
    assert {one.address for one in rows} == {"10.0.0.7"}


def test_an_account_unused_for_45_days_is_switched_off(session: Session, account: Account) -> None:
    last = TODAY + timedelta(days=45)
    assert authenticate(session, visitor(day=last), "tran.an", PASSWORD).account is account
    later = visitor(1, day=last + timedelta(days=45))
    login = authenticate(session, later, "tran.an", PASSWORD)
    assert "ngừng sử dụng" in (login.refusal or "")
    assert not account.active
    enable_account(session, world.admin(later.as_of), "tran.an", reason="Đi công tác về")
    again = visitor(2, day=later.as_of)
    assert authenticate(session, again, "tran.an", PASSWORD).account is account


def test_unused_accounts_are_switched_off_by_the_daily_run_once(
    session: Session, account: Account
) -> None:
    later = world.flow(TODAY + timedelta(days=46))
    assert disable_unused(session, later) == ("tran.an",)
    assert disable_unused(session, later) == ()


def test_an_account_that_has_ended_does_not_open(session: Session) -> None:
    ends = replace(NEW, valid_to=TODAY)
    account = add_account(session, world.admin(), ends)
    assert log_in(session).account is account
    next_day = visitor(day=TODAY + timedelta(days=1))
    login = authenticate(session, next_day, "tran.an", PASSWORD)
    assert login.refusal is not None
    assert "hết hạn ngày 1/3/2027" in login.refusal


def test_a_disabled_account_tells_so_only_to_whoever_knows_the_password(
    session: Session, account: Account
) -> None:
    disable_account(session, world.admin(), "tran.an", reason="Chuyển công tác")
    assert account.session_epoch == 1
    assert "ngừng sử dụng" in (log_in(session).refusal or "")
    assert log_in(session, "sai").refusal == WRONG


def test_an_account_without_password_does_not_open(session: Session) -> None:
    add_account(session, world.admin(), replace(NEW, password=None))
    assert log_in(session, "").refusal == WRONG


@pytest.mark.parametrize(
    ("new", "field"),
    [
        (replace(NEW, username="Nguyễn An"), "username"),
        (replace(NEW, name=" "), "name"),
        (replace(NEW, password="ngắn"), "password"),
        (replace(NEW, agency=None), "agency"),
        (replace(NEW, agency="khong_co"), "agency"),
        (replace(NEW, valid_to=date(2027, 2, 28)), "valid_to"),
        (NewAccount(username="tra", name="Đoàn", role=AccountRole.AUDITOR), "basis"),
        (
            NewAccount(username="tra", name="Đoàn", role=AccountRole.AUDITOR, basis="5/QĐ-TTr"),
            "valid_to",
        ),
    ],
)
def test_an_account_that_lacks_something_is_refused_by_field(
    session: Session, new: NewAccount, field: str
) -> None:
    with pytest.raises(Refused) as error:
        add_account(session, world.admin(), new)
    assert error.value.field == field


def test_everything_that_an_account_lacks_is_said_at_once(session: Session) -> None:
    new = NewAccount(username="Đoàn", name="", role=AccountRole.AUDITOR, password="ngắn")
    with pytest.raises(Refused) as error:
        add_account(session, world.admin(), new)
    named = [one.field for one in error.value.each]
    assert named == ["username", "name", "basis", "valid_to", "password"]


def test_an_auditors_account_has_a_basis_and_an_end(session: Session) -> None:
    new = NewAccount(
        username="doan.kiem.tra",
        name="Đoàn kiểm tra",
        role=AccountRole.AUDITOR,
        basis="5/QĐ-TTr",
        valid_to=date(2027, 6, 30),
    )
    row = add_account(session, world.admin(), new)
    assert (row.basis, row.valid_to) == ("5/QĐ-TTr", date(2027, 6, 30))


def test_a_user_name_is_taken_once(session: Session, account: Account) -> None:
    with pytest.raises(Refused, match="đã có"):
        add_account(session, world.admin(), replace(NEW, username="TRAN.AN"))


def test_only_administrators_keep_accounts(session: Session, account: Account) -> None:
    for stamp in (world.coordinator(), world.leadership(), world.agency(A), world.auditor()):
        with pytest.raises(NotPermitted):
            add_account(session, stamp, replace(NEW, username="binh"))
        with pytest.raises(NotPermitted):
            disable_account(session, stamp, "tran.an", reason="x")
        with pytest.raises(NotPermitted):
            set_password(session, stamp, "tran.an", PASSWORD)
    operator = world.stamp(Actor(kind=ActorKind.OPERATOR, name="root"))
    add_account(session, operator, replace(NEW, username="binh"))
    assert [one.username for one in list_accounts(session)] == ["binh", "tran.an"]


def test_nobody_switches_off_the_own_account(session: Session) -> None:
    admin = add_account(
        session, world.admin(), NewAccount(username="qt1", name="Quản trị", role=AccountRole.ADMIN)
    )
    with pytest.raises(NotPermitted, match="chính mình"):
        disable_account(session, own(admin), "qt1", reason="x")


def test_switching_needs_a_reason_and_a_known_name(session: Session, account: Account) -> None:
    for switch in (disable_account, enable_account):
        with pytest.raises(Refused, match="lý do"):
            switch(session, world.admin(), "tran.an", reason=" ")
        with pytest.raises(NotFound, match="binh"):
            switch(session, world.admin(), "binh", reason="x")


def test_ones_own_password_is_changed_with_the_current_one(
    session: Session, account: Account
) -> None:
    stamp = own(account)
    with pytest.raises(Refused, match="Mật khẩu hiện tại không đúng"):
        set_password(session, stamp, "tran.an", "mười hai con giáp", current="sai")
    set_password(session, stamp, "tran.an", "mười hai con giáp", current=PASSWORD)
    assert account.session_epoch == 1
    assert log_in(session).refusal == WRONG
    assert log_in(session, "mười hai con giáp").account is account


def test_a_new_password_is_long_unless_a_code_is_asked_for_as_well(
    session: Session, account: Account
) -> None:
    with pytest.raises(Refused, match="từ 14 ký tự"):
        set_password(session, world.admin(), "tran.an", "cá vàng 6")
    account.totp_secret = "JBSWY3DPEHPK3PXP"
    set_password(session, world.admin(), "tran.an", "cá vàng 6")
    login = log_in(session, "cá vàng 6")
    assert login.needs_code


def test_a_hash_of_weaker_settings_is_made_anew_at_login(
    session: Session, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = account.password_hash
    monkeypatch.setattr(accounts, "_HASHER", PasswordHasher(2, 8, 1))
    assert log_in(session).account is account
    assert account.password_hash != before
    assert log_in(session).account is account
