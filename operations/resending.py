"""Sending a letter again that did not arrive, once its address is mended (rule 33)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Contact, ContactKind, Letter, LetterState
from notifications.addresses import AddressError, check_address
from operations.contacts import ContactInput, set_contact
from operations.errors import Conflict, NotFound, Refused
from operations.guards import need_coordinator
from operations.history import record
from operations.outbox import DAY_BOUND, letter_change
from operations.releasing import release_lines
from operations.stamp import Stamp

RESENDABLE: Final = frozenset({LetterState.UNDELIVERABLE, LetterState.UNKNOWN})
"""States that only a person ends: nothing of these goes out again by itself."""


class Resent(StrEnum):
    """What becomes of the letter."""

    QUEUED = "queued"
    """It waits for the next delivery, written anew from what is owed then."""
    OWED = "owed"
    """Its day has passed or its mailbox is another: its lines ride in the next letter."""


def resend(session: Session, stamp: Stamp, letter_id: int, *, address: str) -> Resent:
    """Send a letter again to ``address``: the same mailbox, tried again, or a mended one.

    A mended address replaces the old one among the contacts of the agency; an address that is
    nobody's there gets nothing, for a letter holds a link.

    Raises:
        NotPermitted: not the coordinator.
        NotFound: there is no such letter.
        Conflict: it went out meanwhile, or was sent again.
        Refused: the address is none, or no contact of the agency.
    """
    need_coordinator(stamp)
    row = session.scalars(select(Letter).where(Letter.id == letter_id).with_for_update()).first()
    if row is None:
        raise NotFound("Không có thư này.")
    if LetterState(row.state) not in RESENDABLE:
        raise Conflict("Thư này đã được xử lý; đề nghị tải lại trang.")
    try:
        wanted = check_address(address).lower()
    except AddressError as error:
        raise Refused(str(error), field="email") from None
    if row.agency_key is not None:
        _mend(session, stamp, row.agency_key, old=row.mailbox, new=wanted)
    elif wanted != row.mailbox:
        msg = "Thư này không gửi cho cơ quan nào; địa chỉ nhận đặt trong cấu hình hệ thống."
        raise Refused(msg, field="email")
    return _again(session, stamp, row, wanted)


def _mend(session: Session, stamp: Stamp, agency: str, *, old: str, new: str) -> None:
    rows = session.scalars(
        select(Contact)
        .where(Contact.agency_key == agency, Contact.active, Contact.email.in_((old, new)))
        .order_by(Contact.id)
    ).all()
    broken = [one for one in rows if one.email == old] or list(rows)
    if not broken:
        msg = (
            f"Địa chỉ “{new}” chưa có trong danh mục đầu mối của cơ quan; đề nghị cập nhật ở "
            "Danh mục trước, rồi gửi lại."
        )
        raise Refused(msg, field="email")
    for one in broken:
        set_contact(
            session,
            stamp,
            ContactInput(
                agency_key=agency,
                kind=ContactKind(one.kind),
                name=one.name,
                post=one.post,
                email=new,
                phone=one.phone,
            ),
        )


def _again(session: Session, stamp: Stamp, row: Letter, address: str) -> Resent:
    same_box = row.mailbox == address
    bound = row.kind in DAY_BOUND
    row.claimed_by, row.next_attempt_at, row.attempts = None, None, 0
    if bound and not (same_box and row.day == stamp.as_of):
        row.state = LetterState.SUPERSEDED.value
        session.flush()
        release_lines(session, stamp, [row.id])
        record(
            session, stamp, [letter_change(row, "supersede", reason="Gửi lại theo địa chỉ đã sửa")]
        )
        return Resent.OWED
    row.state, row.mailbox, row.answer = LetterState.QUEUED.value, address, None
    session.flush()
    record(session, stamp, [letter_change(row, "resend")])
    return Resent.QUEUED
