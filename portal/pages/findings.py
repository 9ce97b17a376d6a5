"""Findings of inspections: read by all who read everything, entered and closed by Sở (rule 45)."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from operations.errors import NotFound
from operations.finding_reports import (
    MendedReport,
    file_of,
    report_finding,
    reports_of,
    return_report,
)
from operations.findings import (
    FOLLOWED,
    STATE_WORDS,
    NewFinding,
    close_finding,
    findings,
    is_overdue,
    record_finding,
)
from operations.stamp import Stamp
from portal.audit_tables import findings_table
from portal.downloads import hand_out_file
from portal.errors import NotThere
from portal.exporting import takes_away
from portal.filing import file_form
from portal.forms import FormState, Posted, posted
from portal.past import looking
from portal.portal import address_of, portal_of
from portal.reading import Reading
from portal.searching import choices
from portal.told import told
from portal.visitors import person_of
from reports.tables import Table
from rules.actors import AccountRole

router = APIRouter()
_READ = ["GET", "HEAD"]
_PATH = "/kiem-tra/kien-nghi"
_SAID = {
    "ghi": "Đã ghi kiến nghị.",
    "bao-cao": "Đã ghi báo cáo khắc phục.",
    "tra-lai": "Đã trả lại báo cáo khắc phục; cơ quan được báo trong thư nhắc gần nhất.",
    "khac-phuc": "Đã xác nhận khắc phục.",
    "thoi": "Đã thôi theo dõi kiến nghị.",
}
Form = Annotated[Posted, Depends(posted)]


def _show(request: Request, form: FormState, status: int = 200) -> Response:
    portal, person = portal_of(request), person_of(request)
    with looking(request) as view:
        rows, known = findings(view.session), choices(view.session)
        reports = reports_of(view.session, [row.id for row in rows])
    return portal.pages(
        request,
        "findings.html",
        status=status,
        form=form,
        rows=[(row, is_overdue(row, view.today)) for row in rows],
        reports=reports,
        agencies=known.agencies,
        states=STATE_WORDS,
        followed=FOLLOWED,
        may_enter=person.can_decide and not view.is_past,
        may_close=person.role is AccountRole.LEADERSHIP and not view.is_past,
        done=told(request),
    )


@router.api_route(_PATH, methods=_READ, name="findings")
def findings_page(request: Request) -> Response:
    """Every finding, those with the earliest day first."""
    return _show(request, FormState())


def _file(request: Request) -> Table:
    with looking(request) as view:
        known = choices(view.session).agencies
        table = findings_table(findings(view.session), known, view.today)
    return replace(table, notes=(*view.notes, *table.notes))


takes_away(router, "findings", _file)


@router.api_route(_PATH + "/{number}/tep/{sha256}", methods=_READ, name="finding_file")
def finding_file(request: Request, number: int, sha256: str) -> Response:
    """A file that was filed with a report on a finding."""
    with portal_of(request).runtime.database.read() as session:
        try:
            name = file_of(session, number, sha256)
        except NotFound:
            raise NotThere from None
    who = person_of(request).actor(address_of(request)).identity
    return hand_out_file(request, sha256, name, what=f"finding/{number}", who=who)


@router.post(_PATH, name="finding_record")
def finding_record(request: Request, form: Form) -> Response:
    """Enter a finding."""
    return _take(request, form, "ghi", 0)


@router.post(_PATH + "/{number}/{deed}", name="finding_act")
def finding_act(request: Request, form: Form, number: int, deed: str) -> Response:
    """Enter an agency's report on a finding, return it, or close the finding."""
    if deed not in _SAID or deed == "ghi":
        raise NotThere
    return _take(request, form, deed, number)


def _take(request: Request, form: Posted, deed: str, number: int) -> Response:
    def do(session: Session, stamp: Stamp, read: Reading) -> str:
        if deed == "ghi":
            _record(session, stamp, read)
        else:
            _decide(session, stamp, read, deed, number)
        return _SAID[deed]

    return file_form(
        request,
        form,
        f"{deed}-{number}",
        do,
        then=_PATH,
        show=lambda state, status: _show(request, state, status),
    )


def _record(session: Session, stamp: Stamp, read: Reading) -> None:
    new = NewFinding(
        document=read.line("document"),
        text=read.text("text"),
        agency=read.line("agency"),
        issued_on=read.day("issued_on"),
        due_on=read.day("due_on"),
    )
    read.done()
    record_finding(session, stamp, new)


def _decide(session: Session, stamp: Stamp, read: Reading, deed: str, number: int) -> None:
    version = read.posted.number("version")
    if deed == "bao-cao":
        report = MendedReport(
            text=read.text("report"),
            document=read.line("document"),
            issued_on=read.day("issued_on"),
        )
        read.done()
        report_finding(session, stamp, number, report, expected_version=version)
        return
    reason, code = read.text("reason"), read.line("document")
    read.done()
    if deed == "tra-lai":
        return_report(session, stamp, number, reason=reason, expected_version=version)
        return
    close_finding(
        session,
        stamp,
        number,
        fixed=deed == "khac-phuc",
        reason=reason,
        document=code,
        expected_version=version,
    )
