"""``tiendo import``: starting late, with what is known of the years before (rule 19)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.app import Command, app
from cli.errors import Failed, WrongUse
from cli.params import existing_file

if TYPE_CHECKING:
    from cli.edge import Here
    from operations.importing import Outcome


@app.command("import", cls=Command)
def import_(
    ctx: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="Tệp .xlsx đã điền theo tệp mẫu."),
    ] = None,
    *,
    template: Annotated[
        Path | None,
        typer.Option("--template", metavar="FILE", help="Chỉ ghi tệp mẫu ra đây; không nhập gì."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Chỉ kiểm tra và xem trước; không ghi gì.")
    ] = False,
    plan: Annotated[
        str | None,
        typer.Option("--plan", metavar="KEY", help="Đề án; không cần khi chỉ có một."),
    ] = None,
) -> None:
    """Nhập cơ quan, đầu mối, tài khoản, kết quả các năm trước; cả tệp hoặc không dòng nào."""
    from cli.edge import ready

    if (file is None) == (template is None):
        msg = "Đề nghị ghi tệp cần nhập, hoặc --template FILE để lấy tệp mẫu."
        raise WrongUse(msg, field="file")
    content = existing_file(str(file)).read_bytes() if file else b""
    with ready(ctx) as here:
        keys = here.plans(plan)
        if len(keys) != 1:
            msg = f"Có nhiều đề án; đề nghị thêm --plan: {', '.join(keys)}."
            raise WrongUse(msg, field="plan")
        if template is not None:
            _write_template(here, keys[0], template)
        elif file is not None:
            _tell(here, _take(here, keys[0], content, file.name, check=check), check=check)


def _write_template(here: Here, plan: str, target: Path) -> None:
    from operations.import_file import template_file

    if target.exists():
        raise Failed(f"{target} đã có; đề nghị chọn tên khác hoặc xóa tệp cũ.")
    with here.runtime.database.read() as session:
        content = template_file(session, plan, here.today())
    target.write_bytes(content)
    here.out.record({"template": str(target), "bytes": len(content)})
    here.out.say(f"Đã ghi tệp mẫu {target}.")


class _OnlyChecked(Exception):
    """Ends a transaction that was a preview."""


def _take(here: Here, plan: str, content: bytes, name: str, *, check: bool) -> Outcome:
    from operations.import_sheets import read_workbook
    from operations.importing import take_over

    sheets = read_workbook(content, name)
    found: list[Outcome] = []
    try:
        with here.runtime.database.write() as session:
            found.append(take_over(session, here.stamp(), plan, sheets, preview=check))
            if check:
                raise _OnlyChecked
    except _OnlyChecked:
        pass
    return found[0]


def _tell(here: Here, done: Outcome, *, check: bool) -> None:
    from operations.import_results import Verdict

    verdicts = done.verdicts
    here.out.record(
        {
            "checked_only": check,
            "changes": done.changes,
            "agencies": len(done.agencies.new),
            "contacts": done.contact_changes,
            "accounts": list(done.accounts.new),
            "periods": len(done.results.openings),
            "results": {one.value: verdicts[one] for one in Verdict},
        }
    )
    here.out.table(
        ("Nhiệm vụ", "Năm", "Mới", "Đính chính", "Giữ nguyên", "Chưa có dữ liệu"),
        [
            (
                *(item, year, found[Verdict.NEW], found[Verdict.CORRECTED]),
                *(found[Verdict.SAME], found[Verdict.BLANK]),
            )
            for (item, year), found in done.counts.items()
        ],
    )
    head = "Sẽ thay đổi" if check else "Đã thay đổi"
    here.out.say(
        f"{head} {done.changes} mục: {len(done.agencies.new)} cơ quan, "
        f"{done.contact_changes} liên hệ, {len(done.accounts.new)} tài khoản, "
        f"{len(done.results.openings)} kỳ mở, {verdicts[Verdict.NEW]} kết quả mới, "
        f"{verdicts[Verdict.CORRECTED]} đính chính; "
        f"{verdicts[Verdict.BLANK]} dòng chưa có dữ liệu."
    )
    if done.accounts.new and not check:
        here.out.say(
            "Gửi liên kết đặt mật khẩu: "
            + "; ".join(f"tiendo accounts invite {one}" for one in done.accounts.new[:5])
            + (" …" if len(done.accounts.new) > 5 else "")
        )
