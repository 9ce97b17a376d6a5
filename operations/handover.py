"""An agency hands over its focal point itself (rule 36).

By an account of the agency, or by a link in a letter to the agency's own mailbox: the link of one
person's letter does not name that person's successor, for letters are forwarded.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from sqlalchemy.orm import Session

from models.tables import Contact, ContactKind, Mailbox
from operations.contacts import CONTACT_WORDS, ContactInput, checked, contacts_of, set_contact
from operations.errors import Checks, NotPermitted, Refused
from operations.guards import vn_date
from operations.outbox import Holding, LetterKind, NewLetter, insert_letters
from operations.stamp import Stamp
from operations.state import load_directory
from rules.actors import Actor, ActorKind
from rules.digest import Recipient
from rules.values import Audience

HANDED_OVER: Final = (ContactKind.FOCAL, ContactKind.DEPUTY)
"""The kinds that an agency names itself; the others are the coordinator's to enter."""
_OWN_BOXES: Final = frozenset({ContactKind.MAILBOX.value, ContactKind.REGISTRY.value})


def speaks_for(session: Session, actor: Actor, agency_key: str) -> bool:
    """Whether whoever acts may name this agency's contacts: any account of it, or its mailbox."""
    if actor.agency != agency_key:
        return False
    if actor.kind is not ActorKind.MAILBOX:
        return True
    boxes = {one.email for one in contacts_of(session, agency_key) if one.kind in _OWN_BOXES}
    return actor.mailbox in boxes


def focal_to_confirm(session: Session, actor: Actor, agency_key: str) -> ContactInput | None:
    """The agency's focal point as it stands, for whoever may confirm it; None for others."""
    if not speaks_for(session, actor, agency_key):
        return None
    rows = (one for one in contacts_of(session, agency_key) if one.kind == ContactKind.FOCAL.value)
    row = next(rows, None)
    return ContactInput(
        agency_key=agency_key,
        kind=ContactKind.FOCAL,
        name=row.name if row else None,
        post=row.post if row else None,
        email=row.email if row else None,
        phone=row.phone if row else None,
    )


def name_contact(
    session: Session,
    stamp: Stamp,
    wanted: ContactInput,
    *,
    effective_on: date | None = None,
    cause: str | None = None,
) -> Contact:
    """Name an agency's new focal point or deputy from a day on, today where none is stated.

    The old one keeps its place in the history under its name of then (rule 40), and the links of
    its letters end. The old focal point's mailbox and the new one's are told, each once, where
    they differ. ``cause`` is what the history says it was done for. Asked twice, nothing more is
    written.

    Raises:
        NotPermitted: the actor does not speak for the agency.
        Refused: another kind of contact, no address to reach it, a day to come, or a value that
            cannot be used; ``field`` names it.
    """
    if not speaks_for(session, stamp.actor, wanted.agency_key):
        msg = (
            "Đầu mối được thay đổi bằng tài khoản của cơ quan hoặc bằng liên kết trong thư gửi "
            "hộp thư của cơ quan; đề nghị dùng một trong hai cách này."
        )
        raise NotPermitted(msg)
    if wanted.kind not in HANDED_OVER:
        msg = "Cơ quan tự thay đổi đầu mối chính và đầu mối dự phòng; nội dung khác gửi cơ quan điều phối."
        raise Refused(msg)
    checks = Checks()
    if not (wanted.email or "").strip():
        msg = "Đề nghị ghi thư công vụ của đầu mối, ví dụ hoa.nt@khanhhoa.gov.vn."
        checks.add(Refused(msg, field="email"))
    if effective_on is not None and effective_on > stamp.as_of:
        msg = (
            f"Ngày {vn_date(effective_on)} chưa đến; đề nghị cập nhật vào ngày bàn giao, "
            "vì thư đổi sang đầu mối mới ngay khi ghi."
        )
        checks.add(Refused(msg, field="effective_on"))
    checks.run(lambda: checked(wanted), wanted)
    checks.done()
    before = _focal(session, wanted) if wanted.kind is ContactKind.FOCAL else None
    row = set_contact(session, stamp, wanted, effective_on=effective_on, cause=cause)
    if before is not None and before.email != row.email:
        _tell_both(session, stamp, before, row, effective_on or stamp.as_of)
    return row


def _focal(session: Session, wanted: ContactInput) -> ContactInput | None:
    """The focal point before the change, as it is now, for the row is the same afterwards."""
    for row in contacts_of(session, wanted.agency_key):
        if row.kind == ContactKind.FOCAL:
            return ContactInput(
                agency_key=row.agency_key, kind=wanted.kind, name=row.name, email=row.email
            )
    return None


def _tell_both(
    session: Session, stamp: Stamp, before: ContactInput, row: Contact, since: date
) -> None:
    """Queue a letter to the old mailbox and one to the new, each once, where letters go there."""
    if not load_directory(session).letters_on(row.agency_key, stamp.as_of):
        return
    held = Holding(session, stamp).pilot(row.agency_key)
    told = {
        "new_name": row.name or CONTACT_WORDS[ContactKind.FOCAL],
        "new_post": row.post,
        "previous_name": before.name if before.name != row.name else None,
        "since": since.isoformat(),
    }
    letters = [
        NewLetter(
            key=f"{LetterKind.HANDOVER}:{row.id}:{row.version}:{word}",
            kind=LetterKind.HANDOVER,
            recipient=Recipient(
                address=box, agency=row.agency_key, audience=Audience.FOCAL, name=name
            ),
            held=held,
            payload={**told, "receiving": word == "new"},
        )
        for word, box, name in (("old", before.email, before.name), ("new", row.email, row.name))
        if box is not None and _takes_letters(session, box)
    ]
    insert_letters(session, stamp, letters)


def _takes_letters(session: Session, address: str) -> bool:
    known = session.get(Mailbox, address)
    return known is None or known.state == "ok"
