"""Kinh phí: planned and spent of a year, by source, line and agency (rule 43)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from operations.money import MoneyRow, money_rows
from portal.exporting import takes_away
from portal.pages.targets import asked_year
from portal.past import looking
from portal.portal import portal_of
from reports.tables import Column, Kind, Line, Table
from rules.values import Plan

router = APIRouter()
_READ = ["GET", "HEAD"]
PATH: Final = "/nhiem-vu/kinh-phi"
Sums = dict[tuple[str, str], tuple[int, int]]
"""Planned and spent by source and line."""


def sums_of(rows: Iterable[MoneyRow]) -> Sums:
    """The amounts added up."""
    found: Sums = {}
    for row in rows:
        planned, spent = found.get((row.source, row.line), (0, 0))
        found[row.source, row.line] = (planned + row.planned, spent + row.spent)
    return found


@router.api_route(PATH, methods=_READ, name="money")
def show_money(request: Request) -> Response:
    """The sums of a year and the amounts behind them."""
    with looking(request) as view:
        state, year = asked_year(request, view.session, view.today.year)
        rows = money_rows(view.session, state.plan.key, year=year)
    sums = sums_of(rows)
    return portal_of(request).pages(
        request,
        "money.html",
        plan=state.plan,
        year=year,
        years=range(state.plan.first_year, state.plan.last_year + 1),
        rows=rows,
        sums=sums,
        planned=sum(one[0] for one in sums.values()),
        spent=sum(one[1] for one in sums.values()),
        names=_names(state.plan),
    )


def _names(plan: Plan) -> dict[str, str]:
    return {one.key: one.label for one in (*plan.cost_lines, *plan.cost_sources)}


def _file(request: Request) -> Table:
    with looking(request) as view:
        state, year = asked_year(request, view.session, view.today.year)
        rows = money_rows(view.session, state.plan.key, year=year)
    names = _names(state.plan)
    return Table(
        key="kinh-phi",
        title=f"Kinh phí thực hiện Đề án, năm {year} (đồng)",
        columns=(
            *(Column(title="Nhiệm vụ", width=12), Column(title="Kỳ", width=10)),
            *(Column(title="Cơ quan", width=34), Column(title="Nguồn", width=30)),
            Column(title="Mục chi", width=36),
            Column(title="Dự toán", kind=Kind.NUMBER, width=18),
            Column(title="Đã chi", kind=Kind.NUMBER, width=18),
            Column(title="Ghi chú", width=40),
        ),
        lines=tuple(
            Line(
                values=(
                    *(row.item, row.period, row.agency_name),
                    *(names.get(row.source, row.source), names.get(row.line, row.line)),
                    *(row.planned, row.spent, row.note),
                ),
                href=f"/viec/{row.assignment}",
            )
            for row in rows
        ),
        notes=view.notes,
    )


takes_away(router, "money", _file)
