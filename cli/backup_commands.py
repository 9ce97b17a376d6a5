"""``tiendo backup`` and ``tiendo restore``: copies of everything, and the way back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.app import Command, Group, app, options_of
from cli.edge import as_it_is, operator, settings_of
from cli.errors import Failed, WrongUse
from cli.output import ABSENT, Output, agreed, shown_instant
from cli.params import Yes, any_path, existing_file
from notifications.formats import vn_number

if TYPE_CHECKING:
    import pyrage

    from models.engine import Database
    from runtime.backup import Made
    from runtime.backup_shelf import Kept
    from runtime.restore_trial import Tried

_MEGABYTE = 1024 * 1024

KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--key",
        parser=existing_file,
        metavar="TỆP",
        help="Tệp khóa riêng, khi bản sao lưu đã mã hóa (dòng AGE-SECRET-KEY-1…).",
    ),
]
_backup = typer.Typer(
    cls=Group,
    invoke_without_command=True,
    rich_markup_mode="rich",
    help="Sao lưu cơ sở dữ liệu và tệp tài liệu trong khi mọi người vẫn làm việc; khôi phục thử.",
)
app.add_typer(_backup, name="backup")


@_backup.callback()
def backup(
    ctx: typer.Context,
    trial: Annotated[
        bool, typer.Option("--try/--no-try", help="Có khôi phục thử ngay sau khi tạo hay không.")
    ] = True,
) -> None:
    """Sao lưu cơ sở dữ liệu và tệp tài liệu trong khi mọi người vẫn làm việc; khôi phục thử."""
    if ctx.invoked_subcommand is not None:
        return
    from flows.keeping import TrialFailed, back_up, thin, try_out

    with as_it_is(ctx) as here:
        made, tried, gone = back_up(here.runtime), None, list[str]()
        if trial:
            try:
                tried = try_out(here.runtime, made)
            except TrialFailed as error:
                raise Failed(f"Đã sao lưu nhưng khôi phục thử không đạt. {error}") from error
            gone = thin(here.runtime)
        _tell_made(here.out, made, tried, gone)


def _tell_made(out: Output, made: Made, tried: Tried | None, gone: list[str]) -> None:
    card = made.card
    out.record(
        {
            "file": str(made.path),
            "size": card.size,
            "sha256": card.sha256,
            "encrypted": card.encrypted,
            "rows": card.rows,
            "events": card.events,
            "files": card.files,
            "missing": list(made.missing),
            "damaged": list(made.damaged),
            "tried": tried is not None,
            "removed": gone,
        }
    )
    out.say(
        f"Đã sao lưu: {made.path} ({_megabytes(card.size)} MB; {vn_number(card.rows)} dòng, "
        f"{vn_number(card.events)} sự kiện, {vn_number(card.files)} tệp{', đã mã hóa' if card.encrypted else ''})."
    )
    if tried is not None:
        out.say(
            f"Khôi phục thử đạt sau {vn_number(tried.seconds, 1)} giây: số dòng, mã băm đều khớp."
        )
    for words, found in (("không còn trên đĩa", made.missing), ("đã bị đổi", made.damaged)):
        for sha256 in found:
            out.note(f"Tệp tài liệu {words}: {sha256}")
    if gone:
        out.say(f"Đã bỏ {len(gone)} bản cũ theo thiết lập TIENDO_BACKUP_KEEP_….")


@_backup.command("list", cls=Command)
def list_(ctx: typer.Context) -> None:
    """Liệt kê các bản sao lưu: khi nào, lớn bao nhiêu, đã khôi phục thử chưa."""
    from runtime.backup_shelf import shelf

    with as_it_is(ctx) as here:
        found = shelf(here.runtime.settings.backups_dir)
        for one in found:
            here.out.record(_fields(one))
        zone = here.runtime.settings.time_zone
        here.out.table(
            ("Bản sao lưu", "Lúc", "MB", "Dòng", "Sự kiện", "Tệp", "Thiếu", "Khôi phục thử"),
            [_cells(one, zone) for one in found],
            keep=(0, 1),
        )
        if not found:
            here.out.say(f"Chưa có bản sao lưu nào ở {here.runtime.settings.backups_dir}.")


def _fields(one: Kept) -> dict[str, object]:
    card = one.card
    return {
        "file": str(one.path),
        "made_at": one.made_at,
        "size": one.size,
        "encrypted": one.encrypted,
        "schema": card and card.revision,
        "rows": card and card.rows,
        "events": card and card.events,
        "files": card and card.files,
        "missing": card and card.missing + card.damaged,
        "tried_at": card and card.tried_at,
        "tried_well": card and card.tried_well,
    }


def _cells(one: Kept, zone: str) -> tuple[object, ...]:
    card, made = one.card, shown_instant(one.made_at, zone)
    if card is None:
        return (one.path.name, made, _megabytes(one.size), *(ABSENT,) * 4, "không có thẻ mô tả")
    tried = {None: "chưa thử", True: "đạt", False: "KHÔNG đạt"}[card.tried_well]
    gaps = card.missing + card.damaged
    return (
        one.path.name,
        made,
        _megabytes(one.size),
        *(vn_number(count) for count in (card.rows, card.events, card.files, gaps)),
        f"{tried} {shown_instant(card.tried_at, zone) if card.tried_at else ''}".strip(),
    )


@_backup.command("try", cls=Command)
def try_(
    ctx: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(parser=existing_file, metavar="[TỆP]", help="Mặc định bản mới nhất."),
    ] = None,
    key: KeyFile = None,
) -> None:
    """Khôi phục thử một bản vào chỗ tạm, so từng bảng và tệp với bản kê, rồi bỏ đi."""
    from runtime.backup_shelf import note_trial, shelf
    from runtime.restore_trial import try_restore

    with as_it_is(ctx) as here:
        found = shelf(here.runtime.settings.backups_dir)
        if file is None and not found:
            raise Failed("Chưa có bản sao lưu nào để thử; tạo bằng “tiendo backup”.")
        path = file or found[0].path
        tried = try_restore(here.runtime, path, keys=_keys(key))
        note_trial(path, at=here.runtime.clock.now(), well=True)
        here.out.record(
            {
                "file": str(path),
                "rows": tried.rows,
                "events": tried.events,
                "files": tried.files,
                "checkpoint": tried.checkpoint,
                "milliseconds": round(tried.seconds * 1000),
            }
        )
        here.out.say(
            f"{path.name}: khôi phục thử đạt sau {vn_number(tried.seconds, 1)} giây; "
            f"{vn_number(tried.rows)} dòng, {vn_number(tried.events)} sự kiện, "
            f"{vn_number(tried.files)} tệp khớp bản kê."
        )


@_backup.command("key", cls=Command)
def key_(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(parser=any_path, metavar="TỆP", help="Nơi ghi khóa riêng; chưa có.")
    ],
) -> None:
    """Tạo cặp khóa mã hóa: khóa riêng ghi vào TỆP để cất nơi khác, khóa công khai in ra để đặt."""
    import os

    import pyrage

    pair = pyrage.x25519.Identity.generate()
    public = str(pair.to_public())
    number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(number, "w", encoding="ascii") as out:
        out.write(f"# public key: {public}\n{pair}\n")
    said = Output(options_of(ctx).json)
    said.record({"file": str(file), "public": public})
    said.say(f"Đặt: TIENDO_BACKUP_RECIPIENT={public}")
    said.say(
        f"Khóa riêng ở {file}: chuyển ra khỏi máy chủ và giữ ở hai nơi an toàn. Mất khóa này thì "
        "không mở được các bản sao lưu đã mã hóa."
    )


@app.command("restore", cls=Command)
def restore_(  # noqa: PLR0917 - typer passes them by name
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(parser=existing_file, metavar="TỆP", help="Bản sao lưu cần đặt lại.")
    ],
    into: Annotated[
        str | None,
        typer.Option("--into", metavar="URL", help="Cơ sở dữ liệu trống; mặc định theo thiết lập."),
    ] = None,
    files: Annotated[
        Path | None,
        typer.Option(
            "--files",
            parser=any_path,
            metavar="THƯ-MỤC",
            help="Thư mục trống cho tệp tài liệu; mặc định theo thiết lập.",
        ),
    ] = None,
    key: KeyFile = None,
    yes: Yes = False,
) -> None:
    """Khôi phục một bản sao lưu vào nơi trống; nơi đã có dữ liệu thì từ chối, không ghi đè."""
    from operations.stamp import Stamp
    from runtime.clock import SystemClock
    from runtime.restore import restore

    settings, clock = settings_of(ctx), SystemClock()
    uploads = files or settings.uploads_dir
    with _empty_place(into or settings.database_address) as database:
        question = f"Khôi phục {file.name} vào {database.shown_url} và {uploads}?"
        if not agreed(question, already=yes):
            raise Failed("Chưa khôi phục gì. Thêm --yes nếu muốn khôi phục mà không hỏi.")
        stamp = Stamp(at=clock.now(), as_of=clock.today(settings.time_zone), actor=operator())
        done = restore(file, database, uploads=uploads, stamp=stamp, keys=_keys(key))
    made, out = done.manifest, Output(options_of(ctx).json)
    out.record(
        {
            "database": done.database,
            "files_folder": str(done.uploads),
            "made_at": made.made_at,
            "rows": made.rows,
            "events": made.log.events,
            "files": len(made.files) - len(made.damaged),
            "missing": [*made.missing, *made.damaged],
            "history_wrong": done.history.wrong,
            "letters_held": done.letters.held,
            "letters_unknown": done.letters.unknown,
            "outward_held": done.letters.outward,
        }
    )
    out.say(
        f"Đã khôi phục tình trạng lúc {shown_instant(made.made_at, settings.time_zone)} vào "
        f"{done.database}: {vn_number(made.rows)} dòng, {vn_number(made.log.events)} sự kiện, "
        f"{vn_number(len(made.files))} tệp; "
        "số dòng và mã băm khớp bản kê."
    )
    for sha256 in (*made.missing, *made.damaged):
        out.note(f"Tệp tài liệu đã thiếu hoặc hỏng từ lúc sao lưu: {sha256}")
    for fault in done.history.faults:
        out.note(f"Lịch sử không khớp nhật ký niêm phong: {fault.text}")
    out.say(
        "Việc tiếp theo: đặt lại các khóa cất riêng (link.key, khóa niêm phong, .env), rồi chạy "
        "tiendo doctor."
    )
    out.say(
        f"{_waiting(done.letters.held)} Thư nhắc của những ngày từ lúc sao lưu đến nay cũng được lập "
        "rồi tạm giữ, vì có thể đã gửi. Đối chiếu nhật ký máy chủ thư, rồi cho gửi (tiendo release "
        "--restored) hoặc đóng (thêm --close), hay làm trên trang “Thư”."
    )
    if done.letters.outward:
        out.say(
            f"Đã tạm giữ {vn_number(done.letters.outward)} tin báo ra ngoài vì có thể đã gửi; "
            "quyết định trên trang “Danh mục › Báo ra ngoài”."
        )


def _waiting(held: int) -> str:
    if not held:
        return "Lúc sao lưu không có thư nào chờ gửi."
    return f"Đã tạm giữ {vn_number(held)} thư chờ gửi lúc sao lưu."


@contextmanager
def _empty_place(url: str) -> Iterator[Database]:
    from sqlalchemy.exc import ArgumentError

    from models.engine import Database, DatabaseUrlError

    try:
        database = Database(url)
    except (DatabaseUrlError, ArgumentError, ValueError) as error:
        msg = (
            "--into: không phải địa chỉ cơ sở dữ liệu; cần dạng sqlite:///duong/dan/tiendo.sqlite "
            "hoặc postgresql://nguoidung@maychu/csdl."
        )
        raise WrongUse(msg, field="into") from error
    try:
        yield database
    finally:
        database.close()


def _keys(file: Path | None) -> list[pyrage.x25519.Identity]:
    """The private keys in a file as ``tiendo backup key`` or ``age-keygen`` write it."""
    if file is None:
        return []
    import pyrage

    lines = [one.strip() for one in file.read_text(encoding="utf-8").splitlines()]
    wanted = [one for one in lines if one and not one.startswith("#")]
    try:
        found = [pyrage.x25519.Identity.from_str(one) for one in wanted]
    except pyrage.IdentityError:
        found = []
    if not found:
        msg = f"{file}: không phải tệp khóa riêng của age; cần dòng bắt đầu bằng AGE-SECRET-KEY-1."
        raise WrongUse(msg, field="key")
    return found


def _megabytes(size: int) -> str:
    return vn_number(size / _MEGABYTE, 1)
