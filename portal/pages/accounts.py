"""Danh mục, tài khoản: opened with a basis, given a password, switched off and on (40)."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Account, AgencyRow
from operations.account_links import issue_password_link
from operations.account_plans import set_plans
from operations.accounts import (
    NewAccount,
    add_account,
    disable_account,
    enable_account,
    find_account,
    list_accounts,
    set_email,
    set_password,
)
from operations.errors import Refused
from operations.plans_seen import plan_names, plans_of
from operations.stamp import Stamp
from operations.state import load_directory
from operations.totp import reset_totp
from portal.attempts import attempt
from portal.catalog_tables import accounts_table
from portal.errors import NotThere
from portal.exporting import takes_away
from portal.filing import Do, file_form
from portal.forms import FormState, Posted, posted
from portal.pages.contacts import BASE
from portal.portal import address_of, portal_of
from portal.reading import Reading
from portal.throttle import POSTS
from portal.told import told
from portal.visitors import person_of
from reports.tables import Table
from rules.actors import AccountRole

router = APIRouter()
_READ = ["GET", "HEAD"]
ACCOUNTS: Final = f"{BASE}/tai-khoan"
ADD: Final = "mo"
LINK: Final = "lien-ket"
ROLE_WORDS: Final = {
    AccountRole.AGENCY: "Cơ quan: việc của cơ quan mình",
    AccountRole.COORDINATOR: "Điều phối: chuyên viên theo dõi chung",
    AccountRole.LEADERSHIP: "Lãnh đạo: quyết định, duyệt",
    AccountRole.AUDITOR: "Kiểm tra, thanh tra: xem tất cả, không sửa",
    AccountRole.ADMIN: "Quản trị hệ thống",
}
_EMPTY_PASSWORD: Final = "Đề nghị nhập mật khẩu mới, từ 14 ký tự."  # noqa: S105 - a sentence


def ticked_plans(session: Session, reading: Reading) -> tuple[str, ...]:
    """The plans that a form names; none, for every plan."""
    return tuple(key for key in plan_names(session) if reading.posted.ticked(f"plan.{key}"))


def show_accounts(request: Request, form: FormState, status: int) -> Response:
    """All accounts, and the form that opens one."""
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        rows = list_accounts(session)
        directory = load_directory(session)
        plans = plan_names(session)
    return portal.pages(
        request,
        "accounts.html",
        status=status,
        accounts=rows,
        names={one.key: one.name for one in directory.agencies},
        agencies=directory.valid_on(portal.today),
        roles=ROLE_WORDS,
        plans=plans,
        form=form,
        now=portal.runtime.clock.now(),
        today=portal.today,
        said=told(request),
    )


@router.api_route(ACCOUNTS, methods=_READ, name="accounts")
def accounts(request: Request) -> Response:
    """The accounts."""
    return show_accounts(request, FormState(), 200)


def _file(request: Request) -> Table:
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        names = {one.key: one.name for one in load_directory(session).agencies}
        roles = {role.value: word.partition(":")[0] for role, word in ROLE_WORDS.items()}
        return accounts_table(list_accounts(session), names, roles, portal.runtime.clock.now())


takes_away(router, "accounts", _file)


def _add(session: Session, stamp: Stamp, reading: Reading) -> str:
    given = reading.line("role")
    if given not in set(AccountRole):
        reading.errors.setdefault("role", "Đề nghị chọn vai trò.")
    username, name = reading.line("username"), reading.line("name")
    post, email = reading.line("post"), reading.line("email")
    agency, basis = reading.line("agency"), reading.line("basis")
    valid_to = reading.day("valid_to")
    if reading.errors:
        # Without a role the rest cannot be checked; what lacks in any case is told as well.
        reading.needed("username", "Đề nghị ghi tên đăng nhập, ví dụ nguyen.van.a.")
        reading.needed("name", "Đề nghị ghi họ và tên người dùng.")
    reading.done()
    row = add_account(
        session,
        stamp,
        NewAccount(
            username=username,
            name=name,
            role=AccountRole(given),
            password=reading.posted.secrets.get("password") or None,
            post=post or None,
            email=email or None,
            agency=agency or None,
            basis=basis or None,
            valid_to=valid_to,
            plans=ticked_plans(session, reading),
        ),
    )
    waits = "" if row.password_hash else " Chưa có mật khẩu nên chưa đăng nhập được."
    return f"Đã mở tài khoản {row.username}.{waits}"


@router.post(ACCOUNTS, name="accounts_add")
def accounts_add(request: Request, form: Annotated[Posted, Depends(posted)]) -> Response:
    """Open an account."""
    return file_form(
        request,
        form,
        ADD,
        _add,
        then=ACCOUNTS,
        show=lambda state, code: show_accounts(request, state, code),
    )


def show_account(
    request: Request, username: str, form: FormState, status: int, *, link: str = ""
) -> Response:
    """One account and what may be done with it."""
    portal, person = portal_of(request), person_of(request)
    with portal.runtime.database.read() as session:
        row: Account | None = find_account(session, username)
        if row is None:
            raise NotThere("Không có tài khoản này.")
        named = select(AgencyRow.name).where(AgencyRow.key == row.agency_key)
        agency = session.scalars(named).one_or_none()
        plans = plan_names(session)
    return portal.pages(
        request,
        "account.html",
        status=status,
        account=row,
        agency=agency,
        roles=ROLE_WORDS,
        plans=plans,
        seen=plans_of(row.plans),
        own=row.username == person.username,
        link=link,
        now=portal.runtime.clock.now(),
        form=form,
        said=told(request),
    )


@router.api_route(ACCOUNTS + "/{name}", methods=_READ, name="account")
def account(request: Request, name: str) -> Response:
    """One account."""
    return show_account(request, name, FormState(), 200)


def _password(username: str) -> Do:
    def do(session: Session, stamp: Stamp, reading: Reading) -> str:
        new = reading.posted.secrets.get("password", "")
        if not new:
            raise Refused(_EMPTY_PASSWORD, field="password")
        set_password(session, stamp, username, new)
        return "Đã đặt mật khẩu mới; các phiên đang mở của tài khoản này đã kết thúc."

    return do


def _email(username: str) -> Do:
    def do(session: Session, stamp: Stamp, reading: Reading) -> str:
        email = reading.line("email")
        reading.done()
        changed = set_email(session, stamp, username, email or None)
        return "Đã sửa thư điện tử." if changed else "Thư điện tử không thay đổi."

    return do


def _plans(username: str) -> Do:
    def do(session: Session, stamp: Stamp, reading: Reading) -> str:
        wanted = ticked_plans(session, reading)
        if not set_plans(session, stamp, username, wanted):
            return "Các đề án được xem không thay đổi."
        names = plan_names(session)
        told = ", ".join(names[key] for key in wanted) if wanted else "mọi đề án"
        return f"Tài khoản này nay xem: {told}."

    return do


def _switch(username: str, *, on: bool) -> Do:
    def do(session: Session, stamp: Stamp, reading: Reading) -> str:
        reason = reading.text("reason")
        reading.done()
        if on:
            enable_account(session, stamp, username, reason=reason)
            return "Đã mở lại tài khoản."
        disable_account(session, stamp, username, reason=reason)
        return "Đã ngừng tài khoản; lịch sử vẫn giữ tên người dùng."

    return do


def _reset(username: str) -> Do:
    def do(session: Session, stamp: Stamp, reading: Reading) -> str:
        reason = reading.text("reason")
        reading.done()
        reset_totp(session, stamp, username, reason=reason)
        return (
            "Đã đặt lại mã xác thực; các phiên đang mở đã kết thúc. Đề nghị báo người dùng đăng "
            "nhập và bật lại mã xác thực."
        )

    return do


def _link(request: Request, username: str) -> Response:
    """A one-time link, shown once: it stands in no address and in no log."""
    portal, person = portal_of(request), person_of(request)
    portal.throttle.hit(POSTS, f"account:{person.account}")
    stamp, secret = portal.stamp(person.actor(address_of(request))), portal.runtime.link_secret
    made: list[str] = []
    failed = attempt(
        portal,
        FormState(deed=LINK),
        lambda session: made.append(issue_password_link(session, stamp, username, secret=secret)),
    )
    if failed is not None:
        return show_account(request, username, failed.form, failed.status)
    link = f"{portal.runtime.settings.portal_url}{made[0]}"
    return show_account(request, username, FormState(), 200, link=link)


@router.post(ACCOUNTS + "/{name}/{deed}", name="account_act")
def account_act(
    request: Request, name: str, deed: str, form: Annotated[Posted, Depends(posted)]
) -> Response:
    """Give a password or a link for one, correct the address, take codes away, switch off or on."""
    if deed == LINK:
        return _link(request, name)
    deeds: dict[str, Do] = {
        "mat-khau": _password(name),
        "thu-dien-tu": _email(name),
        "de-an": _plans(name),
        "ngung": _switch(name, on=False),
        "mo-lai": _switch(name, on=True),
        "dat-lai-ma": _reset(name),
    }
    if deed not in deeds:
        raise NotThere
    return file_form(
        request,
        form,
        deed,
        deeds[deed],
        then=f"{ACCOUNTS}/{name}",
        show=lambda state, code: show_account(request, name, state, code),
    )
