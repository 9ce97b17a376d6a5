"""The address book: who gets an agency's letters, and who may change that (rules 30, 36, 37, 40).

An agency has at most one contact of each kind. Addresses are kept in lower case, as checked by
``notifications.addresses``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.queries_mail import in_parts
from models.tables import AgencyRow, Contact, ContactKind, Mailbox
from notifications.addresses import AddressError, check_address
from notifications.formats import clean_line
from operations.errors import Checks, NotFound, NotPermitted, Refused
from operations.history import Change, record, snapshot_of
from operations.links import revoke_mailbox_links
from operations.stamp import Stamp
from rules.actors import AccountRole, ActorKind

CONTACT_WORDS: Mapping[ContactKind, str] = {
    ContactKind.MAILBOX: "Hộp thư cơ quan",
    ContactKind.FOCAL: "Đầu mối chính",
    ContactKind.DEPUTY: "Đầu mối dự phòng",
    ContactKind.REGISTRY: "Văn thư",
    ContactKind.HEAD: "Lãnh đạo phụ trách",
}
"""What people read for each kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactInput:
    """A contact as given by a form or a file; texts are cleaned when it is stored.

    Name, post, work e-mail and phone only (rule 40).
    """

    agency_key: str
    kind: ContactKind
    name: str | None = None
    post: str | None = None
    email: str | None = None
    phone: str | None = None


def contacts_of(session: Session, agency_key: str) -> list[Contact]:
    """The active contacts of an agency, in the order of their kinds."""
    order = list(ContactKind)
    rows = session.scalars(
        select(Contact).where(Contact.agency_key == agency_key, Contact.active)
    ).all()
    return sorted(rows, key=lambda row: order.index(ContactKind(row.kind)))


def require_contact_right(stamp: Stamp, agency_key: str) -> None:
    """Refuse whoever is neither of this agency nor its coordinator (NotPermitted)."""
    actor = stamp.actor
    if actor.kind in {ActorKind.OPERATOR, ActorKind.FLOW}:
        return
    if actor.role in {AccountRole.ADMIN, AccountRole.COORDINATOR}:
        return
    own = actor.agency == agency_key and actor.role in {None, AccountRole.AGENCY}
    if not own:
        msg = "Chỉ cơ quan đó hoặc cơ quan điều phối được cập nhật đầu mối liên hệ này."
        raise NotPermitted(msg)


def set_contact(
    session: Session,
    stamp: Stamp,
    wanted: ContactInput,
    *,
    effective_on: date | None = None,
    cause: str | None = None,
) -> Contact:
    """Set or replace one contact of an agency; writes an event where anything differs (rule 37).

    ``effective_on`` is the day it holds from, as stated; today where none is.

    An address that had refused letters counts as mended when it is entered again. When the
    address changes, the links that went to the old one stop working for this agency.

    Raises:
        NotPermitted: the actor is neither of this agency nor its coordinator.
        NotFound: there is no such agency.
        Refused: an address or name that cannot be used; ``field`` names it.
    """
    require_contact_right(stamp, wanted.agency_key)
    if session.get(AgencyRow, wanted.agency_key) is None:
        msg = f"Không có cơ quan “{wanted.agency_key}”. Xem “tiendo agencies list”."
        raise NotFound(msg, field="agency_key")
    found = [checked(wanted)]
    return store_contacts(session, stamp, found, effective_on=effective_on, cause=cause)[0]


def checked(wanted: ContactInput) -> ContactInput:
    """``wanted`` with clean texts and a checked address.

    Raises:
        Refused: with every field that is wrong.
    """
    checks = Checks()
    email = checks.run(lambda: _email(wanted), None)
    name = checks.run(lambda: _name(wanted), None)
    post = checks.run(lambda: _text(wanted.post, "post"), None)
    phone = checks.run(lambda: _phone(wanted.phone), None)
    checks.done()
    return ContactInput(
        agency_key=wanted.agency_key,
        kind=wanted.kind,
        name=name,
        post=post,
        email=email,
        phone=phone,
    )


_BY_ADDRESS = frozenset({ContactKind.MAILBOX, ContactKind.REGISTRY})
"""The kinds that are an address; the others are somebody."""


def _email(wanted: ContactInput) -> str | None:
    if (wanted.email or "").strip():
        try:
            return check_address(wanted.email or "").lower()
        except AddressError as error:
            raise Refused(str(error), field="email") from None
    if wanted.kind in _BY_ADDRESS:
        msg = f"“{CONTACT_WORDS[wanted.kind]}” cần có địa chỉ thư điện tử."
        raise Refused(msg, field="email")
    return None


def _name(wanted: ContactInput) -> str | None:
    name = _text(wanted.name, "name")
    if name is None and wanted.kind not in _BY_ADDRESS:
        msg = f"“{CONTACT_WORDS[wanted.kind]}” cần có họ và tên."
        raise Refused(msg, field="name")
    return name


def _phone(value: str | None) -> str | None:
    phone = _text(value, "phone")
    if phone is not None and not _is_phone(phone):
        msg = (
            f"Số điện thoại “{phone}” không đúng; ghi đủ số 0 ở đầu, ví dụ 0258 3822 001. "
            "Trong Excel, định dạng cột này là Text."
        )
        raise Refused(msg, field="phone")
    return phone


def _text(value: str | None, field: str) -> str | None:
    text = clean_line(value or "")
    if len(text) > 200:
        msg = f"“{text[:40]}…” dài quá 200 ký tự."
        raise Refused(msg, field=field)
    return text or None


def _is_phone(text: str) -> bool:
    digits = "".join(letter for letter in text if letter.isdigit())
    rest = "".join(letter for letter in text if not letter.isdigit())
    return 8 <= len(digits) <= 15 and not rest.strip(" .-()+") and text[0] in "0+("


def store_contacts(
    session: Session,
    stamp: Stamp,
    wanted: Sequence[ContactInput],
    *,
    sample: bool = False,
    effective_on: date | None = None,
    cause: str | None = None,
) -> list[Contact]:
    """Write checked contacts and one event for each that differs; returns their rows.

    Asked for a second time, nothing changes and nothing is written.
    """
    known = _known(session, {one.agency_key for one in wanted})
    changed: list[Contact] = []
    rows: list[Contact] = []
    for one in wanted:
        row = known.get((one.agency_key, one.kind))
        if row is None:
            row = Contact(
                agency_key=one.agency_key,
                kind=one.kind.value,
                sample=sample,
                updated_at=stamp.at,
                version=0,
            )
            session.add(row)
            known[one.agency_key, one.kind] = row
        rows.append(row)
        if _write(session, stamp, row, one, sample=sample):
            changed.append(row)
    session.flush()
    _mend(session, stamp, sorted({one.email for one in wanted if one.email}))
    record(session, stamp, [_change(row, "set", effective_on, cause) for row in changed])
    return rows


def _known(session: Session, agencies: set[str]) -> dict[tuple[str, ContactKind], Contact]:
    rows = session.scalars(select(Contact).where(Contact.agency_key.in_(agencies)))
    return {(row.agency_key, ContactKind(row.kind)): row for row in rows}


def _write(
    session: Session, stamp: Stamp, row: Contact, wanted: ContactInput, *, sample: bool
) -> bool:
    """Put the values into ``row``; False when they were there already."""
    values = {
        "name": wanted.name,
        "post": wanted.post,
        "email": wanted.email,
        "phone": wanted.phone,
        "active": True,
        "sample": sample,
    }
    if all(getattr(row, name) == value for name, value in values.items()):
        return False
    if row.email is not None and row.email != wanted.email:
        revoke_mailbox_links(session, stamp, mailbox=row.email, agency_key=row.agency_key)
    for name, value in values.items():
        setattr(row, name, value)
    row.updated_at, row.version = stamp.at, (row.version or 0) + 1
    return True


def _mend(session: Session, stamp: Stamp, addresses: Collection[str]) -> None:
    """An address that had refused letters is tried again once somebody has entered it again."""
    changes = []
    for part in in_parts(addresses):
        boxes = select(Mailbox).where(Mailbox.address.in_(part), Mailbox.state != "ok")
        for box in session.scalars(boxes):
            box.state, box.answer, box.updated_at = "ok", None, stamp.at
            changes.append(
                Change(
                    entity="mailbox",
                    entity_id=box.address[:80],
                    action="mend",
                    snapshot=snapshot_of(box),
                )
            )
    session.flush()
    record(session, stamp, changes)


def remove_contact(session: Session, stamp: Stamp, *, agency_key: str, kind: ContactKind) -> None:
    """Take a contact out of use; its history keeps its name of then (rule 40).

    Raises:
        NotPermitted: the actor is neither of this agency nor its coordinator.
        NotFound: there is no such contact.
    """
    require_contact_right(stamp, agency_key)
    row = _known(session, {agency_key}).get((agency_key, kind))
    if row is None or not row.active:
        msg = f"Cơ quan “{agency_key}” chưa có “{CONTACT_WORDS[kind]}”."
        raise NotFound(msg, field="kind")
    if row.email is not None:
        revoke_mailbox_links(session, stamp, mailbox=row.email, agency_key=agency_key)
    row.active, row.updated_at, row.version = False, stamp.at, row.version + 1
    session.flush()
    record(session, stamp, [_change(row, "remove")])


def hand_over_focal(
    session: Session, stamp: Stamp, *, agency_key: str, name: str, post: str, email: str, phone: str
) -> Contact:
    """The agency itself names its new focal point (rule 36); the old one's links end.

    Raises:
        NotPermitted, NotFound, Refused: as :func:`set_contact`.
    """
    wanted = ContactInput(
        agency_key=agency_key,
        kind=ContactKind.FOCAL,
        name=name,
        post=post,
        email=email,
        phone=phone,
    )
    return set_contact(session, stamp, wanted)


def _change(
    row: Contact, action: str, effective_on: date | None = None, cause: str | None = None
) -> Change:
    return Change(
        entity="contact",
        entity_id=str(row.id),
        action=action,
        snapshot=snapshot_of(row),
        effective_on=effective_on,
        agency=row.agency_key,
        reason=cause,
    )
