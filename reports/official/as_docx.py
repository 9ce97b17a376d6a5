"""A document as docx, for people to go on writing in: Times New Roman, real headings and fields."""

from __future__ import annotations

import io
import zipfile
from typing import Final

from docx import Document
from docx.document import Document as Docx
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_COLOR_INDEX
from docx.oxml.ns import qn
from docx.section import Section
from docx.shared import Mm, Pt
from docx.styles.style import ParagraphStyle
from docx.text.paragraph import Paragraph as DocxParagraph

from reports.official import form
from reports.official.docx_parts import (
    add_field,
    add_letterhead,
    add_signature,
    number_from_one,
    rule_under,
)
from reports.official.docx_tables import add_grid
from reports.official.model import (
    Annex,
    Block,
    Grid,
    Heading,
    OfficialDocument,
    Paragraph,
    Picture,
    segments,
)

MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_ZIP_DATE: Final = (1980, 1, 1, 0, 0, 0)
"""Of every part, so that the same values give the same bytes."""
_CENTRE: Final = WD_ALIGN_PARAGRAPH.CENTER


def as_docx(document: OfficialDocument) -> bytes:
    """The document as docx."""
    made = Document()
    _styles(made)
    _properties(made, document)
    _page(made.sections[0], sideways=False)
    add_letterhead(made, document)
    _opening(made, document)
    _blocks(made, document.blocks)
    add_signature(made, document)
    for one in document.annexes:
        _annex(made, document, one)
    target = io.BytesIO()
    made.save(target)
    return _undated(target.getvalue())


def _undated(content: bytes) -> bytes:
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as again,
    ):
        for name in source.namelist():
            info = zipfile.ZipInfo(name, _ZIP_DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            again.writestr(info, source.read(name))
    return target.getvalue()


def _properties(made: Docx, document: OfficialDocument) -> None:
    known = made.core_properties
    known.title, known.author = document.title, document.letterhead.agency_name
    known.last_modified_by, known.comments = document.letterhead.agency_name, ""
    known.language, known.revision = "vi-VN", 1
    known.created = known.modified = document.at.replace(tzinfo=None, microsecond=0)


def _styles(made: Docx) -> None:
    normal = made.styles["Normal"]
    _lettered(normal, form.BODY)
    shape = normal.paragraph_format
    shape.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
    shape.first_line_indent = Mm(form.INDENT)
    shape.space_before, shape.space_after = Pt(0), Pt(form.BETWEEN)
    shape.line_spacing = 1.0
    shape.widow_control = True
    language = normal.element.get_or_add_rPr().makeelement(qn("w:lang"), {qn("w:val"): "vi-VN"})
    normal.element.get_or_add_rPr().append(language)
    for name in ("Heading 1", "Heading 2"):
        style = made.styles[name]
        _lettered(style, form.BODY)
        style.font.bold, style.font.italic = True, False
        style.font.color.rgb = None
        style.paragraph_format.space_before = Pt(form.BETWEEN)
        style.paragraph_format.space_after = Pt(form.BETWEEN)
        style.paragraph_format.keep_with_next = True
    flat = made.styles.add_style("Không thụt", WD_STYLE_TYPE.PARAGRAPH)
    flat.base_style = normal
    flat.paragraph_format.first_line_indent = Mm(0)
    flat.paragraph_format.space_after = Pt(0)
    flat.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.LEFT


def _lettered(style: ParagraphStyle, size: float) -> None:
    style.font.name, style.font.size = form.FONT, Pt(size)
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for name in list(fonts.attrib):
        if "Theme" in name:
            del fonts.attrib[name]
    for name in ("w:ascii", "w:hAnsi", "w:cs", "w:eastAsia"):
        fonts.set(qn(name), form.FONT)


def _page(section: Section, *, sideways: bool) -> None:
    width, height = form.PAGE
    section.orientation = WD_ORIENT.LANDSCAPE if sideways else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = (
        (Mm(height), Mm(width)) if sideways else (Mm(width), Mm(height))
    )
    section.top_margin, section.bottom_margin = Mm(form.TOP), Mm(form.BOTTOM)
    section.left_margin, section.right_margin = Mm(form.LEFT), Mm(form.RIGHT)
    section.header_distance = section.footer_distance = Mm(form.HEADER)
    section.different_first_page_header_footer = True
    for head in (section.header, section.first_page_header):
        head.is_linked_to_previous = False
    line = section.header.paragraphs[0]
    line.style = "Không thụt"
    line.alignment = _CENTRE
    run = line.add_run()
    run.font.size = Pt(form.PAGE_NUMBER)
    add_field(run, "PAGE")


def _opening(made: Docx, document: OfficialDocument) -> None:
    """Type and subject, or whom a công văn is addressed to."""
    if document.kind:
        _flat(made, document.kind, bold=True, size=form.TITLE).alignment = _CENTRE
        line = _flat(made, document.subject, bold=True, size=form.TITLE)
        line.alignment = _CENTRE
        rule = rule_under(line, form.WIDTH * 0.35, form.WIDTH)
        rule.paragraph_format.space_after = Pt(2 * form.BETWEEN)
        return
    single = len(document.addressees) == 1
    line = _flat(made, f"Kính gửi: {document.addressees[0]}" if single else "Kính gửi:")
    line.alignment = _CENTRE
    line.paragraph_format.space_before = Pt(2 * form.BETWEEN)
    line.paragraph_format.space_after = Pt(2 * form.BETWEEN if single else 0)
    for one in () if single else document.addressees:
        line = _flat(made, f"- {one}")
        line.paragraph_format.left_indent = Mm(form.WIDTH * 0.35)
    line.paragraph_format.space_after = Pt(2 * form.BETWEEN)


def _flat(
    made: Docx, text: str, *, bold: bool = False, italic: bool = False, size: float = form.BODY
) -> DocxParagraph:
    line = made.add_paragraph(style="Không thụt")
    run = line.add_run(text)
    run.bold, run.italic, run.font.size = bold, italic, Pt(size)
    return line


def _blocks(made: Docx, blocks: tuple[Block, ...], *, sideways: bool = False) -> None:
    for one in blocks:
        if isinstance(one, Heading):
            made.add_heading(one.text, level=one.level)
        elif isinstance(one, Paragraph):
            _paragraph(made, one)
        elif isinstance(one, Grid):
            add_grid(made, one, sideways=sideways)
        else:
            _picture(made, one)


def _paragraph(made: Docx, one: Paragraph) -> None:
    line = made.add_paragraph()
    for text, left_open in segments(one.text):
        run = line.add_run(text)
        if one.note:
            run.italic, run.font.size = True, Pt(form.TABLE)
        if left_open:
            run.font.highlight_color = WD_COLOR_INDEX.YELLOW


def _picture(made: Docx, one: Picture) -> None:
    caption = _flat(made, one.caption, bold=True, size=form.TABLE)
    caption.alignment = _CENTRE
    caption.paragraph_format.keep_with_next = True
    caption.paragraph_format.space_before = Pt(form.BETWEEN)
    line = made.add_paragraph(style="Không thụt")
    line.alignment = _CENTRE
    drawn = line.add_run().add_picture(io.BytesIO(one.png), width=Mm(form.WIDTH))
    drawn._inline.docPr.set("descr", one.alt)  # noqa: SLF001 - the library offers no alt text
    line.paragraph_format.space_after = Pt(form.BETWEEN)


def _annex(made: Docx, document: OfficialDocument, one: Annex) -> None:
    section = made.add_section(WD_SECTION.NEW_PAGE)
    _page(section, sideways=one.sideways)
    number_from_one(section)
    head = made.add_heading(level=1)
    head.alignment, head.paragraph_format.first_line_indent = _CENTRE, Mm(0)
    head.add_run(f"PHỤ LỤC {one.number}".strip())
    title = _flat(made, one.title, bold=True, size=form.TITLE)
    title.alignment = _CENTRE
    line = _flat(made, document.annexed_to, italic=True, size=form.TITLE)
    line.alignment = _CENTRE
    line.paragraph_format.space_after = Pt(2 * form.BETWEEN)
    _blocks(made, one.blocks, sideways=one.sideways)
