"""Overdue work as official documents list it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from reports.official.model import Align, Column, Grid
from reports.official.numbers import vn_count, vn_day

_NUMBER = Column(title="TT", share=0.5, align=Align.CENTRE)


@dataclass(frozen=True, slots=True, kw_only=True)
class LateLine:
    """Work that is overdue on the day of the figures; ``days`` are working days."""

    agency: str
    item: str
    task: str
    period: str
    due_on: date
    days: int | None
    status: str
    urged: str = ""
    """The document by which it was urged, and its day."""


def late_grid(late: tuple[LateLine, ...]) -> Grid:
    """Overdue work, a line each."""
    return Grid(
        caption="",
        columns=(
            _NUMBER,
            Column(title="Cơ quan, đơn vị", share=2.6),
            Column(title="Nhiệm vụ", share=5),
            Column(title="Kỳ thực hiện", share=1.3),
            Column(title="Hạn hoàn thành", share=1.2, align=Align.CENTRE),
            Column(title="Số ngày làm việc quá hạn", share=1.1, align=Align.RIGHT),
            Column(title="Tình trạng", share=1.8),
        ),
        rows=tuple(
            (
                *(str(n), one.agency, f"{one.item}. {one.task}", one.period, vn_day(one.due_on)),
                "–" if one.days is None else vn_count(one.days),
                one.status + (f"; {one.urged}" if one.urged else ""),
            )
            for n, one in enumerate(late, start=1)
        ),
    )
