""" "Nhiệm vụ": the decision's rows beside their interpretation, and how each stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from operations.dashboard import STANDING, Figures, scoped_rows
from operations.heatmap import strip
from operations.queries import WorkRow, by_urgency
from operations.state import PlanState
from portal.errors import NotThere
from portal.filters import CELL_KEYS
from portal.maps import Part, read_items, year_word
from portal.past import looking
from portal.portal import portal_of
from portal.signs import CELL_SIGNS, CERTAINTY_SIGNS, DATE_WORDS, HEAT_SIGNS, Sign, basis_sign
from portal.views import Reader
from portal.visitors import person_of
from portal.words import Pill, pill
from portal.work_tables import Source, read_source
from rules.directory import parties_on
from rules.lifecycle import Status
from rules.timeliness import Cell
from rules.values import Certainty, Item, LeadMode, Role
from rules.workdays import OutsideHorizon
from tasks_catalog.describe import ItemMeaning, describe_plan

router = APIRouter()
_READ = ["GET", "HEAD"]
FOUR = (Cell.DONE_IN_TIME, Cell.DONE_LATE, Cell.OPEN_IN_TIME, Cell.OPEN_OVERDUE)
LEAD_WORDS = {
    LeadMode.EACH: "Mỗi cơ quan chủ trì phần của mình",
    LeadMode.SINGLE: "Một cơ quan chủ trì",
    LeadMode.JOINT: "Các cơ quan cùng chủ trì; tất cả phải hoàn thành",
    LeadMode.JOINT_OR_SEPARATE: "Cùng chủ trì; thực hiện riêng hoặc kết hợp",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """Whom a phrase means today: a group with its certainty, or an agency."""

    name: str
    sign: Sign
    note: str | None
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An agency in an occurrence, as the page lists it."""

    row: WorkRow
    pill: Pill


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """An occurrence with its leads and partners."""

    first: WorkRow
    figures: Figures
    leads: tuple[Row, ...]
    partners: tuple[Row, ...]


@router.api_route("/nhiem-vu", methods=_READ, name="items")
def items(request: Request) -> Response:
    """Every item with its figures and its years."""
    portal = portal_of(request)
    with looking(request) as view:
        source = read_source(request, view)
        lines, beside = read_items(source), read_items(source, Part.BESIDE)
        added = read_items(source, Part.ADDED)
    return portal.pages(
        request,
        "items.html",
        filters=source.filters,
        lines=lines,
        beside=beside,
        added=added,
        may_add=person_of(request).can_decide,
        four=[(cell, CELL_SIGNS[cell]) for cell in FOUR],
        cell_keys={cell: key for key, cell in CELL_KEYS.items()},
        heats=HEAT_SIGNS,
        year_word=year_word,
        now=source.now,
        action="/nhiem-vu",
        excel=source.filters.link("/xuat/nhiem-vu.xlsx"),
    )


@router.api_route("/nhiem-vu/{plan}/{item:path}", methods=_READ, name="item")
def one_item(request: Request, plan: str, item: str) -> Response:
    """One item: the decision's words, what they are taken to mean, and its occurrences."""
    portal = portal_of(request)
    with looking(request) as view:
        source = read_source(request, view)
        state = source.states.get(plan)
        found = _item(state, item)
        if state is None or found is None:
            raise NotThere("Không có nhiệm vụ này. Đề nghị mở lại từ danh sách nhiệm vụ.")
        turns = _turns(view.session, source, plan, item)
        years = strip(view.session, state, source.filters.cutoff)[item]
    return portal.pages(
        request,
        "item.html",
        filters=source.filters,
        plan=state.plan,
        item=found,
        group_title=state.plan.group_title(found),
        meaning=_meaning(state, found, view.today),
        leads=_meant(state, found, Role.LEAD, view.today),
        partners=_meant(state, found, Role.PARTNER, view.today),
        lead_word=LEAD_WORDS[found.parties.lead_mode],
        date_word=DATE_WORDS[found.calendar.authority],
        basis_sign=basis_sign,
        certainties=[CERTAINTY_SIGNS[one] for one in Certainty],
        years=years,
        year_word=year_word,
        heats=HEAT_SIGNS,
        turns=turns,
        four=[(cell, CELL_SIGNS[cell]) for cell in FOUR],
        cell_keys={cell: key for key, cell in CELL_KEYS.items()},
        now=source.now,
        action=f"/nhiem-vu/{plan}/{item}",
        excel=source.filters.link("/xuat/phan-cong.xlsx", nhiem_vu=item, de_an=plan),
    )


def _item(state: PlanState | None, key: str) -> Item | None:
    return next((one for one in state.plan.every_item if one.key == key), None) if state else None


def _meaning(state: PlanState, item: Item, today: date) -> ItemMeaning | None:
    try:
        found = describe_plan(state.plan, state.directory, state.calendar, today)
    except OutsideHorizon:
        return None
    return next(one for one in found if one.key == item.key)


def _meant(state: PlanState, item: Item, role: Role, today: date) -> tuple[Meant, ...]:
    """The groups and agencies that the phrase means today, each with its certainty."""
    directory, found = state.directory, []
    spans = item.parties.leads if role is Role.LEAD else item.parties.partners
    real = set(parties_on(item, directory, today)[0 if role is Role.LEAD else 1])
    for span in spans:
        if not span.valid_on(today):
            continue
        for ref in span.refs:
            keys = [
                key for key in directory.resolve([ref], today, item_key=item.key) if key in real
            ]
            names = tuple(directory.agency(key).name for key in keys)
            if ref.startswith("@"):
                known = directory.group(ref)
                sign = CERTAINTY_SIGNS[known.certainty]
                found.append(Meant(name=known.name, sign=sign, note=known.note, members=names))
                continue
            for key in keys:
                agency = directory.agency(key)
                sign = CERTAINTY_SIGNS[agency.certainty]
                found.append(Meant(name=agency.name, sign=sign, note=agency.note))
    return tuple(found)


def _turns(session: Session, source: Source, plan: str, item: str) -> list[Turn]:
    """The occurrences of the period asked for, the newest first."""
    asked = source.filters
    rows = [
        row
        for row in scoped_rows(session, asked.scope, items=[item], agency=asked.agency, roles=None)
        if row.plan == plan and (asked.status is None or row.status is asked.status)
    ]
    reader = Reader(session, asked.cutoff)
    found: dict[int, list[WorkRow]] = {}
    for row in rows:
        found.setdefault(row.occurrence, []).append(row)
    turns = [_turn(some, asked.cell, reader) for some in found.values()]
    return sorted(turns, key=lambda one: (one.first.opens_on, one.first.period), reverse=True)


def _turn(rows: Sequence[WorkRow], cell: Cell | None, reader: Reader) -> Turn:
    leads = by_urgency(row for row in rows if row.role is Role.LEAD)
    leads.sort(key=lambda row: row.status not in STANDING)
    counted = Figures()
    for row in leads:
        if row.timeliness is None:
            counted.outside += 1
            continue
        counted.cells[row.timeliness] += 1
        if row.timeliness is Cell.PAST_PROVISIONAL:
            counted.cells[Cell.OPEN_IN_TIME] += 1
    partners = [row for row in rows if row.role is Role.PARTNER]
    partners.sort(key=lambda row: (row.status is Status.DORMANT, row.agency_name))
    return Turn(
        first=rows[0],
        figures=counted,
        leads=_rows([row for row in leads if _fits(row, cell)], reader),
        partners=_rows(partners, reader),
    )


def _fits(row: WorkRow, cell: Cell | None) -> bool:
    if cell is Cell.OPEN_IN_TIME and row.timeliness is Cell.PAST_PROVISIONAL:
        return True
    return cell is None or row.timeliness is cell


def _rows(rows: Sequence[WorkRow], reader: Reader) -> tuple[Row, ...]:
    return tuple(
        Row(row=row, pill=pill(row, reader.as_of, reader.state(row.plan).calendar)) for row in rows
    )
