"""Danh mục, nhập dữ liệu: starting late, by a workbook that is checked whole (rule 19)."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from notifications.formats import vn_number
from operations.contact_files import FileError, FileRefused
from operations.errors import Conflict, NotFound, Refused
from operations.import_file import HELP, template_file
from operations.import_results import Verdict
from operations.import_sheets import RESULTS, Sheets, pack, read_workbook, unpack
from operations.importing import Outcome, take_over
from operations.stamp import Stamp
from operations.state import plan_keys
from portal.errors import NotThere
from portal.filing import file_form
from portal.filled_files import hand_out_template, only_upload, read_preview, sign_preview
from portal.forms import FormState, Posted, posted
from portal.portal import address_of, portal_of
from portal.reading import Reading
from portal.throttle import POSTS
from portal.told import told
from portal.visitors import person_of

router = APIRouter()
_READ = ["GET", "HEAD"]
PAGE: Final = "/danh-muc/nhap-du-lieu"
_SALT: Final = "import-plan"
_TOO_LARGE: Final = FileError(
    problem="Tệp quá lớn để xem trước một lần", remedy="Chia theo năm thành nhiều tệp"
)
VERDICTS: Final = {
    Verdict.NEW: "Kết quả mới",
    Verdict.CORRECTED: "Đính chính",
    Verdict.SAME: "Giữ nguyên",
    Verdict.BLANK: "Chưa có dữ liệu",
}
Form = Annotated[Posted, Depends(posted)]


class _Looked(Exception):
    """Ends the transaction of a preview, which writes nothing."""


def _plan(session: Session, asked: str | None) -> str:
    keys = plan_keys(session)
    if asked is None and keys:
        return keys[0]
    if asked not in keys:
        raise NotThere
    return asked


def _show(
    request: Request, *, form: FormState | None = None, status: int = 200, **found: Any
) -> Response:
    portal = portal_of(request)
    with portal.runtime.database.read() as session:
        plans = plan_keys(session)
    values: dict[str, Any] = {"errors": (), "outcome": None, "signed": ""}
    return portal.pages(
        request,
        "import_file.html",
        status=status,
        form=form or FormState(),
        plans=plans,
        verdicts=VERDICTS,
        help=HELP,
        results=RESULTS,
        said=told(request),
        **(values | found),
    )


@router.api_route(PAGE, methods=_READ, name="import_file")
def import_file(request: Request) -> Response:
    """Where the workbook is taken and brought back."""
    return _show(request)


@router.api_route(PAGE + "/tep-mau.xlsx", methods=_READ, name="import_file_template")
def import_file_template(request: Request) -> Response:
    """The workbook with everything that is known; that it was taken is logged."""

    def make(session: Session) -> tuple[bytes, str]:
        plan = _plan(session, request.query_params.get("de-an"))
        return template_file(session, plan, portal_of(request).today), ""

    return hand_out_template(request, make, name="tien-do-nhap-du-lieu")


@router.post(PAGE, name="import_file_preview")
def import_file_preview(request: Request, form: Form) -> Response:
    """What a filled workbook would do, or all that is wrong with it; nothing is written."""
    portal, person = portal_of(request), person_of(request)
    portal.throttle.hit(POSTS, f"account:{person.account}")
    stamp = portal.stamp(person.actor(address_of(request)))
    try:
        sheets = read_workbook(*only_upload(form, ".xlsx"))
        plan, outcome = _look(request, stamp, sheets, form.fields.get("de-an"))
        shown = [plan, outcome.digest, pack(sheets)]
        signed = ""
        if outcome.changes:
            signed = sign_preview(portal, _SALT, person, shown, too_large=_TOO_LARGE)
    except FileRefused as refused:
        return _show(request, status=422, errors=refused.errors)
    except Refused as refused:
        return _show(request, status=422, form=FormState().with_error(None, str(refused)))
    return _show(request, outcome=outcome, signed=signed)


def _look(request: Request, stamp: Stamp, sheets: Sheets, asked: str | None) -> tuple[str, Outcome]:
    found: list[tuple[str, Outcome]] = []
    try:
        with portal_of(request).runtime.database.write() as session:
            plan = _plan(session, asked)
            found.append((plan, take_over(session, stamp, plan, sheets, preview=True)))
            raise _Looked
    except _Looked:
        return found[0]


@router.post(PAGE + "/ap-dung", name="import_file_apply")
def import_file_apply(request: Request, form: Form) -> Response:
    """Do what the preview showed, all of it or nothing."""

    def do(session: Session, stamp: Stamp, _reading: Reading) -> str:
        plan, digest, packed = read_preview(request, form, _SALT, 3)
        if plan not in plan_keys(session):
            raise NotFound("Đề án này không còn theo dõi; đề nghị tải tệp lên lại.")
        return _apply(session, stamp, plan, unpack(packed), digest)

    return file_form(
        request,
        form,
        "ap-dung",
        do,
        then=PAGE,
        show=lambda state, code: _show(request, form=state, status=code),
    )


def _apply(session: Session, stamp: Stamp, plan: str, sheets: Sheets, digest: str) -> str:
    msg = (
        "Dữ liệu đã thay đổi sau khi xem trước. Chưa ghi gì; đề nghị tải lại tệp để xem trước "
        "theo dữ liệu mới."
    )
    try:
        done = take_over(session, stamp, plan, sheets)
    except FileRefused:
        raise Conflict(msg) from None
    if not done.changes:
        return "Không có gì thay đổi: dữ liệu đã như trong tệp."
    if done.digest != digest:
        raise Conflict(msg)
    verdicts = done.verdicts
    told = (
        f"Đã nhập: {vn_number(len(done.agencies.new))} cơ quan, "
        f"{vn_number(done.contact_changes)} liên hệ, {vn_number(len(done.accounts.new))} tài "
        f"khoản, {vn_number(len(done.results.openings))} kỳ, "
        f"{vn_number(verdicts[Verdict.NEW])} kết quả mới, "
        f"{vn_number(verdicts[Verdict.CORRECTED])} đính chính."
    )
    if done.accounts.left:
        told += (
            f" Còn {vn_number(len(done.accounts.left))} tài khoản do người quản trị mở bằng chính "
            "tệp này."
        )
    if done.left_results:
        told += f" Còn {vn_number(done.left_results)} kết quả do cơ quan điều phối nhập."
    if done.accounts.new:
        told += " Người quản trị gửi liên kết đặt mật khẩu tại Danh mục, Tài khoản."
    return told
