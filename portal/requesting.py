"""The forms of a lead towards its partners: ask, receive, do without, close over silence (14)."""

from __future__ import annotations

from typing import Final

from sqlalchemy.orm import Session

from operations.errors import NotFound
from operations.partners import (
    PartnerRequest,
    close_silence,
    dismiss,
    receive,
    request_contribution,
)
from operations.queries_detail import WorkDetail
from operations.results import Result
from operations.stamp import Stamp
from portal.reading import Reading
from rules.lifecycle import Status
from rules.values import Role

SAID: Final = {
    "de-nghi": "Đã gửi đề nghị phối hợp.",
    "da-nhan": "Đã ghi nhận nội dung phối hợp.",
    "khong-can": "Đã ghi: không cần phối hợp.",
    "ket-thuc": "Đã kết thúc các đề nghị chưa được trả lời.",
}
"""What people read once it is done, by the deed that the address names."""


def take_request(
    session: Session, stamp: Stamp, lead: WorkDetail, deed: str, reading: Reading
) -> None:
    """Do what a form of a lead towards its partners asks; ``deed`` is one of :data:`SAID`.

    Raises:
        FormErrors: a field cannot be read.
        NotFound: the form names a partner that is none of this work.
    """
    if deed == "de-nghi":
        _ask(session, stamp, lead, reading)
        return
    text, reason = reading.text("text"), reading.text("reason")
    channel = reading.line("entered_channel")
    reading.done()
    if deed == "ket-thuc":
        close_silence(session, stamp, lead.row.id, reason=reason)
        return
    number = reading.posted.number("partner")
    if number is None or number not in {one.id for one in lead.others if one.role is Role.PARTNER}:
        raise NotFound("Cơ quan này không phối hợp nhiệm vụ này; đề nghị tải lại trang.")
    if deed == "khong-can":
        dismiss(session, stamp, number, reason=reason or None)
        return
    result = Result(text=text, entered_channel=channel or None) if text or channel else None
    receive(session, stamp, number, result)


def _ask(session: Session, stamp: Stamp, lead: WorkDetail, reading: Reading) -> None:
    fields = reading.posted.fields
    dormant = [
        one.id
        for one in lead.others
        if one.role is Role.PARTNER
        and one.status is Status.DORMANT
        and one.agency != lead.row.agency
    ]
    chosen = [
        int(name.removeprefix("chon."))
        for name in fields
        if name.startswith("chon.") and name.removeprefix("chon.").isdecimal()
    ]
    asked = PartnerRequest(
        content=reading.text("content"),
        respond_by=reading.needed_day("respond_by", "Đề nghị ghi ngày trả lời, ví dụ 26/3/2027."),
        form=reading.line("form") or None,
        document=reading.line("document") or None,
    )
    reading.done()
    partners = dormant if reading.posted.ticked("tat-ca") else chosen
    request_contribution(session, stamp, lead.row.id, partners, asked)
