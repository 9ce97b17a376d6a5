"""Chỉ tiêu: the decision's targets in percent, by year and agency; an agency its own (41, 46)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from operations.state import PlanState, load_state, plan_keys
from operations.targets import Target, targets
from portal.errors import NotThere
from portal.exporting import takes_away
from portal.pages.agency import BASE, AccountDoor
from portal.past import looking
from portal.portal import portal_of
from reports.tables import Column, Line, Table, Value

router = APIRouter()
_READ = ["GET", "HEAD"]
PATH: Final = "/nhiem-vu/chi-tieu"


def number_words(number: Decimal | None) -> str:
    """``1.234,5`` as people read it; empty for nothing."""
    if number is None:
        return ""
    text = f"{number:,f}" if number % 1 else f"{number:,.0f}"
    return text.translate(str.maketrans(",.", ".,"))


def asked_year(request: Request, session: Session, today_year: int) -> tuple[PlanState, int]:
    """The plan and the year that the address asks for; this year, within the plan, unless told."""
    keys = plan_keys(session)
    plan = request.query_params.get("de-an", "")
    if not keys or (plan and plan not in keys):
        raise NotThere
    state = load_state(session, plan or keys[0])
    years = range(state.plan.first_year, state.plan.last_year + 1)
    given = request.query_params.get("nam", "")
    year = int(given) if given.isdecimal() and len(given) == 4 else today_year
    return state, year if year in years else min(max(today_year, years[0]), years[-1])


@router.api_route(PATH, methods=_READ, name="targets")
def show_targets(request: Request) -> Response:
    """Every target of a year: the sum of those that answered, and who has not."""
    with looking(request) as view:
        state, year = asked_year(request, view.session, view.today.year)
        found = targets(view.session, state, year)
    return portal_of(request).pages(
        request,
        "targets.html",
        plan=state.plan,
        year=year,
        years=range(state.plan.first_year, state.plan.last_year + 1),
        targets=found,
        number=number_words,
        own=False,
    )


@router.api_route(f"{BASE}/chi-tieu", methods=_READ, name="agency_targets")
def own_targets(request: Request, door: AccountDoor) -> Response:
    """The agency's own numbers, nobody else's (rule 46)."""
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        state, year = asked_year(request, session, portal.today.year)
        found = targets(session, state, year, agency=door.agency)
    return portal.pages(
        request,
        "targets.html",
        plan=state.plan,
        year=year,
        years=range(state.plan.first_year, state.plan.last_year + 1),
        targets=found,
        number=number_words,
        own=True,
        door=door,
    )


_COLUMNS: Final = (
    Column(title="Chỉ tiêu", width=48),
    Column(title="Cơ quan", width=34),
    Column(title="Đạt", width=12),
    Column(title="Tổng số", width=12),
    Column(title="Tỷ lệ %", width=10),
    Column(title="Tổng số năm trước", width=16),
    Column(title="Tình trạng", width=24),
)


def target_table(found: tuple[Target, ...], year: int) -> Table:
    """The targets as one list, the sums with their coverage first."""
    lines: list[Line] = []
    for one in found:
        covered = f"{len(one.answered)}/{len(one.rows)} cơ quan đã có số liệu"
        total = (number_words(one.part), number_words(one.whole), number_words(one.percent))
        lines.append(Line(values=(one.title, "Toàn tỉnh", *total, None, covered)))
        for row in one.rows:
            state = "Chưa có số liệu"
            if row.answered:
                state = "Đã xác nhận" if row.confirmed else "Chờ xác nhận"
            values: tuple[Value, ...] = (
                *(one.title, row.agency_name, number_words(row.part), number_words(row.whole)),
                *(number_words(row.percent), number_words(row.before), state),
            )
            lines.append(Line(values=values, href=f"/viec/{row.assignment}"))
    note = "Tỷ lệ tính trên các cơ quan đã có số liệu, làm tròn xuống; mục tiêu 100%."
    return Table(
        key="chi-tieu",
        title=f"Chỉ tiêu của Đề án, năm {year}",
        columns=_COLUMNS,
        lines=tuple(lines),
        notes=(note,),
    )


def _file(request: Request) -> Table:
    with looking(request) as view:
        state, year = asked_year(request, view.session, view.today.year)
        table = target_table(targets(view.session, state, year), year)
    return replace(table, notes=(*view.notes, *table.notes))


takes_away(router, "targets", _file)
