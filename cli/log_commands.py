"""``tiendo seal``, ``verify``, ``prove``, ``checkpoint``: history that can be proven (rule 38)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.app import Command, app, group
from cli.errors import FAILURE, WrongUse
from cli.output import shown_instant
from cli.params import any_path, existing_file, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cli.edge import Here
    from operations.verifying import Verified
    from rules.notes import VerifyingKey

checkpoint = group("checkpoint", "Niêm phong của lịch sử: xem, gửi, khóa.")

Key = Annotated[
    list[str] | None,
    typer.Option(
        "--key",
        metavar="KHÓA",
        help="Khóa công khai đã giữ riêng (dòng NAME+ID+KEY), thay cho khóa trên máy này.",
    ),
]


@app.command("seal", cls=Command)
def seal_(ctx: typer.Context) -> None:
    """Niêm phong mọi sự kiện đang chờ; không có gì mới thì không làm gì."""
    from cli.edge import operator, ready
    from runtime.sealing import seal_now

    with ready(ctx) as here:
        done = seal_now(here.runtime, actor=operator())
        here.out.record({"events": done.events, "checkpoints": done.checkpoints, "size": done.size})
        if done.note is None and not done.events:
            here.out.say(f"Không có sự kiện mới. Đã niêm phong: {done.size}.")
        else:
            here.out.say(f"Đã niêm phong thêm {done.events} sự kiện; tất cả: {done.size}.")


@app.command("verify", cls=Command)
def verify_(
    ctx: typer.Context,
    *,
    against: Annotated[
        list[Path] | None,
        typer.Option(
            "--against",
            parser=existing_file,
            metavar="TỆP",
            help="Niêm phong đã giữ ngoài hệ thống (tệp tải về hoặc thư đã lưu); viết nhiều lần được.",
        ),
    ] = None,
    key: Key = None,
    workers: Annotated[
        int, typer.Option("--workers", min=1, max=64, metavar="SỐ", help="Số tiến trình cùng đọc.")
    ] = 1,
) -> None:
    """Kiểm chứng toàn bộ lịch sử: đã niêm phong, còn chờ, sai ở đâu. Sai thì kết thúc bằng 1."""
    from cli.edge import operator, ready
    from runtime.verifying import read_checkpoint_file, verify

    with ready(ctx) as here:
        found = verify(
            here.runtime,
            by=operator().name,
            against=[read_checkpoint_file(one) for one in against or ()],
            keys=_keys(key),
            workers=workers,
        )
        here.out.record(_as_json(found))
        _say(here, found)
    if not found.whole:
        raise typer.Exit(FAILURE)


def _keys(texts: Sequence[str] | None) -> list[VerifyingKey] | None:
    from rules.notes import BadNote, VerifyingKey

    try:
        return [VerifyingKey.parse(one) for one in texts] if texts else None
    except BadNote as error:
        msg = f"--key: không phải khóa công khai ({error}); cần một dòng như “tiendo checkpoint key” in ra."
        raise WrongUse(msg, field="key") from None


def _as_json(found: Verified) -> dict[str, object]:
    return {
        "sealed": found.sealed,
        "pending": found.pending,
        "wrong": found.wrong,
        "checkpoints": found.checkpoints,
        "outside": found.outside,
        "signatures": found.signatures,
        "root": None if found.root is None else found.root.hex(),
        "pending_since": found.pending_since,
        "faults": [one.as_json() for one in found.faults],
        "remarks": [one.as_json() for one in found.remarks],
    }


def _say(here: Here, found: Verified) -> None:
    out = here.out
    rows: list[tuple[str, object]] = [
        ("Đã niêm phong", found.sealed),
        ("Chờ niêm phong", f"{found.pending} (chưa được bảo vệ)" if found.pending else 0),
        ("Sai", found.wrong),
        ("Niêm phong đã xem", found.checkpoints),
        ("Đối chiếu với niêm phong giữ ngoài", found.outside),
    ]
    out.fields(rows)
    if not found.signatures:
        out.say("Không có khóa công khai trên máy này: chữ ký của niêm phong chưa được kiểm tra.")
    for one in found.faults:
        out.say(f"✗ {one.text}")
    if found.wrong > len(found.faults):
        out.say(f"… và {found.wrong - len(found.faults)} chỗ sai khác.")
    for one in found.remarks:
        out.say(f"• Lưu ý: {one.text}")
    out.say("Lịch sử còn nguyên vẹn." if found.whole else "LỊCH SỬ KHÔNG CÒN NGUYÊN VẸN.")


@app.command("prove", cls=Command)
def prove_(
    ctx: typer.Context,
    event: Annotated[
        int | None, typer.Argument(parser=number, metavar="[SỰ KIỆN]", help="Số của sự kiện.")
    ] = None,
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", parser=any_path, metavar="TỆP", help="Ghi bằng chứng (JSON) vào tệp này."
        ),
    ] = None,
    check: Annotated[
        Path | None,
        typer.Option(
            "--check", parser=existing_file, metavar="TỆP", help="Kiểm tra một bằng chứng đã nhận."
        ),
    ] = None,
    key: Key = None,
) -> None:
    """Bằng chứng rằng một sự kiện có trong lịch sử đã ký; bên thứ ba tự kiểm tra được."""
    from cli.edge import ready
    from operations.proofs import prove, readable

    if (event is None) == (check is None):
        raise WrongUse("Cần số của một sự kiện, hoặc --check TỆP để kiểm tra bằng chứng.")
    with ready(ctx) as here:
        keys = _keys(key) or list(here.runtime.key_folder.verifying())
        if check is not None:
            _check(here, check, keys)
            return
        with here.runtime.database.read() as session:
            proof = prove(session, event or 0, keys)
        here.out.record(proof.as_json())
        if out is not None:
            out.write_text(
                json.dumps(proof.as_json(), ensure_ascii=False, indent=1) + "\n", "utf-8"
            )
        here.out.fields(readable(proof))
        here.out.say(f"Nội dung đã băm: {proof.canonical}")
        here.out.say(f"Niêm phong:\n{proof.checkpoint}")


def _check(here: Here, path: Path, keys: Sequence[VerifyingKey]) -> None:
    from operations.proofs import check_proof

    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        told = None
    wrong = (
        check_proof(told, keys)
        if isinstance(told, dict)
        else f"{path}: không phải tệp bằng chứng (JSON)."
    )
    here.out.record({"holds": wrong is None, "wrong": wrong})
    here.out.say("Bằng chứng đúng." if wrong is None else wrong)
    if wrong is not None:
        raise typer.Exit(FAILURE)


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
