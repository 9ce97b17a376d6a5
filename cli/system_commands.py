"""``tiendo up``, ``doctor``, ``go-live``: running the system and seeing to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.app import Command, app, options_of
from cli.errors import FAILURE, Failed, WrongUse
from cli.output import ABSENT, Output, agreed
from cli.params import Yes

if TYPE_CHECKING:
    from operations.doctor import Finding

LEVELS = {"ok": "✓ ổn", "note": "• lưu ý", "wrong": "✗ sai"}
CHECKS = {
    "settings": "thiết lập",
    "database": "cơ sở dữ liệu",
    "mail": "máy chủ thư",
    "sign_on": "đăng nhập một lần",
    "prefect": "Prefect",
    "clock": "đồng hồ",
    "trial": "thử nghiệm",
    "catalog": "danh mục",
    "days": "ngày nghỉ",
    "contacts": "đầu mối",
    "samples": "địa chỉ mẫu",
    "accounts": "tài khoản",
    "letters": "thư",
    "runs": "lượt chạy",
    "work": "nhiệm vụ",
    "log": "lịch sử",
    "backup": "sao lưu",
    "limits": "giới hạn truy cập",
    "disk": "ổ đĩa",
}
"""What was looked at, as people read it: ``operations.doctor.Check`` in words."""


@app.command("up", cls=Command)
def up(ctx: typer.Context) -> None:
    """Chạy mọi thứ trên máy này: cổng thông tin, Prefect, lịch chạy, hộp thư thử."""
    from cli.edge import settings_of
    from deployments import embedded

    raise typer.Exit(embedded.up(settings_of(ctx)))


@app.command("deploy", cls=Command)
def deploy(
    ctx: typer.Context,
    *,
    pool: Annotated[
        str | None,
        typer.Option(
            "--pool", metavar="TÊN", help="Nhóm chạy luồng (work pool); mặc định TIENDO_WORK_POOL."
        ),
    ] = None,
) -> None:
    """Đăng ký mọi luồng và lịch chạy vào nhóm chạy luồng của Prefect; chạy lại không hại gì."""
    from cli.edge import ready, settings_of
    from deployments.pool import register
    from runtime.prefect_client import PrefectDown

    out, settings = Output(options_of(ctx).json), settings_of(ctx)
    name = pool or settings.work_pool
    if name is None:
        raise WrongUse("Cần tên nhóm chạy luồng: --pool tiendo, hoặc đặt TIENDO_WORK_POOL.")
    with ready(ctx):  # an empty database has no items yet, and so no flows of theirs
        pass
    try:
        found = register(settings, name)
    except (TimeoutError, PrefectDown) as error:
        raise Failed(str(error)) from None
    out.record({"pool": found.pool, "deployments": found.deployments, "paused": found.paused})
    out.say(f"Nhóm “{found.pool}” có {len(found.deployments)} luồng với lịch chạy của chúng.")
    for one in found.paused:
        out.say(f"Đã dừng lịch của luồng không còn dùng: {one}.")


@app.command("doctor", cls=Command)
def doctor(ctx: typer.Context) -> None:
    """Khám hệ thống: thiết lập, cơ sở dữ liệu, thư, Prefect, đồng hồ, liên hệ; việc cần làm."""
    from cli.edge import as_it_is, ready
    from cli.examination import differing, look_at_everything

    with as_it_is(ctx) as here:
        unfit = differing(here.runtime.database)
        if unfit is not None:  # looking must not upgrade it
            _show(here.out, [unfit])
            raise typer.Exit(FAILURE)
    with ready(ctx) as here:
        found = look_at_everything(here)
        _show(here.out, found)
    if any(one.level == "wrong" for one in found):
        raise typer.Exit(FAILURE)


@app.command("go-live", cls=Command)
def go_live_(ctx: typer.Context, yes: Yes = False) -> None:
    """Chuyển cơ sở dữ liệu thử nghiệm sang dùng thật; khám trước, có điều sai thì từ chối."""
    from cli.edge import ready
    from cli.examination import look_at_everything
    from operations.golive import go_live

    with ready(ctx) as here:
        found = look_at_everything(here)
        database = here.runtime.database
        with database.read() as session:
            # Asked once without writing, so that nobody is asked to agree to what is refused.
            go_live(session, here.stamp(), found)
        question = f"Dùng thật {database.shown_url}? Không quay lại thử nghiệm được."
        if not agreed(question, already=yes):
            raise Failed("Chưa thay đổi gì. Thêm --yes nếu muốn chuyển mà không hỏi.")
        with database.write() as session:
            go_live(session, here.stamp(), found)
        here.out.record({"trial": False, "database": database.shown_url})
        here.out.say("Từ giờ cơ sở dữ liệu này dùng thật.")


def _show(out: Output, found: list[Finding]) -> None:
    for one in found:
        out.record({"check": one.check, "level": one.level, "text": one.text, "remedy": one.remedy})
    out.table(
        ("Mục", "", "Thấy gì", "Cần làm gì"),
        [(CHECKS[one.check], LEVELS[one.level], one.text, one.remedy or ABSENT) for one in found],
        keep=(0, 1),
    )
    wrong = sum(1 for one in found if one.level == "wrong")
    out.say(f"{wrong} điều sai cần sửa." if wrong else "Không có điều gì sai.")
