"""Confirming many results at once: first a page that shows each, then one by one (rule 20).

The page says of which results this person has not opened the evidence, and the history keeps it.
Each is confirmed in a transaction of its own, so one that cannot be does not hold up the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from models.tables import Assignment
from operations.act import act
from operations.acting import ActRequest
from operations.queries import WorkRow, standing_of, work_list
from operations.queues import Filed, QueueCounts, filed, files_opened, queue_counts
from portal.attempts import attempt
from portal.doorway import Doorway
from portal.forms import FormState, Posted
from portal.pages.queues import BASE, Form
from portal.pages.work import Desk
from portal.portal import portal_of
from portal.reading import Reading
from portal.throttle import POSTS
from portal.views import Card, Reader
from portal.visitors import person_of
from rules.actors import Capacity, capacities
from rules.lifecycle import Action, Status

router = APIRouter()
_READ = ["GET", "HEAD"]
PATH: Final = BASE + "/xac-nhan-nhieu"
KEY: Final = "xac-nhan-nhieu"
MOST: Final = 80
"""Results of one form: a form holds so many fields."""
TOGETHER: Final = "Xác nhận cùng lúc nhiều kết quả"
UNOPENED: Final = "chưa mở tệp tài liệu kiểm chứng"
"""What the history keeps of a result whose files its confirmer never opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A result that may be confirmed; ``unopened`` counts its files that this person never saw.

    ``barred`` says why this person does not confirm it, empty where they may (rule 20).
    """

    card: Card
    filed: Filed | None
    unopened: int
    barred: str

    @property
    def row(self) -> WorkRow:
        """The row of the work."""
        return self.card.row


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one of them; ``why`` is empty when it was confirmed."""

    row: WorkRow
    why: str


def _waiting(session: Session, request: Request) -> list[WorkRow]:
    as_of = portal_of(request).today
    found = work_list(session, as_of=as_of, statuses=[Status.SUBMITTED])
    return sorted(found, key=lambda row: (row.item, row.submitted_on or row.due_on, row.id))


def candidates(
    session: Session, request: Request, door: Doorway, rows: Sequence[WorkRow]
) -> list[Candidate]:
    """The rows with their results, and what this person has seen of them."""
    reader = Reader(session, portal_of(request).today)
    results = filed(session, [row.id for row in rows])
    files = {row: [p.id for p in one.papers if p.has_file] for row, one in results.items()}
    who = f"account:{person_of(request).username}"
    seen = files_opened(session, who, [n for numbers in files.values() for n in numbers])
    return [
        Candidate(
            card=reader.card(row),
            filed=results.get(row.id),
            unopened=sum(1 for number in files.get(row.id, ()) if number not in seen),
            barred=_barred(session, reader, door, row),
        )
        for row in rows
    ]


def _barred(session: Session, reader: Reader, door: Doorway, row: WorkRow) -> str:
    standing = standing_of(session, row, reader.state(row.plan).coordinator(reader.as_of))
    if Capacity.DECIDER not in capacities(door.actor, standing):
        return "Việc của chính cơ quan điều phối, do lãnh đạo quyết định."
    if row.submitted_by == door.actor.identity:
        return "Người đã cập nhật hoặc nhập thay không tự xác nhận."
    return ""


def _show(
    request: Request,
    door: Doorway,
    chosen: Sequence[int],
    *,
    form: FormState,
    status: int = 200,
    item: str = "",
) -> Response:
    """What will be confirmed: the chosen ones, or all that wait for an item."""
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        rows = _waiting(session, request)
        kept = [row for row in rows if (row.item == item if item else row.id in set(chosen))]
        found = candidates(session, request, door, kept[:MOST])
        counts = queue_counts(session)
    return portal.pages(
        request,
        "bulk.html",
        status=status,
        door=door,
        counts=counts,
        found=found,
        ready=[one for one in found if not one.barred],
        left=max(0, len(kept) - MOST),
        form=form,
        lost=(),
    )


@router.api_route(PATH, methods=_READ, name="bulk")
def bulk(request: Request, door: Desk) -> Response:
    """Look at what will be confirmed; nothing is changed."""
    asked = request.query_params
    chosen = [int(one) for one in asked.getlist("viec") if one.isdecimal() and len(one) < 19]
    return _show(request, door, chosen, form=FormState(), item=asked.get("nhiem-vu", ""))


def _chosen(form: Posted) -> dict[int, int]:
    """The ticked rows with the version that was shown, ``chon.<id>`` = version."""
    ticked = {
        name.removeprefix("chon."): text
        for name, text in form.fields.items()
        if name.startswith("chon.")
    }
    return {
        int(number): int(version)
        for number, version in ticked.items()
        if number.isdecimal() and version.isdecimal() and len(number + version) < 30
    }


@router.post(PATH, name="bulk_confirm")
def bulk_confirm(request: Request, door: Desk, form: Form) -> Response:
    """Confirm each of the ticked ones, and tell of each that could not be."""
    portal, chosen = portal_of(request), _chosen(form)
    portal.throttle.hit(POSTS, door.key)
    shown = [int(one) for one in form.fields.get("tat-ca", "").split(",") if one.isdecimal()]
    reading, state = Reading(form), FormState(deed=KEY, values=form.fields)
    note = reading.line("reason")
    if not chosen:
        state = state.with_error("chon", "Đề nghị đánh dấu ít nhất một kết quả để xác nhận.")
    for name, message in reading.errors.items():
        state = state.with_error(name, message)
    if state.errors:
        return _show(request, door, shown or list(chosen), form=state, status=422)
    with portal.runtime.database.read() as session:
        every = work_list(session, as_of=portal.today)
        rows = [row for row in every if row.id in chosen]
        unopened = {one.row.id: one.unopened for one in candidates(session, request, door, rows)}
    outcomes = [
        Outcome(
            row=row, why=_confirm(request, door, row, chosen[row.id], _said(note, unopened[row.id]))
        )
        for row in rows
    ]
    return _told(request, door, outcomes)


def _said(note: str, unopened: int) -> str:
    """What the history keeps of one confirmation among many."""
    together = f"{TOGETHER}; {UNOPENED}" if unopened else TOGETHER
    return f"{note} ({together})" if note else f"{together}."


def _confirm(request: Request, door: Doorway, row: WorkRow, version: int, reason: str) -> str:
    """Confirm one, in a transaction of its own; why not, empty when it is confirmed.

    A second tap of the button finds it confirmed by this person, which is what was asked.
    """
    portal = portal_of(request)

    def do(session: Session) -> None:
        stood = session.get_one(Assignment, row.id)
        if stood.version == version + 1 and stood.confirmed_by == door.actor.identity:
            return
        asked = ActRequest(reason=reason, expected_version=version)
        act(session, door.stamp(portal), row.id, Action.CONFIRM, asked)

    failed = attempt(portal, FormState(deed=KEY), do)
    if failed is None:
        return ""
    return failed.form.problem or "; ".join(failed.form.errors.values())


def _told(request: Request, door: Doorway, outcomes: Sequence[Outcome]) -> Response:
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        counts: QueueCounts = queue_counts(session)
    return portal.pages(
        request,
        "bulk_done.html",
        door=door,
        counts=counts,
        done=[one for one in outcomes if not one.why],
        failed=[one for one in outcomes if one.why],
    )
