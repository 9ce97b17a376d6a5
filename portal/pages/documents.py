"""Official documents: drawn up from the same figures as the overview, written on by people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Occurrence
from operations.dossiers import milestones
from operations.errors import Refused
from operations.past import as_known_at
from operations.stamp import Stamp
from operations.state import PlanState, load_state, plan_keys
from operations.urging import (
    NEEDS_CODE,
    NEEDS_DAY,
    Issued,
    overdue_rows,
    record_urging,
    urging_facts,
    withdraw_urging,
)
from operations.urging_records import urging_letters
from operations.yearly_facts import yearly_facts
from portal.document_files import hand_out_document, whole_minute
from portal.errors import BadForm, NotThere
from portal.filing import file_form
from portal.filters import read_filters
from portal.forms import FieldError, FormState, Posted, posted, read_date
from portal.instants import minute_words, read_instant
from portal.past import looking, present
from portal.portal import portal_of
from portal.reading import Reading
from portal.told import told
from portal.visitors import person_of
from reports.official.dossiers import MILESTONE_WORDS
from reports.official.model import OfficialDocument
from reports.official.offices import ISSUER_WORDS, Issuer
from reports.official.urging import urging_letter
from reports.official.yearly import yearly_report

router = APIRouter()
_READ = ["GET", "HEAD"]
PATH: Final = "/van-ban"
Form = Annotated[Posted, Depends(posted)]


def _plan(session: Session, asked: str) -> PlanState:
    keys = plan_keys(session)
    if not keys or (asked and asked not in keys):
        raise NotThere
    return load_state(session, asked or keys[0])


_DRAWN: Final = {"bao-cao-nam": "lap-bao-cao", "don-doc": "lap-cong-van"}
"""The forms that draw a document up, as their states name them."""


def _show(request: Request, form: FormState, status: int = 200) -> Response:
    """The page; with a form that could not be drawn up, as it was typed."""
    portal = portal_of(request)
    draws = form.deed in _DRAWN.values()
    with present(request) if draws else looking(request) as view:
        session, today = view.session, view.today
        state = _plan(session, request.query_params.get("de-an", ""))
        plan = state.plan
        years = range(plan.first_year, plan.last_year + 1)
        keys = plan_keys(session)
        filters = read_filters(request, today=today, years=years, plans=keys)
        late = {one: overdue_rows(session, plan.key, today, one) for one in Issuer}
        letters = urging_letters(session)
        works = _occurrences(session, plan.key, filters.year)
        at = whole_minute(view.now)
    return portal.pages(
        request,
        "documents.html",
        status=status,
        form=form,
        filters=filters,
        plan=plan,
        years=years,
        issuers=ISSUER_WORDS,
        late={one: (len(rows), len({row.agency for row in rows})) for one, rows in late.items()},
        letters=letters,
        works=works,
        tasks={one.key: one.text.task for one in plan.every_item},
        milestones={
            year: MILESTONE_WORDS.get(word, word) for year, word in milestones(state).items()
        },
        at=at,
        data_at=minute_words(at),
        known_at=minute_words(view.now) if view.is_past else "",
        draws=draws,
        may=person_of(request).can_decide and not view.is_past,
        said=told(request),
    )


def _occurrences(session: Session, plan: str, year: int | None) -> list[Occurrence]:
    query = select(Occurrence).where(Occurrence.plan_key == plan)
    if year is not None:
        query = query.where(Occurrence.period_first.between(date(year, 1, 1), date(year, 12, 31)))
    return list(session.scalars(query.order_by(Occurrence.item_key, Occurrence.period_first)))


@router.api_route(PATH, methods=_READ, name="documents")
def documents(request: Request) -> Response:
    """What can be drawn up, and the letters that were issued."""
    return _show(request, FormState())


def _yearly(request: Request) -> OfficialDocument:
    """The yearly report, of now or as known at an instant (rule 39)."""
    portal = portal_of(request)
    with looking(request) as view:
        state = _plan(view.session, request.query_params.get("de-an", ""))
        known = state.plan
        filters = read_filters(
            request,
            today=view.today,
            years=range(known.first_year, known.last_year + 1),
            plans=plan_keys(view.session),
        )
        if filters.problems or filters.year is None:
            raise BadForm(" ".join(filters.problems) or "Đề nghị chọn một năm của đề án.")
        facts = yearly_facts(
            view.session,
            known.key,
            filters.year,
            cutoff=filters.cutoff,
            at=view.now if view.is_past else portal.runtime.clock.now(),
            original=filters.original,
            known_at=view.until,
        )
    return yearly_report(facts)


def _urging(request: Request) -> OfficialDocument:
    """The letter that urges; its data is that of a whole minute, which its annex names."""
    portal, asked = portal_of(request), request.query_params
    if asked.get("ky", Issuer.COORDINATOR) not in set(Issuer):
        raise NotThere
    try:
        at = read_instant(asked.get("luc", "")[:60])
        respond_by = read_date(asked.get("tra-loi", "")[:40])
    except FieldError as error:
        raise BadForm(str(error)) from None
    now = portal.runtime.clock.now()
    at = whole_minute(now) if at is None or at >= now else whole_minute(at)
    with (
        portal.runtime.database.read() as session,
        as_known_at(session, at) as then,
    ):
        facts = urging_facts(
            then,
            _plan(then, asked.get("de-an", "")).plan.key,
            at=at,
            issuer=Issuer(asked.get("ky", Issuer.COORDINATOR)),
            respond_by=respond_by,
        )
    return urging_letter(facts)


_DOCUMENTS: Final[dict[str, Callable[[Request], OfficialDocument]]] = {
    "bao-cao-nam": _yearly,
    "don-doc": _urging,
}


@router.api_route(PATH + "/xuat/{what}.{kind}", methods=_READ, name="document_file")
def document_file(request: Request, what: str, kind: str) -> Response:
    """A document as docx or PDF; that it was taken is logged (rule 40)."""
    if what not in _DOCUMENTS:
        raise NotThere
    try:
        return hand_out_document(request, lambda: _DOCUMENTS[what](request), kind, name=what)
    except (BadForm, Refused) as error:
        typed = dict(request.query_params)
        state = FormState(deed=_DRAWN[what], values=typed).with_error(None, str(error))
        return _show(request, state, 422)


@router.post(PATH + "/don-doc", name="urging_record")
def urging_record(request: Request, form: Form) -> Response:
    """Record the number and the day of a letter that was issued."""
    with portal_of(request).runtime.database.read() as session:
        plan = _plan(session, form.fields.get("de-an", "")).plan.key

    def do(session: Session, stamp: Stamp, reading: Reading) -> str:
        code = reading.needed("document", NEEDS_CODE)
        issued_on = reading.needed_day("issued_on", NEEDS_DAY)
        issuer, at = reading.line("ky"), _instant(reading)
        if issuer not in set(Issuer):
            reading.errors["ky"] = "Đề nghị chọn cơ quan ban hành."
        reading.done()
        letter = Issued(code=code, issued_on=issued_on, issuer=Issuer(issuer), data_at=at)
        done = record_urging(session, stamp, plan, letter)
        said = f"Đã ghi công văn {done.code}: đôn đốc {done.covers} phân công."
        return f"{said} {done.warning}".strip()

    return file_form(
        request,
        form,
        "don-doc",
        do,
        then=PATH,
        show=lambda state, status: _show(request, state, status),
    )


def _instant(reading: Reading) -> datetime:
    typed = reading.line("luc")
    try:
        found = read_instant(typed)
        if found is not None:
            return whole_minute(found)
        reading.errors["luc"] = "Đề nghị ghi giờ của số liệu, in ở cuối Phụ lục công văn."
    except FieldError as error:
        reading.errors["luc"] = str(error)
    return datetime.min.replace(tzinfo=UTC)


@router.post(PATH + "/don-doc/bo", name="urging_withdraw")
def urging_withdraw(request: Request, form: Form) -> Response:
    """Take a letter back that was recorded by mistake."""

    def do(session: Session, stamp: Stamp, reading: Reading) -> str:
        code = reading.needed("document", "Đề nghị ghi số, ký hiệu công văn.")
        reason = reading.needed("reason", "Đề nghị nêu lý do bỏ ghi nhận.")
        issued_on = reading.needed_day("issued_on", "Đề nghị ghi ngày của công văn.")
        reading.done()
        count = withdraw_urging(session, stamp, code, issued_on, reason=reason)
        return f"Đã bỏ ghi nhận công văn {code}: {count} phân công."

    return file_form(
        request,
        form,
        "bo",
        do,
        then=PATH,
        show=lambda state, status: _show(request, state, status),
    )
