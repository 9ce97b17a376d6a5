"""Danh mục, chính sách: the policies in force, and the form that changes one (rules 8, 20)."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from operations.policies import PolicyView, policies, set_policy
from operations.stamp import Stamp
from operations.state import load_plan, plan_keys
from portal.errors import NotThere
from portal.filing import file_form
from portal.forms import FormState
from portal.pages.added import AUDIENCE_WORDS
from portal.pages.contacts import BASE
from portal.pages.queues import Form
from portal.past import looking
from portal.permissions import POLICIES, visitor_of
from portal.portal import portal_of
from portal.reading import Reading
from portal.told import told
from portal.visitors import person_of

router = APIRouter()
_READ = ["GET", "HEAD"]
PATH: Final = f"{BASE}/chinh-sach"


def value_word(one: PolicyView, value: object) -> str:
    """A value of a policy as people read it."""
    if one.kind.words is not None:
        key = str(value).lower() if isinstance(value, bool) else str(value)
        return one.kind.words[key]
    shown = f"{value:g}" if isinstance(value, float) else str(value)
    return f"{shown.replace('.', ',')} {one.kind.unit}"


def typed_value(one: PolicyView) -> str:
    """The value as a form has it."""
    if isinstance(one.value, bool):
        return str(one.value).lower()
    return f"{one.value:g}".replace(".", ",") if isinstance(one.value, float) else str(one.value)


def _plan(session: Session, asked: str) -> str:
    keys = plan_keys(session)
    if not keys or (asked and asked not in keys):
        raise NotThere
    return asked or keys[0]


def _show(request: Request, form: FormState, status: int = 200) -> Response:
    portal = portal_of(request)
    asked = form.values.get("de-an") or request.query_params.get("de-an", "")
    with looking(request) as view:
        session = view.session
        key = _plan(session, asked)
        found, plan = policies(session, key), load_plan(session, key)
        plans = [load_plan(session, one) for one in plan_keys(session)]
    return portal.pages(
        request,
        "policies.html",
        status=status,
        form=form,
        plan=plan,
        plans=plans,
        sections=(
            ("Hai bước", [one for one in found if one.name.startswith("two_step.")]),
            ("Thời hạn, số lần, thư", [one for one in found if "." not in one.name]),
            (
                "Cách xác nhận kết quả",
                [one for one in found if one.name.startswith("confirm") and "." in one.name],
            ),
        ),
        word=value_word,
        typed=typed_value,
        audiences=AUDIENCE_WORDS,
        may=visitor_of(person_of(request).role) in POLICIES and not view.is_past,
        said=told(request),
    )


@router.api_route(PATH, methods=_READ, name="policies")
def show_policies(request: Request) -> Response:
    """What is in force, on what basis, since when and by whom."""
    return _show(request, FormState())


@router.post(PATH + "/{name}", name="policy_act")
def policy_act(request: Request, form: Form, name: str) -> Response:
    """Change one policy, or give it back to the catalog (``tra=1``)."""
    with portal_of(request).runtime.database.read() as session:
        plan = _plan(session, form.fields.get("de-an", ""))

    def do(session: Session, stamp: Stamp, reading: Reading) -> str:
        value, basis = reading.line("value"), reading.line("basis")
        reason = reading.text("reason")
        reading.done()
        done = set_policy(
            session,
            stamp,
            plan,
            name,
            value=None if form.ticked("tra") else value,
            basis=basis,
            reason=reason,
            expected=form.number("number"),
        )
        return f"{done.title}: {value_word(done, done.value)}, áp dụng từ nay."

    then = PATH if plan == _first(request) else f"{PATH}?de-an={plan}"
    return file_form(
        request, form, name, do, then=then, show=lambda state, code: _show(request, state, code)
    )


def _first(request: Request) -> str:
    with portal_of(request).runtime.database.read() as session:
        return plan_keys(session)[0]
