"""The one chart of a report: how the work of every item stands, as a picture with its words.

The parts of a bar differ in lightness and carry their number, so that they can be told apart
without colour and on paper (status is never said by colour alone).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from reports.official import form
from reports.official.numbers import vn_count
from rules.timeliness import CELL_WORDS, Cell

FOUR: Final = (Cell.DONE_IN_TIME, Cell.DONE_LATE, Cell.OPEN_IN_TIME, Cell.OPEN_OVERDUE)
_COLOURS: Final = {
    Cell.DONE_IN_TIME: ("#1b5e3a", "white"),
    Cell.DONE_LATE: ("#8fbf9f", "black"),
    Cell.OPEN_IN_TIME: ("#e3e3e3", "black"),
    Cell.OPEN_OVERDUE: ("#a3231f", "white"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """An item and how many of its rows stand in each of the four cells."""

    label: str
    counts: tuple[int, int, int, int]


@cache
def _fonts() -> None:
    import vl_convert

    vl_convert.register_font_directory(str(form.FONTS))


def four_cells_chart(bars: Sequence[Bar]) -> bytes:
    """The bars as PNG."""
    import altair as alt
    import vl_convert

    _fonts()
    known = [
        {"item": bar.label, "cell": CELL_WORDS[cell], "order": n, "count": count}
        for bar in bars
        for n, (cell, count) in enumerate(zip(FOUR, bar.counts, strict=True))
    ]
    words = [CELL_WORDS[cell] for cell in FOUR]
    base = alt.Chart(alt.InlineData(values=known)).encode(
        y=alt.Y("item:N", sort=[bar.label for bar in bars], title=None),
        x=alt.X("count:Q", stack="zero", title="Số phân công", axis=alt.Axis(tickMinStep=1)),
        order=alt.Order("order:O"),
    )
    drawn = base.mark_bar(stroke="#444", strokeWidth=0.5).encode(
        color=alt.Color(
            "cell:N",
            scale=alt.Scale(domain=words, range=[_COLOURS[cell][0] for cell in FOUR]),
            legend=alt.Legend(title=None, orient="top", columns=2, labelLimit=300),
        )
    )
    numbers = (
        base.transform_filter("datum.count > 0")
        .mark_text(align="center", baseline="middle", fontSize=12)
        .encode(
            x=alt.X("count:Q", stack="zero", bandPosition=0.5),
            text=alt.Text("count:Q"),
            color=alt.Color(
                "cell:N",
                scale=alt.Scale(domain=words, range=[_COLOURS[cell][1] for cell in FOUR]),
                legend=None,
            ),
        )
    )
    chart = (
        (drawn + numbers)
        .resolve_scale(color="independent")
        .properties(width=480, height=max(26 * len(bars), 60))
        .configure(font="Tinos")
        .configure_axis(labelFontSize=13, titleFontSize=13)
        .configure_legend(labelFontSize=13)
    )
    return vl_convert.vegalite_to_png(chart.to_dict(), scale=2)


def chart_words(bars: Sequence[Bar]) -> str:
    """What the chart shows, for those who hear it: the alternative text."""
    said = [
        f"{bar.label}: "
        + ", ".join(
            f"{vn_count(count)} {CELL_WORDS[cell].lower()}"
            for cell, count in zip(FOUR, bar.counts, strict=True)
            if count
        )
        for bar in bars
        if any(bar.counts)
    ]
    return "Biểu đồ thanh ngang, số phân công theo nhiệm vụ. " + "; ".join(said) + "."
