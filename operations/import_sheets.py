"""The workbook of a late start (rule 19): its sheets, their columns, and reading them safely.

Everything is read as text, in NFC and without outer blanks: dates as ISO, whole numbers without a
point. Formulas, error values and merged cells are refused with their cell.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any, Final

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from operations.agency_names import bare
from operations.broken_books import HALF_A_BOOK, NOT_A_BOOK, readable
from operations.contact_files import (
    CONTACTS,
    MAX_BYTES,
    MAX_COLUMNS,
    MAX_ROWS,
    FileError,
    FileRefused,
    FileRow,
    Shape,
    check_archive,
    table_rows,
)

AGENCIES, PEOPLE, ACCOUNTS, RESULTS = "Cơ quan", "Đầu mối", "Tài khoản", "Kết quả"
GUIDE, LISTS = "Hướng dẫn", "Danh sách"
"""Sheets that the template has for people, and that are not read."""

SHAPES: Final[Mapping[str, Shape]] = {
    AGENCIES: Shape(
        columns={
            "key": "Mã",
            "name": "Tên cơ quan",
            "kind": "Loại",
            "code": "Mã số hành chính",
            "from": "Từ ngày",
            "to": "Đến hết ngày",
        },
        required=("key", "name", "kind"),
        row_word="cơ quan",
    ),
    PEOPLE: CONTACTS,
    ACCOUNTS: Shape(
        columns={
            "username": "Tên đăng nhập",
            "name": "Họ và tên",
            "role": "Vai trò",
            "agency": "Cơ quan",
            "post": "Chức vụ",
            "email": "Thư điện tử",
            "basis": "Căn cứ",
            "valid_to": "Ngày kết thúc",
        },
        required=("username", "name", "role"),
        row_word="tài khoản",
    ),
    RESULTS: Shape(
        columns={
            "agency": "Cơ quan",
            "item": "Nhiệm vụ",
            "period": "Kỳ",
            "state": "Kết quả",
            "done": "Ngày hoàn thành",
            "papers": "Còn văn bản",
            "document": "Số, ký hiệu văn bản",
            "issued": "Ngày văn bản",
            "text": "Nội dung kết quả",
            "reason": "Lý do",
        },
        required=("agency", "item", "period", "state"),
        row_word="kết quả",
    ),
}
_MERGED: Final = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3}[0-9]{1,7})')
Sheets = Mapping[str, Sequence[FileRow]]
"""The rows by sheet; a sheet that the file does not have is missing."""


def read_workbook(content: bytes, file_name: str) -> Sheets:
    """The rows of a filled workbook.

    Raises:
        FileRefused: it cannot be read, or a sheet, heading or cell is none that we take.
    """
    _check_file(content, file_name)
    with readable(*NOT_A_BOOK):
        check_archive(content)
        book = load_workbook(io.BytesIO(content), read_only=True)
    found: dict[str, list[FileRow]] = {}
    errors: list[FileError] = []
    for sheet in book.worksheets:
        try:
            name = _sheet_name(str(sheet.title))
            if name is None:
                continue
            if name in found:
                remedy = "Chỉ giữ một trang tính"
                problem = f"Trang tính “{name}” có hai lần"
                raise FileRefused([FileError(problem=problem, remedy=remedy, sheet=name)])
            with readable(*HALF_A_BOOK):
                found[name] = _rows(content, sheet, name)
        except FileRefused as refused:
            errors += refused.errors
    if not errors and not any(found.values()):
        problem = "Tệp không có dòng nào để nhập"
        remedy = f"Dùng tệp mẫu và điền một trong các trang tính: {_known()}"
        errors.append(FileError(problem=problem, remedy=remedy))
    if errors:
        raise FileRefused(errors)
    return found


def _check_file(content: bytes, file_name: str) -> None:
    if len(content) > MAX_BYTES:
        error = FileError(problem="Tệp lớn hơn 5 MB", remedy="Chỉ giữ các trang tính của tệp mẫu")
        raise FileRefused([error])
    ending = file_name.rpartition(".")[2].lower()
    if ending != "xlsx":
        problem = f"Không đọc được tệp “.{ending}”"
        raise FileRefused([FileError(problem=problem, remedy="Lưu lại thành .xlsx")])


def _known() -> str:
    return ", ".join(f"“{name}”" for name in SHAPES)


def _sheet_name(title: str) -> str | None:
    """The sheet that a title means; None for those that are not read."""
    names = {bare(name): name for name in (*SHAPES, GUIDE, LISTS)}
    name = names.get(bare(title))
    if name is None:
        near = get_close_matches(bare(title), names, n=1)
        remedy = f"Có phải “{names[near[0]]}”?" if near else f"Xóa trang này; chỉ dùng: {_known()}"
        error = FileError(problem=f"Không nhận trang tính “{title}”", remedy=remedy, sheet=title)
        raise FileRefused([error])
    return name if name in SHAPES else None


def _rows(content: bytes, sheet: Any, name: str) -> list[FileRow]:
    errors = _merged(content, sheet, name)
    table: list[list[str]] = []
    for number, row in enumerate(
        sheet.iter_rows(max_row=MAX_ROWS + 2, max_col=MAX_COLUMNS), start=1
    ):
        texts = []
        for place, cell in enumerate(row, start=1):
            error = _wrong_cell(cell)
            if error is not None:
                at = f"{get_column_letter(place)}{number}"
                problem, remedy = error
                errors.append(
                    FileError(row=number, cell=at, sheet=name, problem=problem, remedy=remedy)
                )
            texts.append("" if error else _text(cell.value))
        table.append(texts)
    if errors:
        raise FileRefused(errors)
    return table_rows(table, name, SHAPES[name], may_be_empty=True)


def _merged(content: bytes, sheet: Any, name: str) -> list[FileError]:
    """Merged cells: only the first of them has a value, so the other rows would be read as empty."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        path = sheet._worksheet_path  # noqa: SLF001 - read-only sheets do not tell it otherwise
        part = archive.read(str(path).lstrip("/"))
    return [
        FileError(
            cell=found.decode("ascii"),
            sheet=name,
            problem="Ô bị gộp (merge)",
            remedy="Bỏ gộp ô và điền từng dòng",
        )
        for found in _MERGED.findall(part)
    ]


def _wrong_cell(cell: Any) -> tuple[str, str] | None:
    if cell.value is None:
        return None
    if cell.data_type == "f":
        return "Ô là công thức", "Chép ô và dán lại dạng giá trị (Paste Special, Values)"
    if cell.data_type == "e":
        return f"Ô báo lỗi {cell.value}", "Sửa lại giá trị của ô"
    return None


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).replace("\u00a0", " ")


def pack(sheets: Sheets) -> list[Any]:
    """The rows as JSON, for the way through a browser and back."""
    packed = []
    for name, rows in sheets.items():
        if rows:
            places = {field: at.rstrip("0123456789") for field, at in rows[0].cells.items()}
            texts = [[row.number, *(row.values[field] for field in places)] for row in rows]
            packed.append([name, list(places.items()), texts])
    return packed


def unpack(packed: Sequence[Any]) -> Sheets:
    """What :func:`pack` made."""
    return {
        name: [
            FileRow(
                number,
                {field: text for (field, _), text in zip(places, texts, strict=True)},
                {field: f"{letter}{number}" for field, letter in places},
                name,
                SHAPES[name].columns,
            )
            for number, *texts in rows
        ]
        for name, places, rows in packed
    }
