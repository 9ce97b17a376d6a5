"""Thư, its tools: proof of notice by agency, the rehearsal of the days to come, pilots."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from threading import Lock
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import AgencyRow, Contact, ContactKind, PlanRow
from notifications.formats import vn_date
from operations.added_records import added_records
from operations.catalog import stored_catalog
from operations.contacts import ContactInput
from operations.errors import Refused
from operations.letter_switches import set_pilot
from operations.queries_letters import Proof, proofs
from operations.stamp import Stamp
from operations.state import load_directory, plan_keys
from portal.errors import NotThere
from portal.exporting import takes_away
from portal.filing import file_form
from portal.forms import FieldError, FormState, Posted, posted, read_date
from portal.letter_tables import pilots_table, proofs_table, rehearsal_table
from portal.pages.letters import BASE
from portal.portal import Portal, portal_of
from portal.reading import Reading
from portal.told import told
from portal.visitors import person_of
from reports.tables import Table
from runtime.rehearsal import Assume, Rehearsal, RehearsedLetter, rehearse

router = APIRouter()
_READ = ["GET", "HEAD"]
DAYS_AHEAD: Final = 30
LONGEST: Final = 62
"""Days that a page rehearses at most; more is for the command line."""
LIMIT_SECONDS: Final = 25.0
_ONE_AT_A_TIME = Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """What a rehearsal told. ``stopped`` is the day it got to when its time was up."""

    letters: tuple[RehearsedLetter, ...]
    stopped: date | None = None

    @property
    def by_day(self) -> list[tuple[date, list[RehearsedLetter]]]:
        """The letters by day."""
        days: dict[date, list[RehearsedLetter]] = {}
        for one in self.letters:
            days.setdefault(one.day, []).append(one)
        return sorted(days.items())

    @property
    def busiest(self) -> list[tuple[str, int]]:
        """The mailboxes that get most."""
        return Counter(one.to for one in self.letters).most_common(5)


class _TimeUp(Exception):
    """The rehearsal took too long."""


@router.api_route(BASE + "/bang-chung", methods=_READ, name="letter_proofs")
def letter_proofs(request: Request) -> Response:
    """Which agency is known to have noticed what it was sent, in one year."""
    portal = portal_of(request)
    year, found = _proofs(request)
    return portal.pages(
        request,
        "letter_proofs.html",
        year=year,
        years=range(portal.today.year - 3, portal.today.year + 1),
        proofs=found,
        silent=[one for one in found if not one.proven],
    )


def _proofs(request: Request) -> tuple[int, list[Proof]]:
    """The year that was asked for, and its proofs."""
    portal, asked = portal_of(request), request.query_params.get("nam", "")
    year = int(asked) if asked.isdecimal() and 2000 <= int(asked) <= 2100 else portal.today.year
    zone = ZoneInfo(portal.runtime.settings.time_zone)
    since, until = (datetime(one, 1, 1, tzinfo=zone).astimezone(UTC) for one in (year, year + 1))
    with portal.runtime.database.read() as session:
        return year, proofs(session, since=since, until=until)


takes_away(router, "letter_proofs", lambda request: proofs_table(*_proofs(request)))


@router.api_route(BASE + "/dien-tap", methods=_READ, name="letter_rehearsal")
def letter_rehearsal(request: Request) -> Response:
    """Who would get what in the days to come; asked for by the form, and changing nothing."""
    portal, asked = portal_of(request), request.query_params
    first, last = portal.today, portal.today + timedelta(days=DAYS_AHEAD)
    assume = Assume.ON_TIME if asked.get("gia-dinh") == Assume.ON_TIME else Assume.SILENT
    found, problem = None, ""
    if "tu" in asked:
        try:
            first, last = _span(asked.get("tu", ""), asked.get("den", ""), first, last)
            found = _rehearse(portal, first, last, assume)
        except (FieldError, Refused) as error:
            problem = str(error)
    return portal.pages(
        request,
        "letter_rehearsal.html",
        status=422 if problem else 200,
        first=asked.get("tu") or vn_date(first),
        last=asked.get("den") or vn_date(last),
        assume=assume.value,
        found=found,
        problem=problem,
        seconds=LIMIT_SECONDS,
    )


def _rehearsal_file(request: Request) -> Table:
    """The rehearsal of the page, played again; the page itself keeps nothing.

    Raises:
        NotThere: the address asks for none, or for days that cannot be rehearsed.
    """
    portal, asked = portal_of(request), request.query_params
    if "tu" not in asked:
        raise NotThere("Đề nghị bấm “Diễn tập” trước khi xuất tệp.")
    assume = Assume.ON_TIME if asked.get("gia-dinh") == Assume.ON_TIME else Assume.SILENT
    today = portal.today
    try:
        last = today + timedelta(days=DAYS_AHEAD)
        span = _span(asked.get("tu", ""), asked.get("den", ""), today, last)
        found = _rehearse(portal, *span, assume)
    except (FieldError, Refused) as error:
        raise NotThere(str(error)) from None
    stopped = found.stopped
    notes = [f"Đã hết thời gian, mới đến ngày {vn_date(stopped)}."] if stopped else []
    return rehearsal_table(found.letters, ["Diễn tập: không gửi thư nào.", *notes])


_ASSUMED: Final = {
    Assume.SILENT.value: "các cơ quan không làm gì",
    Assume.ON_TIME.value: "các cơ quan cập nhật đúng hạn",
}
takes_away(router, "letter_rehearsal", _rehearsal_file, words={"gia-dinh": _ASSUMED})


def _span(first: str, last: str, earliest: date, default: date) -> tuple[date, date]:
    since, until = read_date(first) or earliest, read_date(last) or default
    if until < since:
        raise Refused("“Đến ngày” phải từ “Từ ngày” trở đi.")
    if since < earliest:
        raise Refused("Diễn tập từ hôm nay trở đi; thư đã gửi xem ở “Thư theo trạng thái”.")
    if (until - since).days > LONGEST or (until - earliest).days > 366:
        msg = (
            f"Mỗi lần diễn tập tối đa {LONGEST} ngày, trong một năm tới; khoảng dài hơn dùng lệnh "
            "“tiendo rehearse”."
        )
        raise Refused(msg)
    return since, until


def _rehearse(portal: Portal, first: date, last: date, assume: Assume) -> Rehearsed:
    if not _ONE_AT_A_TIME.acquire(blocking=False):
        raise Refused("Đang có một lượt diễn tập khác; đề nghị thử lại sau nửa phút.")
    try:
        return _play(_asked(portal, first, last, assume))
    finally:
        _ONE_AT_A_TIME.release()


def _play(asked: Rehearsal) -> Rehearsed:
    until = time.monotonic() + LIMIT_SECONDS
    reached = asked.date_from

    def progress(day: date, _count: int) -> None:
        nonlocal reached
        reached = day
        if time.monotonic() > until:
            raise _TimeUp

    letters: list[RehearsedLetter] = []
    try:
        letters.extend(rehearse(asked, progress=progress))
    except _TimeUp:
        return Rehearsed(letters=tuple(letters), stopped=reached)
    return Rehearsed(letters=tuple(letters))


def _asked(portal: Portal, first: date, last: date, assume: Assume) -> Rehearsal:
    with portal.runtime.database.read() as session:
        keys = plan_keys(session)
        if not keys:
            raise Refused("Chưa nạp đề án nào nên chưa diễn tập được.")
        starts = session.scalars(select(PlanRow.tracking_start).where(PlanRow.key.in_(keys))).all()
        tracked = min((one for one in starts if one is not None), default=first)
        return Rehearsal(
            catalogs=[stored_catalog(session, key) for key in keys],
            date_from=first,
            date_to=last,
            assume=assume,
            tracking_start=max(tracked, date(first.year - 1, 1, 1)),
            contacts=_contacts(session) or None,
            added=added_records(session),
        )


def _contacts(session: Session) -> Sequence[ContactInput]:
    """The contacts as they are now: who would really get what."""
    rows = session.scalars(select(Contact).where(Contact.active).order_by(Contact.id))
    return [
        ContactInput(
            agency_key=row.agency_key,
            kind=ContactKind(row.kind),
            name=row.name,
            post=row.post,
            email=row.email,
            phone=row.phone,
        )
        for row in rows
    ]


def show_pilots(request: Request, form: FormState, status: int) -> Response:
    """The pilots, and the agencies that could be."""
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        valid = {one.key for one in load_directory(session).valid_on(portal.today)}
        rows = session.scalars(select(AgencyRow).order_by(AgencyRow.position, AgencyRow.key)).all()
    return portal.pages(
        request,
        "letter_pilots.html",
        status=status,
        pilots=[row for row in rows if row.pilot],
        others=[row for row in rows if not row.pilot and row.key in valid],
        may_decide=person_of(request).can_decide,
        form=form,
        said=told(request),
    )


@router.api_route(BASE + "/thi-diem", methods=_READ, name="letter_pilots")
def letter_pilots(request: Request) -> Response:
    """Pilots: while there is any, letters to all others are held (rule 19)."""
    return show_pilots(request, FormState(), 200)


def _pilots_file(request: Request) -> Table:
    with portal_of(request).runtime.database.read() as session:
        query = select(AgencyRow).where(AgencyRow.pilot)
        return pilots_table(session.scalars(query.order_by(AgencyRow.position, AgencyRow.key)))


takes_away(router, "letter_pilots", _pilots_file)


@router.post(BASE + "/thi-diem", name="letter_pilots_act")
def letter_pilots_act(request: Request, form: Annotated[Posted, Depends(posted)]) -> Response:
    """Make the ticked agencies pilots, or no longer."""
    turn_on = form.line("lam") != "thoi"
    deed = "chon" if turn_on else "thoi"

    def do(session: Session, stamp: Stamp, reading: Reading) -> str:
        ticked = [name[3:] for name, text in form.fields.items() if name.startswith("cq.") and text]
        reason = reading.text("reason")
        if not ticked:
            reading.errors.setdefault("cq", "Đề nghị đánh dấu ít nhất một cơ quan.")
        reading.done()
        changed = set_pilot(session, stamp, ticked, on=turn_on, reason=reason)
        word = "Đã chọn thí điểm" if turn_on else "Đã thôi thí điểm"
        return f"{word}: {len(changed)} cơ quan."

    return file_form(
        request,
        form,
        deed,
        do,
        then=f"{BASE}/thi-diem",
        show=lambda state, code: show_pilots(request, state, code),
    )
