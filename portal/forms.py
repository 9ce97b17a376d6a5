"""Posted forms: read once, cleaned, checked field by field; what was typed is never lost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final, Self

from fastapi import Request
from starlette.datastructures import UploadFile

from notifications.formats import clean_line, clean_text
from operations.errors import Refused
from portal.errors import BadForm, StaleForm, TooLarge
from portal.guard import BodyTooLarge
from portal.portal import portal_of

SECRET_FIELDS: Final = frozenset({"password", "password_again", "current", "totp"})
MAX_FILES: Final = 5
"""Files of one form."""
_MAX_FIELDS: Final = 120
_MAX_FIELD: Final = 200_000
"""Bytes of one field that is no file."""
MAX_TEXT: Final = 20_000
"""Characters of a text."""
MAX_LINE: Final = 300
"""Characters of a line."""

_DAY_FIRST: Final = re.compile(r"(\d{1,2})\s*[/.\-\s]\s*(\d{1,2})\s*[/.\-\s]\s*(\d{4})")
_IN_WORDS: Final = re.compile(
    r"(?:ngày\s+)?(\d{1,2})\s+tháng\s+(\d{1,2})\s+năm\s+(\d{4})", re.IGNORECASE
)
_ISO: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")


class FieldError(ValueError):
    """A field that cannot be read as typed; the text says what would be right."""


def read_date(text: str) -> date | None:
    """``31/3/2027``, ``31.3.2027``, ``2027-03-31`` or "ngày 31 tháng 3 năm 2027"; None if empty.

    Raises:
        FieldError: anything else.
    """
    typed = text.strip()
    if not typed:
        return None
    if found := _ISO.fullmatch(typed):
        year, month, day = found.groups()
    elif found := _DAY_FIRST.fullmatch(typed) or _IN_WORDS.fullmatch(typed):
        day, month, year = found.groups()
    else:
        raise FieldError(
            f"“{typed[:40]}” chưa đúng dạng ngày/tháng/năm; đề nghị ghi như 31/3/2027."
        )
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise FieldError(
            f"Không có ngày {int(day)}/{int(month)}/{year}; đề nghị kiểm tra lại ngày, tháng."
        ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A form as it came. Text is cleaned (NFC, no invisible characters), line breaks kept."""

    fields: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Passwords and codes as they were typed; never shown again."""
    files: tuple[UploadFile, ...] = ()

    def text(self, name: str) -> str:
        """A text of several lines; empty when it is missing.

        Raises:
            FieldError: it is too long.
        """
        found = self.fields.get(name, "")
        if len(found) > MAX_TEXT:
            raise FieldError(
                f"Nội dung dài {len(found)} ký tự, quá {MAX_TEXT}; đề nghị rút gọn, "
                "phần chi tiết gửi bằng tệp đính kèm."
            )
        return found

    def line(self, name: str) -> str:
        """A text of one line.

        Raises:
            FieldError: it is too long.
        """
        found = clean_line(self.fields.get(name, ""))
        if len(found) > MAX_LINE:
            raise FieldError(f"Nội dung dài quá {MAX_LINE} ký tự; đề nghị rút gọn.")
        return found

    def day(self, name: str) -> date | None:
        """A date; None when nothing was typed.

        Raises:
            FieldError: it cannot be read.
        """
        return read_date(self.line(name))

    def number(self, name: str) -> int | None:
        """A whole number of a hidden field; None when it is missing or none."""
        found = self.fields.get(name, "")
        return int(found) if found.isdecimal() and len(found) < 19 else None

    def ticked(self, name: str) -> bool:
        """Whether a box was ticked."""
        return bool(self.fields.get(name))


@dataclass(frozen=True, slots=True, kw_only=True)
class FormState:
    """What a form shows: values typed before, errors beside fields, and whose form is open.

    ``deed`` names the form that was posted; the others show their defaults.
    """

    deed: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    """What is wrong with the form as a whole."""
    kept: tuple[Any, ...] = ()
    """Files that were taken already, so that they need not be chosen again."""
    kept_text: str = ""
    """The same, signed, as the form carries it."""

    def value(self, deed: str, name: str, default: str = "") -> str:
        """What stands in a field of the form ``deed``."""
        return self.values.get(name, default) if deed == self.deed else default

    def error(self, deed: str, name: str) -> str:
        """What is wrong with a field of the form ``deed``."""
        return self.errors.get(name, "") if deed == self.deed else ""

    def with_error(self, name: str | None, message: str) -> Self:
        """The same with one more error; without a name it is the form's."""
        if not name:
            return replace(self, problem=message)
        return replace(self, errors={**self.errors, name: message})

    def refused(self, error: Refused) -> Self:
        """The same with everything that is wrong, each beside its field."""
        found = self
        for one in error.each:
            found = found.with_error(one.field, str(one))
        return found


async def read_form(request: Request) -> Posted:
    """The posted form of this request, whatever its mark.

    Raises:
        TooLarge: it holds more than a request may.
        BadForm: no browser sends such a form.
    """
    if request.scope["state"].get("too_large"):
        raise TooLarge(_TOO_LARGE)
    try:
        form = await request.form(
            max_files=MAX_FILES + 1, max_fields=_MAX_FIELDS, max_part_size=_MAX_FIELD
        )
    except BodyTooLarge:
        raise TooLarge(_TOO_LARGE) from None
    fields: dict[str, str] = {}
    secrets: dict[str, str] = {}
    files: list[UploadFile] = []
    for name, value in form.multi_items():
        if isinstance(value, str) and name in SECRET_FIELDS:
            secrets[name] = value
        elif isinstance(value, str):
            fields[name] = clean_text(value)
        elif value.filename:
            files.append(value)
    if len(files) > MAX_FILES:
        raise BadForm(f"Mỗi lần chỉ gửi tối đa {MAX_FILES} tệp. Nội dung chưa được ghi.")
    return Posted(fields=fields, secrets=secrets, files=tuple(files))


_TOO_LARGE: Final = (
    "Tổng dung lượng các tệp vượt mức cho phép (50 MB). Nội dung chưa được ghi. Đề nghị bấm nút "
    "quay lại của trình duyệt, chọn tệp nhỏ hơn (quét ở chế độ đen trắng, 200 dpi) hoặc chỉ ghi "
    "số, ngày văn bản."
)


async def posted(request: Request) -> Posted:
    """The posted form, if it brings back the mark that was given out with the page.

    Raises:
        StaleForm: it does not.
        TooLarge, BadForm: as :func:`read_form`.
    """
    form = await read_form(request)
    owner = request.scope["state"].get("mark_owner")
    if request.headers.get("sec-fetch-site") == "cross-site":
        raise StaleForm
    if not owner or not portal_of(request).signing.is_mark(owner, form.fields.get("mark")):
        raise StaleForm
    return form
