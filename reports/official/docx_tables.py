"""Tables of a docx: a caption, a header that repeats, and cells that are only text."""

from __future__ import annotations

from typing import Final

from docx.document import Document as Docx
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_COLOR_INDEX
from docx.shared import Pt
from docx.table import _Cell

from reports.official import form
from reports.official.docx_parts import element, fix_widths
from reports.official.model import Align, Grid, segments

_ALIGN: Final = {
    Align.LEFT: WD_ALIGN_PARAGRAPH.LEFT,
    Align.CENTRE: WD_ALIGN_PARAGRAPH.CENTER,
    Align.RIGHT: WD_ALIGN_PARAGRAPH.RIGHT,
}


def add_grid(made: Docx, grid: Grid, *, sideways: bool) -> None:
    """A table with lines, as wide as the text."""
    if grid.caption:
        caption = made.add_paragraph(style="Không thụt")
        caption.alignment = WD_ALIGN_PARAGRAPH.CENTER
        caption.paragraph_format.keep_with_next = True
        caption.paragraph_format.space_before = caption.paragraph_format.space_after = Pt(4)
        run = caption.add_run(grid.caption)
        run.bold, run.font.size = True, Pt(form.TABLE)
    whole = form.PAGE[1] - form.LEFT - form.RIGHT if sideways else form.WIDTH
    shares = [column.share for column in grid.columns]
    widths = tuple(whole * share / sum(shares) for share in shares)
    # Cells are reached row by row: the library looks for a cell by its place in time that grows
    # with the table.
    table = made.add_table(rows=1, cols=len(grid.columns), style="Table Grid")
    fix_widths(table, widths)
    for cell, column in zip(table.rows[0].cells, grid.columns, strict=True):
        _fill(cell, column.title, Align.CENTRE, bold=True)
    table.rows[0]._tr.get_or_add_trPr().append(element("w:tblHeader"))  # noqa: SLF001
    for n, row in enumerate(grid.rows):
        added = table.add_row()
        added._tr.get_or_add_trPr().append(element("w:cantSplit"))  # noqa: SLF001
        for cell, column, text in zip(added.cells, grid.columns, row, strict=True):
            _fill(cell, text, column.align, bold=n in grid.bold)
    if not grid.rows:
        cells = table.add_row().cells
        _fill(cells[0].merge(cells[-1]), grid.empty, Align.CENTRE, italic=True)
    gap = made.add_paragraph(style="Không thụt")
    gap.paragraph_format.line_spacing = Pt(form.BETWEEN)


def _fill(
    cell: _Cell, text: str, align: Align, *, bold: bool = False, italic: bool = False
) -> None:
    line = cell.paragraphs[0]
    line.style, line.alignment = "Không thụt", _ALIGN[align]
    for part, left_open in segments(text):
        run = line.add_run(part)
        run.bold, run.italic, run.font.size = bold, italic, Pt(form.TABLE)
        if left_open:
            run.font.highlight_color = WD_COLOR_INDEX.YELLOW
