"""``tiendo agencies``: the agencies with their keys, their letters, and the pilots among them."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from cli.app import Command, group
from cli.errors import Failed
from cli.output import ABSENT, agreed, shown
from cli.params import Reason, Yes, any_path, day

agencies = group("agencies", "Cơ quan: danh sách, sắp xếp, thư tự động, thí điểm.")

Keys = Annotated[
    list[str], typer.Argument(metavar="MÃ...", help="Mã cơ quan; nhóm viết @ma_nhom nếu là thư.")
]
On = Annotated[bool, typer.Option("--on/--off", help="Bật hay tắt.")]


@agencies.command("list", cls=Command)
def list_(
    ctx: typer.Context,
    on: Annotated[
        date | None,
        typer.Option("--on", parser=day, metavar="NGÀY", help="Có hiệu lực vào ngày này."),
    ] = None,
) -> None:
    """Liệt kê cơ quan có hiệu lực, với mã dùng trong các lệnh khác."""
    from sqlalchemy import select

    from cli.edge import reading
    from models.tables import AgencyRow

    with reading(ctx) as (here, session):
        when = on or here.today()
        rows = [
            row
            for row in session.scalars(
                select(AgencyRow).order_by(AgencyRow.position, AgencyRow.key)
            )
            if (row.valid_from is None or row.valid_from <= when)
            and (row.valid_to is None or when <= row.valid_to)
        ]
        for row in rows:
            here.out.record(
                {
                    "agency": row.key,
                    "name": row.name,
                    "kind": row.kind,
                    "code": row.code,
                    "valid_from": row.valid_from,
                    "valid_to": row.valid_to,
                    "letters": row.letters,
                    "pilot": row.pilot,
                    "certainty": row.certainty,
                }
            )
        here.out.table(
            ("Mã", "Tên", "Mã số", "Từ ngày", "Thư tự động", "Thí điểm"),
            [
                (
                    row.key,
                    row.name,
                    row.code or ABSENT,
                    shown(row.valid_from),
                    "có" if row.letters else "không",
                    "có" if row.pilot else ABSENT,
                )
                for row in rows
            ],
            keep=(0,),
        )
        here.out.say(f"{len(rows)} cơ quan.")


@agencies.command("letters", cls=Command)
def letters(ctx: typer.Context, keys: Keys, on: On = True, reason: Reason = None) -> None:
    """Bật hoặc tắt thư tự động của cơ quan, nhóm cơ quan."""
    from cli.edge import ready
    from operations.letter_switches import set_letters

    with ready(ctx) as here, here.runtime.database.write() as session:
        for key in keys:
            done = set_letters(session, here.stamp(), key, on=on, reason=reason or "")
            here.out.record(
                {
                    "agency": key,
                    "letters": on,
                    "agencies": list(done.agencies),
                    "still_silent": list(done.still_silent),
                }
            )
            here.out.say(
                f"{key}: {'bật' if on else 'tắt'} thư tự động cho {len(done.agencies)} cơ quan"
                + (
                    f"; còn tắt vì lý do khác: {len(done.still_silent)}"
                    if done.still_silent
                    else ""
                )
                + "."
            )


@agencies.command("pilot", cls=Command)
def pilot(ctx: typer.Context, keys: Keys, on: On = True, reason: Reason = None) -> None:
    """Chọn hoặc thôi thí điểm; khi có thí điểm, thư đến các cơ quan khác được giữ lại."""
    from cli.edge import ready
    from operations.letter_switches import set_pilot

    with ready(ctx) as here:
        with here.runtime.database.write() as session:
            changed = set_pilot(session, here.stamp(), keys, on=on, reason=reason or "")
        here.out.record({"pilot": on, "changed": list(changed)})
        here.out.say(f"{len(changed)} cơ quan {'thí điểm' if on else 'thôi thí điểm'}.")


@agencies.command("change", cls=Command)
def change(
    ctx: typer.Context,
    *,
    file: Annotated[
        Path,
        typer.Argument(parser=any_path, metavar="FILE", help="Tệp YAML, mẫu: docs/agencies.md."),
    ],
    apply: Annotated[
        bool, typer.Option("--apply", help="Áp dụng; không có thì chỉ xem trước.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Sắp xếp cơ quan theo tệp: hợp nhất, chia tách, đổi tên, kết thúc, thành lập; xem trước."""
    from cli.changes import show_look
    from cli.edge import ready
    from operations.reorganising import ReorganisationRefused
    from operations.reorganising_preview import apply_seen, preview
    from tasks_catalog.reorganisations import read_reorganisations

    source = read_reorganisations(file)
    with ready(ctx) as here:
        stamp = here.stamp()
        try:
            with here.runtime.database.write() as session:
                look = preview(session, stamp, source.changes)
            show_look(here.out, look)
            if not apply:
                here.out.record({"changes": len(source.changes), "applied": False})
                here.out.say("Mới xem trước, chưa ghi gì. Thêm --apply để áp dụng.")
                return
            if not agreed(f"Áp dụng {len(source.changes)} sắp xếp?", already=yes):
                raise Failed("Chưa ghi gì. Thêm --yes nếu muốn áp dụng mà không hỏi.")
            with here.runtime.database.write() as session:
                moved = apply_seen(session, stamp, source.changes, seal=look.seal)
        except ReorganisationRefused as error:
            raise source.errors(error.number, error.problems) from error
        here.out.record({"changes": len(source.changes), "applied": True})
        here.out.say(
            f"Đã ghi {len(source.changes)} sắp xếp: {moved.created} phân công tiếp nhận, "
            f"{moved.linked} gộp vào phân công đã có, {moved.ended} thôi theo dõi, "
            f"{moved.to_review} cần xem xét mở lại."
        )
