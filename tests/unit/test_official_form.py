"""Nghị định 30/2020/NĐ-CP, point by point: the choices within their ranges, and the docx opened
again."""

from __future__ import annotations

import io
import re
from datetime import UTC, date, datetime

import pytest
from docx import Document
from docx.document import Document as Docx
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Length
from docx.text.paragraph import Paragraph as Line
from pyhanko.pdf_utils.reader import PdfFileReader

from reports.official import form
from reports.official.as_docx import as_docx
from reports.official.as_pdf import as_pdf, as_png
from reports.official.charts import Bar, chart_words, four_cells_chart
from reports.official.model import (
    Align,
    Annex,
    Column,
    Grid,
    Heading,
    Letterhead,
    OfficialDocument,
    Paragraph,
    Picture,
    segments,
    to_write,
)
from reports.official.offices import Issuer, letterhead, office, recipients, signature

OURS = office("Sở Nội vụ")
WORDS = "Kết quả thực hiện nhiệm vụ của các cơ quan, đơn vị, địa phương"
GRID = Grid(
    caption="Bảng 1",
    columns=(Column(title="TT", share=0.5, align=Align.CENTRE), Column(title="Số liệu", share=3)),
    rows=tuple((str(n), f"Xã Vạn Ninh {n}") for n in range(1, 60)),
    bold=frozenset({58}),
)


def example(issuer: Issuer = Issuer.COORDINATOR, kind: str = "BÁO CÁO") -> OfficialDocument:
    bars = [Bar(label="I.1", counts=(3, 1, 0, 2))]
    chart = Picture(png=four_cells_chart(bars), alt=chart_words(bars), caption="Hình 1")
    return OfficialDocument(
        letterhead=letterhead(
            issuer, OURS, kind="BC" if kind else "", year=2027, day=date(2027, 2, 5)
        ),
        kind=kind,
        subject=WORDS,
        addressees=("Các cơ quan, đơn vị tại Phụ lục",),
        blocks=(
            Heading(text="I. KẾT QUẢ"),
            Paragraph(text=f"Đã ban hành Quyết định số 12/QĐ-UBND. {to_write('nêu rõ')}"),
            chart,
        ),
        signature=signature(issuer),
        recipients=recipients(issuer, OURS, "UBND tỉnh"),
        annexes=(Annex(number="", title="Danh mục", blocks=(GRID,), sideways=True),),
        at=datetime(2027, 2, 5, 1, tzinfo=UTC),
    )


@pytest.fixture(scope="module")
def report() -> OfficialDocument:
    return example()


@pytest.fixture(scope="module")
def docx(report: OfficialDocument) -> Docx:
    return Document(io.BytesIO(as_docx(report)))


def points(size: Length | None) -> float:
    """A size in points; 0 for none."""
    return 0 if size is None else size.pt


def millimetres(length: Length | None) -> int:
    """A length in whole millimetres; 0 for none."""
    return 0 if length is None else round(length.mm)


@pytest.mark.parametrize(
    ("chosen", "least", "most"),
    [
        *((form.TOP, 20, 25), (form.BOTTOM, 20, 25), (form.LEFT, 30, 35), (form.RIGHT, 15, 20)),
        *((form.PAGE_NUMBER, 13, 14), (form.NATION, 12, 13), (form.MOTTO, 13, 14)),
        *((form.PARENT, 12, 13), (form.AGENCY, 12, 13), (form.NUMBER, 13, 13)),
        *((form.PLACE, 13, 14), (form.TITLE, 13, 14), (form.ABOUT, 12, 13), (form.BODY, 13, 14)),
        *((form.SIGNER, 13, 14), (form.RECIPIENTS, 12, 12), (form.RECIPIENT, 11, 11)),
        *((form.INDENT, 10, 12.7), (form.BETWEEN, 6, 12)),
    ],
)
def test_every_measure_lies_within_what_the_decree_allows(
    chosen: float, least: float, most: float
) -> None:
    assert least <= chosen <= most


def test_pages_are_a4_with_the_margins_and_annexes_lie_across(docx: Docx) -> None:
    upright, across = docx.sections
    assert (millimetres(upright.page_width), millimetres(upright.page_height)) == (210, 297)
    assert across.orientation == WD_ORIENT.LANDSCAPE
    assert (millimetres(across.page_width), millimetres(across.page_height)) == (297, 210)
    for one in docx.sections:
        margins = (one.top_margin, one.bottom_margin, one.left_margin, one.right_margin)
        assert [millimetres(margin) for margin in margins] == [20, 20, 30, 15]


def test_page_numbers_stand_in_the_middle_of_the_top_margin_and_not_on_page_one(
    docx: Docx,
) -> None:
    for section in docx.sections:
        assert section.different_first_page_header_footer
        assert not section.first_page_header.paragraphs[0].text
        assert not section.first_page_header.paragraphs[0].runs
        line = section.header.paragraphs[0]
        assert line.alignment == WD_ALIGN_PARAGRAPH.CENTER
        assert "PAGE" in "".join(one.text or "" for one in line._p.iter(qn("w:instrText")))
        assert points(line.runs[0].font.size) in {13, 14}
    restart = docx.sections[1]._sectPr.find(qn("w:pgNumType"))
    assert restart is not None
    assert restart.get(qn("w:start")) == "1"


def found(docx: Docx, text: str) -> Line:
    cells = [cell for table in docx.tables for row in table.rows for cell in row.cells]
    lines: list[Line] = [*docx.paragraphs, *(line for cell in cells for line in cell.paragraphs)]
    return next(line for line in lines if line.text.startswith(text))


@pytest.mark.parametrize(
    ("text", "size", "bold", "italic"),
    [
        ("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", 13, True, False),
        ("Độc lập - Tự do - Hạnh phúc", 14, True, False),
        ("ỦY BAN NHÂN DÂN", 13, False, False),
        ("SỞ NỘI VỤ", 13, True, False),
        ("Số: ", 13, False, False),
        ("Khánh Hòa, ngày 05 tháng 02 năm 2027", 14, False, True),
        ("BÁO CÁO", 14, True, False),
        (WORDS, 14, True, False),
        ("KT. GIÁM ĐỐC", 14, True, False),
        ("PHÓ GIÁM ĐỐC", 14, True, False),
        ("Nơi nhận:", 12, True, True),
        ("- UBND tỉnh;", 11, False, False),
        ("- Lưu: VT, CCHC.", 11, False, False),
    ],
)
def test_each_part_has_its_size_and_weight(
    docx: Docx, text: str, size: float, bold: bool, italic: bool
) -> None:
    run = found(docx, text).runs[0]
    assert points(run.font.size) == size
    assert (bool(run.bold), bool(run.italic)) == (bold, italic)


def test_motto_and_agency_are_ruled_beneath(docx: Docx) -> None:
    for text in ("Độc lập", "SỞ NỘI VỤ", WORDS):
        below = found(docx, text)._p.getnext()
        assert below.find(f".//{qn('w:pBdr')}") is not None


def test_body_is_times_new_roman_justified_with_its_indent_and_distance(docx: Docx) -> None:
    normal = docx.styles["Normal"]
    assert normal.font.name == "Times New Roman"
    fonts = normal.element.rPr.rFonts
    assert {fonts.get(qn(f"w:{one}")) for one in ("ascii", "hAnsi", "cs", "eastAsia")} == {
        "Times New Roman"
    }
    assert points(normal.font.size) in {13, 14}
    shape = normal.paragraph_format
    assert shape.alignment == WD_ALIGN_PARAGRAPH.JUSTIFY
    assert 10 <= millimetres(shape.first_line_indent) <= 13
    assert points(shape.space_after) >= 6
    body = found(docx, "Đã ban hành")
    assert body.style is not None
    assert body.style.name == "Normal"
    assert body.alignment is None


def test_places_left_to_people_are_marked(docx: Docx) -> None:
    marked = [run for run in found(docx, "Đã ban hành").runs if run.font.highlight_color]
    assert [run.text for run in marked] == ["[… nêu rõ]"]
    assert list(segments("a [… b] c")) == [("a ", False), ("[… b]", True), (" c", False)]


def test_tables_repeat_their_header_and_the_chart_has_words(docx: Docx) -> None:
    table = docx.tables[-1]
    assert table.rows[0]._tr.find(f".//{qn('w:tblHeader')}") is not None
    assert len(table.rows) == 60
    (alt,) = [one.get("descr") for one in docx.element.iter(qn("wp:docPr"))]
    assert alt.endswith(
        "I.1: 3 hoàn thành đúng hạn, 1 hoàn thành quá hạn, 2 chưa hoàn thành, quá hạn."
    )


def test_letter_has_its_subject_under_the_number_and_whom_it_addresses() -> None:
    docx = Document(io.BytesIO(as_docx(example(kind=""))))
    assert points(found(docx, "V/v Kết quả").runs[0].font.size) in {12, 13}
    assert points(found(docx, "Kính gửi: Các cơ quan, đơn vị tại Phụ lục").runs[0].font.size) == 14
    assert "/SNV-CCHC" in found(docx, "Số: ").text


def test_provinces_letter_is_signed_for_the_committee() -> None:
    docx = Document(io.BytesIO(as_docx(example(Issuer.PROVINCE, kind=""))))
    assert "/UBND-SNV" in found(docx, "Số: ").text
    cell = docx.tables[1].rows[0].cells[1]
    assert [line.text for line in cell.paragraphs if line.text] == [
        *("TM. ỦY BAN NHÂN DÂN", "KT. CHỦ TỊCH", "PHÓ CHỦ TỊCH")
    ]
    assert docx.tables[0].rows[0].cells[0].text.startswith("ỦY BAN NHÂN DÂN\nTỈNH KHÁNH HÒA")


@pytest.mark.parametrize(
    ("day", "told"),
    [
        (date(2027, 2, 5), "ngày 05 tháng 02 năm 2027"),
        (date(2027, 3, 9), "ngày 09 tháng 3 năm 2027"),
        (date(2027, 11, 30), "ngày 30 tháng 11 năm 2027"),
    ],
)
def test_days_and_first_months_have_a_leading_zero(day: date, told: str) -> None:
    head = letterhead(Issuer.COORDINATOR, OURS, kind="BC", year=2027, day=day)
    assert head.place_and_date == f"Khánh Hòa, {told}"


def test_date_that_is_not_known_leaves_room_to_write() -> None:
    head = Letterhead(
        parent=(), agency=("SỞ NỘI VỤ",), agency_name="x", number="", place="Khánh Hòa", year=2027
    )
    assert re.fullmatch(r"ngày\s{6}tháng\s{6}năm 2027", head.date_words)


def pdf_text(content: bytes) -> tuple[int, str, set[str]]:
    """Pages, text, and fonts of a PDF, by its own tables from glyphs to letters."""
    reader = PdfFileReader(io.BytesIO(content))
    pages, text, fonts = reader.root["/Pages"]["/Count"], [], set()
    for number in range(pages):
        page = reader.find_page_for_modification(number)[0].get_object()
        known = {}
        for name, one in page["/Resources"]["/Font"].items():
            font = one.get_object() if hasattr(one, "get_object") else one
            fonts.add(str(font["/BaseFont"]).split("+")[-1])
            known[name[1:].encode()] = _letters(font["/ToUnicode"].get_object().data)
        text.append(_read(page["/Contents"].get_object().data, known))
    return int(pages), "\n".join(text), fonts


def _letters(table: bytes) -> dict[int, str]:
    found = {}
    for first, letters in re.findall(rb"<([0-9A-Fa-f]{4})>\s+<([0-9A-Fa-f]+)>", table):
        found[int(first, 16)] = bytes.fromhex(letters.decode()).decode("utf-16-be")
    return found


def _read(content: bytes, fonts: dict[bytes, dict[int, str]]) -> str:
    """Glyphs of each piece of text, two bytes each, in the font that was set last."""
    said, font = [], dict[int, str]()
    token = re.compile(
        rb"/(\w+) [\d.]+ Tf|\(((?:\\.|[^\\()]|\((?:\\.|[^\\()])*\))*)\)|(T\*|Td|Tm)", re.DOTALL
    )
    for name, glyphs, move in token.findall(content):
        if name:
            font = fonts[name]
        elif move:
            said.append(" ")
        else:
            raw = _plain(glyphs)
            pairs = (raw[n : n + 2] for n in range(0, len(raw), 2))
            said += [font.get(int.from_bytes(pair, "big"), "?") for pair in pairs]
    return "".join(said)


_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def _plain(glyphs: bytes) -> bytes:
    def one(match: re.Match[bytes]) -> bytes:
        code = match[1]
        return bytes([int(code, 8)]) if code.isdigit() else _ESCAPES.get(code, code)

    return re.sub(rb"\\([0-7]{3}|.)", one, glyphs, flags=re.DOTALL)


def test_pdf_says_the_same_in_vietnamese_letters_of_our_own_fonts(
    report: OfficialDocument,
) -> None:
    content = as_pdf(report)
    pages, text, fonts = pdf_text(content)
    assert pages == len(as_png(report, ppi=20)) >= 3
    joined = re.sub(r"\s+", "", text)
    for words in (
        *("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc", WORDS),
        *("Khánh Hòa, ngày 05 tháng 02 năm 2027", "KT. GIÁM ĐỐC", "Xã Vạn Ninh 59"),
    ):
        assert re.sub(r"\s+", "", words) in joined
    assert {one.split("-")[0] for one in fonts} == {"Tinos"}


def test_same_values_give_the_same_bytes(report: OfficialDocument) -> None:
    assert as_pdf(report) == as_pdf(report)
    assert as_docx(report) == as_docx(report)
