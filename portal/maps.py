"""The heat map, the strip of the years and the list of items, for pages and spreadsheets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from models.tables import Occurrence
from operations.dashboard import Figures, Scope, figures_by
from operations.heatmap import Heat, HeatCell, HeatGroup, YearCell, heat_map, strip
from operations.state import PlanState, known_directory
from portal.signs import HEAT_SIGNS
from portal.words import MILESTONE_WORDS
from portal.work_tables import Source
from reports.tables import Column, Kind, Line, Table
from rules.timeliness import Cell
from rules.values import Item, Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A column of the heat map: an item of a plan."""

    plan: str
    item: str
    name: str
    task: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Map:
    """The heat map of a request."""

    heads: tuple[Head, ...]
    groups: tuple[HeatGroup, ...]


class Part(Enum):
    """Which work a list is of; what stands outside the appendix is told apart (rules 41, 44)."""

    APPENDIX = "appendix"
    BESIDE = "beside"
    ADDED = "added"

    def of(self, scope: Scope) -> Scope:
        """``scope`` of this part alone."""
        return replace(scope, added=self is Part.ADDED, beside=self is Part.BESIDE)

    def items(self, plan: Plan) -> Sequence[Item]:
        """The items of this part."""
        return {Part.APPENDIX: plan.items, Part.BESIDE: plan.beside, Part.ADDED: plan.added}[self]


OUTSIDE = (Part.BESIDE, Part.ADDED)
"""What is counted apart from the appendix."""


def read_map(source: Source, part: Part = Part.APPENDIX) -> Map:
    """The agencies and the items that the filters name, of one part.

    Of added work only what stands in the period is a column.
    """
    item = source.filters.item
    groups = heat_map(
        source.session,
        part.of(source.filters.scope),
        known_directory(source.session),
        items=() if item is None else (item,),
    )
    there = {place for group in groups for row in group.rows for place in row.cells}
    heads = [
        Head(plan=key, item=one.key, name=_name(source, state, one), task=one.text.task)
        for key, state in source.states.items()
        for one in part.items(state.plan)
        if (item is None or one.key == item) and (part is not Part.ADDED or (key, one.key) in there)
    ]
    return Map(heads=tuple(heads), groups=groups)


def _name(source: Source, state: PlanState, item: Item) -> str:
    return f"{state.plan.short_code} · {item.key}" if source.several_plans else item.key


def cell_word(cell: HeatCell) -> str:
    """What a cell says in words: ``Chưa hoàn thành, quá hạn``, with numbers where it has several."""
    if cell.count == 1:
        return HEAT_SIGNS[cell.heat].word
    return "; ".join(f"{HEAT_SIGNS[heat].word}: {cell.counts[heat]}" for heat in _worst_first(cell))


def _worst_first(cell: HeatCell) -> Sequence[Heat]:
    return [heat for heat in Heat if cell.counts.get(heat)]


def cell_link(source: Source, head: Head, agency: str, cell: HeatCell) -> str:
    """The page behind a cell: the work itself, or the list where there is more than one."""
    if cell.only is not None:
        return f"/viec/{cell.only}"
    plan = head.plan if source.several_plans else None
    return source.filters.link(
        "/bang/phan-cong", nhiem_vu=head.item, co_quan=agency, de_an=plan, vai_tro="chu-tri"
    )


def map_table(source: Source) -> Table:
    """The heat map as a list: an agency a row, an item a column."""
    found = [read_map(source, part) for part in Part]
    heads = [head for one in found for head in one.heads]
    columns = (
        Column(title="Nhóm", width=28),
        Column(title="Cơ quan", width=34),
        *(Column(title=head.name, width=18) for head in heads),
    )
    names: dict[str, tuple[str, str]] = {}
    cells: dict[str, dict[tuple[str, str], HeatCell]] = {}
    for group in (group for one in found for group in one.groups):
        for row in group.rows:
            names.setdefault(row.agency, (group.name, row.name))
            cells.setdefault(row.agency, {}).update(row.cells)
    lines = []
    for agency, name in names.items():
        there = [cells[agency].get((head.plan, head.item)) for head in heads]
        words = (None if cell is None else cell_word(cell) for cell in there)
        href = source.filters.link("/bang/phan-cong", co_quan=agency)
        lines.append(Line(values=(*name, *words), href=href))
    title = f"Bản đồ tiến độ {source.filters.period_words}"
    return Table(key="ban-do", title=title, columns=columns, lines=tuple(lines), linked=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemLine:
    """An item with its figures of the period asked for, and its years."""

    plan: str
    name: str
    item: Item
    figures: Figures
    years: tuple[YearCell, ...]


def read_items(source: Source, part: Part = Part.APPENDIX) -> tuple[ItemLine, ...]:
    """Every item of one part of the plans asked for."""
    scope = part.of(source.filters.scope)
    counted = figures_by(source.session, scope, Occurrence.plan_key, Occurrence.item_key)
    found = []
    for key, state in source.states.items():
        years = strip(source.session, state, source.filters.cutoff)
        for item in part.items(state.plan):
            if source.filters.item in {None, item.key}:
                line = ItemLine(
                    plan=key,
                    name=_name(source, state, item),
                    item=item,
                    figures=counted.get((key, item.key), Figures()),
                    years=years[item.key],
                )
                found.append(line)
    return tuple(found)


def year_word(cell: YearCell) -> str:
    """What a year of the strip says in words."""
    milestone = MILESTONE_WORDS.get(cell.milestone or "")
    if cell.heat is None:
        word = "trước khi theo dõi" if cell.before else "chưa mở"
    else:
        word = f"{HEAT_SIGNS[cell.heat].word}; xong {cell.done}/{cell.total}"
    return f"{milestone}: {word}" if milestone else word


_FOUR: Mapping[Cell, str] = {
    Cell.DONE_IN_TIME: "Hoàn thành đúng hạn",
    Cell.DONE_LATE: "Hoàn thành quá hạn",
    Cell.OPEN_IN_TIME: "Chưa hoàn thành, trong hạn",
    Cell.PAST_PROVISIONAL: "Trong đó qua mốc dự kiến",
    Cell.OPEN_OVERDUE: "Chưa hoàn thành, quá hạn",
}


def items_table(source: Source) -> Table:
    """The items with the decision's words, their figures and their years."""
    lines = [line for part in Part for line in read_items(source, part)]
    years = [str(one.year) for one in lines[0].years] if lines else []
    columns = (
        *(Column(title="Nhiệm vụ", width=12), Column(title="Nguyên văn nhiệm vụ", width=60)),
        *(Column(title="Cơ quan chủ trì (nguyên văn)", width=36),),
        *(Column(title="Cơ quan phối hợp (nguyên văn)", width=36),),
        *(Column(title="Thời gian (nguyên văn)", width=24),),
        *(Column(title=word, kind=Kind.NUMBER, width=12) for word in _FOUR.values()),
        Column(title="Ngoài bốn ô", kind=Kind.NUMBER, width=12),
        *(Column(title=f"Năm {year}", width=22) for year in years),
    )
    return Table(
        key="nhiem-vu",
        title=f"Nhiệm vụ {source.filters.period_words}",
        columns=columns,
        lines=tuple(_item_line(source, one, years) for one in lines),
    )


def _item_line(source: Source, one: ItemLine, years: Sequence[str]) -> Line:
    words = {str(cell.year): year_word(cell) for cell in one.years}
    text = one.item.text
    values = (
        *(one.name, text.task, "\n".join(text.lead), "\n".join(text.partners), text.timing),
        *(one.figures.cells[cell] for cell in _FOUR),
        one.figures.outside,
        *(words.get(year) for year in years),
    )
    return Line(values=values, href=source.plan_link(one.plan, one.item.key))
