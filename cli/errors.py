"""One place that turns what went wrong into a sentence for whoever typed the command.

Exit codes: 0 done, 1 understood but refused or failed, 2 the command or a setting cannot be
understood. A mistake of the person's never ends in a traceback.
"""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import re
import sys
import traceback
from collections.abc import Iterable, Mapping

import typer

FAILURE = 1
WRONG_USE = 2
INTERRUPTED = 130


class WrongUse(Exception):
    """The command cannot be understood as it was typed; ``field`` names the option."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        self.field = field
        super().__init__(message)


class Failed(Exception):
    """The command was understood and did not come through; the text says why."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A sentence for people, the input that is wrong (None: no single one), more facts."""

    text: str
    field: str | None = None
    facts: Mapping[str, object] = dataclasses.field(default_factory=dict)


def report(error: BaseException, *, as_json: bool) -> int:
    """Say on stderr what went wrong and return the exit code."""
    code, problems = explain(error)
    for one in problems:
        if as_json:
            line = {"error": one.text, "field": one.field, **one.facts}
            print(json.dumps(line, ensure_ascii=False), file=sys.stderr)
        else:
            print(one.text, file=sys.stderr)
    return code


def explain(error: BaseException) -> tuple[int, list[Problem]]:
    """The exit code and the sentences for ``error``."""
    if isinstance(error, WrongUse):
        return WRONG_USE, [Problem(text=str(error), field=error.field)]
    if isinstance(error, Failed):
        return FAILURE, [Problem(text=str(error))]
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return INTERRUPTED, [Problem(text="Đã dừng theo yêu cầu.")]
    if isinstance(error, typer.TyperException):
        return error.exit_code, [_typed_wrong(error)]
    for found in (_of_the_house(error), _of_the_database(error), _of_the_machine(error)):
        if found is not None:
            return found
    return FAILURE, [_unexpected(error)]


def _of_the_house(error: BaseException) -> tuple[int, list[Problem]] | None:
    """Errors of our own rooms. Those that were never imported cannot have been raised."""
    if _is(error, "tasks_catalog.errors", "CatalogErrors"):
        return FAILURE, [
            Problem(text=str(one), field=one.field, facts={"file": one.file, "line": one.line})
            for one in getattr(error, "errors", ())
        ]
    if _is(error, "operations.contact_files", "FileRefused"):
        return FAILURE, [
            Problem(
                text=str(one),
                field=one.column or "file",
                facts={"sheet": one.sheet, "row": one.row, "cell": one.cell},
            )
            for one in getattr(error, "errors", ())
        ]
    if _is(error, "runtime.settings_help", "SettingsError"):
        return WRONG_USE, [
            Problem(text=line, field=line.partition("=")[0].partition(":")[0])
            for line in getattr(error, "lines", ())
        ]
    if _is(error, "models.engine", "DatabaseUrlError"):
        return WRONG_USE, [Problem(text=str(error), field="database")]
    if _is(error, "rules.workdays", "OutsideHorizon"):
        return FAILURE, [_outside_horizon(error)]
    if _is(error, "rules.lifecycle", "ActionNotAllowed"):
        allowed = [str(one) for one in getattr(error, "allowed", ())]
        typed = f" Viết: {', '.join(allowed)}." if allowed else ""
        return FAILURE, [
            Problem(text=f"{error}{typed}", field="action", facts={"allowed": allowed})
        ]
    for module, name, field_ in _SPEAKING:
        if _is(error, module, name):
            return FAILURE, [Problem(text=str(error), field=getattr(error, "field", field_))]
    return None


_SPEAKING = (
    ("operations.errors", "Refused", None),
    ("rules.timeliness", "FutureDate", "issued_on"),
    ("rules.documents", "NotADocumentCode", "document"),
    ("models.revision", "NewerDatabase", "database"),
    ("models.revision", "OlderDatabase", "database"),
    ("models.copying", "UnlikeTheCopy", "file"),
    ("runtime.archive", "ArchiveBroken", "file"),
    ("runtime.archive", "KeyNeeded", "key"),
    ("runtime.backup_shelf", "BackupFailed", None),
    ("notifications.addresses", "AddressError", "email"),
)
"""(module, class, field) of errors whose text is a sentence for people already."""


def _is(error: BaseException, module: str, name: str) -> bool:
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(error, kind)


def _outside_horizon(error: BaseException) -> Problem:
    asked, first, last = (getattr(error, name) for name in ("asked", "first", "last"))
    return Problem(
        text=(
            f"Ngày {asked:%d/%m/%Y} nằm ngoài lịch ngày nghỉ đã có "
            f"({first:%d/%m/%Y} đến {last:%d/%m/%Y}); đề nghị kiểm tra lại năm."
        )
    )


def _of_the_database(error: BaseException) -> tuple[int, list[Problem]] | None:
    if _is(error, "sqlalchemy.exc", "ArgumentError"):
        text = (
            "Địa chỉ cơ sở dữ liệu không đúng; cần dạng sqlite:///duong/dan/tiendo.sqlite "
            "hoặc postgresql://nguoidung@maychu/csdl."
        )
        return WRONG_USE, [Problem(text=text, field="database")]
    if _is(error, "sqlalchemy.exc", "DBAPIError"):
        cause = " ".join(str(getattr(error, "orig", None) or error).split())[:300]
        text = (
            f"Không làm việc được với cơ sở dữ liệu: {cause}. "
            "Đề nghị kiểm tra địa chỉ (--database hoặc TIENDO_DATABASE_URL), máy chủ đang chạy "
            "và quyền ghi; “tiendo doctor” giúp tìm nguyên nhân."
        )
        return FAILURE, [Problem(text=text, field="database")]
    return None


_OS_WORDS = {
    errno.ENOENT: "không có tệp hoặc thư mục này",
    errno.EACCES: "không có quyền đọc hoặc ghi",
    errno.EPERM: "không có quyền thực hiện",
    errno.EROFS: "chỉ đọc, không ghi được",
    errno.ENOSPC: "ổ đĩa đã đầy",
    errno.EISDIR: "là thư mục, cần một tệp",
    errno.ENOTDIR: "không phải thư mục",
    errno.EEXIST: "đã có tệp cùng tên",
    errno.ECONNREFUSED: "máy chủ từ chối kết nối",
}


def _of_the_machine(error: BaseException) -> tuple[int, list[Problem]] | None:
    if isinstance(error, UnicodeDecodeError):
        return FAILURE, [
            Problem(text="Tệp không phải UTF-8; đề nghị lưu lại dạng UTF-8 rồi thử lại.")
        ]
    if isinstance(error, OSError) and error.errno is not None:
        word = _OS_WORDS.get(error.errno, error.strerror or "lỗi của hệ điều hành")
        place = f"{error.filename}: " if error.filename else ""
        return FAILURE, [Problem(text=f"{place}{word}.")]
    return None


def _unexpected(error: BaseException) -> Problem:
    """A fault of ours: one line, and the whole of it for whoever asks for it."""
    if os.environ.get("TIENDO_LOG_LEVEL", "").lower() == "debug":
        traceback.print_exception(error, file=sys.stderr)
    said = " ".join(str(error).split())[:300]
    return Problem(
        text=(
            f"Lỗi ngoài dự kiến ({type(error).__name__}): {said or 'không có mô tả'}. "
            "Chưa có gì được ghi trong bước này. Chạy lại với TIENDO_LOG_LEVEL=debug để xem chi tiết."
        )
    )


_PATTERNS: Iterable[tuple[re.Pattern[str], str]] = (
    (
        re.compile(r"Option '(?P<option>[^']+)' requires (an argument|\d+ arguments)"),
        "Tùy chọn {option} cần một giá trị ngay sau nó.",
    ),
    (
        re.compile(r"Option '(?P<option>[^']+)' does not take a value"),
        "Tùy chọn {option} không nhận giá trị.",
    ),
    (re.compile(r"Missing command"), "Thiếu tên lệnh con. Thêm --help để xem các lệnh."),
    (
        re.compile(r"Got unexpected extra argument(?:s|\(s\))? \((?P<extra>.*)\)"),
        "Thừa “{extra}”: lệnh này không nhận thêm giá trị ở đó. Thêm --help để xem cách viết.",
    ),
    (
        re.compile(r"No such command '(?P<name>[^']*)'(?:\. Did you mean (?P<near>.*)\?)?"),
        "Không có lệnh “{name}”.{near} Gõ “tiendo --help” để xem các lệnh.",
    ),
)


def _typed_wrong(error: typer.TyperException) -> Problem:
    """What the parser of the command line found, in words for people."""
    kind, parameter = type(error).__name__, getattr(error, "param", None)
    if kind == "NoArgsIsHelpError":
        return Problem(text="Thiếu tên lệnh. Thêm --help để xem các lệnh.")
    if kind == "NoSuchOption":
        near = getattr(error, "possibilities", None)
        hint = (
            f" Có phải {' hoặc '.join(sorted(near))}?"
            if near
            else " Thêm --help để xem các tùy chọn."
        )
        option = str(getattr(error, "option_name", ""))
        return Problem(text=f"Không có tùy chọn {option}.{hint}", field=_field(option))
    if kind == "MissingParameter" and parameter is not None:
        name = _shown_name(parameter)
        return Problem(text=f"Thiếu {name}. Thêm --help để xem cách viết.", field=parameter.name)
    text = error.format_message()
    for pattern, words in _PATTERNS:
        if found := pattern.search(text):
            parts = {name: value or "" for name, value in found.groupdict().items()}
            if parts.get("near"):
                parts["near"] = f" Có phải {parts['near']}?"
            named = parts.get("option")
            return Problem(text=words.format(**parts), field=_field(named) if named else None)
    start = f"{_shown_name(parameter)}: " if parameter is not None else ""
    return Problem(text=f"{start}{error.message}", field=getattr(parameter, "name", None))


def _shown_name(parameter: object) -> str:
    if getattr(parameter, "param_type_name", "") == "option":
        return str(getattr(parameter, "opts", ["?"])[0])
    return str(getattr(parameter, "metavar", None) or getattr(parameter, "name", "?"))


def _field(option: str) -> str:
    return option.lstrip("-").replace("-", "_")
