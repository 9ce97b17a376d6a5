"""The sheet of contacts to fill in: every agency, its contacts as they are, kinds to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

SHEET = "Đầu mối"
_SPARE = 200
"""Empty rows below the list in which the choices work as well."""
_WIDTHS = (44, 22, 28, 26, 36, 18, 14)


def contact_sheet(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    kinds: Sequence[str],
    help_lines: Sequence[str],
) -> bytes:
    """An xlsx file with ``rows`` under ``headings``; every cell is text, so that zeros stay.

    The second column offers ``kinds``, the last one ``x``; ``help_lines`` stand on a second sheet.
    """
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)  # noqa: S101 - a new workbook has one
    sheet.title = SHEET
    for number, line in enumerate((headings, *rows), start=1):
        for place, text in enumerate(line, start=1):
            cell = sheet.cell(number, place)
            cell.value, cell.data_type, cell.number_format = text, "s", "@"
            if number == 1:
                cell.font = Font(bold=True)
    for place, width in enumerate(_WIDTHS[: len(headings)], start=1):
        sheet.column_dimensions[get_column_letter(place)].width = width
    last = len(rows) + 1 + _SPARE
    _offer(sheet, kinds, f"B2:B{last}")
    _offer(
        sheet,
        ["x"],
        f"{get_column_letter(len(headings))}2:{get_column_letter(len(headings))}{last}",
    )
    sheet.freeze_panes = "A2"
    told = book.create_sheet("Hướng dẫn")
    told.column_dimensions["A"].width = 110
    for line in help_lines:
        told.append([line])
    target = BytesIO()
    book.save(target)
    return target.getvalue()


def _offer(sheet: Worksheet, words: Sequence[str], cells: str) -> None:
    choice = DataValidation(type="list", formula1=f'"{",".join(words)}"', allow_blank=True)
    choice.showErrorMessage = True
    choice.errorTitle, choice.error = "Chưa đúng", "Đề nghị chọn một mục trong danh sách."
    sheet.add_data_validation(choice)
    choice.add(cells)
