"""``tiendo accounts``: opening accounts, listing them, passwords, switching off and on.

A password is asked for or read from stdin, and never stands in the command line, where others on
the machine could read it.
"""

from __future__ import annotations

import sys
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from cli.app import Command, group
from cli.errors import WrongUse
from cli.output import ABSENT, shown
from cli.params import Reason, day, one_of
from cli.words import ACCOUNT_ROLES

if TYPE_CHECKING:
    from cli.edge import Here
    from models.tables import Account

accounts = group("accounts", "Tài khoản: mở, liệt kê, mật khẩu, ngừng và mở lại.")

Username = Annotated[str, typer.Argument(metavar="USERNAME", help="Tên đăng nhập.")]
FromStdin = Annotated[
    bool,
    typer.Option("--password-stdin", help="Đọc mật khẩu từ dòng đầu của đầu vào chuẩn."),
]

Plans = Annotated[
    list[str] | None,
    typer.Option(
        "--plan", metavar="MÃ", help="Đề án được xem, dùng nhiều lần được; mặc định mọi đề án."
    ),
]


@accounts.command("add", cls=Command)
def add(
    ctx: typer.Context,
    *,
    username: Username,
    name: Annotated[str, typer.Option("--name", metavar="HỌ TÊN", help="Họ và tên.")],
    role: Annotated[
        str,
        typer.Option(
            "--role",
            parser=one_of(ACCOUNT_ROLES, "vai trò"),
            metavar="TỪ",
            help=f"Vai trò: {', '.join(ACCOUNT_ROLES)}.",
        ),
    ],
    agency: Annotated[
        str | None,
        typer.Option(
            "--agency",
            metavar="MÃ",
            help="Cơ quan; điều phối, lãnh đạo mặc định thuộc cơ quan điều phối.",
        ),
    ] = None,
    post: Annotated[str | None, typer.Option("--post", metavar="CHỨC VỤ", help="Chức vụ.")] = None,
    email: Annotated[
        str | None, typer.Option("--email", metavar="ĐỊA CHỈ", help="Thư điện tử công vụ.")
    ] = None,
    basis: Annotated[
        str | None,
        typer.Option("--basis", metavar="CĂN CỨ", help="Căn cứ mở tài khoản, ví dụ số văn bản."),
    ] = None,
    valid_to: Annotated[
        date | None,
        typer.Option("--valid-to", parser=day, metavar="NGÀY", help="Ngày cuối được dùng."),
    ] = None,
    plan: Plans = None,
    password_stdin: FromStdin = False,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="Chưa đặt mật khẩu; chưa đăng nhập được.")
    ] = False,
) -> None:
    """Mở một tài khoản; mật khẩu được hỏi, hoặc đọc từ đầu vào chuẩn."""
    from cli.edge import ready
    from operations.accounts import NewAccount, add_account
    from rules.actors import AccountRole

    with ready(ctx) as here:
        password = None if no_password else _password(from_stdin=password_stdin)
        with here.runtime.database.write() as session:
            row = add_account(
                session,
                here.stamp(),
                NewAccount(
                    username=username,
                    name=name,
                    role=AccountRole(role),
                    password=password,
                    post=post,
                    email=email,
                    agency=agency or _own_agency(here, role),
                    basis=basis,
                    valid_to=valid_to,
                    plans=tuple(plan or ()),
                ),
            )
            here.out.record(_as_json(row))
        here.out.say(f"Đã mở tài khoản {row.username} ({ACCOUNT_ROLES[role]}): {row.name}.")


@accounts.command("list", cls=Command)
def list_(ctx: typer.Context) -> None:
    """Liệt kê tài khoản, cả những tài khoản đã ngừng."""
    from cli.edge import reading
    from operations.accounts import list_accounts

    with reading(ctx) as (here, session):
        rows = list_accounts(session)
        for row in rows:
            here.out.record(_as_json(row))
        here.out.table(
            ("Tên đăng nhập", "Họ và tên", "Vai trò", "Cơ quan", "Đến ngày", "Đang dùng"),
            [
                (
                    row.username,
                    row.name,
                    ACCOUNT_ROLES[row.role],
                    row.agency_key or ABSENT,
                    shown(row.valid_to),
                    "có" if row.active else "không",
                )
                for row in rows
            ],
            keep=(0,),
        )
        here.out.say(f"{len(rows)} tài khoản.")


@accounts.command("password", cls=Command)
def password_(ctx: typer.Context, username: Username, password_stdin: FromStdin = False) -> None:
    """Đặt lại mật khẩu; mọi phiên đăng nhập của tài khoản kết thúc."""
    from cli.edge import ready
    from operations.accounts import set_password

    with ready(ctx) as here:
        new = _password(from_stdin=password_stdin)
        with here.runtime.database.write() as session:
            set_password(session, here.stamp(), username, new)
        here.out.record({"username": username, "password": "set"})
        here.out.say(f"Đã đặt lại mật khẩu của {username}.")


@accounts.command("plans", cls=Command)
def plans_(ctx: typer.Context, username: Username, plan: Plans = None) -> None:
    """Chọn các đề án mà một tài khoản được xem; không nêu đề án nào là mọi đề án."""
    from cli.edge import ready
    from operations.account_plans import set_plans

    with ready(ctx) as here:
        with here.runtime.database.write() as session:
            set_plans(session, here.stamp(), username, plan or ())
        here.out.record({"username": username, "plans": sorted(set(plan or ())) or None})
        told = ", ".join(sorted(set(plan or ()))) or "mọi đề án"
        here.out.say(f"Tài khoản {username} nay xem: {told}.")


@accounts.command("disable", cls=Command)
def disable(ctx: typer.Context, username: Username, reason: Reason = None) -> None:
    """Ngừng một tài khoản; lịch sử của tài khoản vẫn giữ."""
    from cli.edge import ready
    from operations.accounts import disable_account

    with ready(ctx) as here:
        with here.runtime.database.write() as session:
            disable_account(session, here.stamp(), username, reason=reason or "")
        here.out.record({"username": username, "active": False})
        here.out.say(f"Đã ngừng tài khoản {username}.")


@accounts.command("enable", cls=Command)
def enable(ctx: typer.Context, username: Username, reason: Reason = None) -> None:
    """Mở lại một tài khoản đã ngừng hoặc đang bị khóa."""
    from cli.edge import ready
    from operations.accounts import enable_account

    with ready(ctx) as here:
        with here.runtime.database.write() as session:
            enable_account(session, here.stamp(), username, reason=reason or "")
        here.out.record({"username": username, "active": True})
        here.out.say(f"Đã mở lại tài khoản {username}.")


@accounts.command("invite", cls=Command)
def invite(ctx: typer.Context, username: Username) -> None:
    """In liên kết một lần để người dùng tự đặt mật khẩu; giữ 72 giờ."""
    from cli.edge import ready
    from operations.account_links import issue_password_link

    with ready(ctx) as here:
        with here.runtime.database.write() as session:
            secret = here.runtime.link_secret
            path = issue_password_link(session, here.stamp(), username, secret=secret)
        link = f"{here.runtime.settings.portal_url}{path}"
        here.out.record({"username": username, "link": link})
        here.out.say(f"Liên kết đặt mật khẩu cho {username}, dùng một lần, trong 72 giờ:\n{link}")


@accounts.command("reset-totp", cls=Command)
def reset_totp_(ctx: typer.Context, username: Username, reason: Reason = None) -> None:
    """Đặt lại mã xác thực của người mất điện thoại; người đó bật lại sau khi đăng nhập."""
    from cli.edge import ready
    from operations.totp import reset_totp

    with ready(ctx) as here:
        with here.runtime.database.write() as session:
            reset_totp(session, here.stamp(), username, reason=reason or "")
        here.out.record({"username": username, "totp": "reset"})
        here.out.say(f"Đã đặt lại mã xác thực của {username}.")


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        found = sys.stdin.readline().rstrip("\r\n")
        if not found:
            raise WrongUse("Dòng đầu của đầu vào chuẩn rỗng; cần mật khẩu.", field="password_stdin")
        return found
    if not sys.stdin.isatty():
        msg = "Không có bàn phím để hỏi mật khẩu: thêm --password-stdin."
        raise WrongUse(msg, field="password_stdin")
    import getpass

    first = getpass.getpass("Mật khẩu: ")
    if first != getpass.getpass("Nhập lại mật khẩu: "):
        raise WrongUse("Hai lần nhập mật khẩu không giống nhau.", field="password")
    return first


def _own_agency(here: Here, role: str) -> str | None:
    """The coordinating agency for its own staff and leadership, where all plans have the same."""
    if role not in {"coordinator", "leadership"}:
        return None
    from operations.state import load_state

    with here.runtime.database.read() as session:
        found = {load_state(session, key).coordinator(here.today(key)) for key in here.plans()}
    return found.pop() if len(found) == 1 else None


def _as_json(row: Account) -> dict[str, object]:
    return {
        "username": row.username,
        "name": row.name,
        "role": row.role,
        "agency": row.agency_key,
        "post": row.post,
        "email": row.email,
        "basis": row.basis,
        "valid_to": row.valid_to,
        "plans": None if row.plans is None else row.plans.split(),
        "active": row.active,
        "last_login_at": row.last_login_at,
    }
