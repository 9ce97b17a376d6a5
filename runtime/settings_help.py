"""What is wrong with the settings, told to the operator; and the page that lists them all."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

from dotenv import dotenv_values
from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo

PREFIX = "TIENDO_"

_PROBLEMS = {
    "int_parsing": "không phải số nguyên",
    "int_from_float": "không phải số nguyên",
    "float_parsing": "không phải số",
    "greater_than": "nhỏ quá",
    "greater_than_equal": "nhỏ quá",
    "less_than": "lớn quá",
    "less_than_equal": "lớn quá",
    "literal_error": "không có lựa chọn này",
    "string_too_short": "đang để trống",
    "string_too_long": "dài quá",
    "string_pattern_mismatch": "có ký tự không dùng được",
}


class SettingsError(Exception):
    """Settings that cannot be used; ``lines`` has one sentence for each mistake."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = tuple(lines)
        super().__init__("\n".join(self.lines))


def refuse_unknown(fields: Mapping[str, FieldInfo], file: Path | None, *, known: str) -> None:
    """Refuse variables that look like settings and are none, in the environment or the file.

    Raises:
        SettingsError: naming each, and the setting that it may have meant.
    """
    written = set(os.environ)
    if file is not None and file.is_file():
        written |= set(dotenv_values(file, encoding="utf-8"))
    names = {f"{PREFIX}{name.upper()}" for name in fields}
    lines = []
    for name in sorted(written):
        if not name.upper().startswith(PREFIX) or name.upper() in {*names, known}:
            continue
        close = difflib.get_close_matches(name.upper(), names, n=1)
        hint = f"có phải là {close[0]}?" if close else "các thiết lập có ở docs/settings.md"
        lines.append(f"{name}: không có thiết lập này; {hint}")
    if lines:
        raise SettingsError(lines)


def explain(error: ValidationError, fields: Mapping[str, FieldInfo]) -> list[str]:
    """One line for each mistake: which variable, what is wrong, what would be right."""
    lines = []
    for one in error.errors(include_url=False):
        if not one["loc"]:
            lines.append(str(one["ctx"]["error"]))
            continue
        name = str(one["loc"][0])
        problem = _PROBLEMS.get(one["type"])
        if problem is None:
            problem = str(one["ctx"]["error"]) if one["type"] == "value_error" else one["msg"]
        extra = fields[name].json_schema_extra
        known = extra if isinstance(extra, dict) else {}
        shown = f"={_shown(one['input'])}" if known.get("shown") else ""
        line = f"{PREFIX}{name.upper()}{shown}: {problem.rstrip('.')}; cần {known.get('right')}"
        if line not in lines:
            lines.append(line)
    return lines


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def settings_page(fields: Mapping[str, FieldInfo]) -> str:
    """``docs/settings.md``: one table of all settings."""
    rows = [
        f"| `{PREFIX}{name.upper()}` | {_kind(field.annotation)} | {_default(field)} | {field.description} |"
        for name, field in fields.items()
    ]
    return "\n".join([_HEAD, *rows, ""])


_HEAD = """# Settings

Read once at start, from the environment and from `.env` in the current folder; the environment
wins. `TIENDO_ENV_FILE` names another file (empty: none). A name or value that is wrong stops the
start with a sentence that says which one, what is wrong and what would be right. Nothing needs to
be set to try the system on one machine.

| variable | kind | default | what it is |
|---|---|---|---|"""


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    return "—" if value is None or value == () else f"`{value}`"


def _kind(annotation: Any) -> str:
    if get_origin(annotation) in {Union, UnionType}:
        annotation = next(one for one in get_args(annotation) if one is not type(None))
    if get_origin(annotation) is tuple:
        one = get_args(annotation)[0]
        kind = one if isinstance(one, type) else get_args(one)[0]
        return "words" if kind is str else "paths"
    if values := get_args(annotation):
        kinds = [one for one in values if isinstance(one, str)]
        return " \\| ".join(kinds) or _kind(values[0])
    names = {
        bool: "true \\| false",
        str: "text",
        int: "number",
        float: "number",
        SecretStr: "secret",
    }
    return names.get(annotation, "path")


if __name__ == "__main__":
    from runtime.settings import Settings

    print(settings_page(Settings.model_fields), end="")  # noqa: T201
