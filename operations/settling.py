"""What follows agencies that have changed, once the day has come: accounts, links, contacts (35, 36).

Level-triggered: what was settled is marked, so missed days and repeated runs end in the same rows.
"""

from __future__ import annotations

from pydantic import TypeAdapter
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from models.tables import Account, Contact, ContactKind, ReorganisationRow
from operations.accounts import note_account, switch_account
from operations.api_tokens import revoke_agency_tokens
from operations.contacts import ContactInput, contacts_of, store_contacts
from operations.history import Change, record, snapshot_of
from operations.links import revoke_agency_links
from operations.stamp import Stamp
from operations.state import load_directory
from rules.directory import Directory
from rules.reorganising import Accounts, Reorganisation

REORGANISATION: TypeAdapter[Reorganisation] = TypeAdapter(Reorganisation)


_DUE = (
    select(ReorganisationRow)
    .where(
        ReorganisationRow.settled_on.is_(None),
        ReorganisationRow.effective_on <= bindparam("as_of"),
    )
    .order_by(ReorganisationRow.effective_on, ReorganisationRow.id)
    .with_for_update()
)


def settle_due(session: Session, stamp: Stamp) -> int:
    """Let accounts, links and contacts follow every change whose day has come; how many there were."""
    rows = session.scalars(_DUE, {"as_of": stamp.as_of}).all()
    if not rows:
        return 0
    directory = load_directory(session)
    for row in rows:
        _settle(session, stamp, row, directory)
    return len(rows)


def _settle(session: Session, stamp: Stamp, row: ReorganisationRow, directory: Directory) -> None:
    one = REORGANISATION.validate_json(row.content)
    main = one.main
    key = None if main is None else main.agency or (main.new.key if main.new else None)
    # One that was recorded late may have a successor that has ended itself by now.
    heirs = () if key is None else directory.follow(key, stamp.as_of)
    heir = heirs[0] if heirs else None
    why = f"Sắp xếp cơ quan theo {row.document_code}"
    for old in one.predecessors:
        revoke_agency_links(session, stamp, old, reason=why)
        revoke_agency_tokens(session, stamp, old, reason=why)
        _accounts(session, stamp, old, heir if one.accounts is Accounts.MOVE else None, why)
        if one.contacts and heir is not None:
            _contacts(session, stamp, one, old, heir)
    row.settled_on, row.settled_at = stamp.as_of, stamp.at
    session.flush()
    change = Change(
        entity="reorganisation",
        entity_id=str(row.id),
        action="take_effect",
        snapshot=snapshot_of(row),
        effective_on=row.effective_on,
        document=row.document_code,
    )
    record(session, stamp, [change])


def _accounts(session: Session, stamp: Stamp, old: str, heir: str | None, why: str) -> None:
    accounts = session.scalars(
        select(Account)
        .where(Account.agency_key == old, Account.active)
        .order_by(Account.id)
        .with_for_update()
    ).all()
    for account in accounts:
        if heir is None:
            switch_account(session, stamp, account, on=False, reason=why)
        else:
            account.agency_key = heir
            account.session_epoch += 1
            note_account(session, stamp, account, "move", reason=why)


def _contacts(session: Session, stamp: Stamp, one: Reorganisation, old: str, heir: str) -> None:
    """Give the successor those contacts that it lacks; the predecessor's stay as they were."""
    there = {row.kind for row in contacts_of(session, heir)}
    wanted = [_taken_over(row, heir) for row in contacts_of(session, old) if row.kind not in there]
    for sample in (False, True):
        some = [new for row_sample, new in wanted if row_sample is sample]
        store_contacts(session, stamp, some, sample=sample, effective_on=one.effective_on)


def _taken_over(row: Contact, heir: str) -> tuple[bool, ContactInput]:
    new = ContactInput(
        agency_key=heir,
        kind=ContactKind(row.kind),
        name=row.name,
        post=row.post,
        email=row.email,
        phone=row.phone,
    )
    return row.sample, new
