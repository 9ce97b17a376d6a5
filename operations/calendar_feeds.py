"""An agency's calendar under a secret address that can be renewed.

The address holds a random handle and a signature over it, made with the secret that signs links.
Neither it nor a hash of it is stored: it is made again from the row whenever the agency wants to
see it, and a copy of the database alone opens no calendar. Renewing puts another handle in the
row, so the old address is dead at once. It does not expire, for a calendar reads it for years;
whoever has it learns dates and the decision's words, and can do nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import date, timedelta
from hashlib import sha256
from typing import Final

from itsdangerous import BadSignature, Signer
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import AgencyRow, CalendarFeed
from notifications.values import DueEvent
from operations.contacts import require_contact_right
from operations.errors import NotFound
from operations.history import Change, record, snapshot_of
from operations.links import Secret
from operations.queries import WorkRow, work_list
from operations.stamp import Stamp
from operations.state import load_plan
from rules.lifecycle import OPEN, Status
from rules.values import Role

ALARM_DAYS: Final = 3
"""Days before a date on which the calendar rings."""
KEPT: Final = timedelta(days=90)
"""For how long an ended date is shown as cancelled, so that every calendar takes it away."""

_STANDING: Final = OPEN | {Status.SUBMITTED, Status.SUSPENDED, Status.REQUESTED}
_DONE: Final = frozenset({Status.CONFIRMED, Status.CONTRIBUTED})
_NEVER: Final = frozenset({Status.DORMANT})


def _signer(secret: Secret) -> Signer:
    keys = [secret] if isinstance(secret, str) else list(reversed(secret))
    return Signer(keys, salt="tiendo.calendar", key_derivation="hmac", digest_method=sha256)


def feed_secret(session: Session, agency_key: str, *, secret: Secret) -> str | None:
    """The secret part of an agency's address; None when it has none yet."""
    row = session.get(CalendarFeed, agency_key)
    return None if row is None else _signer(secret).sign(row.handle).decode("ascii")


def renew_feed(session: Session, stamp: Stamp, agency_key: str) -> None:
    """Give an agency's calendar a new address; the old one opens nothing any more.

    Raises:
        NotPermitted: the actor is neither of this agency nor its coordinator.
        NotFound: there is no such agency.
    """
    require_contact_right(stamp, agency_key)
    if session.get(AgencyRow, agency_key) is None:
        msg = f"Không có cơ quan “{agency_key}”."
        raise NotFound(msg)
    row = session.get(CalendarFeed, agency_key, with_for_update=True)
    if row is None:
        row = CalendarFeed(agency_key=agency_key, version=0)
        session.add(row)
    row.handle = secrets.token_urlsafe(16)
    row.renewed_at, row.renewed_by = stamp.at, stamp.actor.name
    row.version += 1
    session.flush()
    change = Change(
        entity="calendar_feed",
        entity_id=agency_key,
        action="renew",
        snapshot=snapshot_of(row),
        agency=agency_key,
    )
    record(session, stamp, [change])


def feed_agency(session: Session, text: str, *, secret: Secret) -> AgencyRow | None:
    """The agency whose calendar this secret opens; None for any that opens nothing."""
    try:
        handle = _signer(secret).unsign(text.encode("ascii", "replace")).decode("ascii")
    except (BadSignature, UnicodeError):
        return None
    return session.scalars(
        select(AgencyRow)
        .join(CalendarFeed, CalendarFeed.agency_key == AgencyRow.key)
        .where(CalendarFeed.handle == handle)
    ).one_or_none()


def feed_events(
    session: Session, agency_key: str, *, as_of: date, portal_url: str
) -> tuple[DueEvent, ...]:
    """An agency's dates: what is open, and what ended of late as cancelled."""
    rows = work_list(session, as_of=as_of, agency=agency_key)
    return due_events(session, _shown(rows, as_of), portal_url=portal_url)


def _shown(rows: Iterable[WorkRow], as_of: date) -> Iterable[WorkRow]:
    for row in rows:
        if row.status in _STANDING or (
            row.status not in _NEVER and row.updated_at.date() >= as_of - KEPT
        ):
            yield row


def due_events(
    session: Session, rows: Iterable[WorkRow], *, portal_url: str
) -> tuple[DueEvent, ...]:
    """The dates of these rows with their pages by account: an address that holds no token."""
    return tuple(_event(session, row, portal_url) for row in rows)


def _event(session: Session, row: WorkRow, portal_url: str) -> DueEvent:
    ended = row.status not in _STANDING
    partner = row.role is Role.PARTNER
    label = "Trả lời đề nghị phối hợp" if partner else ""
    if ended:
        label = "Đã hoàn thành" if row.status in _DONE else "Đã kết thúc"
    elif row.status is Status.SUBMITTED:
        label = "Đã gửi kết quả, chờ xác nhận"
    elif row.status is Status.SUSPENDED:
        label = "Tạm dừng"
    return DueEvent(
        assignment_id=str(row.id),
        round=row.round,
        sequence=row.version,
        due_on=row.asked_by if partner else row.due_on,
        item=row.item,
        item_task=load_plan(session, row.plan, row.plan_version).item(row.item).text.task,
        period_label=row.period_label,
        agency_name=row.agency_name,
        provisional=row.provisional and not partner,
        cancelled=ended,
        label=label,
        link=f"{portal_url.rstrip('/')}/co-quan/viec/{row.id}",
        alarm_days=ALARM_DAYS if row.status in OPEN | {Status.REQUESTED} else 0,
        changed_at=row.updated_at,
    )
