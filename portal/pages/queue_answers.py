"""Obstacles to answer or bring to the superior (rule 42), and second steps to approve (rule 20)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from models.tables import AgencyRow
from operations.approvals import decide
from operations.extension_decisions import approve_extension
from operations.obstacles import (
    Answer,
    answer_consolidated,
    answer_obstacle,
    close_obstacle,
    consolidate_obstacles,
)
from operations.queries import work_one
from operations.queries_detail import extensions, obstacles
from operations.queries_views import ExtensionView, ObstacleView
from operations.queues import ProposalView, obstacle_versions, proposals_waiting, queue_counts
from operations.stamp import Stamp
from portal.attempts import attempt
from portal.desk_tables import obstacles_table, steps_table
from portal.doorway import Doorway
from portal.errors import NotThere
from portal.exporting import takes_away
from portal.forms import FormState
from portal.pages.queues import BASE, Form
from portal.pages.work import Desk
from portal.portal import portal_of
from portal.reading import Reading
from portal.throttle import POSTS
from portal.typed import typed_lines
from portal.views import Card, Reader
from reports.tables import Table

router = APIRouter()
_READ = ["GET", "HEAD"]
STUCK: Final = BASE + "/vuong-mac"
STEPS: Final = BASE + "/de-xuat"
_SAID: Final = {
    "tra-loi": "Đã trả lời vướng mắc; cơ quan đọc nội dung tại trang của nhiệm vụ.",
    "tra-loi-chung": "Đã trả lời chung; từng cơ quan đọc nội dung tại trang của mình.",
    "ket-thuc": "Đã kết thúc vướng mắc.",
    "tong-hop": "Đã ghi: tổng hợp, báo cáo UBND tỉnh.",
    "duyet": "Đã duyệt, đề xuất có hiệu lực.",
    "khong-duyet": "Đã ghi: không duyệt.",
}
"""What people read once it is done, by the deed that the address names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """An obstacle beside the work it is about; ``card`` None for one in general."""

    card: Card | None
    agency_name: str
    said: ObstacleView
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A first step beside its work: to end or reopen it, or to move its date."""

    card: Card
    proposal: ProposalView | None = None
    extension: ExtensionView | None = None


def show_obstacles(
    request: Request, door: Doorway, form: FormState | None = None, status: int = 200
) -> Response:
    """Obstacles that wait for an answer, and those answered that nobody has closed."""
    portal, typed = portal_of(request), form or FormState()
    with portal.runtime.database.read() as session:
        found = _all_stuck(session, Reader(session, portal.today))
        counts = queue_counts(session)
    return portal.pages(
        request,
        "queue_obstacles.html",
        status=status,
        door=door,
        counts=counts,
        waiting=[one for one in found if one.said.state != "answered"],
        together=_together(found),
        answered=[one for one in found if one.said.state == "answered"],
        form=typed,
        lost=typed_lines(typed) if typed.problem else (),
        said=_SAID.get(request.query_params.get("da", ""), ""),
    )


def _all_stuck(session: Session, reader: Reader) -> list[Stuck]:
    versions = obstacle_versions(session)
    found = reversed(obstacles(session, states=("raised", "consolidated", "answered")))
    return [_stuck(session, reader, one, versions[one.id]) for one in found]


def _together(found: list[Stuck]) -> dict[str, list[Stuck]]:
    """Those that went up in one document with others and wait for its answer, by document."""
    sent: dict[str, list[Stuck]] = {}
    for one in found:
        if one.said.state == "consolidated" and one.said.document_code:
            sent.setdefault(one.said.document_code, []).append(one)
    return {code: those for code, those in sent.items() if len(those) > 1}


def _stuck(session: Session, reader: Reader, one: ObstacleView, version: int) -> Stuck:
    row = None if one.assignment is None else work_one(session, one.assignment, as_of=reader.as_of)
    agency = session.get(AgencyRow, one.agency)
    return Stuck(
        card=None if row is None else reader.card(row),
        agency_name=row.agency_name if row else agency.name if agency else one.agency,
        said=one,
        version=version,
    )


def show_steps(
    request: Request, door: Doorway, form: FormState | None = None, status: int = 200
) -> Response:
    """First steps that wait for a leader."""
    portal, typed = portal_of(request), form or FormState()
    with portal.runtime.database.read() as session:
        steps = _steps(session, Reader(session, portal.today))
        counts = queue_counts(session)
    return portal.pages(
        request,
        "queue_proposals.html",
        status=status,
        door=door,
        counts=counts,
        steps=steps,
        form=typed,
        lost=typed_lines(typed) if typed.problem else (),
        said=_SAID.get(request.query_params.get("da", ""), ""),
    )


def _steps(session: Session, reader: Reader) -> list[Step]:
    steps = []
    for one in proposals_waiting(session):
        row = work_one(session, one.assignment, as_of=reader.as_of)
        if row is not None:
            steps.append(Step(card=reader.card(row), proposal=one))
    for asked in reversed(extensions(session, states=("proposed",))):
        row = work_one(session, asked.assignment, as_of=reader.as_of)
        if row is not None:
            steps.append(Step(card=reader.card(row), extension=asked))
    return steps


@router.api_route(STUCK, methods=_READ, name="queue_obstacles")
def queue_obstacles(request: Request, door: Desk) -> Response:
    """Obstacles."""
    return show_obstacles(request, door)


@router.api_route(STEPS, methods=_READ, name="queue_proposals")
def queue_proposals(request: Request, door: Desk) -> Response:
    """Second steps."""
    return show_steps(request, door)


def _obstacles_file(request: Request) -> Table:
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        found = _all_stuck(session, Reader(session, portal.today))
        told = [(one.agency_name, one.card.row if one.card else None, one.said) for one in found]
        return obstacles_table(session, told, portal.today)


def _steps_file(request: Request) -> Table:
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        found = _steps(session, Reader(session, portal.today))
        told = [(one.card.row, one.proposal, one.extension) for one in found]
        return steps_table(session, told, portal.today)


takes_away(router, "queue_obstacles", _obstacles_file)
takes_away(router, "queue_proposals", _steps_file)


@router.post(STUCK, name="obstacles_consolidate")
def obstacles_consolidate(request: Request, door: Desk, form: Form) -> Response:
    """Bring the chosen obstacles to UBND tỉnh by one document."""
    chosen = [
        int(name.removeprefix("chon."))
        for name in form.fields
        if name.startswith("chon.") and name.removeprefix("chon.").isdecimal()
    ]

    def do(session: Session, stamp: Stamp, reading: Reading) -> None:
        document = reading.line("document")
        reading.done()
        consolidate_obstacles(session, stamp, chosen, document=document)

    return _do(
        request, door, form, deed=("tong-hop", "tong-hop"), do=do, show=show_obstacles, path=STUCK
    )


@router.post(STUCK + "/tra-loi-chung", name="obstacles_answer_all")
def obstacles_answer_all(request: Request, door: Desk, form: Form) -> Response:
    """Return the superior's answer to everybody whose obstacle went up in one document."""
    sent = form.fields.get("sent", "")
    seen = [int(one) for one in form.fields.get("seen", "").split() if one.isdecimal()]

    def do(session: Session, stamp: Stamp, reading: Reading) -> None:
        text, document = reading.text("text"), reading.line("document") or None
        reading.done()
        answer = Answer(text=text, document=document)
        answer_consolidated(session, stamp, answer, sent=sent, seen=seen)

    deed = ("tra-loi-chung", f"tra-loi-chung-{seen[0] if seen else 0}")
    return _do(request, door, form, deed=deed, do=do, show=show_obstacles, path=STUCK)


@router.post(STUCK + "/{number}/{deed}", name="obstacle_act")
def obstacle_act(request: Request, door: Desk, number: int, deed: str, form: Form) -> Response:
    """Answer an obstacle, or end one that was answered."""
    if deed not in {"tra-loi", "ket-thuc"}:
        raise NotThere
    version = form.number("version")

    def do(session: Session, stamp: Stamp, reading: Reading) -> None:
        answer = Answer(text=reading.text("text"), document=reading.line("document") or None)
        reading.done()
        if deed == "tra-loi":
            answer_obstacle(session, stamp, number, answer, expected_version=version)
        else:
            close_obstacle(session, stamp, number, expected_version=version)

    return _do(
        request, door, form, deed=(deed, f"{deed}-{number}"), do=do, show=show_obstacles, path=STUCK
    )


@router.post(STEPS + "/{number}/{deed}", name="proposal_act")
def proposal_act(request: Request, door: Desk, number: int, deed: str, form: Form) -> Response:
    """Approve a proposal, or refuse it with a reason."""
    key = f"{deed}-{number}"
    return _second_step(request, door, form, decide, number=number, deed=deed, key=key)


@router.post(STEPS + "/gia-han/{number}/{deed}", name="extension_approve")
def extension_approve(request: Request, door: Desk, number: int, deed: str, form: Form) -> Response:
    """Approve a proposed extension, or refuse it with a reason."""
    key = f"{deed}-gh-{number}"
    return _second_step(request, door, form, approve_extension, number=number, deed=deed, key=key)


def _second_step(
    request: Request,
    door: Doorway,
    form: Form,
    decided: Callable[..., object],
    *,
    number: int,
    deed: str,
    key: str,
) -> Response:
    if deed not in {"duyet", "khong-duyet"}:
        raise NotThere

    def do(session: Session, stamp: Stamp, reading: Reading) -> None:
        reason = reading.text("reason") or None
        reading.done()
        decided(session, stamp, number, approve=deed == "duyet", reason=reason)

    return _do(request, door, form, deed=(deed, key), do=do, show=show_steps, path=STEPS)


def _do(
    request: Request,
    door: Doorway,
    form: Form,
    *,
    deed: tuple[str, str],
    do: Callable[[Session, Stamp, Reading], None],
    show: Callable[[Request, Doorway, FormState | None, int], Response],
    path: str,
) -> Response:
    """Take a form of these pages; ``deed`` is its word and the key of the form on the page."""
    portal = portal_of(request)
    portal.throttle.hit(POSTS, door.key)
    state = FormState(deed=deed[1], values=form.fields)
    failed = attempt(portal, state, lambda session: do(session, door.stamp(portal), Reading(form)))
    if failed is not None:
        return show(request, door, failed.form, failed.status)
    return RedirectResponse(f"{path}?da={deed[0]}", status_code=303)
