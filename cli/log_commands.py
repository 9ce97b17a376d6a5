"""``tiendo seal``, ``verify``, ``prove``, ``checkpoint``: history that can be proven (rule 38)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.app import Command, app
from cli.errors import FAILURE, WrongUse
from cli.params import any_path, existing_file, number
from notifications.formats import vn_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cli.edge import Here
    from operations.log_found import Verified
    from rules.notes import VerifyingKey

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
            here.out.say(f"Không có sự kiện mới. Đã niêm phong: {vn_number(done.size)}.")
        else:
            here.out.say(
                f"Đã niêm phong thêm {vn_number(done.events)} sự kiện; tất cả: {vn_number(done.size)}."
            )


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
        ("Đã niêm phong", vn_number(found.sealed)),
        (
            "Chờ niêm phong",
            f"{vn_number(found.pending)} (chưa được bảo vệ)" if found.pending else 0,
        ),
        ("Sai", vn_number(found.wrong)),
        ("Niêm phong đã xem", vn_number(found.checkpoints)),
        ("Đối chiếu với niêm phong giữ ngoài", vn_number(found.outside)),
    ]
    out.fields(rows)
    if not found.signatures:
        out.say("Không có khóa công khai trên máy này: chữ ký của niêm phong chưa được kiểm tra.")
    for one in found.faults:
        out.say(f"✗ {one.text}")
    if found.wrong > len(found.faults):
        out.say(f"… và {vn_number(found.wrong - len(found.faults))} chỗ sai khác.")
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
