"""How several plans stand side by side: a row a plan, a column an item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from operations.heatmap import Heat, HeatCell, plan_map
from portal.maps import Part
from portal.work_tables import Source
from rules.values import Item


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLine:
    """A plan with its items' cells, all agencies together, and how many rows stand how."""

    key: str
    name: str
    title: str
    cells: Mapping[str, HeatCell]
    tasks: Mapping[str, str]
    counts: Mapping[Heat, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlansMap:
    """Every plan that is asked for; ``heads`` are the keys of their items, each once."""

    heads: tuple[str, ...]
    lines: tuple[PlanLine, ...]


def by_plan(source: Source) -> bool:
    """Whether several plans are asked for at once, so that no list of agencies is any help."""
    filters = source.filters
    return source.several_plans and filters.plan is None and filters.item is None


def read_plans(source: Source, part: Part) -> PlansMap:
    """How the plans stand in the period asked for, of one part."""
    found = plan_map(source.session, part.of(source.filters.scope))
    there = {item for _, item in found}
    heads: dict[str, None] = {}
    lines = []
    for key, state in source.states.items():
        items: list[Item] = [one for one in part.items(state.plan) if one.key in there]
        heads |= dict.fromkeys(one.key for one in items)
        cells = {item: cell for (plan, item), cell in found.items() if plan == key}
        counts: Counter[Heat] = Counter()
        for cell in cells.values():
            counts.update(cell.counts)
        lines.append(
            PlanLine(
                key=key,
                name=state.plan.short_code,
                title=state.plan.title,
                cells=cells,
                tasks={one.key: one.text.task for one in items},
                counts=counts,
            )
        )
    return PlansMap(heads=tuple(heads), lines=tuple(lines))
