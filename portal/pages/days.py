"""Danh mục, ngày nghỉ: the days that are off or worked, and their correction by a document (3)."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import DayRow
from notifications.formats import vn_date
from operations.days import change_day
from operations.stamp import Stamp
from operations.state import load_calendar
from portal.catalog_tables import WEEK, days_table
from portal.exporting import takes_away
from portal.filing import file_form
from portal.forms import FormState, Posted, posted
from portal.pages.contacts import BASE
from portal.past import is_past, looking
from portal.portal import portal_of
from portal.reading import Reading
from portal.told import told
from portal.visitors import person_of

router = APIRouter()
_READ = ["GET", "HEAD"]
DAYS: Final = f"{BASE}/ngay-nghi"
DEED: Final = "ngay"


def show_days(request: Request, form: FormState, status: int) -> Response:
    """The exceptions of one year, and the form that corrects one."""
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


def _change(session: Session, stamp: Stamp, reading: Reading) -> str:
    working = reading.line("working") == "1"
    day = reading.needed_day("day", "Đề nghị ghi ngày cần điều chỉnh, như 2/1/2027.")
    name, document = reading.line("name"), reading.line("document")
    reading.done()
    change = change_day(session, stamp, day, working=working, name=name, document=document)
    word = "ngày làm việc" if working else "ngày nghỉ"
    said = f"Đã ghi {vn_date(day)} là {word}."
    if change.rolled_to is not None and change.rolled:
        said += f" {len(change.rolled)} hạn rơi vào ngày này lùi đến {vn_date(change.rolled_to)}."
    if change.reminders:
        said += f" {change.reminders} lịch nhắc tính lại."
    return said


@router.post(DAYS, name="days_act")
def days_act(request: Request, form: Annotated[Posted, Depends(posted)]) -> Response:
    """Correct a day by a document; open dates that fall on it roll forward."""
    return file_form(
        request,
        form,
        DEED,
        _change,
        then=DAYS,
        show=lambda state, code: show_days(request, state, code),
    )
