"""One piece of anybody's work, for those who read everything and those who decide."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from operations.errors import NotFound
from operations.filed_before import filed_before, papers_of
from operations.queries import history_of
from operations.queries_detail import WorkDetail, paper_of, work_detail
from portal.deciding import DECIDER_DEEDS, SIMPLE, SIMPLE_TITLES
from portal.doorway import Doorway, coordinator_name
from portal.downloads import hand_out
from portal.errors import NotThere
from portal.forms import FormState, Posted, posted
from portal.papers import examine_work
from portal.past import looking
from portal.portal import address_of, portal_of
from portal.recorded import show_recorded
from portal.taking import take
from portal.typed import typed_lines
from portal.views import decider_actions, may_ask
from portal.visitors import person_of
from portal.words import date_story, pill
from rules.actors import Capacity
from rules.lifecycle import Action

router = APIRouter()
_READ = ["GET", "HEAD"]
NOT_YET = "Đến lúc đó chưa có nhiệm vụ này. Đề nghị chọn lúc muộn hơn, hoặc xem hiện nay."


def desk(request: Request) -> Doorway:
    """The way in of somebody who works with everybody's work."""
    portal, person = portal_of(request), person_of(request)
    return Doorway(
        base="",
        agency=person.agency or "",
        agency_name=person.agency_name or "",
        addressed_as=person.name,
        actor=person.actor(address_of(request)),
        by_link=False,
        mark=portal.signing.mark(request.scope["state"]["mark_owner"]),
        key=f"account:{person.account}",
        name=person.name,
    )


def _everything(_detail: WorkDetail) -> bool:
    return True


Desk = Annotated[Doorway, Depends(desk)]


def show(request: Request, door: Doorway, work_id: int, form: FormState, status: int) -> Response:
    """The page of one piece of work with what this visitor may decide."""
    portal = portal_of(request)
    examine_work(portal, [work_id])
    with looking(request) as view:
        session = view.session
        try:
            detail = work_detail(session, work_id, as_of=view.today)
        except NotFound:
            raise NotThere(NOT_YET) if view.is_past else NotThere from None
        before = filed_before(session, detail.row, papers_of(detail))
        centre = coordinator_name(session, detail.standing.coordinator)
        history = history_of(view.present, work_id, until=view.until)
    decides = person_of(request).can_decide and not view.is_past
    held = door.held(detail) if decides else frozenset()
    actions = decider_actions(detail, held)
    return portal.pages(
        request,
        "work.html",
        status=status,
        door=door,
        detail=detail,
        row=detail.row,
        item=detail.item,
        pill=pill(detail.row, view.today, detail.state.calendar),
        story=date_story(detail.row, detail.item, detail.plan, centre),
        actions=actions,
        may_decide=decides,
        decides=Capacity.DECIDER in held,
        simple=[(key, SIMPLE_TITLES[key]) for one, key in SIMPLE.items() if one in actions],
        may_enter=Action.SUBMIT in actions,
        before=before,
        may_ask=may_ask(detail, held),
        form=form,
        lost=typed_lines(form) if form.problem else (),
        history=list(reversed(history)),
    )


@router.api_route("/viec/{work_id}", methods=_READ, name="work")
def work(request: Request, door: Desk, work_id: int) -> Response:
    """One piece of work."""
    return show(request, door, work_id, FormState(), 200)


@router.post("/viec/{work_id}/{deed}", name="work_act")
def work_act(
    request: Request,
    door: Desk,
    work_id: int,
    deed: str,
    form: Annotated[Posted, Depends(posted)],
) -> Response:
    """A decision."""
    return take(
        request,
        door,
        work_id,
        deed,
        form,
        deeds=DECIDER_DEEDS,
        show=show,
        may_see=_everything,
    )


@router.api_route("/viec/{work_id}/da-ghi-nhan", methods=_READ, name="work_recorded")
def work_recorded(request: Request, door: Desk, work_id: int) -> Response:
    """What was decided just now."""
    return show_recorded(
        request, door, work_id, deeds=DECIDER_DEEDS, may_see=_everything, back_to="/"
    )


@router.api_route("/tai-lieu/{evidence_id}", methods=_READ, name="work_file")
def work_file(request: Request, evidence_id: int) -> Response:
    """A file of anybody's evidence; that it was read is logged."""
    portal, person = portal_of(request), person_of(request)
    with portal.runtime.database.read() as session:
        found = paper_of(session, evidence_id)
    if found is None:
        raise NotThere
    return hand_out(request, found[0], who=f"account:{person.username}")
