"""What the yearly report says besides the tasks: the targets in percent and the money (41, 43)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from reports.official.model import Align, Block, Column, Grid, Heading, Paragraph, to_write
from reports.official.numbers import vn_amount, vn_count

_NUMBER = Column(title="TT", share=0.5, align=Align.CENTRE)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetLine:
    """One target: the sums of those that answered, of how many that were asked.

    ``percent`` is rounded down to one decimal; None while nobody answered.
    """

    label: str
    unit: str
    part: Decimal
    whole: Decimal
    percent: Decimal | None
    answered: int
    asked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyLine:
    """Planned and spent of one source or one line of costs, in whole đồng."""

    label: str
    planned: int = 0
    spent: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneySums:
    """Planned and spent of a year, by source and by line of costs; both add up to the same."""

    by_source: tuple[MoneyLine, ...]
    by_line: tuple[MoneyLine, ...]


def target_blocks(
    targets: Sequence[TargetLine], *, heading: str, caption: str, year: int
) -> Iterator[Block]:
    """The section of the targets."""
    yield Heading(text=heading, level=2)
    yield Grid(
        caption=caption,
        columns=(
            _NUMBER,
            Column(title="Chỉ tiêu", share=4.4),
            Column(title="Đạt", share=1, align=Align.RIGHT),
            Column(title="Tổng số", share=1, align=Align.RIGHT),
            Column(title="Tỷ lệ", share=1, align=Align.RIGHT),
            Column(title="Cơ quan đã có số liệu", share=1.3, align=Align.RIGHT),
        ),
        rows=tuple(_target_row(n, one) for n, one in enumerate(targets, start=1)),
    )
    yield Paragraph(
        text=f"Số liệu do các cơ quan, đơn vị báo cáo trong báo cáo năm {year}; tỷ lệ tính trên "
        "các cơ quan đã có số liệu, làm tròn xuống.",
        note=True,
    )


def _target_row(number: int, one: TargetLine) -> tuple[str, ...]:
    return (
        str(number),
        f"{one.label} ({one.unit})",
        vn_amount(one.part) if one.answered else "–",
        vn_amount(one.whole) if one.answered else "–",
        "–" if one.percent is None else f"{vn_amount(one.percent)}%",
        f"{vn_count(one.answered)}/{vn_count(one.asked)}",
    )


def money_blocks(
    money: MoneySums, *, heading: str, captions: tuple[str, str], year: int
) -> Iterator[Block]:
    """The section of the money."""
    planned = sum(one.planned for one in money.by_source)
    spent = sum(one.spent for one in money.by_source)
    yield Heading(text=heading, level=2)
    yield Paragraph(
        text=f"Tổng dự toán năm {year}: {vn_count(planned)} đồng; đã chi: {vn_count(spent)} đồng."
    )
    yield _money_grid(captions[0], "Nguồn kinh phí", money.by_source)
    yield _money_grid(captions[1], "Nội dung chi", money.by_line)
    yield Paragraph(
        text="Kinh phí do cơ quan chủ trì cập nhật theo từng nhiệm vụ; chỉ gồm các khoản đã cập "
        "nhật trên hệ thống.",
        note=True,
    )
    yield Paragraph(text=to_write("nhận xét về bố trí, sử dụng kinh phí; không có thì bỏ"))


def _money_grid(caption: str, what: str, lines: Sequence[MoneyLine]) -> Grid:
    rows = [
        (str(n), one.label, vn_count(one.planned), vn_count(one.spent))
        for n, one in enumerate(lines, start=1)
    ]
    last = (
        *("", "Tổng cộng", vn_count(sum(one.planned for one in lines))),
        vn_count(sum(one.spent for one in lines)),
    )
    return Grid(
        caption=caption,
        columns=(
            _NUMBER,
            Column(title=what, share=4.4),
            Column(title="Dự toán (đồng)", share=1.8, align=Align.RIGHT),
            Column(title="Đã chi (đồng)", share=1.8, align=Align.RIGHT),
        ),
        rows=(*rows, last),
        bold=frozenset({len(rows)}),
    )
