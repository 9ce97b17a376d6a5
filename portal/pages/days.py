"""Danh mục, ngày nghỉ: the days that are off or worked, and their correction by a document (3)."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import DayRow
from notifications.formats import vn_date
from operations.day_effects import DayEffects, DayOrder
from operations.days import change_days, check_days
from operations.errors import Conflict
from operations.state import load_calendar
from portal.attempts import attempt
from portal.catalog_tables import WEEK, days_table
from portal.exporting import takes_away
from portal.forms import FormState, Posted, posted
from portal.pages.contacts import BASE
from portal.past import is_past, looking
from portal.portal import address_of, portal_of
from portal.reading import Reading
from portal.throttle import POSTS
from portal.told import say, told
from portal.visitors import person_of

router = APIRouter()
_READ = ["GET", "HEAD"]
DAYS: Final = f"{BASE}/ngay-nghi"
DEED: Final = "ngay"
_FIELDS: Final = (("off", False), ("worked", True))
"""The fields of days, and whether the day is worked."""
_TYPED: Final = ("off", "worked", "name", "document")
_CHANGED: Final = (
    "Tình hình thực hiện đã thay đổi từ lúc xem trước; chưa ghi gì. "
    "Đề nghị xem lại bảng dưới đây rồi bấm ghi."
)


def show_days(
    request: Request, form: FormState, status: int, effects: DayEffects | None = None
) -> Response:
    """The exceptions of one year, and the form that corrects one, or what it would do."""
    portal, person = portal_of(request), person_of(request)
    years, year, rows = _year(request)
    return portal.pages(
        request,
        "days.html",
        status=status,
        year=year,
        years=years,
        days=rows,
        week=WEEK,
        may_edit=person.can_decide and not is_past(request),
        form=form,
        effects=effects,
        seal="" if effects is None else _seal(effects),
        typed={name: form.values.get(name, "") for name in _TYPED},
        said=told(request),
    )


def _year(request: Request) -> tuple[range, int, list[DayRow]]:
    """The years that the calendar knows, the one asked for, and its exceptions."""
    asked = request.query_params.get("nam", "")
    with looking(request) as view:
        session = view.session
        calendar = load_calendar(session)
        years = range(calendar.first.year, calendar.last.year + 1)
        year = int(asked) if asked.isdecimal() and int(asked) in years else view.today.year
        rows = session.scalars(select(DayRow).order_by(DayRow.day))
        return years, year, [row for row in rows if row.day.year == year]


@router.api_route(DAYS, methods=_READ, name="days")
def days(request: Request) -> Response:
    """The days off and the days worked instead."""
    return show_days(request, FormState(), 200)


takes_away(router, "days", lambda request: days_table(*_year(request)[1:]))


def _asked(reading: Reading) -> tuple[DayOrder, ...]:
    """The days of the form: one that is off, one that is worked, or both (a swap)."""
    found = ((name, working, reading.day(name)) for name, working in _FIELDS)
    return tuple(
        DayOrder(day=day, working=working, field=name)
        for name, working, day in found
        if day is not None
    )


def _seal(effects: DayEffects) -> str:
    """What a preview showed, in short: the same only while nothing has changed."""
    return sha256(repr(effects).encode()).hexdigest()


@router.post(DAYS, name="days_act")
def days_act(request: Request, form: Annotated[Posted, Depends(posted)]) -> Response:
    """Show what a correction would do; with what was shown (``seal``), do it."""
    portal, person = portal_of(request), person_of(request)
    portal.throttle.hit(POSTS, f"account:{person.account}")
    state = FormState(deed=DEED, values=form.fields)
    if form.ticked("sua"):
        return show_days(request, state, 200)
    stamp = portal.stamp(person.actor(address_of(request)))
    shown: list[DayEffects] = []
    sealed = form.fields.get("seal")

    def do(session: Session) -> None:
        reading = Reading(form)
        orders = _asked(reading)
        name, document = reading.line("name"), reading.line("document")
        reading.done()
        effects = check_days(session, stamp, orders, name=name, document=document)
        shown.append(effects)
        if sealed is None:
            return
        if sealed != _seal(effects):
            raise Conflict(_CHANGED)
        change_days(session, stamp, orders, name=name, document=document)

    failed = attempt(portal, state, do)
    if failed is not None:
        again = failed.status == 409 and shown
        return show_days(request, failed.form, failed.status, shown[0] if again else None)
    if sealed is None:
        return show_days(request, state, 200, shown[0])
    return RedirectResponse(say(request, DAYS, _sentence(form, shown[0])), status_code=303)


def _sentence(form: Posted, effects: DayEffects) -> str:
    words = {True: "ngày làm việc", False: "ngày nghỉ"}
    orders = _asked(Reading(form))
    said = "; ".join(f"{vn_date(one.day)} là {words[one.working]}" for one in orders)
    return (
        f"Đã ghi {said}. {len(effects.moved)} hạn đổi ngày, "
        f"{len(effects.reminders)} lịch nhắc tính lại."
    )
