"""What waits for Sở Nội vụ: results, extensions, obstacles, second steps, decided on one screen.

Each queue shows the evidence beside its forms. A decision leads back to the queue; one that cannot
be taken brings the queue back with what was typed (rule 26).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final, TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from operations.errors import NotFound
from operations.filed_before import FiledBefore, filed_before, papers_of
from operations.queries import WorkRow, history_of, work_list, work_one
from operations.queries_detail import WorkDetail, extensions, work_detail
from operations.queues import queue_counts
from portal.deciding import DECIDER_DEEDS
from portal.desk_tables import extensions_table, results_table
from portal.doorway import Doorway
from portal.errors import NotThere
from portal.exporting import takes_away
from portal.forms import FormState, Posted, posted
from portal.pages.work import Desk
from portal.papers import examine_work
from portal.portal import Portal, portal_of
from portal.taking import take
from portal.typed import typed_lines
from portal.visitors import person_of
from portal.words import Pill, pill, workdays
from reports.tables import Table
from rules.actors import Capacity
from rules.lifecycle import Status
from rules.timeliness import confirmer_days

router = APIRouter()
BASE: Final = "/dieu-phoi"
_READ = ["GET", "HEAD"]
PAGE: Final = 15
"""Entries of one page: each is shown with all its evidence."""
_RESULTS: Final = frozenset({"xac-nhan", "tra-lai"})
_EXTENSIONS: Final = frozenset({"dong-y-gia-han", "khong-gia-han"})
_DEEDS: Final = {key: DECIDER_DEEDS[key] for key in _RESULTS | _EXTENSIONS}

Form = Annotated[Posted, Depends(posted)]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One piece of work in a queue. ``repeated`` says of its files where they were filed before.

    ``days`` and ``over`` are working days since it came and beyond what is allowed; ``decides``
    says whether this visitor may decide, ``mine`` that they filed it themselves (rule 20).
    """

    detail: WorkDetail
    pill: Pill
    days: int
    over: int
    decides: bool
    mine: bool
    repeated: Mapping[int, FiledBefore]

    @property
    def row(self) -> WorkRow:
        """The row of the work."""
        return self.detail.row


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One page of a queue."""

    rows: tuple[WorkRow, ...]
    number: int
    pages: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What was decided just now, as the history has it."""

    row: WorkRow
    entity: str
    action: str


def slice_of(rows: Sequence[WorkRow], asked: str, focus: int | None) -> Slice:
    """The page that was asked for, or the one on which the work ``focus`` stands."""
    pages = max(1, -(-len(rows) // PAGE))
    number = int(asked) if asked.isdecimal() and len(asked) < 6 else 1
    place = next((at for at, row in enumerate(rows) if row.id == focus), None)
    if place is not None:
        number = place // PAGE + 1
    number = min(max(number, 1), pages)
    shown = tuple(rows[(number - 1) * PAGE : number * PAGE])
    return Slice(rows=shown, number=number, pages=pages, total=len(rows))


def entry(session: Session, request: Request, door: Doorway, row: WorkRow) -> Entry:
    """A piece of work with its evidence, and whether this visitor decides on it."""
    portal, person = portal_of(request), person_of(request)
    detail = work_detail(session, row.id, as_of=portal.today)
    calendar, policies = detail.state.calendar, detail.plan.policies
    since = row.submitted_on or portal.today
    waits = row.status is Status.SUBMITTED
    return Entry(
        detail=detail,
        pill=pill(row, portal.today, calendar),
        days=workdays(calendar, since, portal.today) or 0,
        over=confirmer_days(since, portal.today, calendar, allowed=policies.confirm_workdays)
        if waits
        else 0,
        decides=person.can_decide and Capacity.DECIDER in door.held(detail),
        mine=waits and row.submitted_by == door.actor.identity,
        repeated=filed_before(session, row, papers_of(detail)),
    )


def done_just_now(session: Session, request: Request, portal: Portal) -> Done | None:
    """The decision that the address speaks of, if the history has it."""
    work, event = (request.query_params.get(name, "") for name in ("so", "su-kien"))
    if not work.isdecimal() or len(work) > 18:
        return None
    row = work_one(session, int(work), as_of=portal.today)
    found = (
        [] if row is None else [one for one in history_of(session, row.id) if str(one.id) == event]
    )
    if row is None or not found:
        return None
    return Done(row=row, entity=found[0].entity, action=found[0].action)


def back_to(path: str, answer: Response, work_id: int, form: Posted) -> Response:
    """Where a decision that was taken leads: to its queue, the next entry in view."""
    if answer.status_code != 303:
        return answer
    event = answer.headers["location"].partition("su-kien=")[2]
    query = {"so": str(work_id), "su-kien": event}
    query |= {key: text for key in ("nhiem-vu", "trang") if (text := form.fields.get(key, ""))}
    return RedirectResponse(f"{path}?{urlencode(query)}", status_code=303)


def show_queue(
    request: Request,
    door: Doorway,
    template: str,
    rows: Callable[[Session], list[WorkRow]],
    *,
    form: FormState | None = None,
    status: int = 200,
    focus: int | None = None,
    fields: Mapping[str, str] | None = None,
) -> Response:
    """A queue of pieces of work, filtered by item, page by page."""
    portal, typed = portal_of(request), form or FormState()
    asked = dict(fields or {}) or dict(request.query_params)
    item = asked.get("nhiem-vu", "")
    with portal.runtime.database.read() as session:
        every = rows(session)
        kept = [row for row in every if item in {"", row.item}]
        found = slice_of(kept, asked.get("trang", ""), focus)
    examine_work(portal, [row.id for row in found.rows])
    with portal.runtime.database.read() as session:
        entries = [entry(session, request, door, row) for row in found.rows]
        counts, done = queue_counts(session), done_just_now(session, request, portal)
    return portal.pages(
        request,
        template,
        status=status,
        door=door,
        counts=counts,
        entries=entries,
        found=found,
        items=sorted({row.item for row in every} | ({item} - {""})),
        chosen=item,
        form=typed,
        lost=typed_lines(typed) if typed.problem else (),
        done=done,
    )


def _waiting(request: Request) -> Callable[[Session], list[WorkRow]]:
    as_of = portal_of(request).today

    def rows(session: Session) -> list[WorkRow]:
        found = work_list(session, as_of=as_of, statuses=[Status.SUBMITTED])
        return sorted(found, key=lambda row: (row.submitted_on or row.due_on, row.id))

    return rows


def _asking(request: Request) -> Callable[[Session], list[WorkRow]]:
    as_of = portal_of(request).today

    def rows(session: Session) -> list[WorkRow]:
        asked = extensions(session, states=("asked",))
        found = (work_one(session, one.assignment, as_of=as_of) for one in reversed(asked))
        return [row for row in found if row is not None]

    return rows


@router.api_route(BASE, methods=_READ, name="queue_results")
def queue_results(request: Request, door: Desk) -> Response:
    """Results that wait for confirmation, the longest first."""
    return show_queue(request, door, "queue_results.html", _waiting(request))


@router.api_route(BASE + "/gia-han", methods=_READ, name="queue_extensions")
def queue_extensions(request: Request, door: Desk) -> Response:
    """Requests for another date that nobody has decided."""
    return show_queue(request, door, "queue_extensions.html", _asking(request))


def _of_item(request: Request, rows: list[WorkRow]) -> list[WorkRow]:
    item = request.query_params.get("nhiem-vu", "")
    return [row for row in rows if item in {"", row.item}]


def _results(request: Request) -> Table:
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        rows = _of_item(request, _waiting(request)(session))
        return results_table(session, rows, portal.today)


def _extensions(request: Request) -> Table:
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        rows = {row.id: row for row in _of_item(request, _asking(request)(session))}
        asked = reversed(extensions(session, states=("asked",)))
        pairs = [(rows[one.assignment], one) for one in asked if one.assignment in rows]
        return extensions_table(session, pairs, portal.today)


takes_away(router, "queue_results", _results)
takes_away(router, "queue_extensions", _extensions)


@router.post(BASE + "/viec/{work_id}/{deed}", name="queue_act")
def queue_act(request: Request, door: Desk, work_id: int, deed: str, form: Form) -> Response:
    """A decision on a result or on a request for another date."""
    if deed not in _DEEDS:
        raise NotThere
    of_results = deed in _RESULTS
    template = "queue_results.html" if of_results else "queue_extensions.html"
    rows = _waiting(request) if of_results else _asking(request)

    def again(
        request: Request, door: Doorway, work_id: int, typed: FormState, status: int
    ) -> Response:
        named = replace(typed, deed=f"{typed.deed}-{work_id}")
        return show_queue(
            request,
            door,
            template,
            rows,
            form=named,
            status=status,
            focus=work_id,
            fields=form.fields,
        )

    answer = take(
        request, door, work_id, deed, form, deeds=_DEEDS, show=again, may_see=lambda _: True
    )
    return back_to(BASE if of_results else f"{BASE}/gia-han", answer, work_id, form)


def need(session: Session, read: Callable[[Session], _T]) -> _T:
    """Read something that has to be there.

    Raises:
        NotThere: it is not.
    """
    try:
        return read(session)
    except NotFound:
        raise NotThere from None
