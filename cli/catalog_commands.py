"""``tiendo catalog``: what the catalog means, what applying it would change, writing it back."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.app import Command, group
from cli.errors import Failed, WrongUse
from cli.output import ABSENT, Output, agreed, shown
from cli.params import PlanKey, Yes, any_path, day, existing_folder

if TYPE_CHECKING:
    from cli.edge import Here
    from rules.workdays import WorkCalendar
    from tasks_catalog.describe import ItemMeaning, NextDate
    from tasks_catalog.diff import Change
    from tasks_catalog.loader import LoadedCatalog

catalog = group("catalog", "Danh mục nhiệm vụ: kiểm tra, áp dụng, xuất ra tệp.")

Folder = Annotated[
    Path | None,
    typer.Argument(
        parser=existing_folder,
        metavar="[FOLDER]",
        help="Thư mục của đề án (có plan.yaml), hoặc thư mục chứa các đề án; "
        "mặc định danh mục kèm theo.",
    ),
]


@catalog.command("check", cls=Command)
def check(
    ctx: typer.Context,
    folder: Folder = None,
    on: Annotated[
        date | None,
        typer.Option(
            "--on", parser=day, metavar="NGÀY", help="Xem theo ngày này, mặc định hôm nay."
        ),
    ] = None,
) -> None:
    """Đọc danh mục: ai chủ trì, kỳ mở và hạn sắp tới, căn cứ; hoặc in mọi lỗi một lượt."""
    from cli.app import options_of
    from cli.edge import settings_of
    from runtime.clock import SystemClock
    from tasks_catalog.describe import describe_plan

    out = Output(options_of(ctx).json)
    settings = settings_of(ctx)
    for loaded in _load_all(_folders(folder, settings.plan_folders)):
        plan = loaded.plan
        as_of = on or SystemClock().today(plan.time_zone)
        meanings = describe_plan(plan, loaded.directory, _calendar(loaded), as_of)
        for one in meanings:
            out.record(_as_json(plan.key, as_of, one))
        out.say(f"{plan.title}\n{plan.decision.code} · {plan.key} · ngày {shown(as_of)}")
        out.table(
            ("Mã", "Nhiệm vụ", "Chủ trì", "Kỳ mở tới", "Hạn tới", "Căn cứ"),
            [_row(one) for one in meanings],
            keep=(0,),
        )


@catalog.command("apply", cls=Command)
def apply(
    ctx: typer.Context,
    folder: Folder = None,
    yes: Yes = False,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite", help="Ghi đè cả nội dung đã sửa trong hệ thống; mặc định giữ nguyên."
        ),
    ] = False,
) -> None:
    """Áp dụng danh mục vào cơ sở dữ liệu: cho xem khác biệt, hỏi lại rồi mới ghi."""
    from cli.edge import ready
    from operations.catalog import apply_catalog, preview_catalog
    from operations.state import plan_keys

    with ready(ctx) as here:
        settings, out, database = here.runtime.settings, here.out, here.runtime.database
        for loaded in _load_all(_folders(folder, settings.plan_folders)):
            key = loaded.plan.key
            with database.read() as session:
                first = key not in plan_keys(session)
                changes = preview_catalog(session, loaded)
            if not first and not changes:
                out.say(f"{key}: không có gì thay đổi.")
                out.record(_applied(key, changed=False, version=None, changes=(), kept=()))
                continue
            _show_changes(out, loaded, changes, first=first)
            if not agreed(f"Áp dụng vào {database.shown_url}?", already=yes):
                raise Failed("Chưa áp dụng gì. Thêm --yes nếu muốn áp dụng mà không hỏi.")
            today = here.today()
            with database.write() as session:
                done = apply_catalog(
                    session,
                    here.stamp(as_of=today),
                    loaded,
                    tracking_start=today,
                    overwrite=overwrite,
                )
            out.record(
                _applied(
                    key,
                    changed=True,
                    version=done.version,
                    changes=[str(one) for one in changes],
                    kept=done.kept,
                )
            )
            out.say(f"{key}: đã áp dụng, phiên bản {done.version}.")
            if first:
                _say_who_sees(here, key)
            for kept in done.kept:
                out.say(f"  giữ nguyên nội dung đã sửa trong hệ thống: {kept}")


def _say_who_sees(here: Here, key: str) -> None:
    """A further plan is seen by everybody whose account names no plan: say so."""
    from operations.plans_seen import who_see_all
    from operations.state import plan_keys

    with here.runtime.database.read() as session:
        several, count = len(plan_keys(session)) > 1, who_see_all(session)
    if several and count:
        here.out.say(
            f"  {count} tài khoản đang xem mọi đề án, nên cũng xem {key}. Muốn tài khoản nào chỉ "
            "xem một số đề án: tiendo accounts plans TÊN --plan MÃ."
        )


@catalog.command("export", cls=Command)
def export(
    ctx: typer.Context,
    folder: Annotated[
        Path,
        typer.Argument(
            parser=any_path,
            metavar="FOLDER",
            help="Thư mục của đề án; agencies/ và days_off.yaml được ghi bên cạnh nó.",
        ),
    ],
    plan: PlanKey = None,
    yes: Yes = False,
) -> None:
    """Ghi danh mục đang có trong cơ sở dữ liệu ra tệp, để đọc, so sánh, lưu giữ."""
    from cli.edge import ready
    from operations.catalog import stored_catalog
    from tasks_catalog.export import export_plan

    with ready(ctx) as here:
        keys = here.plans(plan)
        if len(keys) != 1:
            msg = f"Có {len(keys)} đề án; chọn một bằng --plan: {', '.join(keys)}."
            raise WrongUse(msg, field="plan")
        if folder.exists() and not folder.is_dir():
            raise WrongUse(f"{folder}: là tệp, cần một thư mục.", field="folder")
        if (folder / "plan.yaml").exists() and not agreed(f"Ghi đè {folder}?", already=yes):
            raise Failed("Chưa ghi gì. Thêm --yes nếu muốn ghi đè.")
        with here.runtime.database.read() as session:
            stored = stored_catalog(session, keys[0])
        files = export_plan(stored.plan, stored.directory, folder, corrections=stored.corrections)
        for path in files:
            here.out.record({"plan": keys[0], "file": str(path)})
            here.out.say(str(path))


def _folders(given: Path | None, configured: tuple[Path, ...]) -> tuple[Path, ...]:
    from tasks_catalog.loader import plan_folders

    if given is None:
        return configured or plan_folders()
    if (given / "plan.yaml").is_file():
        return (given,)
    if found := plan_folders(given):
        return found
    # The loader says which files are missing, and where it looked for them.
    return (given,)


def _load_all(folders: tuple[Path, ...]) -> list[LoadedCatalog]:
    """All of them, or all mistakes of all of them at once."""
    from tasks_catalog.errors import CatalogError, CatalogErrors
    from tasks_catalog.loader import load_plan

    loaded: list[LoadedCatalog] = []
    mistakes: list[CatalogError] = []
    for folder in folders:
        try:
            loaded.append(load_plan(folder))
        except CatalogErrors as errors:
            mistakes += errors.errors
    if mistakes:
        raise CatalogErrors(mistakes)
    return loaded


def _calendar(loaded: LoadedCatalog) -> WorkCalendar:
    from tasks_catalog.daysoff import work_calendar

    first = date(loaded.plan.first_year - 1, 1, 1)
    last = date(loaded.plan.last_year + 2, 12, 31)
    return work_calendar(first, last, loaded.corrections)


def _names(names: tuple[str, ...], most: int = 6) -> str:
    if len(names) <= most:
        return ", ".join(names) or ABSENT
    return f"{', '.join(names[:3])} … ({len(names)} cơ quan)"


def _row(one: ItemMeaning) -> tuple[str, ...]:
    due = f"{_when(one.next_due)}{' (dự kiến)' if one.authority == 'provisional' else ''}"
    return (
        one.key,
        one.task,
        _names(one.leads),
        _when(one.next_opening),
        due if one.next_due else ABSENT,
        one.calendar_basis,
    )


def _when(one: NextDate | None) -> str:
    return ABSENT if one is None else f"{shown(one.day)} ({one.period})"


def _next_json(one: NextDate | None) -> dict[str, object] | None:
    if one is None:
        return None
    return {
        "period_label": one.period,
        "day": one.day,
        "nominal": one.nominal,
        "milestone": one.milestone,
    }


def _as_json(plan: str, as_of: date, one: ItemMeaning) -> dict[str, object]:
    return {
        "plan": plan,
        "on": as_of,
        "item": one.key,
        "task": one.task,
        "kind": one.kind,
        "lead_mode": one.lead_mode,
        "leads": one.leads,
        "partners": one.partners,
        "next_opening": _next_json(one.next_opening),
        "next_due": _next_json(one.next_due),
        "authority": one.authority,
        "ladder": one.ladder,
        "calendar_basis": one.calendar_basis,
        "parties_basis": one.parties_basis,
    }


def _applied(
    plan: str,
    *,
    changed: bool,
    version: int | None,
    changes: list[str] | tuple[str, ...],
    kept: tuple[str, ...],
) -> dict[str, object]:
    return {
        "plan": plan,
        "changed": changed,
        "version": version,
        "changes": list(changes),
        "kept": list(kept),
    }


def _show_changes(
    out: Output, loaded: LoadedCatalog, changes: list[Change], *, first: bool
) -> None:
    plan = loaded.plan
    if first:
        out.say(
            f"{plan.key}: đề án mới, {len(plan.items)} nhiệm vụ của Phụ lục, "
            f"{len(plan.beside)} việc ngoài Phụ lục ({plan.decision.code})."
        )
        return
    out.table(
        ("Tệp", "Trường", "Đang có", "Sẽ thành"),
        [(one.file, one.field, one.before or ABSENT, one.after or ABSENT) for one in changes],
        title=f"{plan.key}: {len(changes)} thay đổi",
    )
