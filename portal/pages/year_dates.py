""" "Ấn định lịch năm": a year's dates beside last year's, one document, preview, apply (rule 17).

The preview carries the form on; what it showed is applied only while it is still what would
happen, so nobody's change in between is passed over (rule 26).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from operations.dates import DateMove, fix_year_dates, preview_year_dates
from operations.errors import Conflict
from operations.guards import clean_document, need_own_document, need_text
from operations.queues import QueueCounts, YearSlot, queue_counts, year_slots
from operations.state import load_state, plan_keys
from portal.attempts import attempt
from portal.doorway import Doorway
from portal.errors import NotThere
from portal.forms import FormState, Posted
from portal.one_date import YEAR_DATES, as_it_stands, one_date, suggested, whose
from portal.pages.queues import Form
from portal.pages.work import Desk
from portal.portal import portal_of
from portal.reading import Reading
from portal.throttle import POSTS
from rules.planning import OccurrenceKey
from rules.values import DateAuthority, Document, Plan

router = APIRouter()
_READ = ["GET", "HEAD"]
PATH: Final = YEAR_DATES
KEY: Final = "lich-nam"
"""The form, as its state names it."""
AUTHORITIES: Final[Mapping[DateAuthority, str]] = {
    DateAuthority.COORDINATOR: "Sở Nội vụ",
    DateAuthority.PROVINCE: "UBND tỉnh",
    DateAuthority.MINISTRY: "Bộ, cơ quan trung ương",
}
"""Whose document fixes the dates."""
_CHANGED: Final = (
    "Lịch hoặc tình hình thực hiện đã thay đổi từ lúc xem trước; chưa ấn định gì. "
    "Đề nghị xem lại bảng dưới đây rồi bấm ấn định."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """What the pages of one year begin with.

    ``only`` are the item and period that were asked for by themselves, None for the whole year.
    """

    plan: Plan
    plans: tuple[Plan, ...]
    year: int
    slots: tuple[YearSlot, ...]
    counts: QueueCounts
    only: OccurrenceKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The form as values."""

    dates: Mapping[OccurrenceKey, date]
    document: Document
    authority: DateAuthority


def read_year(session: Session, today: date, asked: Mapping[str, str]) -> Year:
    """The year and plan that an address or a form names, by default the ones of today.

    Raises:
        NotThere: there is no such plan or period, or the year is not one of its years.
    """
    plan, year = asked.get("de-an", ""), asked.get("nam", "")
    keys = plan_keys(session)
    if not keys or (plan and plan not in keys):
        raise NotThere
    state = load_state(session, plan or keys[0])
    named = int(year) if year.isdecimal() and len(year) == 4 else None
    first, last = state.plan.first_year, state.plan.last_year
    found = min(max(today.year, first), last) if named is None else named
    if not first <= found <= last:
        raise NotThere
    slots, only = year_slots(session, state, found), None
    if asked.get("nhiem-vu") or asked.get("ky"):
        only = (asked.get("nhiem-vu", ""), asked.get("ky", ""))
        slots = tuple(slot for slot in slots if (slot.item.key, slot.period.key) == only)
        if not slots:
            raise NotThere
    return Year(
        plan=state.plan,
        plans=tuple(load_state(session, key).plan for key in keys),
        year=found,
        slots=slots,
        counts=queue_counts(session),
        only=only,
    )


def read_form(form: Posted, year: Year) -> Asked:
    """The form into values; every mistake of it at once.

    Raises:
        FormErrors: a date, the document or whose it is cannot be read.
    """
    reading = Reading(form)
    dates = {}
    for slot in year.slots:
        if (day := reading.day(slot.field)) is not None:
            dates[slot.item.key, slot.period.key] = day
    authority = reading.line("authority")
    if authority not in AUTHORITIES:
        reading.errors["authority"] = "Đề nghị chọn cơ quan ban hành văn bản ấn định."
    code, issued_on = reading.line("document"), reading.day("issued_on")
    if not code:
        reading.errors.setdefault("document", "Đề nghị ghi số, ký hiệu văn bản ấn định lịch.")
    if not dates and not reading.errors:
        reading.errors["dates"] = "Đề nghị nhập ít nhất một hạn."
    reading.done()
    return Asked(
        dates=dates,
        document=Document(code=code, issued_on=issued_on),
        authority=DateAuthority(authority),
    )


def seal(moves: tuple[DateMove, ...]) -> str:
    """What a preview showed, in short: the same only while nothing has changed."""
    return sha256(repr(moves).encode()).hexdigest()


def _show(
    request: Request, door: Doorway, year: Year, form: FormState, *, status: int = 200
) -> Response:
    portal = portal_of(request)
    cited = request.query_params.get("van-ban", "")
    return portal.pages(
        request,
        "year_dates.html",
        status=status,
        door=door,
        year=year,
        counts=year.counts,
        form=form,
        lost=(),
        suggested=suggested if year.only is None else as_it_stands,
        authorities=AUTHORITIES,
        authority=(whose(year.slots[0]) if year.only else DateAuthority.COORDINATOR).value,
        one_date=one_date,
        fixed=sum(1 for slot in year.slots if cited and slot.document == cited),
        cited=cited,
    )


@router.api_route(PATH, methods=_READ, name="year_dates")
def year_dates(request: Request, door: Desk) -> Response:
    """The year's dates beside last year's."""
    portal, asked = portal_of(request), request.query_params
    with portal.runtime.database.read() as session:
        year = read_year(session, portal.today, asked)
    return _show(request, door, year, FormState())


def _named(request: Request, form: Posted) -> Year:
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        return read_year(session, portal.today, form.fields)


@router.post(PATH + "/xem-truoc", name="year_dates_preview")
def year_dates_preview(request: Request, door: Desk, form: Form) -> Response:
    """What the form would do; nothing is changed. ``sua`` goes back to the form as typed."""
    year, state = _named(request, form), FormState(deed=KEY, values=form.fields)
    if form.ticked("sua"):
        return _show(request, door, year, state)
    return _preview(request, door, year, form, state)


def _preview(
    request: Request,
    door: Doorway,
    year: Year,
    form: Posted,
    state: FormState,
    *,
    status: int = 200,
) -> Response:
    portal, moves = portal_of(request), list[DateMove]()

    def look(session: Session) -> None:
        asked = read_form(form, year)
        code = need_own_document(asked.authority, asked.document.code)
        need_text(code, "Đề nghị ghi số, ký hiệu văn bản ấn định lịch.", field="document")
        moves.extend(
            preview_year_dates(session, year.plan.key, year.year, asked.dates, asked.authority)
        )

    failed = attempt(portal, state, look)
    if failed is not None:
        return _show(request, door, year, failed.form, status=failed.status)
    return portal.pages(
        request,
        "year_dates_preview.html",
        status=status,
        door=door,
        year=year,
        counts=year.counts,
        moves=moves,
        names={(slot.item.key, slot.period.key): slot for slot in year.slots},
        seal=seal(tuple(moves)),
        typed={name: form.fields[name] for name in _carried(year) if name in form.fields},
        form=state,
        authority=AUTHORITIES[DateAuthority(form.fields["authority"])],
    )


def _carried(year: Year) -> tuple[str, ...]:
    place = ("de-an", "nam", "nhiem-vu", "ky")
    return (*place, "document", "issued_on", "authority", *(s.field for s in year.slots))


@router.post(PATH, name="year_dates_fix")
def year_dates_fix(request: Request, door: Desk, form: Form) -> Response:
    """Fix the dates that the preview showed."""
    portal, year = portal_of(request), _named(request, form)
    portal.throttle.hit(POSTS, door.key)
    state = FormState(deed=KEY, values=form.fields)
    codes: list[str] = []

    def fix(session: Session) -> None:
        asked = read_form(form, year)
        plan, which = year.plan.key, year.year
        moves = preview_year_dates(session, plan, which, asked.dates, asked.authority)
        if seal(moves) != form.fields.get("seal"):
            raise Conflict(_CHANGED)
        fix_year_dates(
            session,
            door.stamp(portal),
            plan,
            which,
            asked.dates,
            document=asked.document,
            authority=asked.authority,
        )
        codes.append(asked.document.code)

    failed = attempt(portal, state, fix)
    if failed is not None and failed.status == 409:
        return _preview(request, door, year, form, failed.form, status=409)
    if failed is not None:
        return _show(request, door, year, failed.form, status=failed.status)
    return _fixed(year, codes[0])


def _fixed(year: Year, code: str) -> Response:
    query = {"de-an": year.plan.key, "nam": year.year, "van-ban": clean_document(code) or code}
    if year.only is not None:
        query |= {"nhiem-vu": year.only[0], "ky": year.only[1]}
    return RedirectResponse(f"{PATH}?{urlencode(query)}", status_code=303)
