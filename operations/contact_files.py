"""Files of contacts, CSV or xlsx, into rows that know their cells.

A file is one table with a header. CSV is UTF-8 (with or without a byte order mark), separated by
``;``, ``,`` or tabs; of an xlsx file the first sheet counts.
"""

from __future__ import annotations

import csv
import io
import unicodedata
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from operations.broken_books import HALF_A_BOOK, NOT_A_BOOK, readable
from operations.file_errors import FileError, FileRefused
from operations.file_kinds import XLSX, UnfitFile, recognise

__all__ = ["FileError", "FileRefused"]  # where everybody looks for them

MAX_ROWS: Final = 5_000
MAX_BYTES: Final = 5_000_000
MAX_UNPACKED: Final = 25_000_000
"""Bytes that the parts of an xlsx file may unpack to; a bomb is a small file that claims more."""
MAX_COLUMNS: Final = 30

COLUMNS: Final = {
    "agency": "Cơ quan",
    "kind": "Loại liên hệ",
    "name": "Họ và tên",
    "post": "Chức vụ",
    "email": "Thư điện tử",
    "phone": "Điện thoại",
    "end": "Thôi dùng",
}
"""Fields and the headings that the template has."""

REQUIRED: Final = ("agency", "kind", "email")

_ALSO: Final = {
    "agency": ("mã cơ quan", "tên cơ quan", "đơn vị", "cơ quan, đơn vị", "agency"),
    "kind": ("loại", "vai trò", "loại đầu mối", "kind"),
    "name": ("họ tên", "họ và tên đầu mối", "name"),
    "post": ("chức danh", "post"),
    "email": ("email", "e-mail", "địa chỉ thư", "hộp thư", "thư điện tử công vụ"),
    "phone": ("số điện thoại", "sđt", "phone"),
    "end": ("thôi dùng (ghi x)", "end"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a table is asked to look like: its headings, other words for them, what must be there."""

    columns: Mapping[str, str]
    """Field to the heading that the template has."""
    also: Mapping[str, Sequence[str]] = field(default_factory=dict)
    required: Sequence[str] = ()
    row_word: str = "dòng"
    """What a row is about, for the message that there is none."""


CONTACTS: Final = Shape(columns=COLUMNS, also=_ALSO, required=REQUIRED, row_word="liên hệ")


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row of the table: its number in the file and its texts by field."""

    number: int
    values: dict[str, str]
    cells: dict[str, str]
    """The cell of each field, ``{"email": "E5"}``."""
    sheet: str | None = None
    columns: Mapping[str, str] = field(default_factory=lambda: COLUMNS)
    """The heading of each field."""

    @property
    def ends(self) -> bool:
        """Whether the contact is to be used no longer."""
        return self.values.get("end", "").casefold() == "x"

    def error(self, field: str, problem: str, remedy: str) -> FileError:
        """An error in this row at ``field``."""
        return FileError(
            row=self.number,
            column=self.columns[field],
            cell=self.cells.get(field),
            sheet=self.sheet,
            problem=problem,
            remedy=remedy,
        )


def read_contact_file(content: bytes, file_name: str) -> list[FileRow]:
    """The rows of a file; ``file_name`` tells which kind it is by its ending.

    Raises:
        FileRefused: it cannot be read, or its heading is not that of a table of contacts.
    """
    if len(content) > MAX_BYTES:
        raise FileRefused(
            [FileError(problem="Tệp lớn hơn 5 MB", remedy="Chỉ giữ lại bảng danh sách liên hệ")]
        )
    ending = file_name.rpartition(".")[2].lower()
    sheet = None
    if ending == "xlsx":
        sheet, table = _xlsx(content)
    elif ending in {"csv", "txt"}:
        table = _csv(content)
    else:
        problem = f"Không đọc được tệp “.{ending}”"
        raise FileRefused(
            [FileError(problem=problem, remedy="Lưu lại thành .xlsx hoặc .csv (UTF-8)")]
        )
    return table_rows(table, sheet, CONTACTS)


def _csv(content: bytes) -> list[list[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        problem = "Tệp CSV không phải mã UTF-8"
        remedy = "Trong Excel chọn “Save As”, loại “CSV UTF-8”"
        raise FileRefused([FileError(problem=problem, remedy=remedy)]) from None
    if "\0" in text:
        problem = "Tệp CSV có ký tự không đọc được"
        raise FileRefused([FileError(problem=problem, remedy="Lưu lại thành .xlsx")])
    head = text.partition("\n")[0]
    separator = max((";", ",", "\t"), key=head.count)
    try:
        return [list(row) for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator)]
    except csv.Error:
        problem = "Tệp CSV có dấu nháy hoặc ô không đúng quy cách"
        raise FileRefused([FileError(problem=problem, remedy="Lưu lại thành .xlsx")]) from None


def _xlsx(content: bytes) -> tuple[str | None, list[list[str]]]:
    with readable(*NOT_A_BOOK):
        check_archive(content)
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    sheet: Any = book.worksheets[0] if book.worksheets else None
    if sheet is None:
        return None, []
    with readable(*HALF_A_BOOK):
        rows = sheet.iter_rows(values_only=True, max_row=MAX_ROWS + 2, max_col=MAX_COLUMNS)
        return str(sheet.title), [[_cell(value) for value in row] for row in rows]


def check_archive(content: bytes) -> None:
    """Refuse what is no plain xlsx file, or unpacks to more than a table of contacts could.

    ``zipfile`` never unpacks more of a part than the part claims, so that the claims are a bound.
    A document type has no place in such a file, and is how entities multiply; XML may be written
    in UTF-16 or UTF-32, which are ASCII with zeros between.

    Raises:
        FileRefused, InvalidFileException: it is none that we read.
    """
    try:
        kind = recognise(io.BytesIO(content))
    except UnfitFile as error:
        problem, _, remedy = str(error).rstrip(".").partition("; ")
        remedy = remedy[:1].upper() + remedy[1:] or "Lưu lại thành .xlsx"
        problem = problem.partition(". ")[0]  # what else would be taken does not help here
        problem = f"Tệp không phải bảng tính .xlsx dùng được: {problem}"
        raise FileRefused([FileError(problem=problem, remedy=remedy)]) from None
    if kind is not XLSX:
        raise InvalidFileException
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
        if sum(part.file_size for part in parts) > MAX_UNPACKED:
            problem = f"Tệp giải nén ra hơn {MAX_UNPACKED // 1_000_000} MB, có thể không an toàn"
            remedy = "Chép nội dung các bảng sang tệp .xlsx mới rồi tải lên"
            raise FileRefused([FileError(problem=problem, remedy=remedy)])
        if any(b"<!DOCTYPE" in archive.read(part).replace(b"\0", b"") for part in parts):
            raise InvalidFileException


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).replace("*", " ").lower().split())


def table_rows(
    table: Sequence[Sequence[str]], sheet: str | None, shape: Shape, *, may_be_empty: bool = False
) -> list[FileRow]:
    """The rows of a table under its heading.

    Raises:
        FileRefused: with all that is wrong with the heading, or nothing stands below it.
    """
    filled = [(at, row) for at, row in enumerate(table, 1) if any(one.strip() for one in row)]
    if not filled:
        if may_be_empty:
            return []
        raise FileRefused(
            [FileError(problem="Tệp không có dòng nào", remedy="Dùng tệp mẫu và điền danh sách")]
        )
    if len(filled) - 1 > MAX_ROWS:
        problem = f"Tệp có hơn {MAX_ROWS} dòng"
        raise FileRefused([FileError(problem=problem, remedy="Chia thành nhiều tệp", sheet=sheet)])
    number, header = filled[0]
    columns = _header(number, header, sheet, shape)
    rows = []
    for row_number, row in filled[1:]:
        values = {
            name: unicodedata.normalize("NFC", row[at]).strip() if at < len(row) else ""
            for name, at in columns.items()
        }
        cells = {name: f"{get_column_letter(at + 1)}{row_number}" for name, at in columns.items()}
        rows.append(FileRow(row_number, values, cells, sheet, shape.columns))
    if not rows and not may_be_empty:
        remedy = f"Điền ít nhất một {shape.row_word}"
        raise FileRefused([FileError(problem="Tệp chỉ có dòng tiêu đề", remedy=remedy)])
    return rows


def _header(number: int, header: Sequence[str], sheet: str | None, shape: Shape) -> dict[str, int]:
    """Where each field stands. Columns that are not asked for are refused (rule 40)."""
    known = {_plain(heading): name for name, heading in shape.columns.items()}
    known |= {_plain(word): name for name, words in shape.also.items() for word in words}
    found: dict[str, int] = {}
    errors: list[FileError] = []
    for at, text in enumerate(header):
        name = known.get(_plain(text))
        cell = f"{get_column_letter(at + 1)}{number}"

        def wrong(problem: str, remedy: str, cell: str = cell) -> FileError:
            return FileError(row=number, cell=cell, sheet=sheet, problem=problem, remedy=remedy)

        if name is None and text.strip():
            remedy = f"Xóa cột này; chỉ dùng các cột: {_listed(shape, shape.columns)}"
            errors.append(wrong(f"Không nhận cột “{text.strip()}”", remedy))
        elif name is not None and name in found:
            errors.append(wrong(f"Cột “{shape.columns[name]}” có hai lần", "Chỉ giữ một cột"))
        elif name is not None:
            found[name] = at
    errors += _missing(number, found, sheet, shape)
    if errors:
        raise FileRefused(errors)
    return found


def _missing(number: int, found: Iterable[str], sheet: str | None, shape: Shape) -> list[FileError]:
    missing = [name for name in shape.required if name not in set(found)]
    if not missing:
        return []
    problem = f"Thiếu cột {_listed(shape, missing)}"
    remedy = f"Dòng đầu cần có các cột: {_listed(shape, shape.columns)}"
    return [FileError(row=number, sheet=sheet, problem=problem, remedy=remedy)]


def _listed(shape: Shape, fields: Iterable[str]) -> str:
    return ", ".join(f"“{shape.columns[name]}”" for name in fields)
