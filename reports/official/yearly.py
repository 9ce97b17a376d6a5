"""The yearly "Báo cáo kết quả thực hiện Đề án": figures filled in, judgement left to people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from reports.official.charts import Bar, chart_words, four_cells_chart
from reports.official.late import LateLine, late_grid
from reports.official.model import (
    Align,
    Annex,
    Block,
    Column,
    Grid,
    Heading,
    OfficialDocument,
    Paragraph,
    Picture,
    to_write,
)
from reports.official.numbers import vn_count, vn_day, vn_moment, vn_share
from reports.official.offices import Issuer, Office, letterhead, recipients, signature
from reports.official.yearly_extra import MoneySums, TargetLine, money_blocks, target_blocks


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """The four cells of something, and what is counted apart from them.

    ``past_provisional`` is within ``open_in_time`` (rule 17), ``own`` within the finished ones
    (rule 20).
    """

    name: str
    done_in_time: int = 0
    done_late: int = 0
    open_in_time: int = 0
    open_overdue: int = 0
    past_provisional: int = 0
    own: int = 0
    late_entry: int = 0
    outside: int = 0
    check_ins: int = 0
    answered: int = 0

    @property
    def four(self) -> tuple[int, int, int, int]:
        """The cells in the order of state reports."""
        return self.done_in_time, self.done_late, self.open_in_time, self.open_overdue

    @property
    def total(self) -> int:
        """All within the four cells."""
        return sum(self.four)


@dataclass(frozen=True, slots=True, kw_only=True)
class YearlyFacts:
    """What the report is made from. ``cutoff`` is the last day counted; ``original`` counts by
    the first due date (rule 4); ``known_at`` is set where the figures are those of an earlier
    instant (rule 39); ``at`` is the instant of the data."""

    office: Office
    plan_title: str
    decision: str
    decision_on: date | None
    issued_by: str
    year: int
    cutoff: date
    original: bool
    at: datetime
    known_at: datetime | None
    overall: Cells
    by_item: tuple[Cells, ...]
    tasks: dict[str, str]
    by_block: tuple[Cells, ...]
    added: Cells
    beside: Cells
    """What the decision asks for outside its appendix, such as yearly reports (rule 41)."""
    late: tuple[LateLine, ...]
    targets: tuple[TargetLine, ...] = ()
    """Empty while nobody owes the reports that they come from (rule 41)."""
    money: MoneySums | None = None
    """None while nobody entered any (rule 43)."""
    last: bool = False
    """Whether it is the last year of the plan."""


_NUMBER = Column(title="TT", share=0.5, align=Align.CENTRE)
_FOUR = tuple(
    Column(title=title, share=1, align=Align.RIGHT)
    for title in (
        *("Tổng số", "Hoàn thành đúng hạn", "Hoàn thành quá hạn"),
        *("Chưa hoàn thành, trong hạn", "Chưa hoàn thành, quá hạn"),
    )
)


def yearly_report(facts: YearlyFacts) -> OfficialDocument:
    """The report as a draft of the coordinating agency."""
    ours = facts.office
    return OfficialDocument(
        letterhead=letterhead(Issuer.COORDINATOR, ours, kind="BC", year=facts.cutoff.year),
        kind="BÁO CÁO",
        subject=f"Kết quả thực hiện Đề án “{facts.plan_title}” năm {facts.year}",
        blocks=(*_opening(facts), *_results(facts), *_judgement(facts), *_ahead(facts)),
        signature=signature(Issuer.COORDINATOR),
        recipients=recipients(
            Issuer.COORDINATOR,
            ours,
            "UBND tỉnh (báo cáo)",
            "Lãnh đạo Sở",
            "Các phòng, đơn vị liên quan",
        ),
        annexes=(
            Annex(
                number="",
                title=f"Nhiệm vụ chưa hoàn thành, quá hạn tính đến hết ngày {vn_day(facts.cutoff)}",
                blocks=(late_grid(facts.late),),
                sideways=True,
            ),
        )
        if facts.late
        else (),
        at=facts.at,
    )


def basis_words(facts: YearlyFacts) -> str:
    """How the figures were counted, in one sentence."""
    basis = "hạn ban đầu" if facts.original else "hạn đang áp dụng"
    known = f", theo dữ liệu như đã biết lúc {vn_moment(facts.known_at)}" if facts.known_at else ""
    taken = "" if facts.known_at else f"; trích xuất lúc {vn_moment(facts.at)}"
    return f"Số liệu tính đến hết ngày {vn_day(facts.cutoff)}, theo {basis}{known}{taken}."


def _opening(facts: YearlyFacts) -> Iterator[Block]:
    day = f" ngày {vn_day(facts.decision_on)}" if facts.decision_on else ""
    yield Paragraph(
        text=f"Thực hiện Quyết định số {facts.decision}{day} của {facts.issued_by} về việc ban hành "
        f"Đề án “{facts.plan_title}”, {facts.office.name} báo cáo kết quả thực hiện năm "
        f"{facts.year} như sau:"
    )


def _results(facts: YearlyFacts) -> Iterator[Block]:
    all_, year = facts.overall, facts.year
    yield Heading(text="I. KẾT QUẢ THỰC HIỆN")
    yield Heading(text="1. Công tác chỉ đạo, triển khai", level=2)
    yield Paragraph(text=to_write("nêu văn bản chỉ đạo, hướng dẫn; hội nghị, kiểm tra trong năm"))
    yield Heading(text="2. Kết quả chung", level=2)
    yield Paragraph(text=_overall_words(all_, year))
    for words in _apart(facts):
        yield Paragraph(text=words)
    yield Heading(text="3. Kết quả theo nhiệm vụ", level=2)
    yield _grid(f"Bảng 1. Kết quả theo nhiệm vụ năm {year}", "Nhiệm vụ", facts.by_item, all_, facts)
    bars = [Bar(label=one.name, counts=one.four) for one in facts.by_item if one.total]
    if bars:
        yield Picture(
            png=four_cells_chart(bars),
            alt=chart_words(bars),
            caption=f"Hình 1. Số phân công theo nhiệm vụ, năm {year}",
        )
    yield Paragraph(text=to_write("kết quả nổi bật của từng nhiệm vụ, số văn bản, sản phẩm"))
    yield Heading(text="4. Kết quả theo khối cơ quan", level=2)
    yield _grid(f"Bảng 2. Kết quả theo khối cơ quan năm {year}", "Khối", facts.by_block, all_)
    yield Paragraph(text=basis_words(facts), note=True)
    yield from _besides(facts)


def _besides(facts: YearlyFacts) -> Iterator[Block]:
    """Targets and money, each only where there is any."""
    section, table = 5, 3
    if facts.targets:
        yield from target_blocks(
            facts.targets,
            heading=f"{section}. Thực hiện chỉ tiêu của Đề án",
            caption=f"Bảng {table}. Chỉ tiêu của Đề án, năm {facts.year}",
            year=facts.year,
        )
        section, table = section + 1, table + 1
    if facts.money is not None:
        yield from money_blocks(
            facts.money,
            heading=f"{section}. Kinh phí thực hiện",
            captions=(
                f"Bảng {table}. Kinh phí năm {facts.year} theo nguồn",
                f"Bảng {table + 1}. Kinh phí năm {facts.year} theo nội dung chi",
            ),
            year=facts.year,
        )


def _overall_words(one: Cells, year: int) -> str:
    if not one.total:
        return f"Năm {year} chưa có phân công nào thuộc diện thống kê theo bốn nhóm."
    done = one.done_in_time + one.done_late
    return (
        f"Năm {year} có {vn_count(one.total)} phân công thuộc diện thống kê. Đã hoàn thành "
        f"{vn_count(done)} ({vn_share(done, one.total)}), trong đó đúng hạn "
        f"{vn_count(one.done_in_time)}, quá hạn {vn_count(one.done_late)}. Chưa hoàn thành "
        f"{vn_count(one.total - done)}, trong đó trong hạn {vn_count(one.open_in_time)}, quá hạn "
        f"{vn_count(one.open_overdue)} ({vn_share(one.open_overdue, one.total)})."
    )


def _apart(facts: YearlyFacts) -> Iterator[str]:
    """What is counted apart, each said only where there is any (rules 16, 17, 20, 21, 44)."""
    one, extra, beside = facts.overall, facts.added, facts.beside
    if one.past_provisional:
        yield (
            f"Trong số chưa hoàn thành, trong hạn có {vn_count(one.past_provisional)} phân công đã "
            "qua mốc dự kiến; mốc này chưa được văn bản ấn định nên không tính là quá hạn."
        )
    if one.own:
        yield (
            f"Trong số đã hoàn thành có {vn_count(one.own)} kết quả của {facts.office.name} do "
            "lãnh đạo Sở tự xác nhận."
        )
    if one.late_entry:
        yield f"Có {vn_count(one.late_entry)} kết quả được cập nhật chậm so với ngày văn bản."
    if one.check_ins:
        yield (
            f"Nhiệm vụ thường xuyên theo dõi riêng, ngoài thống kê trên: đã cập nhật "
            f"{vn_count(one.answered)}/{vn_count(one.check_ins)} lượt "
            f"({vn_share(one.answered, one.check_ins)})."
        )
    if beside.total:
        yield (
            "Nghĩa vụ khác nêu tại Đề án, ngoài Phụ lục (báo cáo năm, kế hoạch bồi dưỡng của cơ "
            f"quan, đơn vị và nội dung khác), thống kê riêng: {_short(beside)}."
        )
    if extra.total:
        yield f"Nhiệm vụ giao bổ sung, ngoài Phụ lục, thống kê riêng: {_short(extra)}."


def _short(one: Cells) -> str:
    return (
        f"{vn_count(one.total)} phân công; hoàn thành đúng hạn {vn_count(one.done_in_time)}, quá "
        f"hạn {vn_count(one.done_late)}; chưa hoàn thành, trong hạn {vn_count(one.open_in_time)}, "
        f"quá hạn {vn_count(one.open_overdue)}"
    )


def _grid(
    caption: str,
    what: str,
    lines: tuple[Cells, ...],
    overall: Cells,
    facts: YearlyFacts | None = None,
) -> Grid:
    shown = [one for one in lines if one.total]
    rows = [
        (str(n), _name(one, facts), *(vn_count(part) for part in (one.total, *one.four)))
        for n, one in enumerate(shown, start=1)
    ]
    last = (
        *("", "Tổng cộng"),
        *(vn_count(part) for part in (overall.total, *overall.four)),
    )
    return Grid(
        caption=caption,
        columns=(_NUMBER, Column(title=what, share=3.6), *_FOUR),
        rows=(*rows, last) if rows else (),
        bold=frozenset({len(rows)}) if rows else frozenset(),
        empty="Chưa có phân công nào thuộc diện thống kê.",
    )


def _name(one: Cells, facts: YearlyFacts | None) -> str:
    task = facts.tasks.get(one.name, "") if facts else ""
    return f"{one.name}. {task}" if task else one.name


def _judgement(facts: YearlyFacts) -> Iterator[Block]:
    late = facts.overall.open_overdue + facts.overall.done_late
    yield Heading(text="II. ĐÁNH GIÁ CHUNG")
    yield Heading(text="1. Ưu điểm", level=2)
    yield Paragraph(text=to_write("kết quả tốt, cách làm hay, cơ quan thực hiện tốt"))
    yield Heading(text="2. Tồn tại, hạn chế", level=2)
    if late:
        more = "; danh mục tại Phụ lục kèm theo" if facts.late else ""
        told = (
            (facts.overall.done_late, "phân công hoàn thành quá hạn"),
            (facts.overall.open_overdue, "phân công chưa hoàn thành đã quá hạn"),
        )
        words = " và ".join(f"{vn_count(count)} {what}" for count, what in told if count)
        yield Paragraph(text=f"Có {words}{more}.")
    yield Paragraph(text=to_write("nhiệm vụ chậm, chất lượng kết quả, khó khăn, vướng mắc"))
    yield Heading(text="3. Nguyên nhân", level=2)
    yield Paragraph(text=f"a) Nguyên nhân khách quan: {to_write()}")
    yield Paragraph(text=f"b) Nguyên nhân chủ quan: {to_write()}")


def _ahead(facts: YearlyFacts) -> Iterator[Block]:
    after = "THỜI GIAN TỚI" if facts.last else f"NĂM {facts.year + 1}"
    yield Heading(text=f"III. PHƯƠNG HƯỚNG, NHIỆM VỤ {after}")
    yield Paragraph(text=to_write("nhiệm vụ trọng tâm, giải pháp, tiến độ, cơ quan chủ trì"))
    yield Heading(text="IV. ĐỀ XUẤT, KIẾN NGHỊ")
    yield Paragraph(text=to_write("với UBND tỉnh, Bộ Nội vụ; không có thì ghi “Không”"))
    yield Paragraph(
        text=f"Trên đây là báo cáo kết quả thực hiện Đề án năm {facts.year} của "
        f"{facts.office.name}./."
    )
