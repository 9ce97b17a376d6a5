"""One occurrence: its agencies, with the forms that move a date, add or drop one (rules 4, 12, 15)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from models.tables import Occurrence
from operations.money import MoneyRow, money_rows, set_money
from operations.parties import Addition, add_agency, drop_agency
from operations.plans_seen import agencies_elsewhere
from operations.queries import WorkRow, work_list
from operations.rescheduling import reschedule
from operations.stamp import Stamp
from operations.state import PlanState, load_plan, load_state
from portal.errors import NotThere
from portal.filing import Do, file_form
from portal.forms import FormState
from portal.pages.queues import Form
from portal.portal import portal_of
from portal.reading import Reading
from portal.signs import DATE_WORDS
from portal.told import told
from portal.visitors import person_of
from rules.lifecycle import OPEN, TRANSITIONS, Action, Status
from rules.values import Item, Role

router = APIRouter()
_READ = ["GET", "HEAD"]
PATH: Final = "/ky/{occurrence:int}"
_ROLES: Final = {Role.LEAD: "Chủ trì", Role.PARTNER: "Phối hợp"}
_DEEDS: Final = frozenset({"han", "them", "thoi", "kinh-phi"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """An occurrence as its page shows it."""

    state: PlanState
    item: Item
    rows: tuple[WorkRow, ...]
    due_on: date
    opens_on: date
    period_label: str
    occurrence: int
    money: tuple[MoneyRow, ...]


def _read(session: Session, request: Request, number: int) -> Turn:
    above = session.get(Occurrence, number)
    if above is None:
        raise NotThere("Không có kỳ thực hiện này. Đề nghị mở lại từ trang nhiệm vụ.")
    rows = work_list(session, as_of=portal_of(request).today, occurrence=number)
    if not rows:
        raise NotThere("Kỳ này chưa có cơ quan nào. Đề nghị mở lại từ trang nhiệm vụ.")
    return Turn(
        state=load_state(session, above.plan_key),
        item=load_plan(session, above.plan_key, above.plan_version).item(above.item_key),
        rows=tuple(sorted(rows, key=lambda one: (one.role is not Role.LEAD, one.agency_name))),
        due_on=above.due_on,
        opens_on=above.opens_on,
        period_label=rows[0].period_label,
        occurrence=number,
        money=tuple(money_rows(session, above.plan_key, occurrence=number)),
    )


def movable(row: WorkRow) -> bool:
    """Whether the due date of a row may be moved."""
    return row.role is Role.LEAD and row.status in OPEN | {Status.SUSPENDED}


def droppable(row: WorkRow) -> bool:
    """Whether an agency may be dropped."""
    return (row.status, Action.CANCEL) in TRANSITIONS


def _show(request: Request, number: int, form: FormState, status: int = 200) -> Response:
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        turn = _read(session, request, number)
        hidden = agencies_elsewhere(session)
    valid = turn.state.directory.valid_on(portal.today)
    return portal.pages(
        request,
        "turn.html",
        status=status,
        form=form,
        turn=turn,
        agencies=[one for one in valid if one.key not in hidden],
        roles=_ROLES,
        movable=movable,
        droppable=droppable,
        date_words=DATE_WORDS,
        may=person_of(request).can_decide,
        said=told(request),
    )


@router.api_route(PATH, methods=_READ, name="turn")
def turn(request: Request, occurrence: int) -> Response:
    """One occurrence with its agencies."""
    return _show(request, occurrence, FormState())


@router.post(PATH + "/{deed}", name="turn_act")
def turn_act(request: Request, form: Form, occurrence: int, deed: str) -> Response:
    """Move one due date, add an agency, or drop one; each with a reason."""
    if deed not in _DEEDS:
        raise NotThere
    with portal_of(request).runtime.database.read() as session:
        found = _read(session, request, occurrence)
    named = None if deed == "them" else form.number("row")
    row = next((one for one in found.rows if one.id == named), None)
    if deed != "them" and row is None:
        raise NotThere("Cơ quan này không có trong kỳ này; đề nghị tải lại trang.")
    do = _add(found) if row is None else _OF_ROW[deed](row)
    return file_form(
        request,
        form,
        deed if row is None or deed == "kinh-phi" else f"{deed}-{row.id}",
        do,
        then=f"/ky/{occurrence}",
        show=lambda state, status: _show(request, occurrence, state, status),
    )


def _move(row: WorkRow) -> Do:
    def do(session: Session, stamp: Stamp, reading: Reading) -> str:
        until = reading.needed_day("until", "Đề nghị ghi hạn mới, ví dụ 30/6/2027.")
        reason = reading.needed("reason", "Đề nghị nêu lý do điều chỉnh hạn.")
        document = reading.line("document")
        reading.done()
        due_on = reschedule(
            session,
            stamp,
            row.id,
            until=until,
            reason=reason,
            document=document or None,
            expected_version=reading.posted.number("version"),
        )
        return f"Hạn của {row.agency_name} nay là {due_on.day}/{due_on.month}/{due_on.year}."

    return do


def _add(found: Turn) -> Do:
    def do(session: Session, stamp: Stamp, reading: Reading) -> str:
        key, role = reading.line("agency"), reading.line("role")
        if not key:
            reading.errors["agency"] = "Đề nghị chọn cơ quan."
        if role not in {one.value for one in Role}:
            reading.errors["role"] = "Đề nghị chọn vai trò."
        due_on = reading.day("due_on")
        reason = reading.needed("reason", "Đề nghị nêu lý do bổ sung cơ quan.")
        document = reading.line("document") or None
        reading.done()
        addition = Addition(
            agency=key, role=Role(role), reason=reason, document=document, due_on=due_on
        )
        add_agency(session, stamp, found.occurrence, addition)
        name = found.state.directory.agency(key).name
        return f"Đã bổ sung {name}, {_ROLES[Role(role)].lower()}."

    return do


def _drop(row: WorkRow) -> Do:
    def do(session: Session, stamp: Stamp, reading: Reading) -> str:
        reason, document = reading.text("reason"), reading.line("document") or None
        reading.done()
        done = drop_agency(
            session,
            stamp,
            row.id,
            reason=reason,
            document=document,
            expected_version=reading.posted.number("version"),
        )
        if done.proposal is not None:
            return f"Đã đề xuất thôi theo dõi {row.agency_name}; chờ lãnh đạo duyệt."
        return f"Đã thôi theo dõi {row.agency_name} trong kỳ này."

    return do


def _money(row: WorkRow) -> Do:
    def do(session: Session, stamp: Stamp, reading: Reading) -> str:
        asked = reading.money()
        reading.done()
        set_money(session, stamp, row.id, asked)
        return f"Đã ghi kinh phí của {row.agency_name}."

    return do


_OF_ROW: Final[Mapping[str, Callable[[WorkRow], Do]]] = {
    "han": _move,
    "thoi": _drop,
    "kinh-phi": _money,
}
"""What is done to one agency's row."""
