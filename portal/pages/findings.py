"""Findings of inspections: read by all who read everything, entered and closed by Sở (rule 45)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from operations.errors import NotPermitted, Refused
from operations.findings import (
    STATE_WORDS,
    NewFinding,
    close_finding,
    findings,
    is_overdue,
    record_finding,
    report_finding,
)
from portal.audit_tables import findings_table
from portal.errors import NotAllowed, NotThere
from portal.exporting import takes_away
from portal.forms import FormState, Posted, posted
from portal.past import looking
from portal.portal import address_of, portal_of
from portal.reading import FormErrors, Reading
from portal.searching import choices
from portal.visitors import person_of
from reports.tables import Table
from rules.actors import AccountRole

router = APIRouter()
_READ = ["GET", "HEAD"]
_PATH = "/kiem-tra/kien-nghi"
_DEEDS = frozenset({"bao-cao", "khac-phuc", "thoi"})
Form = Annotated[Posted, Depends(posted)]


def _show(request: Request, form: FormState, status: int = 200) -> Response:
    portal, person = portal_of(request), person_of(request)
    with looking(request) as view:
        rows, known = findings(view.session), choices(view.session)
    return portal.pages(
        request,
        "findings.html",
        status=status,
        form=form,
        rows=[(row, is_overdue(row, view.today)) for row in rows],
        agencies=known.agencies,
        states=STATE_WORDS,
        may_enter=person.can_decide and not view.is_past,
        may_close=person.role is AccountRole.LEADERSHIP and not view.is_past,
    )


@router.api_route(_PATH, methods=_READ, name="findings")
def findings_page(request: Request) -> Response:
    """Every finding, those with the earliest day first."""
    return _show(request, FormState())


def _file(request: Request) -> Table:
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        return findings_table(findings(session), choices(session).agencies, portal.today)


takes_away(router, "findings", _file)


@router.post(_PATH, name="finding_record")
def finding_record(request: Request, form: Form) -> Response:
    """Enter a finding."""
    return _take(request, form, "ghi", 0)


@router.post(_PATH + "/{number}/{deed}", name="finding_act")
def finding_act(request: Request, form: Form, number: int, deed: str) -> Response:
    """Enter the agency's report on a finding, or close it."""
    if deed not in _DEEDS:
        raise NotThere
    return _take(request, form, deed, number)


def _take(request: Request, form: Posted, deed: str, number: int) -> Response:
    portal = portal_of(request)
    stamp = portal.stamp(person_of(request).actor(address_of(request)))
    read = Reading(form)
    state = FormState(deed=f"{deed}-{number}", values=form.fields)
    try:
        with portal.runtime.database.write() as session:
            if deed == "ghi":
                new = NewFinding(
                    document=read.line("document"),
                    text=read.text("text"),
                    agency=read.line("agency"),
                    issued_on=read.day("issued_on"),
                    due_on=read.day("due_on"),
                )
                read.done()
                record_finding(session, stamp, new)
            elif deed == "bao-cao":
                report, code = read.text("report"), read.line("document")
                read.done()
                report_finding(session, stamp, number, report=report, document=code)
            else:
                reason, code = read.text("reason"), read.line("document")
                read.done()
                fixed = deed == "khac-phuc"
                close_finding(session, stamp, number, fixed=fixed, reason=reason, document=code)
    except FormErrors as error:
        for name, message in error.errors.items():
            state = state.with_error(name, message)
        return _show(request, state, 422)
    except NotPermitted as error:
        raise NotAllowed(str(error)) from None
    except Refused as error:
        return _show(request, state.with_error(error.field, str(error)), 422)
    return RedirectResponse(_PATH, status_code=303)
