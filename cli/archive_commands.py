"""``tiendo archive``: what may leave the database by age, written into files first."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.app import Command, group
from cli.errors import Failed
from cli.output import agreed
from cli.params import Yes

archive = group("archive", "Lưu ra tệp rồi mới bỏ khỏi cơ sở dữ liệu; mặc định không bỏ gì.")


@archive.command("access-log", cls=Command)
def access_log(
    ctx: typer.Context,
    years: Annotated[
        int | None,
        typer.Option(
            "--years",
            min=1,
            max=100,
            metavar="SỐ",
            help="Số năm trọn vẹn còn giữ; mặc định theo TIENDO_ACCESS_KEEP_YEARS.",
        ),
    ] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Lưu ra tệp và xóa; không có thì chỉ cho xem.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Nhật ký truy cập của những năm cũ: xem có gì, lưu ra tệp, rồi xóa khỏi cơ sở dữ liệu."""
    from cli.edge import ready
    from runtime.archiving import archive as carry_out
    from runtime.archiving import due

    with ready(ctx) as here:
        keep = years or here.runtime.settings.access_keep_years
        if keep is None:
            raise Failed(
                "Chưa đặt số năm giữ nhật ký truy cập nên không có gì bị xóa. Muốn xóa năm cũ: đặt "
                "TIENDO_ACCESS_KEEP_YEARS hoặc thêm --years."
            )
        found = due(here.runtime, here.stamp(), keep=keep)
        if not apply:
            for one in found:
                here.out.record({"year": one.year, "rows": one.rows, "file": None, "sha256": None})
            here.out.table(("Năm", "Số dòng"), [(one.year, one.rows) for one in found], keep=(0, 1))
        if not found:
            here.out.say(f"Không có năm nào cũ hơn {keep} năm trọn vẹn đang giữ.")
            return
        if not apply:
            here.out.say("Chưa xóa gì. Thêm --apply để lưu ra tệp rồi xóa.")
            return
        total = sum(one.rows for one in found)
        if not agreed(f"Lưu {total} dòng của {len(found)} năm ra tệp rồi xóa?", already=yes):
            raise Failed("Chưa xóa gì. Thêm --yes nếu muốn làm mà không hỏi.")
        for done in carry_out(here.runtime, here.stamp(), keep=keep):
            here.out.record(
                {
                    "year": done.year,
                    "rows": done.rows,
                    "file": str(done.path),
                    "sha256": done.sha256,
                }
            )
            here.out.say(f"Năm {done.year}: {done.rows} dòng đã lưu ở {done.path} và xóa.")
