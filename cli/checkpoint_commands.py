"""``tiendo checkpoint``: what is kept outside, sent, and signed with (rule 38)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cli.app import Command, group
from cli.errors import WrongUse
from cli.output import shown_instant
from cli.params import any_path, existing_file

checkpoint = group("checkpoint", "Niêm phong của lịch sử: xem, gửi, khóa.")


@checkpoint.command("show", cls=Command)
def show(ctx: typer.Context) -> None:
    """In niêm phong mới nhất, đúng từng chữ, để giữ ngoài hệ thống."""
    from cli.edge import reading
    from operations.errors import NotFound
    from operations.sealing import ages, last_checkpoint

    with reading(ctx) as (here, session):
        last = last_checkpoint(session)
        if last is None:
            raise NotFound("Chưa có niêm phong nào; chạy “tiendo seal”.")
        told = ages(session, here.runtime.clock.now())
        here.out.record(
            {
                "size": last.size,
                "root": last.root.hex(),
                "at": last.at,
                "pending": told.pending,
                "note": last.note,
            }
        )
        here.out.say(last.note.rstrip("\n"))
        here.out.note(
            f"Niêm phong lúc {shown_instant(last.at, here.time_zone())}; "
            f"{told.pending or 'không có'} sự kiện còn chờ."
        )


@checkpoint.command("key", cls=Command)
def key_(ctx: typer.Context) -> None:
    """In khóa công khai để kiểm chữ ký niêm phong; khóa đang dùng ở dòng cuối."""
    from cli.edge import ready
    from operations.errors import NotFound

    with ready(ctx) as here:
        keys = here.runtime.key_folder.verifying()
        if not keys:
            raise NotFound("Chưa có khóa niêm phong; khóa được tạo khi chạy “tiendo seal” lần đầu.")
        for one in keys:
            here.out.record({"key": one.text, "in_use": one == keys[-1]})
            here.out.say(one.text)


@checkpoint.command("rotate", cls=Command)
def rotate_(
    ctx: typer.Context,
    *,
    reason: Annotated[
        str, typer.Option("--reason", metavar="VĂN BẢN", help="Lý do, ghi vào lịch sử.")
    ],
    lost: Annotated[bool, typer.Option("--lost", help="Khóa cũ đã mất: chỉ khóa mới ký.")] = False,
) -> None:
    """Đổi khóa niêm phong; việc đổi là một sự kiện, cả khóa cũ và khóa mới cùng ký."""
    from cli.edge import operator, ready
    from runtime.sealing import rotate

    with ready(ctx) as here:
        done = rotate(here.runtime, actor=operator(), reason=reason, lost=lost)
        new = here.runtime.key_folder.verifying()[-1]
        here.out.record({"key": new.text, "size": done.size})
        here.out.say(f"Khóa công khai mới, đề nghị gửi cho nơi kiểm tra:\n{new.text}")


@checkpoint.command("send", cls=Command)
def send(ctx: typer.Context) -> None:
    """Gửi niêm phong mới nhất đến hộp thư của nơi kiểm tra, mỗi niêm phong một lần."""
    from cli.edge import ready
    from operations.checkpoint_letters import queue_checkpoint

    with ready(ctx) as here:
        address = here.runtime.settings.auditors_address
        if address is None:
            msg = (
                "Chưa có hộp thư của nơi kiểm tra: đặt TIENDO_AUDITORS_ADDRESS (docs/settings.md)."
            )
            raise WrongUse(msg)
        with here.runtime.database.write() as session:
            made = queue_checkpoint(session, here.stamp(), address=address)
        here.out.record({"queued": made, "to": address})
        here.out.say(
            f"Đã đưa vào hàng gửi: {address}; thư đi với lần gửi thư tới."
            if made
            else f"Niêm phong mới nhất đã gửi đến {address} rồi."
        )


@checkpoint.command("extends", cls=Command)
def extends(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(parser=existing_file, metavar="TỆP", help="Niêm phong cũ đã giữ.")
    ],
) -> None:
    """Bằng chứng (JSON) rằng lịch sử hiện nay nối tiếp đúng một niêm phong cũ."""
    from cli.edge import reading
    from operations.proofs import prove_consistency
    from runtime.verifying import read_checkpoint_file

    with reading(ctx) as (here, session):
        old = read_checkpoint_file(file).note
        proof = prove_consistency(session, old, here.runtime.key_folder.verifying())
        here.out.record(proof)
        here.out.say(f"Lịch sử hiện nay nối tiếp đúng niêm phong {old.head.size} sự kiện.")
        here.out.say(json.dumps(proof, ensure_ascii=False, indent=1))


@checkpoint.command("export", cls=Command)
def export(
    ctx: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            parser=any_path, metavar="TỆP", help="Tệp sẽ ghi (JSON, mỗi dòng một sự kiện)."
        ),
    ],
) -> None:
    """Xuất toàn bộ lịch sử đã niêm phong để kiểm chứng bằng công cụ khác (docs/history.md)."""
    from cli.edge import reading
    from operations.proofs import export_lines

    with reading(ctx) as (here, session):
        lines = 0
        with file.open("w", encoding="utf-8", newline="\n") as written:
            for line in export_lines(session):
                written.write(line + "\n")
                lines += 1
        here.out.record({"file": str(file), "events": lines - 1})
        here.out.say(f"Đã ghi {lines - 1} sự kiện và niêm phong vào {file}.")
