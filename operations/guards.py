"""What several operations ask before they change anything: who may, and is the input right."""

from __future__ import annotations

import unicodedata
from datetime import date

from sqlalchemy.orm import Session

from operations.errors import NotPermitted, Refused
from operations.stamp import Stamp
from operations.transition import Work, held_capacities
from rules.actors import AccountRole, ActorKind, Capacity
from rules.documents import NotADocumentCode, check_document_code, is_issued_by
from rules.values import DateAuthority, Roll
from rules.workdays import OutsideHorizon, WorkCalendar

_COORDINATING = frozenset({AccountRole.COORDINATOR, AccountRole.LEADERSHIP})
_OWNERS = {
    DateAuthority.PROVINCE: "UBND tỉnh",
    DateAuthority.MINISTRY: "Bộ, cơ quan trung ương",
}


def vn_date(day: date) -> str:
    """``day`` as people write it: 31/3/2027."""
    return f"{day.day}/{day.month}/{day.year}"


def need_text(text: str | None, message: str, *, field: str) -> str:
    """``text`` in NFC without outer blanks, and without control or invisible characters.

    Raises:
        Refused: nothing is left of it; ``message`` says what is asked for.
    """
    found = unicodedata.normalize("NFC", text or "").replace("\r\n", "\n")
    found = "".join(
        one for one in found if one in "\n\t" or not unicodedata.category(one).startswith("C")
    ).strip()
    if not found:
        raise Refused(message, field=field)
    return found


def need_decider(session: Session, work: Work, stamp: Stamp) -> None:
    """Let only the coordinator pass, or for its own work its leadership (rule 20).

    Raises:
        NotPermitted: somebody else.
    """
    if Capacity.DECIDER not in held_capacities(session, work, stamp):
        own = work.assignment.agency_key == work.state.coordinator(stamp.as_of)
        msg = (
            "Việc của chính cơ quan điều phối do lãnh đạo quyết định; đề nghị trình lãnh đạo."
            if own
            else "Nội dung này do cơ quan điều phối quyết định; đề nghị gửi cơ quan điều phối."
        )
        raise NotPermitted(msg)


def need_coordinator(stamp: Stamp) -> None:
    """Let only the coordinator's staff, its leadership and operators of the server pass.

    Raises:
        NotPermitted: somebody else.
    """
    if stamp.actor.role not in _COORDINATING and stamp.actor.kind is not ActorKind.OPERATOR:
        msg = "Nội dung này do cơ quan điều phối thực hiện; đề nghị gửi cơ quan điều phối."
        raise NotPermitted(msg)


def need_admin(stamp: Stamp) -> None:
    """Let only administrators and operators of the server pass.

    Raises:
        NotPermitted: somebody else.
    """
    if stamp.actor.role is not AccountRole.ADMIN and stamp.actor.kind is not ActorKind.OPERATOR:
        msg = "Nội dung này do quản trị hệ thống thực hiện; đề nghị gửi người quản trị."
        raise NotPermitted(msg)


def need_working_day(calendar: WorkCalendar, day: date, *, field: str) -> date:
    """``day``, or the first working day after it: a date that people set never comes earlier.

    Raises:
        Refused: the days off of that year are not known yet.
    """
    try:
        return calendar.roll(day, Roll.NEXT)
    except OutsideHorizon as error:
        msg = (
            f"Ngày {vn_date(day)} nằm ngoài lịch ngày nghỉ đã có "
            f"({vn_date(error.first)} đến {vn_date(error.last)}); đề nghị kiểm tra lại năm."
        )
        raise Refused(msg, field=field) from error


def rolled_words(asked: date, rolled: date) -> str:
    """Both dates where they differ, for messages."""
    if asked == rolled:
        return vn_date(rolled)
    return f"{vn_date(rolled)} (ngày làm việc đầu tiên từ ngày {vn_date(asked)})"


def clean_document(code: str | None, *, field: str = "document") -> str | None:
    """``code`` as it should be stored; None when nothing was typed.

    Raises:
        Refused: it cannot be a document code.
    """
    if not (code or "").strip():
        return None
    try:
        return check_document_code(code or "").text
    except NotADocumentCode as error:
        raise Refused(str(error), field=field) from error


def need_own_document(
    authority: DateAuthority, code: str | None, *, field: str = "document"
) -> str | None:
    """The document that moves a date of this ``authority``, cleaned (rule 17).

    A date of the province or the ministry moves only by a document of theirs; for other dates
    the document may be missing. A code that does not tell whose it is is believed.

    Raises:
        Refused: there is no document, or it is somebody else's.
    """
    found = clean_document(code, field=field)
    owner = _OWNERS.get(authority)
    if owner is None:
        return found
    if found is None:
        msg = f"Hạn này do {owner} ấn định; đề nghị ghi số, ký hiệu văn bản điều chỉnh của {owner}."
        raise Refused(msg, field=field)
    if is_issued_by(check_document_code(found), authority) is False:
        msg = (
            f"Hạn này do {owner} ấn định, chỉ thay đổi theo văn bản của {owner}; "
            f"“{found}” không phải văn bản của {owner}."
        )
        raise Refused(msg, field=field)
    return found
