"""Spreadsheets: texts stay texts, dates are dates, and Excel opens what we write."""

from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any

import pytest
from openpyxl import load_workbook

from reports.tables import Column, Kind, Line, Table, Value
from reports.xlsx import MAX_TEXT, workbook

AT = datetime(2027, 3, 1, 2, 0, tzinfo=UTC)
HEAD = 4
"""The row of the header in a list with one note."""


def sheet_of(*lines: tuple[Value, ...], title: str = "Danh sách") -> Any:
    """The sheet of a list with one column of each kind, read back."""
    table = Table(
        key="thu",
        title=title,
        notes=("Số liệu lúc 09 giờ 00 ngày 1/3/2027",),
        columns=(
            Column(title="Cơ quan"),
            Column(title="Số lượng", kind=Kind.NUMBER),
            Column(title="Hạn", kind=Kind.DATE),
            Column(title="Lúc", kind=Kind.MOMENT),
        ),
        lines=tuple(Line(values=one) for one in lines),
    )
    content = workbook(table, at=AT, time_zone="Asia/Ho_Chi_Minh")
    return load_workbook(BytesIO(content)).active


def cell_of(sheet: Any, row: int, column: int) -> Any:
    """A cell by its numbers."""
    return sheet.cell(row, column)


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+84 258",
        "-5",
        "@SUM(A1)",
        "\t=1",
        '=HYPERLINK("http://x.test","a")',
        " =cmd|' /C'!A0",
    ],
)
def test_a_text_never_becomes_a_formula(text: str) -> None:
    cell = cell_of(sheet_of((text, None, None, None)), HEAD + 1, 1)
    assert (cell.data_type, cell.quotePrefix) == ("s", True)
    assert str(cell.value).strip() == text.strip()


def test_headers_and_titles_are_texts_too() -> None:
    sheet = sheet_of(title="=Danh sách: [2027]/x")
    assert cell_of(sheet, 1, 1).data_type == "s"
    assert [cell_of(sheet, HEAD, n).value for n in (1, 2, 3, 4)] == [
        "Cơ quan",
        "Số lượng",
        "Hạn",
        "Lúc",
    ]


def test_dates_are_dates_and_instants_are_local() -> None:
    sheet = sheet_of(("Xã Vạn Ninh", 1234, date(2027, 3, 31), AT))
    due, moment = cell_of(sheet, HEAD + 1, 3), cell_of(sheet, HEAD + 1, 4)
    assert due.value == datetime(2027, 3, 31)  # noqa: DTZ001
    assert due.number_format == "d/m/yyyy"
    assert moment.value == datetime(2027, 3, 1, 9, 0)  # noqa: DTZ001
    assert cell_of(sheet, HEAD + 1, 2).value == 1234


def test_what_no_spreadsheet_holds_is_left_out() -> None:
    sheet = sheet_of(("a\x00b\x0bc", None, None, None), ("x" * (MAX_TEXT + 9), None, None, None))
    assert cell_of(sheet, HEAD + 1, 1).value == "abc"
    assert len(cell_of(sheet, HEAD + 2, 1).value) == MAX_TEXT
