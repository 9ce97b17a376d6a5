"""Thư: every letter by state, one as it was sent, sending again, and letting held ones go."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from models.tables import LetterState
from notifications.formats import LINK_PLACEHOLDER
from operations.errors import Conflict
from operations.guards import need_coordinator
from operations.outbox import DAY_BOUND, HELD_WORDS, HeldReason, release_held
from operations.queries_letters import (
    KIND_WORDS,
    STATE_WORDS,
    LetterDetail,
    LetterView,
    letter_counts,
    letter_detail,
    letter_list,
    releasable,
)
from operations.resending import RESENDABLE, Resent, resend
from operations.restored import close_held
from operations.stamp import Stamp
from portal.errors import NotThere
from portal.exporting import MOST, takes_away
from portal.filing import Do, file_form
from portal.forms import FormState, Posted, posted
from portal.letter_tables import letters_table
from portal.portal import portal_of
from portal.reading import Reading
from portal.told import told
from portal.visitors import person_of
from reports.tables import Table

router = APIRouter()
_READ = ["GET", "HEAD"]
BASE: Final = "/thu"
LISTED: Final = 50
FIELDS: Final = ("trang-thai", "hop-thu", "co-quan", "luot")
"""What narrows the list, as addresses name it."""
SHOWN_LINK: Final = "[liên kết riêng của hộp thư nhận]"
POLICY: Final = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "frame-ancestors 'self'; form-action 'none'"
)
"""A stored letter's own style and nothing else: no script, no form, no way out."""
_LINK = re.compile(r"""\s(?:href|src)\s*=\s*(["'])[^"']*\1""", re.IGNORECASE)

Form = Annotated[Posted, Depends(posted)]


def show_list(request: Request, form: FormState, status: int) -> Response:
    """Letters by state and filter, what is held above them."""
    portal, asked = portal_of(request), request.query_params
    values = {name: asked.get(name, "") for name in FIELDS}
    before = asked.get("truoc", "")
    with portal.runtime.database.read() as session:
        counts = letter_counts(session)
        waiting = releasable(session, portal.today)
        place = int(before) if before.isdecimal() and len(before) < 19 else None
        found = _asked_letters(session, values, before=place, limit=LISTED + 1)
    last = found[LISTED - 1].id if len(found) > LISTED else None
    onward = urlencode({name: text for name, text in values.items() if text} | {"truoc": last})
    return portal.pages(
        request,
        "letters.html",
        status=status,
        counts=counts,
        letters=found[:LISTED],
        onward=f"{BASE}?{onward}" if last else "",
        asked=values,
        waiting=waiting,
        states=STATE_WORDS,
        kinds=KIND_WORDS,
        held_words=HELD_WORDS,
        may_decide=person_of(request).can_decide,
        form=form,
        said=told(request),
    )


@router.api_route(BASE, methods=_READ, name="letters")
def letters(request: Request) -> Response:
    """The letters."""
    return show_list(request, FormState(), 200)


def _asked_letters(
    session: Session, asked: Mapping[str, str], *, before: int | None = None, limit: int
) -> list[LetterView]:
    state, mailbox, agency, run = (asked.get(name, "") for name in FIELDS)
    return letter_list(
        session,
        state=LetterState(state) if state in set(LetterState) else None,
        mailbox=mailbox or None,
        agency=agency or None,
        run=run or None,
        before=before,
        limit=limit,
    )


def _letters_file(request: Request) -> Table:
    with portal_of(request).runtime.database.read() as session:
        limit = max(MOST.values()) + 1
        return letters_table(_asked_letters(session, request.query_params, limit=limit))


_STATES: Final = {"trang-thai": {state.value: word for state, word in STATE_WORDS.items()}}
takes_away(router, "letters", _letters_file, words=_STATES)


@router.post(BASE + "/cho-gui", name="letters_release")
def release(request: Request, form: Form) -> Response:
    """Let go what the blast cap holds today, or what a restore does (rules 32, 33)."""
    restored = form.line("reason") == HeldReason.RESTORED.value
    reason = HeldReason.RESTORED if restored else HeldReason.BLAST

    def do(session: Session, stamp: Stamp, _reading: Reading) -> str:
        need_coordinator(stamp)
        _seen(session, stamp, form, reason)
        count = release_held(session, stamp, reason=reason)
        return f"Đã cho phép gửi {count} thư; thư đi trong lượt gửi tới."

    return _file(request, form, "cho-gui", do)


@router.post(BASE + "/dong", name="letters_close")
def close(request: Request, form: Form) -> Response:
    """Close what is held after a restore: it had gone before (rule 33)."""

    def do(session: Session, stamp: Stamp, _reading: Reading) -> str:
        need_coordinator(stamp)
        _seen(session, stamp, form, HeldReason.RESTORED)
        return f"Đã đóng {close_held(session, stamp)} thư, không gửi nữa."

    return _file(request, form, "dong", do)


def _seen(session: Session, stamp: Stamp, form: Posted, reason: HeldReason) -> None:
    there = releasable(session, stamp.as_of).get(reason, 0)
    if form.number("count") != there:
        msg = f"Số thư đang giữ nay là {there}; đề nghị xem lại rồi bấm lại."
        raise Conflict(msg)


def _file(request: Request, form: Posted, deed: str, do: Do) -> Response:
    def show(state: FormState, code: int) -> Response:
        return show_list(request, state, code)

    return file_form(request, form, deed, do, then=BASE, show=show)


def _found(request: Request, number: int) -> LetterDetail:
    with portal_of(request).runtime.database.read() as session:
        found = letter_detail(session, number)
    if found is None:
        raise NotThere("Không có thư này.")
    return found


def show_letter(request: Request, number: int, form: FormState, status: int) -> Response:
    """One letter with what became of it and what can be done."""
    portal, found = portal_of(request), _found(request, number)
    view = found.view
    day_open = view.kind not in DAY_BOUND or view.day == portal.today
    held = person_of(request).can_decide and view.state is LetterState.HELD
    return portal.pages(
        request,
        "letter_stored.html",
        status=status,
        detail=found,
        one=view,
        text=(found.text or "").replace(LINK_PLACEHOLDER, SHOWN_LINK),
        plain=request.query_params.get("dang") == "chu",
        states=STATE_WORDS,
        kinds=KIND_WORDS,
        held_words=HELD_WORDS,
        may_resend=person_of(request).can_decide and view.state in RESENDABLE,
        may_release=held and day_open,
        may_close=held and view.held is HeldReason.RESTORED,
        form=form,
        said=told(request),
    )


@router.api_route(BASE + "/{number}", methods=_READ, name="letter_stored")
def letter_stored(request: Request, number: int) -> Response:
    """One letter as it was sent, the placeholder in place of its live link."""
    return show_letter(request, number, FormState(), 200)


@router.api_route(BASE + "/{number}/noi-dung", methods=_READ, name="letter_stored_body")
def letter_stored_body(request: Request, number: int) -> Response:
    """The letter's own page, for the frame; nothing in it leads anywhere."""
    html = _found(request, number).html
    if html is None:
        raise NotThere("Thư này chưa có nội dung.")
    inert = _LINK.sub(_inert, html).replace(LINK_PLACEHOLDER, SHOWN_LINK)
    return HTMLResponse(
        inert, headers={"content-security-policy": POLICY, "x-frame-options": "SAMEORIGIN"}
    )


def _inert(found: re.Match[str]) -> str:
    return found[0] if "data:" in found[0] else ""


def _resend(number: int) -> Do:
    def do(session: Session, stamp: Stamp, reading: Reading) -> str:
        address = reading.line("email")
        reading.done()
        if resend(session, stamp, number, address=address) is Resent.QUEUED:
            return f"Thư sẽ được gửi lại đến {address} trong lượt gửi tới."
        return f"Các việc trong thư này sẽ được nhắc trong thư kế tiếp gửi đến {address}."

    return do


def _release_one(number: int) -> Do:
    def do(session: Session, stamp: Stamp, _reading: Reading) -> str:
        need_coordinator(stamp)
        release_held(session, stamp, letter_ids=[number])
        return "Đã cho phép gửi thư này; thư đi trong lượt gửi tới."

    return do


def _close_one(number: int) -> Do:
    def do(session: Session, stamp: Stamp, _reading: Reading) -> str:
        need_coordinator(stamp)
        close_held(session, stamp, letter_ids=[number])
        return "Đã đóng thư này, không gửi nữa."

    return do


DEEDS: Final[dict[str, Any]] = {
    "gui-lai": _resend,
    "cho-gui": _release_one,
    "dong": _close_one,
}


@router.post(BASE + "/{number}/{deed}", name="letter_act")
def letter_act(request: Request, number: int, deed: str, form: Form) -> Response:
    """Send a letter again, let a held one go, or close one that a restore holds."""
    if deed not in DEEDS:
        raise NotThere
    _found(request, number)
    return file_form(
        request,
        form,
        deed,
        DEEDS[deed](number),
        then=f"{BASE}/{number}",
        show=lambda state, code: show_letter(request, number, state, code),
    )
