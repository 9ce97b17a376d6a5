"""Danh mục, nhập đầu mối từ tệp: a sheet to fill in, a preview, and then all of it or nothing (36)."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Contact, ContactKind
from notifications.formats import vn_number
from operations.contact_files import (
    COLUMNS,
    FileError,
    FileRefused,
    read_contact_file,
)
from operations.contact_plan import FIELDS, Verdict, apply_plan, plan_contacts
from operations.contacts import CONTACT_WORDS
from operations.stamp import Stamp
from operations.state import load_directory
from portal.filing import file_form
from portal.filled_files import hand_out_template, only_upload, read_preview, sign_preview
from portal.forms import FormState, Posted, posted
from portal.portal import address_of, portal_of
from portal.reading import Reading
from portal.throttle import POSTS
from portal.told import told
from portal.visitors import person_of
from reports.contact_sheet import contact_sheet

router = APIRouter()
_READ = ["GET", "HEAD"]
PAGE: Final = "/danh-muc/nhap-dau-moi"
_SALT: Final = "contact-plan"
VERDICTS: Final = {
    Verdict.NEW: "+ Thêm mới",
    Verdict.CHANGED: "● Sửa",
    Verdict.ENDED: "○ Thôi dùng",
    Verdict.SAME: "= Giữ nguyên",
}
HELP: Final = (
    "Mỗi dòng là một liên hệ: cơ quan, loại liên hệ và nội dung. Mỗi cơ quan có tối đa một liên hệ mỗi loại.",
    "Dòng có sẵn nội dung là liên hệ đang dùng: sửa trực tiếp, hoặc để nguyên.",
    "Dòng chỉ có cơ quan và loại liên hệ là chỗ còn thiếu: điền vào, hoặc để trống thì dòng đó được bỏ qua.",
    "Muốn thôi dùng một liên hệ: ghi x ở cột “Thôi dùng”. Xóa dòng khỏi tệp không làm thay đổi liên hệ đó.",
    "Chỉ ghi họ tên, chức vụ, thư điện tử và điện thoại công vụ; không thêm cột khác.",
    "Hộp thư cơ quan, văn thư cần địa chỉ thư; đầu mối, lãnh đạo cần họ và tên.",
)
_FILLED_IN: Final = (ContactKind.MAILBOX, ContactKind.FOCAL)
"""The kinds that the sheet has a row for even where an agency has none (rule 36)."""
Form = Annotated[Posted, Depends(posted)]


def _show(
    request: Request, *, form: FormState | None = None, status: int = 200, **found: Any
) -> Response:
    values: dict[str, Any] = {"errors": (), "steps": (), "signed": "", "counts": {}, "blank": 0}
    return portal_of(request).pages(
        request,
        "contact_file.html",
        status=status,
        form=form or FormState(),
        verdicts=VERDICTS,
        verdict=Verdict,
        fields={name: COLUMNS[name] for name in FIELDS},
        help=HELP,
        said=told(request),
        **(values | found),
    )


@router.api_route(PAGE, methods=_READ, name="contact_file")
def contact_file(request: Request) -> Response:
    """Where the sheet is taken and brought back."""
    return _show(request)


@router.api_route(PAGE + "/tep-mau.xlsx", methods=_READ, name="contact_file_template")
def contact_file_template(request: Request) -> Response:
    """The sheet with every agency and the contacts that it has; that it was taken is logged."""

    def make(session: Session) -> tuple[bytes, str]:
        rows, kinds = _template_rows(session, request), tuple(CONTACT_WORDS.values())
        content = contact_sheet(tuple(COLUMNS.values()), rows, kinds=kinds, help_lines=HELP)
        return content, f" ({len(rows)} dòng)"

    return hand_out_template(request, make, name="tien-do-dau-moi")


def _template_rows(session: Session, request: Request) -> list[tuple[str, ...]]:
    valid = load_directory(session).valid_on(portal_of(request).today)
    twice = {name for name, count in Counter(one.name for one in valid).items() if count > 1}
    # A made-up address must not come back as a real one.
    query = select(Contact).where(Contact.active, Contact.sample.is_(False))
    stored = {(row.agency_key, row.kind): row for row in session.scalars(query)}
    rows = []
    for one in valid:
        named = one.key if one.name in twice else one.name
        for kind, word in CONTACT_WORDS.items():
            row = stored.get((one.key, kind.value))
            if row is not None:
                texts = [getattr(row, field) or "" for field in FIELDS]
                rows.append((named, word, *texts, ""))
            elif kind in _FILLED_IN:
                rows.append((named, word, "", "", "", "", ""))
    return rows


@router.post(PAGE, name="contact_file_preview")
def contact_file_preview(request: Request, form: Form) -> Response:
    """What a filled sheet would change, or all that is wrong with it; nothing is written."""
    portal, person = portal_of(request), person_of(request)
    portal.throttle.hit(POSTS, f"account:{person.account}")
    stamp = portal.stamp(person.actor(address_of(request)))
    try:
        rows = read_contact_file(*only_upload(form, ".xlsx hoặc .csv"))
        with portal.runtime.database.read() as session:
            steps = plan_contacts(session, stamp, rows)
        changes = [one for one in steps if one.verdict is not Verdict.SAME]
        plan = [one.as_json() for one in changes]
        problem = f"Tệp đổi {vn_number(len(changes))} liên hệ cùng lúc, quá nhiều để xem trước"
        too_large = FileError(problem=problem, remedy="Chia thành nhiều tệp")
        signed = sign_preview(portal, _SALT, person, [plan], too_large=too_large)
    except FileRefused as refused:
        return _show(request, status=422, errors=refused.errors)
    return _show(
        request,
        steps=changes,
        signed=signed if changes else "",
        counts=Counter(one.verdict for one in steps),
        blank=len(rows) - len(steps),
    )


@router.post(PAGE + "/ap-dung", name="contact_file_apply")
def contact_file_apply(request: Request, form: Form) -> Response:
    """Do what the preview showed, all of it or nothing."""

    def do(session: Session, stamp: Stamp, _reading: Reading) -> str:
        (plan,) = read_preview(request, form, _SALT, 1)
        done = Counter(one.verdict for one in apply_plan(session, stamp, plan))
        if not done:
            return "Không có gì thay đổi: các liên hệ đã như trong tệp."
        return (
            f"Đã áp dụng: {done[Verdict.NEW]} liên hệ mới, {done[Verdict.CHANGED]} liên hệ sửa, "
            f"{done[Verdict.ENDED]} liên hệ thôi dùng."
        )

    return file_form(
        request,
        form,
        "ap-dung",
        do,
        then=PAGE,
        show=lambda state, code: _show(request, form=state, status=code),
    )
