"""A workbook of a late start as an office would fill it in: for tests and for the report.

Results are made up, and the same each time: most agencies in time, some late, some without any
document left, some with nothing to report, some silent.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

from openpyxl import load_workbook
from openpyxl.workbook import Workbook

from operations.import_file import template_file
from operations.import_sheets import RESULTS, SHAPES, read_workbook
from operations.importing import Outcome, take_over
from operations.stamp import Stamp
from operations.state import load_state
from rules.late_start import past_opening, past_periods
from rules.planning import Opening
from rules.values import Agency, ItemKind
from tests.engine import Engine

FIELDS = tuple(SHAPES[RESULTS].columns)


class OnlyLooked(Exception):
    """Ends the transaction of a preview."""


def blank(engine: Engine, today: date) -> Workbook:
    """The template, opened for filling in."""
    with engine.database.read() as session:
        content = template_file(session, engine.plan, today)
    return load_workbook(io.BytesIO(content))


def packed(book: Workbook) -> bytes:
    """The file of a workbook."""
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def put(sheet: Any, row: int, **cells: object) -> None:
    """Write cells of a row of results by field."""
    for field, value in cells.items():
        sheet.cell(row, FIELDS.index(field) + 1).value = value


def find(sheet: Any, item: str, period: str, agency: str) -> int:
    """The row of an agency in a period."""
    for row in range(2, sheet.max_row + 1):
        said = tuple(sheet.cell(row, at).value for at in (1, 2, 3))
        if said == (agency, item, period):
            return row
    raise LookupError((item, period, agency))


def _chance(*key: object) -> int:
    return sha256(repr(key).encode()).digest()[0] % 100


def _openings(engine: Engine) -> dict[tuple[str, str], Opening]:
    """The periods of before as they would open, by item and period."""
    with engine.database.read() as session:
        loaded = load_state(session, engine.plan)
    return {
        (item.key, one.period.key): past_opening(
            loaded.plan,
            loaded.directory,
            loaded.calendar,
            item=item,
            scheduled=one,
            tracking_start=loaded.tracking_start,
        )
        for item in loaded.plan.items
        for one in past_periods(loaded.plan, item, loaded.tracking_start)
    }


def filled(engine: Engine, today: date) -> Workbook:
    """The template with plausible results.

    An agency that had ended by its day says nothing: what it left undone goes to its successor.
    """
    book = blank(engine, today)
    sheet = book[RESULTS]
    openings = _openings(engine)
    agencies = {one.name: one for one in engine.catalog.directory.agencies}
    for row in range(2, sheet.max_row + 1):
        name, item, period = (str(sheet.cell(row, at).value) for at in (1, 2, 3))
        if name in agencies:
            _fill(sheet, row, agencies[name], openings[item, period], today)
    return book


def _fill(sheet: Any, row: int, agency: Agency, opening: Opening, today: date) -> None:
    luck = _chance(agency.name, opening.item.key, opening.period.key)
    day = opening.original_due_on + timedelta(days=20 if luck % 5 == 0 else -5)
    day = max(day, opening.period.first_day)
    if luck < 12 or day > min(today, agency.valid_to or today):
        return
    check_in = opening.item.calendar.kind is ItemKind.CHECK_IN
    if check_in:
        put(sheet, row, state="Đã hoàn thành", done=day, text="Đã thực hiện trong kỳ")
    elif luck < 18:
        put(sheet, row, state="Không phát sinh nhiệm vụ", reason="Không có nội dung trong kỳ")
    elif luck < 26:
        put(sheet, row, state="Đã hoàn thành", done=day, text="Đã thực hiện trong kỳ")
        put(sheet, row, papers="Không", reason="Thất lạc khi sắp xếp cơ quan")
    else:
        number = f"{row}/{'QĐ' if luck % 2 else 'BC'}-{'SNV' if 'so_' in agency.key else 'UBND'}"
        put(sheet, row, state="Đã hoàn thành", document=number, issued=day)


def take(engine: Engine, stamp: Stamp, content: bytes, *, look: bool = False) -> Outcome:
    """Take a file over, or only look at what it would do."""
    sheets = read_workbook(content, "a.xlsx")
    found: list[Outcome] = []
    try:
        with engine.database.write() as session:
            found.append(take_over(session, stamp, engine.plan, sheets, preview=look))
            if look:
                raise OnlyLooked
    except OnlyLooked:
        pass
    return found[0]


def changed(book: Workbook, change: Callable[[Workbook], None]) -> bytes:
    """The file after a change."""
    change(book)
    return packed(book)


def rows_of(book: Workbook, sheet: str) -> Sequence[Sequence[object]]:
    """The values of a sheet below its headings."""
    return [row for row in book[sheet].iter_rows(min_row=2, values_only=True) if any(row)]
