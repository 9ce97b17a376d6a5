"""Kiểm chứng lịch sử: how the log stands, verifying it now, checkpoints and proofs to take (38)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Event, Verification
from operations.access import log_access
from operations.errors import Conflict, NotFound, Refused
from operations.log_found import PASTED, Outside
from operations.proofs import Proof, prove, readable, sealed_at
from operations.queries_history import HistoryLine, lines_of
from operations.sealing import ages, last_checkpoint
from portal.downloads import attachment
from portal.errors import NotThere
from portal.forms import FieldError, FormState
from portal.history_words import act_word
from portal.pages.queues import Form
from portal.pages.runs import client_of
from portal.portal import Portal, address_of, portal_of
from portal.throttle import POSTS
from portal.told import say, told
from portal.verifying_later import SILENT, ask_for, going_on
from portal.visitors import person_of
from rules.notes import BadNote, VerifyingKey, parse_note
from runtime.locks import AlreadyHeld, FolderLock
from runtime.prefect_client import PrefectDown, Run
from runtime.verifying import verify

router = APIRouter()
_READ = ["GET", "HEAD"]
PATH: Final = "/kiem-tra/lich-su"
MOST_HERE: Final = 300_000
"""Events that are verified while somebody waits; a longer history is verified by a run of its own."""
LISTED: Final = 10
PATIENCE: Final = 10.0
"""Seconds for which whoever asks for a run waits for Prefect."""
LOCK_FILE: Final = "verify.lock"
_NO_NOTE: Final = (
    "Nội dung dán vào không có niêm phong. Đề nghị dán nguyên văn từ thư đã nhận hoặc tệp đã tải về, "
    "từ dòng đầu của niêm phong đến hết dòng bắt đầu bằng dấu “—”."
)


def age_words(age: timedelta | None) -> str:
    """How long ago, for people: minutes below two hours, hours below two days, then days."""
    if age is None:
        return "chưa có"
    minutes = max(0, int(age.total_seconds() // 60))
    if minutes < 1:
        return "vừa xong"
    if minutes < 120:
        return f"{minutes} phút trước"
    hours = minutes // 60
    return f"{hours} giờ trước" if hours < 48 else f"{hours // 24} ngày trước"


def _keys(request: Request) -> tuple[VerifyingKey, ...]:
    try:
        return portal_of(request).runtime.key_folder.verifying()
    except BadNote:
        return ()


def _show(request: Request, form: FormState, status: int = 200) -> Response:
    portal = portal_of(request)
    now = portal.runtime.clock.now()
    with portal.runtime.database.read() as session:
        standing, last = ages(session, now), last_checkpoint(session)
        query = select(Verification).order_by(Verification.id.desc()).limit(LISTED)
        checks = list(session.scalars(query))
    too_long = standing.sealed > MOST_HERE
    return portal.pages(
        request,
        "verifying.html",
        status=status,
        form=form,
        standing=standing,
        last=last,
        checks=checks,
        keys=_keys(request),
        ago=age_words,
        now=now,
        path=PATH,
        too_long=too_long,
        running=_running(portal) if too_long else None,
        address=portal.runtime.settings.auditors_address,
        said=told(request),
    )


def _running(portal: Portal) -> Run | None:
    try:
        return going_on(client_of(portal.runtime.settings.prefect_url), portal.runtime.clock.now())
    except PrefectDown:
        return None  # whoever asks for a run is told


@router.api_route(PATH, methods=_READ, name="verifying")
def show_verifying(request: Request) -> Response:
    """Sealed, pending, the last checkpoint, the last verification."""
    return _show(request, FormState())


@router.post(f"{PATH}/kiem-chung", name="verify_now")
def verify_now(request: Request, form: Form) -> Response:
    """Verify the whole history, against a checkpoint that was pasted in if there is one.

    A long history is verified by a run in the background, whose result the page shows when it ends.
    """
    portal, person = portal_of(request), person_of(request)
    portal.throttle.hit(POSTS, f"account:{person.account}")
    state = FormState(deed="kiem-chung", values=form.fields)
    try:
        outside = _pasted(form.text("note"))
        with portal.runtime.database.read() as session:
            too_long = ages(session, portal.runtime.clock.now()).sealed > MOST_HERE
        if too_long:
            return _later(request, form.text("note"))
        with FolderLock(portal.runtime.settings.data_dir / LOCK_FILE):
            found = verify(portal.runtime, by=person.name, against=outside)
    except FieldError as error:
        return _show(request, state.with_error("note", str(error)), 422)
    except PrefectDown:
        return _show(request, replace(state, problem=SILENT), 503)
    except Conflict as error:
        return _show(request, replace(state, problem=str(error)), 409)
    except AlreadyHeld:
        busy = "Một lần kiểm chứng khác đang chạy; đề nghị đợi ít phút rồi tải lại trang."
        return _show(request, replace(state, problem=busy), 409)
    except Refused as error:
        return _show(request, replace(state, problem=str(error)), 422)
    word = "lịch sử còn nguyên vẹn" if found.whole else f"phát hiện {found.wrong} chỗ sai"
    return RedirectResponse(say(request, PATH, f"Đã kiểm chứng: {word}."), status_code=303)


def _later(request: Request, note: str) -> Response:
    """Ask for a run that verifies; who asked is logged, and stands in the result."""
    portal, person = portal_of(request), person_of(request)
    client = client_of(portal.runtime.settings.prefect_url, PATIENCE)
    now = portal.runtime.clock.now()
    started = ask_for(client, now, note=note.strip(), by=person.name)
    with portal.runtime.database.write() as session:
        log_access(
            session,
            at=now,
            actor=f"account:{person.username}",
            method="POST",
            path=f"{PATH}/kiem-chung?run={started}",
            address=address_of(request),
        )
    sentence = "Đã đặt kiểm chứng chạy nền. Kết quả hiện ở trang này khi chạy xong."
    return RedirectResponse(say(request, PATH, sentence), status_code=303)


def _pasted(text: str) -> list[Outside]:
    if not text.strip():
        return []
    try:
        return [Outside(source=PASTED, note=parse_note(text))]
    except BadNote:
        raise FieldError(_NO_NOTE) from None


@router.api_route(f"{PATH}/niem-phong", methods=_READ, name="checkpoint_file")
def checkpoint_file(request: Request) -> Response:
    """The newest checkpoint as a file, word for word."""
    with portal_of(request).runtime.database.read() as session:
        last = last_checkpoint(session)
    if last is None:
        raise NotThere("Chưa có niêm phong nào; hệ thống niêm phong 15 phút một lần.")
    return _file(last.note, f"niem-phong-{last.size}.txt", "text/plain; charset=utf-8")


@router.api_route(f"{PATH}/khoa", methods=_READ, name="seal_keys")
def seal_keys(request: Request) -> Response:
    """The public keys, a line each, the one in use last."""
    keys = _keys(request)
    if not keys:
        raise NotThere("Chưa có khóa niêm phong; khóa được tạo khi niêm phong lần đầu.")
    text = "".join(f"{key.text}\n" for key in keys)
    return _file(text, "khoa-niem-phong.txt", "text/plain; charset=utf-8")


def _line(session: Session, number: int) -> HistoryLine:
    """The event, where there is one and it is this person's to read."""
    found = lines_of(session, select(Event).where(Event.id == number))
    if not found:
        raise NotThere(f"Không có sự kiện số {number}.")
    return found[0]


@router.api_route("/lich-su/{number}/bang-chung", methods=_READ, name="event_proof")
def event_proof(request: Request, number: int) -> Response:
    """The proof of one event, readable; or why there is none."""
    portal = portal_of(request)
    proof, problem, first = None, "", None
    with portal.runtime.database.read() as session:
        line = _line(session, number)
        try:
            proof = prove(session, number, _keys(request))
            first = sealed_at(session, number)
        except NotFound as error:
            raise NotThere(str(error)) from None
        except Refused as error:
            problem = str(error)
    return portal.pages(
        request,
        "proof.html",
        number=number,
        line=line,
        act=act_word(line.entity, line.action),
        proof=proof,
        problem=problem,
        rows=[] if proof is None else readable(proof),
        canonical="" if proof is None else _spread(proof),
        sealed_at=None if first is None else first.at,
        path=PATH,
    )


def _spread(proof: Proof) -> str:
    """The event's text, spread over lines for the eye."""
    told_values = json.loads(proof.canonical)
    told_values["snapshot"] = json.loads(told_values["snapshot"])
    return json.dumps(told_values, ensure_ascii=False, indent=1)


@router.api_route("/lich-su/{number}/bang-chung/tep", methods=_READ, name="event_proof_file")
def event_proof_file(request: Request, number: int) -> Response:
    """The same as a file that a program checks."""
    with portal_of(request).runtime.database.read() as session:
        _line(session, number)
        try:
            proof = prove(session, number, _keys(request))
        except Refused as error:
            raise NotThere(str(error)) from None
    text = json.dumps(proof.as_json(), ensure_ascii=False, indent=1) + "\n"
    return _file(text, f"bang-chung-{number}.json", "application/json")


def _file(text: str, name: str, media_type: str) -> Response:
    headers = {"content-disposition": attachment(name)}
    return Response(text.encode(), media_type=media_type, headers=headers)
