"""The application: its groups, and the options that every command takes.

``--json`` and ``--database`` are defined once, at the root, and may stand before or after the
name of the command. Modules of commands import nothing heavy at their top, so that a help text
appears at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup


@dataclass(slots=True)
class Options:
    """What was said for every command alike."""

    database: str | None = None
    json: bool = False


def options_of(ctx: typer.Context) -> Options:
    """The options of this call."""
    found = ctx.find_root().obj
    if not isinstance(found, Options):
        found = Options()
        ctx.find_root().obj = found
    return found


def _with_shared(own: list[Any], ctx: Any) -> list[Any]:
    for one in own:
        if getattr(one, "is_flag", False):
            one.metavar = ""  # a flag takes no value, so none is shown
    root = ctx.find_root()
    if root is ctx:
        return own
    taken = {name for parameter in own for name in parameter.opts}
    shared = [
        one for one in root.command.params if one.name in _SHARED and not taken & set(one.opts)
    ]
    return [*own[:-1], *shared, *own[-1:]]  # the last one is --help


class _Vietnamese:
    """Help texts whose frame is Vietnamese too; the words of the library are English."""

    def get_usage(self, ctx: Any) -> str:
        """The line that shows how the command is written."""
        usage: str = super().get_usage(ctx)  # type: ignore[misc]
        return (
            usage.replace("Usage: ", "Cách viết: ")
            .replace("COMMAND [ARGS]...", "LỆNH …")
            .replace("[OPTIONS]", "[TÙY CHỌN]")
        )

    def get_help_option(self, ctx: Any) -> Any:
        """``--help``, in Vietnamese."""
        option = super().get_help_option(ctx)  # type: ignore[misc]
        if option is not None:
            option.help = "In hướng dẫn này rồi thoát."
        return option

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The whole help text."""
        from typer import rich_utils

        rich_utils.ARGUMENTS_PANEL_TITLE = "Giá trị"
        rich_utils.OPTIONS_PANEL_TITLE = "Tùy chọn"
        rich_utils.COMMANDS_PANEL_TITLE = "Lệnh"
        rich_utils.REQUIRED_LONG_STRING = "[bắt buộc]"
        rich_utils.DEFAULT_STRING = "[mặc định: {}]"
        super().format_help(ctx, formatter)  # type: ignore[misc]


class Command(_Vietnamese, TyperCommand):
    """A command that takes the shared options as well."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Its own parameters and the shared ones."""
        return _with_shared(super().get_params(ctx), ctx)


class Group(_Vietnamese, TyperGroup):
    """A group that takes the shared options as well."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Its own parameters and the shared ones."""
        return _with_shared(super().get_params(ctx), ctx)


_SHARED = frozenset({"database", "json"})


def _keep_database(ctx: typer.Context, value: str | None) -> str | None:
    if value is not None:
        options_of(ctx).database = value
    return value


def _keep_json(ctx: typer.Context, value: bool) -> bool:
    if value:
        options_of(ctx).json = True
    return value


def _show_version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        print(f"tiendo {version('tiendo')}")
        raise typer.Exit


def group(name: str, help_text: str) -> typer.Typer:
    """A new group of commands under the application."""
    made = typer.Typer(cls=Group, no_args_is_help=True, rich_markup_mode="rich", help=help_text)
    app.add_typer(made, name=name)
    return made


app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Tiến độ: theo dõi thực hiện quyết định, nhắc việc, kiểm chứng, lịch sử.",
    epilog="Mã kết thúc: 0 thành công, 1 không thực hiện được, 2 viết lệnh chưa đúng.",
    context_settings={"help_option_names": ["--help", "-h"]},
)


@app.callback()
def _root(
    database: Annotated[
        str | None,
        typer.Option(
            "--database",
            metavar="URL",
            help="Cơ sở dữ liệu; mặc định theo TIENDO_DATABASE_URL, rồi tệp trong thư mục dữ liệu.",
            callback=_keep_database,
            expose_value=False,
        ),
    ] = None,
    json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="In dạng JSON, mỗi dòng một đối tượng.",
            callback=_keep_json,
            expose_value=False,
        ),
    ] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="In phiên bản rồi thoát.",
            callback=_show_version,
            is_eager=True,
            expose_value=False,
        ),
    ] = False,
) -> None:
    """What every command shares."""
