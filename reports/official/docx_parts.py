"""Parts of a docx that the library has no word for: fields, rules under lines, plain grids."""

from __future__ import annotations

from typing import Any

from docx.document import Document as Docx
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.section import Section
from docx.shared import Mm, Pt
from docx.table import Table, _Cell
from docx.text.paragraph import Paragraph
from docx.text.run import Run

from reports.official import form
from reports.official.model import OfficialDocument

_CENTRE = WD_ALIGN_PARAGRAPH.CENTER
_POINT = 0.3528
"""Millimetres."""


def element(name: str, **values: str) -> Any:
    """An element of the format with attributes."""
    made = OxmlElement(name)
    for key, value in values.items():
        made.set(qn(f"w:{key}"), value)
    return made


def add_field(run: Run, word: str) -> None:
    """A field that the program fills in, such as the number of the page."""
    for part in ("begin", "instr", "end"):
        if part == "instr":
            told = OxmlElement("w:instrText")
            told.set(qn("xml:space"), "preserve")
            told.text = f" {word} "
            run._r.append(told)  # noqa: SLF001 - the library has no fields
        else:
            run._r.append(element("w:fldChar", fldCharType=part))  # noqa: SLF001


def number_from_one(section: Section) -> None:
    """Begin the page numbers of a section anew."""
    section._sectPr.append(element("w:pgNumType", start="1"))  # noqa: SLF001


def bare_table(made: Docx, widths: tuple[float, ...], rows: int) -> Table:
    """A table without lines whose columns have these widths in millimetres."""
    table: Table = made.add_table(rows=rows, cols=len(widths))
    fix_widths(table, widths)
    return table


def fix_widths(table: Table, widths: tuple[float, ...]) -> None:
    """Set the widths of the columns in millimetres, and keep them whatever stands in them."""
    table.autofit = False
    margins = element("w:tblCellMar")
    for side in ("left", "right"):
        margins.append(element(f"w:{side}", w="57", type="dxa"))
    table._tbl.tblPr.append(margins)  # noqa: SLF001
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Mm(width)
        for cell in column.cells:
            cell.width = Mm(width)


def write(
    cell: _Cell,
    text: str,
    *,
    size: float,
    bold: bool = False,
    italic: bool = False,
    first: bool = False,
) -> Paragraph:
    """A centred line in a cell; the first takes the paragraph that is there already."""
    line: Paragraph = cell.paragraphs[0] if first else cell.add_paragraph()
    line.style = "Không thụt"
    line.alignment = _CENTRE
    run = line.add_run(text)
    run.bold, run.italic, run.font.size = bold, italic, Pt(size)
    return line


def rule_under(line: Paragraph, width: float, within: float) -> Paragraph:
    """A rule of ``width`` beneath a line that stands in the middle of ``within`` millimetres.

    It is the upper edge of an empty line of one point that is narrowed from both sides.
    """
    inset = max((within - width) / 2, 0)
    shape = line.insert_paragraph_before()
    line._p.addnext(shape._p)  # noqa: SLF001 - after the line, not before it
    shape.style = "Không thụt"
    shape.paragraph_format.left_indent = shape.paragraph_format.right_indent = Mm(inset)
    shape.paragraph_format.line_spacing = Pt(4)
    shape.paragraph_format.space_before = Pt(1)
    borders = element("w:pBdr")
    borders.append(element("w:top", val="single", sz="6", space="0", color="000000"))
    properties = shape._p.get_or_add_pPr()  # noqa: SLF001
    properties.insert_element_before(
        borders, "w:shd", "w:spacing", "w:ind", "w:jc", "w:rPr", "w:sectPr"
    )
    return shape


def _width(text: str, size: float) -> float:
    """About how wide a bold line is set, in millimetres."""
    wide = sum(0.72 if one.isupper() else 0.25 if one in " -.,:" else 0.5 for one in text)
    return wide * size * _POINT


def add_letterhead(made: Docx, document: OfficialDocument) -> None:
    """The agency on the left, the nation on the right, number and date beneath them."""
    head = document.letterhead
    left = form.WIDTH * form.LEFT_SHARE
    right = form.WIDTH - left
    table = bare_table(made, (left, right), 2)
    cell, lines = table.cell(0, 0), [*head.parent]
    for n, text in enumerate(lines):
        write(cell, text, size=form.PARENT, first=n == 0)
    for n, text in enumerate(head.agency):
        write(cell, text, size=form.AGENCY, bold=True, first=n == 0 and not lines)
    rule_under(cell.paragraphs[-1], _width(head.agency[-1], form.AGENCY) * 0.4, left)
    cell = table.cell(0, 1)
    write(cell, form.NATION_WORDS, size=form.NATION, bold=True, first=True)
    line = write(cell, form.MOTTO_WORDS, size=form.MOTTO, bold=True)
    rule_under(line, _width(form.MOTTO_WORDS, form.MOTTO), right)
    cell = table.cell(1, 0)
    write(cell, f"Số: {head.number}", size=form.NUMBER, first=True)
    if not document.kind:
        write(cell, f"V/v {document.subject}", size=form.ABOUT)
    line = write(table.cell(1, 1), head.place_and_date, size=form.PLACE, italic=True, first=True)
    line.paragraph_format.space_after = Pt(form.BETWEEN)
    gap = made.add_paragraph(style="Không thụt")
    gap.paragraph_format.line_spacing = Pt(form.BETWEEN)


def add_signature(made: Docx, document: OfficialDocument) -> None:
    """ "Nơi nhận" on the left, who signs on the right; they stay together on one page."""
    gap = made.add_paragraph(style="Không thụt")
    gap.paragraph_format.line_spacing = Pt(form.BETWEEN)
    table = bare_table(made, (form.WIDTH / 2, form.WIDTH / 2), 1)
    table.rows[0]._tr.get_or_add_trPr().append(element("w:cantSplit"))  # noqa: SLF001
    cell = table.cell(0, 0)
    line = write(cell, "Nơi nhận:", size=form.RECIPIENTS, bold=True, italic=True, first=True)
    line.alignment = WD_ALIGN_PARAGRAPH.LEFT
    for text in document.recipients:
        write(cell, text, size=form.RECIPIENT).alignment = WD_ALIGN_PARAGRAPH.LEFT
    cell = table.cell(0, 1)
    for n, text in enumerate(document.signature.authority):
        write(cell, text, size=form.SIGNER, bold=True, first=n == 0)
    for _ in range(4):
        write(cell, "", size=form.SIGNER)
    write(cell, document.signature.name, size=form.SIGNER, bold=True)
