"""An agency's own findings of inspections, and its reports on mending them (rules 45, 46)."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from operations.errors import NotFound
from operations.finding_reports import MendedReport, file_of, report_finding, reports_of
from operations.findings import FOLLOWED, STATE_WORDS, findings, is_overdue
from operations.stamp import Stamp
from portal.audit_tables import findings_table
from portal.door_forms import file_at_door
from portal.doorway import Doorway, by_account, by_link
from portal.downloads import hand_out_file
from portal.errors import NotThere
from portal.exporting import takes_away
from portal.forms import FormState, Posted, posted
from portal.pages.agency import BASE, LINK, AccountDoor, LinkDoor
from portal.portal import portal_of
from portal.reading import Reading
from portal.told import told
from portal.typed import typed_lines
from reports.tables import Table

router = APIRouter()
_READ = ["GET", "HEAD"]
_PATH: Final = "/kien-nghi"
_DEED: Final = "da-khac-phuc"
Form = Annotated[Posted, Depends(posted)]


def show(request: Request, door: Doorway, form: FormState, status: int = 200) -> Response:
    """The agency's own findings: what is to be mended first, then what waits, then the rest."""
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        rows = findings(session, agency=door.agency)
        reports = reports_of(session, [row.id for row in rows])
    order = {"open": 0, "reported": 1}
    rows.sort(key=lambda row: order.get(row.state, 2))
    return portal.pages(
        request,
        "own_findings.html",
        status=status,
        door=door,
        rows=[(row, is_overdue(row, portal.today)) for row in rows],
        reports=reports,
        states=STATE_WORDS,
        followed=FOLLOWED,
        form=form,
        lost=typed_lines(form) if form.problem else (),
        said=told(request),
    )


def _act(request: Request, door: Doorway, number: int, deed: str, form: Posted) -> Response:
    if deed != _DEED:
        raise NotThere

    def do(session: Session, stamp: Stamp, reading: Reading) -> str:
        report = MendedReport(
            text=reading.text("report"),
            document=reading.line("document") or None,
            issued_on=reading.day("issued_on"),
            files=[(one.sha256, one.file_name) for one in reading.files],
        )
        reading.done()
        version = form.number("version")
        try:
            report_finding(session, stamp, number, report, expected_version=version)
        except NotFound as error:
            raise (error if error.field == "file" else NotThere()) from None
        return "Đã ghi nhận báo cáo khắc phục; cơ quan điều phối xem xét, xác nhận."

    return file_at_door(
        request,
        door,
        form,
        f"{_DEED}-{number}",
        do,
        then=f"{door.base}{_PATH}",
        show=lambda state, status: show(request, door, state, status),
        files=True,
    )


def _file(request: Request, door: Doorway, number: int, sha256: str) -> Response:
    with portal_of(request).runtime.database.read() as session:
        try:
            name = file_of(session, number, sha256, agency=door.agency)
        except NotFound:
            raise NotThere from None
    return hand_out_file(request, sha256, name, what=f"finding/{number}", who=door.reader)


@router.api_route(LINK + _PATH, methods=_READ, name="link_findings")
def link_findings(request: Request, door: LinkDoor) -> Response:
    """The findings, by link."""
    return show(request, door, FormState())


@router.post(LINK + _PATH + "/{number}/{deed}", name="link_findings_act")
def link_findings_act(
    request: Request, door: LinkDoor, number: int, deed: str, form: Form
) -> Response:
    """A report, by link."""
    return _act(request, door, number, deed, form)


@router.api_route(LINK + _PATH + "/{number}/tep/{sha256}", methods=_READ, name="link_findings_file")
def link_findings_file(request: Request, door: LinkDoor, number: int, sha256: str) -> Response:
    """A file of a report, by link."""
    return _file(request, door, number, sha256)


@router.api_route(BASE + _PATH, methods=_READ, name="agency_findings")
def agency_findings(request: Request, door: AccountDoor) -> Response:
    """The findings, by account."""
    return show(request, door, FormState())


@router.post(BASE + _PATH + "/{number}/{deed}", name="agency_findings_act")
def agency_findings_act(
    request: Request, door: AccountDoor, number: int, deed: str, form: Form
) -> Response:
    """A report, by account."""
    return _act(request, door, number, deed, form)


@router.api_route(
    BASE + _PATH + "/{number}/tep/{sha256}", methods=_READ, name="agency_findings_file"
)
def agency_findings_file(request: Request, door: AccountDoor, number: int, sha256: str) -> Response:
    """A file of a report, by account."""
    return _file(request, door, number, sha256)


def _table(request: Request, door: Doorway) -> Table:
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        rows = findings(session, agency=door.agency)
        return findings_table(rows, {door.agency: door.agency_name}, portal.today)


takes_away(router, "link_findings", lambda request: _table(request, by_link(request)))
takes_away(router, "agency_findings", lambda request: _table(request, by_account(request)))
