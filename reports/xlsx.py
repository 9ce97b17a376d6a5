"""A list as a spreadsheet that opens in Excel and LibreOffice, and runs nothing in either.

Every text is written as text, whatever it begins with: what somebody typed into a form can never
become a formula on the desk of whoever exports it.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from io import BytesIO
from typing import Any, Final
from zoneinfo import ZoneInfo

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from reports.tables import Column, Kind, Line, Table, Value

MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MAX_TEXT: Final = 32_767
"""Characters that one cell can hold."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a program may take for the beginning of a formula (OWASP, "CSV Injection")."""
_FORMATS: Final = {Kind.NUMBER: "#,##0", Kind.DATE: "d/m/yyyy", Kind.MOMENT: "hh:mm d/m/yyyy"}
_NOT_IN_A_NAME: Final = re.compile(r"[\[\]:*?/\\']")
_HEAD: Final = PatternFill("solid", fgColor="E6EBF0")
_LINE: Final = Side(style="thin", color="C5CED6")
_BORDER: Final = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
_TOP: Final = Alignment(vertical="top", wrap_text=True)
_FONT: Final = "Times New Roman"


def workbook(table: Table, *, at: datetime, time_zone: str) -> bytes:
    """The file of ``table`` as known ``at`` an instant; instants are shown in ``time_zone``."""
    book = Workbook()
    book.properties.creator = "Tiến độ"
    book.properties.created = book.properties.modified = at.replace(tzinfo=None)
    sheet = book.active
    assert isinstance(sheet, Worksheet)  # noqa: S101 - a new workbook has one
    sheet.title = _NOT_IN_A_NAME.sub(" ", table.title)[:31]
    zone = ZoneInfo(time_zone)
    head = _heading(sheet, table)
    for number, line in enumerate(table.lines, start=head + 1):
        _line(sheet, number, table, line, zone)
    _arrange(sheet, table, head)
    target = BytesIO()
    book.save(target)
    return target.getvalue()


def _heading(sheet: Worksheet, table: Table) -> int:
    """Title, notes and header; returns the number of the header's row."""
    _text(sheet.cell(1, 1), table.title)
    sheet.cell(1, 1).font = Font(name=_FONT, size=14, bold=True)
    for number, note in enumerate(table.notes, start=2):
        _text(sheet.cell(number, 1), note)
        sheet.cell(number, 1).font = Font(name=_FONT, size=11, italic=True)
    head = len(table.notes) + 3
    for number, column in enumerate(table.columns, start=1):
        cell = sheet.cell(head, number)
        _text(cell, column.title)
        cell.font = Font(name=_FONT, size=11, bold=True)
        cell.fill, cell.border, cell.alignment = _HEAD, _BORDER, _TOP
    return head


def _line(sheet: Worksheet, number: int, table: Table, line: Line, zone: ZoneInfo) -> None:
    for index, (column, value) in enumerate(zip(table.columns, line.values, strict=True), start=1):
        cell = sheet.cell(number, index)
        cell.font, cell.border, cell.alignment = _BODY, _BORDER, _TOP
        _write(cell, column, value, zone)


_BODY: Final = Font(name=_FONT, size=11)


def _write(cell: Any, column: Column, value: Value, zone: ZoneInfo) -> None:
    if value is None:
        return
    if isinstance(value, str):
        _text(cell, value)
        return
    if isinstance(value, datetime):
        value = value.astimezone(zone).replace(tzinfo=None)
        cell.number_format = _FORMATS[Kind.MOMENT]
    elif isinstance(value, date):
        cell.number_format = _FORMATS[Kind.DATE]
    elif column.kind is Kind.NUMBER:
        cell.number_format = _FORMATS[Kind.NUMBER]
    cell.value = value


def _text(cell: Any, text: str) -> None:
    """Write ``text`` as text; one that looks like a formula is marked so for whoever edits it."""
    assert isinstance(cell, Cell)  # noqa: S101 - nothing is merged here
    shown = ILLEGAL_CHARACTERS_RE.sub("", text)[:MAX_TEXT]
    cell.value = shown
    cell.data_type = "s"
    if shown.lstrip(" ").startswith(_FORMULA):
        cell.quotePrefix = True


def _arrange(sheet: Worksheet, table: Table, head: int) -> None:
    for number, column in enumerate(table.columns, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = column.width
    last = get_column_letter(len(table.columns))
    sheet.freeze_panes = f"A{head + 1}"
    sheet.auto_filter.ref = f"A{head}:{last}{head + len(table.lines)}"
    sheet.print_title_rows = f"{head}:{head}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9  # A4
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
