"""Danh mục, lịch: of every item the dates in force and the next periods (rules 4, 7, 17)."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from operations.queries_calendar import item_dates
from operations.state import load_state, plan_keys
from portal.errors import NotThere
from portal.one_date import one_date
from portal.pages.contacts import BASE
from portal.past import is_past, looking
from portal.portal import portal_of
from portal.signs import DATE_WORDS, basis_sign
from portal.told import told
from portal.visitors import person_of

router = APIRouter()
_READ = ["GET", "HEAD"]
PATH: Final = f"{BASE}/lich"


@router.api_route(PATH, methods=_READ, name="item_calendar")
def item_calendar(request: Request) -> Response:
    """The calendar entries in force, now or at an instant (rule 39)."""
    portal, asked = portal_of(request), request.query_params.get("de-an", "")
    with looking(request) as view:
        session = view.session
        keys = plan_keys(session)
        if not keys or (asked and asked not in keys):
            raise NotThere
        state = load_state(session, asked or keys[0])
        found = item_dates(session, state, view.today)
        plans = [load_state(session, key).plan for key in keys]
    return portal.pages(
        request,
        "item_calendar.html",
        plan=state.plan,
        plans=plans,
        items=found,
        date_words=DATE_WORDS,
        basis_sign=basis_sign,
        today=view.today,
        one_date=one_date,
        may_edit=person_of(request).can_decide and not is_past(request),
        said=told(request),
    )
