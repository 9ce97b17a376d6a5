"""Danh mục, báo ra ngoài: webhooks and group chats of the coordinator, and how they fared."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from notifications.formats import vn_number
from operations.outlets import (
    TOPIC_WORDS,
    NewOutlet,
    OutletKind,
    Topic,
    attempts,
    outlets,
    queue_test,
    register,
    switch,
)
from operations.outward_restored import decide_held
from operations.stamp import Stamp
from operations.state import load_directory
from portal.attempts import attempt
from portal.errors import NotThere
from portal.filing import file_form
from portal.forms import FormState
from portal.pages.contacts import BASE
from portal.pages.queues import Form
from portal.permissions import DECIDES, visitor_of
from portal.portal import address_of, portal_of
from portal.reading import Reading
from portal.throttle import POSTS
from portal.told import told
from portal.visitors import person_of

router = APIRouter()
PATH: Final = f"{BASE}/bao-ra-ngoai"
WORDS: Final = {word: text for some in TOPIC_WORDS.values() for word, text in some.items()} | {
    Topic.TEST: "Gửi thử"
}
_DEEDS: Final = frozenset({"thu", "tat", "bat", "cho-gui", "dong"})


def _show(request: Request, form: FormState, status: int = 200, secret: str = "") -> Response:
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        found, directory = outlets(session), load_directory(session)
    return portal.pages(
        request,
        "outlets.html",
        status=status,
        form=form,
        outlets=found,
        secret=secret,
        kinds=TOPIC_WORDS,
        words=WORDS,
        agencies=directory.valid_on(portal.today),
        names={one.key: one.name for one in directory.agencies},
        path=PATH,
        may=visitor_of(person_of(request).role) in DECIDES,
        said=told(request),
    )


@router.api_route(PATH, methods=["GET", "HEAD"], name="outlets")
def show_outlets(request: Request) -> Response:
    """The outlets, and the forms that register one."""
    return _show(request, FormState())


@router.api_route(PATH + "/{number}", methods=["GET", "HEAD"], name="outlet")
def show_outlet(request: Request, number: int) -> Response:
    """The attempts of one outlet."""
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        one = next((one for one in outlets(session) if one.id == number), None)
        tried = attempts(session, number)
    if one is None:
        raise NotThere
    return portal.pages(request, "outlet.html", one=one, tried=tried, words=WORDS, path=PATH)


@router.post(PATH, name="outlet_add")
def outlet_add(request: Request, form: Form) -> Response:
    """Register an outlet; the answer is the only page that ever shows a webhook's secret."""
    portal, person = portal_of(request), person_of(request)
    portal.throttle.hit(POSTS, f"account:{person.account}")
    kind = form.fields.get("kind", "")
    if kind not in {one.value for one in OutletKind}:
        raise NotThere
    # An address may hold a secret: it is typed anew rather than shown again.
    kept = {name: text for name, text in form.fields.items() if name != "address"}
    state, reading = FormState(deed=kind, values=kept), Reading(form)
    stamp, made = portal.stamp(person.actor(address_of(request))), []

    def do(session: Session) -> None:
        new = NewOutlet(
            kind=OutletKind(kind),
            name=reading.line("name"),
            address=reading.line("address"),
            topics=[one for one in Topic if form.ticked(f"topic.{one.value}")],
            basis=reading.line("basis"),
            agency=reading.line("agency") or None,
        )
        reading.done()
        runtime = portal.runtime
        made.append(register(session, stamp, runtime.vault, new, reach=runtime.reach(session)))

    failed = attempt(portal, state, do)
    if failed is not None:
        return _show(request, failed.form, failed.status)
    return _show(request, FormState(), 200, made[0][1] or "-")


@router.post(PATH + "/{number}/{deed}", name="outlet_act")
def outlet_act(request: Request, form: Form, number: int, deed: str) -> Response:
    """Send a test (``thu``), switch off (``tat``) or on (``bat``); after a restore send what is held
    (``cho-gui``) or close it (``dong``)."""
    if deed not in _DEEDS:
        raise NotThere

    def do(session: Session, stamp: Stamp, reading: Reading) -> str:
        if deed == "thu":
            queue_test(session, stamp, number)
            return "Đã xếp tin thử vào hàng chờ; lượt gửi tới sẽ gửi và ghi kết quả."
        if deed in {"cho-gui", "dong"}:
            count = decide_held(session, stamp, number, send=deed == "cho-gui")
            done = "cho gửi" if deed == "cho-gui" else "đóng, không gửi"
            return f"Đã {done} {vn_number(count)} tin."
        reason = reading.line("reason")
        reading.done()
        active = deed == "bat"
        expected = form.number("number") or 0
        switch(session, stamp, number, active=active, reason=reason, expected=expected)
        return "Đã bật nơi nhận." if active else "Đã tắt nơi nhận."

    return file_form(
        request,
        form,
        f"{deed}-{number}",
        do,
        then=PATH,
        show=lambda state, code: _show(request, state, code),
    )
