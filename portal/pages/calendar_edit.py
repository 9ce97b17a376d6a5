"""Danh mục, lịch của một nhiệm vụ: the form that edits it, what it would change, and doing it.

The form speaks of days and months (rule 7). What was shown is done only while it is still so
(rules 15, 26).
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from operations.errors import Conflict
from operations.item_calendar_effects import (
    SET_BY_ENGINE,
    CalendarEdit,
    CalendarEffects,
    check_calendar,
)
from operations.item_calendars import edit_calendar
from operations.policies import CONFIRMATIONS
from operations.state import PlanState, load_state, plan_keys
from portal.attempts import attempt
from portal.errors import NotThere
from portal.forms import FormState, Posted
from portal.pages.item_calendar import PATH
from portal.pages.queues import Form
from portal.permissions import POLICIES, visitor_of
from portal.portal import address_of, portal_of
from portal.reading import Reading
from portal.signs import DATE_WORDS
from portal.throttle import POSTS
from portal.told import say
from portal.visitors import person_of
from rules.month_days import MONTHS, DayInPeriod, day_of
from rules.values import Confirmation, DateAuthority, Item, ItemKind, PeriodKind

router = APIRouter()
_READ = ["GET", "HEAD"]
ONE: Final = PATH + "/{plan}/{item:path}"
DEED: Final = "lich"
LAST: Final = "cuoi"
"""What the field of a day says for the last day of the month."""
LADDER_WORDS: Final = {
    "standard": "nhiệm vụ có hạn",
    "check_in": "cập nhật thường xuyên",
}
_CHANGED: Final = (
    "Lịch hoặc tình hình thực hiện đã thay đổi từ lúc xem trước; chưa ghi gì. "
    "Đề nghị xem lại bảng dưới đây rồi bấm ghi."
)


def month_words(kind: PeriodKind) -> dict[str, str]:
    """The months of a period as a form offers them; none where there is only one."""
    if kind is PeriodKind.MONTH:
        return {}
    word = "tháng" if kind is PeriodKind.YEAR else "tháng thứ"
    tail = "" if kind is PeriodKind.YEAR else " của quý"
    return {str(number): f"{word} {number}{tail}" for number in range(1, MONTHS[kind] + 1)}


def _read(session: Session, plan: str, item: str) -> tuple[PlanState, Item]:
    if plan not in plan_keys(session):
        raise NotThere
    state = load_state(session, plan)
    found = next((one for one in state.plan.decided if one.key == item), None)
    if found is None:
        raise NotThere
    return state, found


def typed_values(item: Item) -> dict[str, str]:
    """The calendar in force as the form has it; days that a form cannot say are left empty."""
    calendar = item.calendar
    values = {
        "ladder": calendar.ladder,
        "authority": calendar.authority.value,
        "fixed_by": calendar.fixed_by or "",
        "basis": calendar.basis,
        "confirmation": calendar.confirmation.value,
    }
    for name in ("opens", "due"):
        said = day_of(getattr(calendar, name), calendar.period)
        if said is not None:
            values[f"{name}_day"] = LAST if said.day is None else str(said.day)
            values[f"{name}_month"] = str(said.month)
    return values


def _day(reading: Reading, name: str, kind: PeriodKind) -> DayInPeriod:
    text, month = reading.line(f"{name}_day"), reading.line(f"{name}_month")
    if kind is PeriodKind.MONTH:
        month = "1"
    if not month.isdecimal():
        reading.errors[f"{name}_month"] = "Đề nghị chọn tháng."
    if text != LAST and not (text.isdecimal() and 1 <= int(text) <= 31):
        reading.errors[f"{name}_day"] = "Đề nghị chọn ngày từ 1 đến 31, hoặc ngày cuối tháng."
    if {f"{name}_month", f"{name}_day"} & set(reading.errors):
        return DayInPeriod(day=None, month=1)
    return DayInPeriod(day=None if text == LAST else int(text), month=int(month))


def read_edit(form: Posted, item: Item) -> CalendarEdit:
    """The form into values; every mistake of it at once.

    Raises:
        FormErrors: a day or a choice cannot be read.
    """
    reading = Reading(form)
    opens, due = (_day(reading, name, item.calendar.period) for name in ("opens", "due"))
    authority, confirmation = reading.line("authority"), reading.line("confirmation")
    if authority not in set(DateAuthority):
        reading.errors["authority"] = "Đề nghị chọn cơ quan ấn định hạn."
    if confirmation not in CONFIRMATIONS:
        confirmation = item.calendar.confirmation.value
    edit = {name: reading.line(name) for name in ("ladder", "fixed_by", "basis", "document")}
    reason = reading.text("reason")
    reading.done()
    return CalendarEdit(
        opens=opens,
        due=due,
        ladder=edit["ladder"],
        authority=DateAuthority(authority),
        fixed_by=edit["fixed_by"] or None,
        basis=edit["basis"],
        reason=reason,
        document=edit["document"] or None,
        confirmation=Confirmation(confirmation),
    )


def seal(effects: CalendarEffects) -> str:
    """What a preview showed, in short: the same only while nothing has changed."""
    return sha256(repr(effects).encode()).hexdigest()


def _show(
    request: Request,
    read: tuple[PlanState, Item],
    form: FormState,
    status: int = 200,
    effects: CalendarEffects | None = None,
) -> Response:
    state, item = read
    plan, kind = state.plan, item.calendar.period
    offered = {one: LADDER_WORDS.get(one, one) for one in plan.ladders if one not in SET_BY_ENGINE}
    return portal_of(request).pages(
        request,
        "calendar_edit.html",
        status=status,
        plan=plan,
        item=item,
        action=f"{PATH}/{plan.key}/{item.key}",
        form=form,
        now=typed_values(item),
        months=month_words(kind),
        days=[*(str(day) for day in range(1, 32)), LAST],
        last=LAST,
        ladders=offered,
        authorities=DATE_WORDS,
        confirmations=CONFIRMATIONS,
        may_confirm=item.calendar.kind is ItemKind.TASK
        and visitor_of(person_of(request).role) in POLICIES,
        effects=effects,
        seal="" if effects is None else seal(effects),
        typed={name: text for name, text in form.values.items() if name in _TYPED},
    )


_TYPED: Final = (
    *("opens_day", "opens_month", "due_day", "due_month", "ladder", "authority"),
    *("fixed_by", "confirmation", "basis", "reason", "document"),
)


@router.api_route(ONE, methods=_READ, name="calendar_edit")
def calendar_edit(request: Request, plan: str, item: str) -> Response:
    """The form, as the calendar in force fills it in."""
    with portal_of(request).runtime.database.read() as session:
        read = _read(session, plan, item)
    return _show(request, read, FormState())


@router.post(ONE, name="calendar_edit_act")
def calendar_edit_act(request: Request, form: Form, plan: str, item: str) -> Response:
    """Show what an edit would change; with what was shown (``seal``), do it."""
    portal, person = portal_of(request), person_of(request)
    portal.throttle.hit(POSTS, f"account:{person.account}")
    state = FormState(deed=DEED, values=form.fields)
    with portal.runtime.database.read() as session:
        read = _read(session, plan, item)
    if form.ticked("sua"):
        return _show(request, read, state)
    stamp, sealed = portal.stamp(person.actor(address_of(request))), form.fields.get("seal")
    shown: list[CalendarEffects] = []

    def do(session: Session) -> None:
        edit = read_edit(form, read[1])
        effects = check_calendar(session, stamp, plan, item, edit)
        shown.append(effects)
        if sealed is None:
            return
        if sealed != seal(effects):
            raise Conflict(_CHANGED)
        edit_calendar(session, stamp, plan, item, edit)

    failed = attempt(portal, state, do)
    if failed is not None:
        again = shown[0] if failed.status == 409 and shown else None
        return _show(request, read, failed.form, failed.status, again)
    if sealed is None:
        return _show(request, read, state, effects=shown[0])
    followed = sum(one.why is None for one in shown[0].opened)
    sentence = f"Đã sửa lịch {item}; {followed} kỳ đang mở đổi theo."
    return RedirectResponse(say(request, f"{PATH}?de-an={plan}", sentence), status_code=303)
