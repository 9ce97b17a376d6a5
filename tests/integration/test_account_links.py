"""One-time links to the door: the first account, a new password; and accounts nobody uses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy.orm import Session

from models.tables import Account, AccountLink, AccountLinkPurpose
from operations import accounts
from operations.account_links import (
    FIRST_PATH,
    PASSWORD_PATH,
    AccountLinkForged,
    AccountLinkRefused,
    FirstAccounts,
    check_link,
    issue_first_link,
    issue_password_link,
    open_first_accounts,
    set_password_by_link,
)
from operations.accounts import NewAccount, add_account, disable_account, set_password
from operations.errors import NotPermitted, Refused
from operations.login import authenticate, disable_unused
from operations.stamp import Stamp
from rules.actors import AccountRole, Actor, ActorKind
from tests import world

SECRET = "a key that only this place has, for tests"
PASSWORD = "sáu con cá vàng bơi"
FIRST = FirstAccounts(username="Quan.Tri", name="Lê Văn Bình", password=PASSWORD)
ADMIN = NewAccount(username="qtht", name="Quản trị", role=AccountRole.ADMIN, password=PASSWORD)


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many steps as the algorithm allows to leave out; the code is the same."""
    monkeypatch.setattr(accounts, "_HASHER", PasswordHasher(1, 8, 1))
    accounts._nobodys_hash.cache_clear()


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    with world.opened(database_url) as session:
        yield session


def operator(hours: float = 0) -> Stamp:
    actor = Actor(kind=ActorKind.OPERATOR, name="root", address="10.0.0.7")
    return Stamp(at=world.at(world.TODAY) + timedelta(hours=hours), as_of=world.TODAY, actor=actor)


def first_text(session: Session) -> str:
    path = issue_first_link(session, operator(), secret=SECRET)
    assert path is not None
    assert path.startswith(FIRST_PATH)
    return path.removeprefix(FIRST_PATH)


def check(
    session: Session,
    text: str,
    hours: float = 0,
    purpose: AccountLinkPurpose = AccountLinkPurpose.FIRST,
    secret: str = SECRET,
) -> AccountLink:
    return check_link(session, operator(hours), text, purpose, secret=secret, lock=True)


def password_text(session: Session, username: str = "qtht") -> str:
    path = issue_password_link(session, operator(), username, secret=SECRET)
    return path.removeprefix(PASSWORD_PATH)


def test_the_first_account_is_opened_by_a_link_and_signs_in(session: Session) -> None:
    link = check(session, first_text(session))
    assert open_first_accounts(session, operator(), link, FIRST, secret=SECRET) is None
    login = authenticate(session, operator(), "quan.tri", PASSWORD)
    assert login.account is not None
    assert login.account.role == "admin"
    (event,) = world.events(session, "account", "quan.tri")
    assert (event.actor_name, event.address) == ("Lê Văn Bình", "10.0.0.7")
    assert issue_first_link(session, operator(), secret=SECRET) is None


def test_with_one_tick_the_coordinator_has_an_account_whose_password_waits(
    session: Session,
) -> None:
    link = check(session, first_text(session))
    both = replace(FIRST, agency=world.COORDINATOR)
    path = open_first_accounts(session, operator(), link, both, secret=SECRET)
    assert path is not None
    found = check(session, path.removeprefix(PASSWORD_PATH), purpose=AccountLinkPurpose.PASSWORD)
    row = set_password_by_link(session, operator(), found, PASSWORD)
    assert (row.username, row.role, row.agency_key) == (
        "dieu.phoi",
        "coordinator",
        world.COORDINATOR,
    )
    assert authenticate(session, operator(), "dieu.phoi", PASSWORD).account is row


def test_the_first_link_is_good_once(session: Session) -> None:
    text = first_text(session)
    open_first_accounts(session, operator(), check(session, text), FIRST, secret=SECRET)
    with pytest.raises(AccountLinkRefused, match="đã được dùng để tạo tài khoản"):
        check(session, text)


@pytest.mark.parametrize("role", [AccountRole.ADMIN, AccountRole.COORDINATOR])
def test_the_first_link_ends_as_soon_as_somebody_else_can_open_accounts_or_coordinate(
    session: Session, role: AccountRole
) -> None:
    text = first_text(session)
    new = replace(ADMIN, role=role, agency=world.COORDINATOR)
    add_account(session, operator(), new)
    with pytest.raises(AccountLinkRefused, match="đã có tài khoản"):
        check(session, text)


def test_links_expire(session: Session) -> None:
    text = first_text(session)
    assert check(session, text, hours=23.9)
    with pytest.raises(AccountLinkRefused, match="hết hạn"):
        check(session, text, hours=24)
    add_account(session, operator(), ADMIN)
    text = password_text(session)
    assert check(session, text, hours=71.9, purpose=AccountLinkPurpose.PASSWORD)
    with pytest.raises(AccountLinkRefused, match="hết hạn"):
        check(session, text, hours=72, purpose=AccountLinkPurpose.PASSWORD)


def test_only_the_link_that_was_printed_last_opens_anything(session: Session) -> None:
    old, new = first_text(session), first_text(session)
    with pytest.raises(AccountLinkRefused, match="đã được thay"):
        check(session, old)
    assert check(session, new)


def test_a_forged_link_opens_nothing(session: Session) -> None:
    text = first_text(session)
    for wrong in (text[:-1], f"x{text}", "x", "", "đ.đ", text.partition(".")[0]):
        with pytest.raises(AccountLinkForged):
            check(session, wrong)
    with pytest.raises(AccountLinkForged):
        check(session, text, secret="another key than that of this place")
    with pytest.raises(AccountLinkForged):
        check(session, text, purpose=AccountLinkPurpose.PASSWORD)


def test_a_password_link_is_good_once_and_the_event_names_the_person(session: Session) -> None:
    row = add_account(session, operator(), replace(ADMIN, password=None))
    text = password_text(session)
    link = check(session, text, purpose=AccountLinkPurpose.PASSWORD)
    with pytest.raises(Refused, match="từ 14 ký tự"):
        set_password_by_link(session, operator(), link, "ngắn")
    session.expire(link)
    link.used_at = None
    set_password_by_link(session, operator(), link, PASSWORD)
    assert authenticate(session, operator(), "qtht", PASSWORD).account is row
    event = world.events(session, "account", "qtht")[-1]
    assert (event.action, event.actor_account) == ("set_password", "qtht")
    with pytest.raises(AccountLinkRefused, match="đã được dùng để đặt mật khẩu"):
        check(session, text, purpose=AccountLinkPurpose.PASSWORD)


def test_a_password_link_ends_with_a_new_password_and_with_the_account(session: Session) -> None:
    add_account(session, operator(), ADMIN)
    text = password_text(session)
    set_password(session, operator(), "qtht", PASSWORD)
    with pytest.raises(AccountLinkRefused, match="thu hồi"):
        check(session, text, purpose=AccountLinkPurpose.PASSWORD)
    text = password_text(session)
    disable_account(session, operator(), "qtht", reason="Chuyển công tác")
    with pytest.raises(AccountLinkRefused, match="thu hồi"):
        check(session, text, purpose=AccountLinkPurpose.PASSWORD)
    with pytest.raises(Refused, match="mở lại"):
        password_text(session)


def test_only_administrators_give_password_links(session: Session) -> None:
    add_account(session, operator(), ADMIN)
    for stamp in (world.coordinator(), world.leadership(), world.auditor(), world.agency()):
        with pytest.raises(NotPermitted):
            issue_password_link(session, stamp, "qtht", secret=SECRET)


def test_the_last_administrator_is_never_switched_off_for_want_of_use(session: Session) -> None:
    for new in (ADMIN, replace(ADMIN, username="qtht2"), replace(ADMIN, username="qtht3")):
        add_account(session, operator(), new)
    authenticate(session, operator(1), "qtht2", PASSWORD)
    agency = NewAccount(
        username="agency", name="An", role=AccountRole.AGENCY, agency=world.A, password=PASSWORD
    )
    add_account(session, operator(), agency)
    later = world.flow(world.TODAY + timedelta(days=60))
    assert disable_unused(session, later) == ("qtht", "qtht3", "agency")
    visitor = Stamp(at=later.at, as_of=later.as_of, actor=operator().actor)
    login = authenticate(session, visitor, "qtht2", PASSWORD)
    assert isinstance(login.account, Account)


def test_an_administrator_who_cannot_sign_in_does_not_count_as_the_last(session: Session) -> None:
    add_account(session, operator(), ADMIN)
    add_account(session, operator(1), replace(ADMIN, username="moi", password=None))
    ended = replace(ADMIN, username="het.han", valid_to=world.TODAY)
    add_account(session, operator(2), ended)
    later = world.flow(world.TODAY + timedelta(days=60))
    assert disable_unused(session, later) == ("moi", "het.han")
