""" "Giao bổ sung": work outside the appendix, given by a form with a preview (rule 44)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from operations.added import AddedInput, add_work
from operations.added_changes import Amendment, amend_added, cancel_added
from operations.added_preview import AddedPreview, preview_added
from operations.errors import NotFound
from operations.plans_seen import agencies_elsewhere
from operations.queries_added import AddedView, added_one, added_works
from operations.stamp import Stamp
from operations.state import load_directory, load_plan, plan_keys
from portal.added_tables import added_table
from portal.attempts import attempt
from portal.errors import NotThere
from portal.exporting import takes_away
from portal.filing import file_form
from portal.forms import FormState, Posted
from portal.pages.queues import Form
from portal.pages.year_dates import AUTHORITIES
from portal.past import looking
from portal.portal import address_of, portal_of
from portal.reading import Reading
from portal.throttle import POSTS
from portal.told import say, told
from portal.visitors import person_of
from reports.tables import Table
from rules.values import Audience, Confirmation, DateAuthority, LeadMode

router = APIRouter()
_READ = ["GET", "HEAD"]
PATH: Final = "/nhiem-vu/giao-bo-sung"
KEY: Final = "giao"
LEAD, PARTNER = "lead.", "partner."
MODE_WORDS: Final[Mapping[LeadMode, str]] = {
    LeadMode.EACH: "Mỗi cơ quan chủ trì phần việc của mình",
    LeadMode.SINGLE: "Một cơ quan chủ trì",
    LeadMode.JOINT: "Các cơ quan cùng chủ trì; tất cả phải hoàn thành",
}
CONFIRMATION_WORDS: Final[Mapping[Confirmation, str]] = {
    Confirmation.REQUIRED: "Cơ quan điều phối xác nhận từng kết quả",
    Confirmation.ACCEPT: "Ghi nhận ngay, kiểm tra mẫu sau",
}
AUDIENCE_WORDS: Final[Mapping[Audience, str]] = {
    Audience.MAILBOX: "hộp thư cơ quan",
    Audience.FOCAL: "đầu mối",
    Audience.HEAD: "lãnh đạo phụ trách",
    Audience.COORDINATOR: "cơ quan điều phối",
}


def _chosen(form: Posted, prefix: str) -> tuple[str, ...]:
    """The agencies and groups that were ticked, groups first."""
    found = [name.removeprefix(prefix) for name in form.fields if name.startswith(prefix)]
    return tuple(sorted(found, key=lambda ref: not ref.startswith("@")))


def _choice(reading: Reading, name: str, allowed: Sequence[str], message: str) -> str:
    found = reading.line(name)
    if found not in allowed:
        reading.errors[name] = message
        return allowed[0]
    return found


def read_added(form: Posted) -> AddedInput:
    """The form as values.

    Raises:
        FormErrors: a date or a choice cannot be read.
    """
    reading, leads = Reading(form), _chosen(form, LEAD)
    mode = reading.line("lead_mode") or (LeadMode.SINGLE if len(leads) == 1 else LeadMode.EACH)
    if mode not in set(MODE_WORDS):
        reading.errors["lead_mode"] = "Đề nghị chọn cách chủ trì."
    asked = AddedInput(
        basis_code=reading.line("basis_code"),
        basis_on=reading.day("basis_on"),
        task=reading.text("task"),
        product=reading.text("product"),
        due_on=reading.day("due_on"),
        leads=leads,
        partners=_chosen(form, PARTNER),
        lead_mode=LeadMode(mode) if mode in set(MODE_WORDS) else LeadMode.EACH,
        confirmation=_confirmation(reading),
        authority=_authority(reading),
    )
    reading.done()
    return asked


def _confirmation(reading: Reading) -> Confirmation:
    message = "Đề nghị chọn cách xác nhận kết quả."
    return Confirmation(_choice(reading, "confirmation", list(CONFIRMATION_WORDS), message))


def _authority(reading: Reading) -> DateAuthority:
    message = "Đề nghị chọn cơ quan ấn định hạn."
    return DateAuthority(_choice(reading, "authority", list(AUTHORITIES), message))


def _plan(session: Session, asked: str) -> str:
    keys = plan_keys(session)
    if not keys or (asked and asked not in keys):
        raise NotThere
    return asked or keys[0]


def _show(request: Request, form: FormState, status: int = 200) -> Response:
    portal = portal_of(request)
    with looking(request) as view:
        session = view.session
        rows, directory = added_works(session), load_directory(session)
        plans = [load_plan(session, key) for key in plan_keys(session)]
        hidden = agencies_elsewhere(session)
    return portal.pages(
        request,
        "added.html",
        status=status,
        form=form,
        rows=rows,
        plans=plans,
        groups=[
            one for one in directory.groups if directory.resolve([f"@{one.key}"], portal.today)
        ],
        agencies=[one for one in directory.valid_on(portal.today) if one.key not in hidden],
        modes=MODE_WORDS,
        confirmations=CONFIRMATION_WORDS,
        authorities=AUTHORITIES,
        may=person_of(request).can_decide and not view.is_past,
        said=told(request),
    )


@router.api_route(PATH, methods=_READ, name="added")
def added(request: Request) -> Response:
    """All added work, and the form that adds more."""
    return _show(request, FormState())


def _file(request: Request) -> Table:
    with looking(request) as view:
        table = added_table(added_works(view.session))
    return replace(table, notes=(*view.notes, *table.notes))


takes_away(router, "added", _file)


@router.post(PATH + "/xem-truoc", name="added_preview")
def added_preview(request: Request, form: Form) -> Response:
    """Whom it would reach and when letters would go; ``sua`` goes back to the form as typed."""
    state = FormState(deed=KEY, values=form.fields)
    if form.ticked("sua"):
        return _show(request, state)
    portal, found = portal_of(request), list[AddedPreview]()
    stamp = portal.stamp(person_of(request).actor(address_of(request)))

    def look(session: Session) -> None:
        plan = _plan(session, form.fields.get("de-an", ""))
        found.append(preview_added(session, stamp, plan, read_added(form)))

    failed = attempt(portal, state, look)
    if failed is not None:
        return _show(request, failed.form, failed.status)
    return portal.pages(
        request,
        "added_preview.html",
        found=found[0],
        carried={name: text for name, text in form.fields.items() if name not in {"mark", "code"}},
        modes=MODE_WORDS,
        confirmations=CONFIRMATION_WORDS,
        authorities=AUTHORITIES,
        audiences=AUDIENCE_WORDS,
    )


@router.post(PATH, name="added_give")
def added_give(request: Request, form: Form) -> Response:
    """Give the work: it is opened at once."""
    portal, person, said = portal_of(request), person_of(request), list[str]()
    portal.throttle.hit(POSTS, f"account:{person.account}")
    stamp = portal.stamp(person.actor(address_of(request)))

    def do(session: Session) -> None:
        plan, code = _plan(session, form.fields.get("de-an", "")), form.fields.get("code")
        done = add_work(session, stamp, plan, read_added(form), expected_code=code or None)
        said.append(f"Đã giao {done.code}: {done.assignments} phân công, hạn {_vn(done.due_on)}.")

    failed = attempt(portal, FormState(deed=KEY, values=form.fields), do)
    if failed is not None:
        return _show(request, failed.form, failed.status)
    return RedirectResponse(say(request, PATH, said[0]), status_code=303)


def _vn(day: date) -> str:
    return f"{day.day}/{day.month}/{day.year}"


def _one(session: Session, number: int) -> AddedView:
    try:
        return added_one(session, number)
    except NotFound as error:
        raise NotThere(str(error)) from None


def _show_one(request: Request, number: int, form: FormState, status: int = 200) -> Response:
    portal = portal_of(request)
    with looking(request) as view:
        found = _one(view.session, number)
    return portal.pages(
        request,
        "added_one.html",
        status=status,
        form=form,
        one=found,
        confirmations=CONFIRMATION_WORDS,
        authorities=AUTHORITIES,
        may=person_of(request).can_decide and not view.is_past,
        said=told(request),
    )


@router.api_route(PATH + "/{number:int}", methods=_READ, name="added_one")
def one(request: Request, number: int) -> Response:
    """One added work with the forms that amend and end it."""
    return _show_one(request, number, FormState())


@router.post(PATH + "/{number:int}/{deed}", name="added_act")
def added_act(request: Request, form: Form, number: int, deed: str) -> Response:
    """Amend it while nobody has begun, or follow it no longer."""
    if deed not in {"dieu-chinh", "thoi"}:
        raise NotThere
    with portal_of(request).runtime.database.read() as session:
        found = _one(session, number)
    key = found.item.key

    def amend(session: Session, stamp: Stamp, reading: Reading) -> str:
        changed = amend_added(session, stamp, found.plan, key, _amendment(reading))
        return f"Đã điều chỉnh {key}: {', '.join(changed)}."

    def end(session: Session, stamp: Stamp, reading: Reading) -> str:
        reason, document = reading.text("reason"), reading.line("document")
        reading.done()
        done = cancel_added(
            session,
            stamp,
            found.plan,
            key,
            reason=reason,
            document=document or None,
        )
        if done.proposed:
            return f"Đã đề xuất thôi theo dõi {key}: {done.proposed} phân công chờ lãnh đạo duyệt."
        return f"Đã thôi theo dõi {key}: {done.ended} phân công."

    return file_form(
        request,
        form,
        deed,
        amend if deed == "dieu-chinh" else end,
        then=f"{PATH}/{number}",
        show=lambda state, status: _show_one(request, number, state, status),
    )


def _amendment(reading: Reading) -> Amendment:
    asked = Amendment(
        basis_code=reading.line("basis_code"),
        basis_on=reading.day("basis_on"),
        task=reading.text("task"),
        product=reading.text("product"),
        due_on=reading.day("due_on"),
        confirmation=_confirmation(reading),
        authority=_authority(reading),
        reason=reading.text("reason"),
        expected_version=reading.posted.number("version"),
    )
    reading.done()
    return asked
