""" "Tổng quan tiến độ" and the heat map: what somebody who follows everybody's work sees first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import Response

from operations.backups import standing
from operations.dashboard import Figures, figures
from operations.heatmap import Heat
from operations.outlets import switched_off
from operations.outward_restored import held_outward
from operations.remembered import remember
from portal.filters import CELL_KEYS
from portal.maps import OUTSIDE, Part, cell_link, cell_word, read_map
from portal.past import looking
from portal.plan_maps import by_plan, read_plans
from portal.portal import portal_of
from portal.signs import CELL_SIGNS, HEAT_SIGNS
from portal.tables import LISTINGS
from portal.together import Together, together
from portal.work_tables import Source, read_source
from reports.tables import Table
from rules.timeliness import Cell

router = APIRouter()
_READ = ["GET", "HEAD"]
FOUR = (Cell.DONE_IN_TIME, Cell.DONE_LATE, Cell.OPEN_IN_TIME, Cell.OPEN_OVERDUE)
WAITING = tuple(key for key, listing in LISTINGS.items() if not listing.scoped)
"""The lists of what waits for somebody, each counted and linked."""
SECTIONS = (
    ("cho-xac-nhan", (0, 1, 2, 3, 4, 5, 6)),
    ("gia-han", (0, 1, 2, 3, 4, 6, 7)),
    ("vuong-mac", (0, 1, 3, 4, 5)),
    ("qua-han", ()),
    ("sap-den-han", ()),
    ("viec-dieu-phoi", (1, 2, 3, 4, 5, 6)),
    ("moc-du-kien", (0, 1, 2, 4, 5, 6)),
)
"""The lists whose first lines stand on the page, by the numbers of their columns; none for those
that are told by item, for many agencies owe the same."""
FIRST_LINES = 6


NOT_OF_EVENTS = frozenset({"don-doc", "thu", "thieu-hop-thu", "luot-chay"})
"""Lists that change without an event: a ladder that moves on, a letter on its way, an address that
takes letters again, a run; and those that change with the hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What of the page changes only with an event or the day; nobody changes it."""

    counted: Figures
    outside: Mapping[Part, Figures]
    """The same of what is counted apart."""
    tables: Mapping[str, Table]
    grouped: Mapping[str, Sequence[Together]]


def drawn(source: Source) -> Drawn:
    """The figures and lists of ``source``, as they were made since the newest event."""

    def draw() -> Drawn:
        return Drawn(
            counted=figures(source.session, source.filters.scope),
            outside={
                part: figures(source.session, part.of(source.filters.scope)) for part in OUTSIDE
            },
            tables={k: LISTINGS[k].build(source) for k in WAITING if k not in NOT_OF_EVENTS},
            grouped={
                "qua-han": together(source, source.standing.overdue()),
                "sap-den-han": together(source, source.standing.soon()),
            },
        )

    # A value of its fields alone: equal filters have equal text.
    return remember(source.session, ("overview", repr(source.filters)), draw)


def show_overview(request: Request) -> Response:
    """The four cells of a period and what waits for somebody, whichever period it is of."""
    portal = portal_of(request)
    with looking(request) as view:
        source = read_source(request, view)
        known = drawn(source)
        tables = {
            key: LISTINGS[key].build(source) if key in NOT_OF_EVENTS else known.tables[key]
            for key in WAITING
        }
        off, held = switched_off(view.present), held_outward(view.present)
        kept = standing(view.present, portal.runtime.clock.now())
        trial = portal.is_trial(view.present)
    return portal.pages(
        request,
        "dashboard.html",
        filters=source.filters,
        counted=known.counted,
        outside=known.outside,
        four=[(cell, CELL_SIGNS[cell]) for cell in FOUR],
        cell_keys={cell: key for key, cell in CELL_KEYS.items()},
        tables=tables,
        grouped=known.grouped,
        titles={key: LISTINGS[key].title for key in WAITING},
        alarms=sum(1 for line in tables["luot-chay"].lines if line.values[3]),
        sections=SECTIONS,
        first_lines=FIRST_LINES,
        now=source.now,
        outlets_off=off,
        outward_held=held,
        backups=kept,
        quiet=kept.never and trial,
        action="/",
    )


@router.api_route("/ban-do", methods=_READ, name="heat_map")
def heat_map(request: Request) -> Response:
    """Items x agencies."""
    portal = portal_of(request)
    with looking(request) as view:
        source = read_source(request, view)
        if by_plan(source):
            return _plans_map(request, source)
        found = read_map(source)
        outside = {part: read_map(source, part) for part in OUTSIDE}
    return portal.pages(
        request,
        "heat_map.html",
        filters=source.filters,
        map=found,
        outside=outside,
        heats=list(Heat),
        signs=HEAT_SIGNS,
        word=cell_word,
        link=lambda head, agency, cell: cell_link(source, head, agency, cell),
        now=source.now,
        action="/ban-do",
        excel=source.filters.link("/xuat/ban-do.xlsx"),
    )


def _plans_map(request: Request, source: Source) -> Response:
    """Items x plans, for who follows several and asks for none: each leads to its own map."""
    return portal_of(request).pages(
        request,
        "heat_plans.html",
        filters=source.filters,
        maps={part: read_plans(source, part) for part in Part},
        heats=list(Heat),
        signs=HEAT_SIGNS,
        word=cell_word,
        now=source.now,
        action="/ban-do",
        excel=source.filters.link("/xuat/ban-do.xlsx"),
    )
