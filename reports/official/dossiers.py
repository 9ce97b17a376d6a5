"""What goes with files: the index of an archive dossier, and the papers of sơ kết and tổng kết."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from reports.official.model import (
    Align,
    Annex,
    Block,
    Column,
    Grid,
    Heading,
    OfficialDocument,
    Paragraph,
    Signature,
    to_write,
)
from reports.official.numbers import vn_count, vn_day, vn_share
from reports.official.offices import Issuer, Office, letterhead, recipients, signature

MILESTONE_WORDS = {"so_ket": "sơ kết", "tong_ket": "tổng kết"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperLine:
    """A paper of a dossier. ``member`` is its file within the zip; ``note`` says what is odd."""

    item: str
    period: str
    agency: str
    code: str | None
    issued_on: date | None
    title: str
    member: str | None
    sha256: str | None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """What is not there: of whom, in which period, and what."""

    item: str
    period: str
    agency: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemPeriod:
    """An item in a period: leads that are counted, those finished, papers, and those with a file.

    ``opened`` False means that the system knows nothing of this period, unless it is ``ahead``:
    its day has not come.
    """

    item: str
    period: str
    opened: bool
    ahead: bool = False
    leads: int = 0
    finished: int = 0
    papers: int = 0
    files: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierFacts:
    """What a dossier holds. ``at`` is the instant of its newest event: the same data gives the
    same bytes. ``milestone`` is ``so_ket``, ``tong_ket`` or empty for one task's archive."""

    office: Office
    plan_title: str
    decision: str
    title: str
    first_year: int
    last_year: int
    milestone: str
    at: datetime
    on: date
    tasks: dict[str, str]
    periods: tuple[ItemPeriod, ...]
    papers: tuple[PaperLine, ...]
    missing: tuple[Missing, ...]


_NUMBER = Column(title="TT", share=0.5, align=Align.CENTRE)


def archive_index(facts: DossierFacts) -> OfficialDocument:
    """The "Mục lục văn bản, tài liệu" of one task's dossier."""
    blocks: tuple[Block, ...] = (
        Paragraph(
            text=f"Hồ sơ: {facts.title}, thuộc Đề án “{facts.plan_title}” theo Quyết định số "
            f"{facts.decision}."
        ),
        Paragraph(
            text=f"Hồ sơ gồm {vn_count(len(facts.papers))} văn bản, tài liệu; lịch sử xử lý "
            "(lich-su.csv, lich-su.json); mã băm SHA-256 của từng tệp (SHA-256SUMS). Kiểm tra tính "
            "toàn vẹn bằng lệnh: sha256sum -c SHA-256SUMS."
        ),
        Paragraph(text=f"Thời hạn lưu trữ: {to_write('theo bảng thời hạn của cơ quan')}"),
        _papers(facts.papers, "Mục lục văn bản, tài liệu", hashes=True),
        *_gaps(facts),
    )
    return OfficialDocument(
        letterhead=letterhead(Issuer.COORDINATOR, facts.office, kind="HS", year=facts.on.year),
        kind="MỤC LỤC HỒ SƠ",
        subject=facts.title,
        blocks=blocks,
        signature=Signature(authority=("NGƯỜI LẬP HỒ SƠ",)),
        recipients=("- Lưu trữ cơ quan;", "- Lưu: VT."),
        at=facts.at,
    )


def _gaps(facts: DossierFacts) -> Iterator[Block]:
    if facts.missing:
        yield missing_grid(facts.missing, "Nội dung còn thiếu")


def _papers(lines: tuple[PaperLine, ...], caption: str, *, hashes: bool = False) -> Grid:
    last = Column(title="Tệp, mã băm" if hashes else "Tệp trong hồ sơ", share=2.7)
    return Grid(
        caption=caption,
        columns=(
            _NUMBER,
            Column(title="Nhiệm vụ, kỳ", share=1.5),
            Column(title="Cơ quan", share=2),
            Column(title="Số, ký hiệu; ngày", share=2.2),
            Column(title="Trích yếu", share=2.5),
            last,
        ),
        rows=tuple(
            (
                *(str(n), f"{one.item}, {one.period}", one.agency, _code(one), one.title),
                _file(one, hashes=hashes),
            )
            for n, one in enumerate(lines, start=1)
        ),
        empty="Chưa có văn bản, tài liệu nào.",
    )


def _code(one: PaperLine) -> str:
    day = f"; {vn_day(one.issued_on)}" if one.issued_on else ""
    return f"{one.code}{day}" if one.code else "–"


def _file(one: PaperLine, *, hashes: bool) -> str:
    parts = [one.member or ""]
    if hashes and one.member and one.sha256:
        parts.append(f"SHA-256 {one.sha256[:16]}…")
    return "; ".join(part for part in (*parts, one.note) if part)


def missing_grid(lines: tuple[Missing, ...], caption: str = "") -> Grid:
    """What is not there, a line each."""
    return Grid(
        caption=caption,
        columns=(
            _NUMBER,
            Column(title="Nhiệm vụ", share=1),
            Column(title="Kỳ", share=1.4),
            Column(title="Cơ quan", share=2.6),
            Column(title="Nội dung còn thiếu", share=3.6),
        ),
        rows=tuple(
            (str(n), one.item, one.period, one.agency, one.what)
            for n, one in enumerate(lines, start=1)
        ),
        empty="Không thiếu nội dung nào.",
    )


def milestone_report(facts: DossierFacts) -> OfficialDocument:
    """The papers for sơ kết or tổng kết: results and evidence by item, and what is missing."""
    word = MILESTONE_WORDS.get(facts.milestone, "đánh giá")
    return OfficialDocument(
        letterhead=letterhead(Issuer.COORDINATOR, facts.office, kind="BC", year=facts.on.year),
        kind="BÁO CÁO",
        subject=f"Tổng hợp kết quả, tài liệu phục vụ {word} Đề án “{facts.plan_title}”"
        f"{_span(facts)}",
        blocks=tuple(_milestone_body(facts, word)),
        signature=signature(Issuer.COORDINATOR),
        recipients=recipients(Issuer.COORDINATOR, facts.office, "UBND tỉnh (báo cáo)"),
        annexes=(
            Annex(
                number="I",
                title="Kết quả và tài liệu kiểm chứng theo nhiệm vụ",
                blocks=(_papers(facts.papers, ""),),
                sideways=True,
            ),
            Annex(
                number="II",
                title="Danh mục nội dung còn thiếu",
                blocks=(missing_grid(facts.missing),),
                sideways=True,
            ),
        ),
        at=facts.at,
    )


def _state(one: ItemPeriod) -> str:
    if one.ahead:
        return "chưa đến kỳ"
    return "" if one.opened else "chưa ghi nhận"


def _span(facts: DossierFacts) -> str:
    """The years, unless the title of the plan ends with the same ones."""
    span = f"giai đoạn {facts.first_year} - {facts.last_year}"
    return "" if facts.plan_title.endswith(span) else f" {span}"


def _milestone_body(facts: DossierFacts, word: str) -> Iterator[Block]:
    leads = sum(one.leads for one in facts.periods)
    done = sum(one.finished for one in facts.periods)
    silent = sum(1 for one in facts.periods if not one.opened and not one.ahead)
    ahead = sum(1 for one in facts.periods if one.ahead)
    yield Heading(text="I. TỔNG HỢP")
    yield Paragraph(
        text=f"Giai đoạn {facts.first_year} - {facts.last_year} có {vn_count(leads)} phân công chủ "
        f"trì; {vn_count(done)} đã hoàn thành hoặc không phát sinh ({vn_share(done, leads)}). Hồ sơ "
        f"có {vn_count(len(facts.papers))} văn bản, tài liệu (Phụ lục I); còn thiếu "
        f"{vn_count(len(facts.missing))} nội dung (Phụ lục II)."
    )
    if silent:
        yield Paragraph(
            text=f"Có {vn_count(silent)} kỳ thực hiện chưa được ghi nhận trong hệ thống; đề nghị bổ "
            "sung từ hồ sơ giấy trước khi sử dụng số liệu này."
        )
    if ahead:
        yield Paragraph(
            text=f"Còn {vn_count(ahead)} kỳ thực hiện chưa đến ngày bắt đầu, chưa tính vào số liệu "
            "trên."
        )
    yield Grid(
        caption="Bảng 1. Các kỳ thực hiện theo nhiệm vụ",
        columns=(
            Column(title="Nhiệm vụ", share=0.9),
            Column(title="Kỳ", share=1.5),
            *(
                Column(title=title, align=Align.RIGHT)
                for title in ("Phân công chủ trì", "Đã hoàn thành", "Văn bản", "Có tệp")
            ),
            Column(title="Ghi chú", share=1.8),
        ),
        rows=tuple(
            (
                *(one.item, one.period),
                *(
                    vn_count(n) if one.opened else "–"
                    for n in (one.leads, one.finished, one.papers, one.files)
                ),
                _state(one),
            )
            for one in facts.periods
        ),
    )
    yield Paragraph(text=f"Số liệu tính đến ngày {vn_day(facts.on)}.", note=True)
    yield Heading(text="II. ĐÁNH GIÁ THEO NHIỆM VỤ")
    for key, task in facts.tasks.items():
        yield Heading(text=f"{key}. {task}", level=2)
        yield Paragraph(text=to_write("kết quả đạt được, tồn tại, nguyên nhân, số liệu chứng minh"))
    yield Heading(text="III. BÀI HỌC, KIẾN NGHỊ")
    yield Paragraph(text=to_write(f"bài học rút ra qua {word}; kiến nghị"))
    yield Paragraph(text=f"Trên đây là tài liệu tổng hợp phục vụ {word} Đề án./.")
