"""``tiendo database``: what whoever administers the database needs."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.app import Command, group
from cli.errors import WrongUse

database = group("database", "Cơ sở dữ liệu: nâng cấp, vai trò trên PostgreSQL.")


@database.command("upgrade", cls=Command)
def upgrade_(ctx: typer.Context) -> None:
    """Nâng cấp các bảng, dùng vai trò sở hữu; không làm gì khi đã đúng phiên bản."""
    from cli.app import options_of
    from cli.edge import settings_of
    from cli.output import Output
    from models.migrate import upgrade
    from models.revision import code_revision
    from runtime.wiring import open_runtime

    out = Output(options_of(ctx).json)
    with open_runtime(settings_of(ctx)) as runtime:
        changed = upgrade(runtime.database)
    revision = code_revision()
    out.record({"changed": changed, "revision": revision})
    out.say(f"Đã nâng cấp lên phiên bản {revision}." if changed else f"Đã ở phiên bản {revision}.")


@database.command("roles", cls=Command)
def roles(
    ctx: typer.Context,
    *,
    worker: Annotated[
        str,
        typer.Option(
            "--worker",
            metavar="TÊN",
            help="Vai trò mà cổng thông tin và các luồng dùng để kết nối.",
        ),
    ],
    owner: Annotated[
        str | None,
        typer.Option(
            "--owner",
            metavar="TÊN",
            help="Vai trò sẽ sở hữu các bảng; cần khi vai trò làm việc đang sở hữu chúng.",
        ),
    ] = None,
) -> None:
    """In lệnh SQL để vai trò làm việc không sửa, không xóa được lịch sử (chỉ PostgreSQL)."""
    from cli.app import options_of
    from cli.output import Output
    from models.roles import BadRoleName, roles_sql

    out = Output(options_of(ctx).json)
    try:
        sql = roles_sql(worker, owner)
    except BadRoleName as bad:
        msg = f"“{bad}”: tên vai trò chỉ gồm chữ thường không dấu, chữ số và dấu gạch dưới."
        raise WrongUse(msg) from None
    out.record({"sql": sql})
    out.say(sql.rstrip("\n"))
    out.note(
        "Chạy bằng quản trị cơ sở dữ liệu, ngay trong cơ sở dữ liệu này: "
        "tiendo database roles … | psql -v ON_ERROR_STOP=1 CSDL; chạy lại sau mỗi lần nâng cấp. "
        f"Đặt mật khẩu cho {worker} bằng \\password."
    )
