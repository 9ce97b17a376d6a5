"""The workbook of a late start to fill in: a guide, the sheets, and lists to choose from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from io import BytesIO

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

_SPARE = 300
"""Empty rows below the list in which the choices work as well."""
_HEAD = PatternFill("solid", fgColor="E6EBF0")
_MUST = PatternFill("solid", fgColor="FFF4CC")
_WIDTHS = {0: 38}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One sheet: its headings, which of them must be filled in, its rows, and its choices.

    ``offers`` maps a column (from 0) to the name of a list; ``by_row`` the list of one column for
    single rows (from 0), where it differs from row to row.
    """

    title: str
    headings: Sequence[str]
    required: Sequence[int]
    dates: Sequence[int]
    rows: Sequence[Sequence[str | date]]
    offers: Mapping[int, str]
    by_row: Mapping[int, tuple[int, str]]


def import_workbook(
    sheets: Sequence[Sheet],
    lists: Mapping[str, Sequence[str]],
    *,
    guide: tuple[str, Sequence[str]],
    lists_title: str,
) -> bytes:
    """The xlsx file. Every text is text, so that zeros stay and nothing becomes a formula."""
    book = Workbook()
    told = book.active
    assert isinstance(told, Worksheet)  # noqa: S101 - a new workbook has one
    _guide(told, *guide)
    places = {name: _place(lists_title, at, len(words)) for at, (name, words) in _each(lists)}
    for sheet in sheets:
        _sheet(book.create_sheet(sheet.title), sheet, places)
    listed = book.create_sheet(lists_title)
    for at, (name, words) in _each(lists):
        for number, word in enumerate((name, *words), start=1):
            _text(listed, number, at, word)
        listed.column_dimensions[get_column_letter(at)].width = 30
    target = BytesIO()
    book.save(target)
    return target.getvalue()


def _each(
    lists: Mapping[str, Sequence[str]],
) -> Sequence[tuple[int, tuple[str, Sequence[str]]]]:
    return list(enumerate(lists.items(), start=1))


def _place(title: str, column: int, count: int) -> str:
    letter = get_column_letter(column)
    return f"{quote_sheetname(title)}!${letter}$2:${letter}${count + 1}"


def _guide(sheet: Worksheet, title: str, lines: Sequence[str]) -> None:
    sheet.title = title
    sheet.column_dimensions["A"].width = 110
    for number, line in enumerate(lines, start=1):
        _text(sheet, number, 1, line)
        sheet.cell(number, 1).alignment = Alignment(wrap_text=True, vertical="top")
    sheet.cell(1, 1).font = Font(bold=True, size=14)


def _sheet(target: Worksheet, sheet: Sheet, places: Mapping[str, str]) -> None:
    for place, heading in enumerate(sheet.headings, start=1):
        _text(target, 1, place, heading)
        cell = target.cell(1, place)
        cell.font = Font(bold=True)
        cell.fill = _MUST if place - 1 in sheet.required else _HEAD
        width = 14 if place - 1 in sheet.dates else _WIDTHS.get(place - 1, 24)
        target.column_dimensions[get_column_letter(place)].width = width
    for number, row in enumerate(sheet.rows, start=2):
        for place, value in enumerate(row, start=1):
            if isinstance(value, date):
                target.cell(number, place, value).number_format = "d/m/yyyy"
            else:
                _text(target, number, place, value)
    last = len(sheet.rows) + 1 + _SPARE
    for column in sheet.dates:
        for number in range(2, last + 1):
            target.cell(number, column + 1).number_format = "d/m/yyyy"
    for column, name in sheet.offers.items():
        letter = get_column_letter(column + 1)
        _offer(target, places.get(name), [f"{letter}2:{letter}{last}"])
    _offer_by_row(target, sheet, places)
    target.freeze_panes = "A2"
    target.auto_filter.ref = f"A1:{get_column_letter(len(sheet.headings))}{len(sheet.rows) + 1}"


def _offer_by_row(target: Worksheet, sheet: Sheet, places: Mapping[str, str]) -> None:
    runs: dict[str, list[str]] = {}
    for at, (column, name) in sorted(sheet.by_row.items()):
        letter = get_column_letter(column + 1)
        runs.setdefault(name, []).append(f"{letter}{at + 2}")
    for name, cells in runs.items():
        _offer(target, places.get(name), _joined(cells))


def _joined(cells: Sequence[str]) -> list[str]:
    """Neighbouring cells of one column as ranges."""
    found: list[list[int]] = []
    letter = cells[0].rstrip("0123456789")
    for number in (int(cell[len(letter) :]) for cell in cells):
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return [f"{letter}{first}:{letter}{last}" for first, last in found]


def _offer(target: Worksheet, place: str | None, ranges: Sequence[str]) -> None:
    if place is None:
        return
    choice = DataValidation(type="list", formula1=place, allow_blank=True)
    choice.showErrorMessage = True
    choice.errorTitle, choice.error = "Chưa đúng", "Đề nghị chọn một mục trong danh sách."
    target.add_data_validation(choice)
    for one in ranges:
        choice.add(one)


def _text(sheet: Worksheet, row: int, column: int, text: str) -> None:
    cell = sheet.cell(row, column)
    cell.value, cell.data_type, cell.number_format = text, "s", "@"
