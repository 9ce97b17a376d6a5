"""The outbox of outlets: queued from the history, claimed, sent, tried again, given up.

Level-triggered: what an outlet has not been told of since its cursor is queued by the next run,
once, by a key that comes from the event. Nothing here waits for letters, nor they for it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from models.bulk import allocate_ids
from models.tables import Event, Outlet, OutwardAttempt, OutwardMessage
from notifications.reaching import Called
from operations.api_reading import SETTLED
from operations.outlets import OutletKind, Topic, note, put
from operations.outward_figures import of_figures
from operations.restored import gap_of
from operations.stamp import Stamp
from operations.state import load_directory
from operations.vault import Unreadable, Vault
from rules.events import plain
from rules.restore_gap import Gap

_OF_EVENT: Final[Mapping[tuple[str, str], Topic]] = {
    ("assignment", "submit"): Topic.SUBMITTED,
    ("assignment", "confirm"): Topic.CONFIRMED,
    ("assignment", "return"): Topic.RETURNED,
    ("extension", "grant"): Topic.EXTENDED,
    ("occurrence", "open"): Topic.OPENED,
    ("period_date", "fix_date"): Topic.DATE_FIXED,
}
_BATCH: Final = 500
_BACK_OFF: Final = (1, 5, 30, 120, 360, 720, 1440, 1440)
"""Minutes before the next attempt; after the last a message is given up."""
_ORPHAN_AFTER: Final = timedelta(minutes=10)
_GONE: Final = 410


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A claimed message as it is to be sent."""

    id: int
    outlet: int
    kind: OutletKind
    key: str
    address: str = field(repr=False)
    secret: str | None = field(repr=False)
    body: str


def queue_outward(session: Session, stamp: Stamp, *, portal_url: str) -> int:
    """Queue what active outlets have not been told of; returns how many messages are new."""
    rows = session.scalars(
        select(Outlet).where(Outlet.active).order_by(Outlet.id).with_for_update()
    ).all()
    made, gap = 0, gap_of(session) if rows else None
    for row in rows:
        if row.kind == OutletKind.WEBHOOK:
            made += queue_events(session, stamp, row, until=stamp.at - SETTLED, gap=gap)
        else:
            made += of_figures(session, stamp, row, portal_url, gap)
    session.flush()
    return made


def queue_events(
    session: Session,
    stamp: Stamp,
    row: Outlet,
    *,
    until: datetime | None,
    gap: Gap | None = None,
    held: bool = False,
) -> int:
    """Queue what happened since a webhook's cursor, up to ``until``; returns how many messages.

    A transaction that is still open may add an event with a smaller number than the newest: hence
    ``until``; None where nobody else writes. After a restore, ``gap`` holds what opens again that opened in it, ``held`` all.
    """
    names = {one.key: one.name for one in load_directory(session).agencies}
    made = 0
    while True:
        events = session.scalars(_since(row)).all()
        for event in events:
            if until is not None and event.at > until:
                return made
            row.event_cursor = event.id
            topic = _OF_EVENT.get((event.entity, event.action))
            if topic is None or topic.value not in row.topics.split():
                continue
            made += put(
                session,
                stamp,
                row,
                key=_key(event),
                topic=topic,
                body=_body(event, topic, names),
                held=held or (gap is not None and _opened_before(event, topic, gap)),
            )
        if len(events) < _BATCH or not held:
            return made


def _since(row: Outlet) -> Select[tuple[Event]]:
    return (
        select(Event)
        .where(
            Event.id > row.event_cursor,
            Event.entity.in_({entity for entity, _ in _OF_EVENT}),
            Event.action.in_({action for _, action in _OF_EVENT}),
        )
        .order_by(Event.id)
        .limit(_BATCH)
    )


def _opened_before(event: Event, topic: Topic, gap: Gap) -> bool:
    """Whether this is work that opened in the gap, and opened again after it."""
    return topic is Topic.OPENED and event.at > gap.at and gap.day_may_have_gone(event.effective_on)


def _key(event: Event) -> str:
    """The same for the same event, whoever is told and however often."""
    return f"evt_{event.digest.hex()[:32]}"


def _body(event: Event, topic: Topic, names: Mapping[str, str]) -> str:
    """What happened to which work: no person, no reason, no text (rule 40)."""
    data = {
        "event": event.id,
        "plan": event.plan_key,
        "item": event.item_key,
        "period": event.period_key,
        "agency": event.agency_key,
        "agency_name": names.get(event.agency_key or ""),
        "assignment": event.entity_id if event.entity == "assignment" else None,
        "document": event.document,
        "effective_on": plain(event.effective_on),
    }
    value = {"type": topic.value, "timestamp": plain(event.at), "data": data}
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def claim_outward(
    session: Session, stamp: Stamp, vault: Vault, *, without: Collection[int] = ()
) -> Parcel | None:
    """The next message to send, claimed; None when nothing waits but for outlets ``without``.

    What a dead run left behind is sent again: a receiver knows a message by its id.
    """
    now = stamp.at
    query = (
        select(OutwardMessage, Outlet)
        .join(Outlet, Outlet.id == OutwardMessage.outlet_id)
        .where(
            Outlet.active,
            Outlet.id.not_in(without),
            or_(
                OutwardMessage.state == "queued",
                (OutwardMessage.state == "retrying") & (OutwardMessage.next_attempt_at <= now),
                (OutwardMessage.state == "sending")
                & (OutwardMessage.claimed_at <= now - _ORPHAN_AFTER),
            ),
        )
        .order_by(OutwardMessage.id)
        .limit(1)
        .with_for_update(of=OutwardMessage, skip_locked=True)
    )
    found = session.execute(query).first()
    if found is None:
        return None
    message, row = found
    message.state, message.claimed_at = "sending", now
    message.attempts += 1
    session.flush()
    try:
        address = vault.unlock(row.id, row.address_sealed, use="outlet")
        sealed = row.secret_sealed
        secret = None if sealed is None else vault.unlock(row.id, sealed, use="outlet")
    except Unreadable:
        address, secret = "", None
    return Parcel(
        id=message.id,
        outlet=row.id,
        kind=OutletKind(row.kind),
        key=message.key,
        address=address,
        secret=secret,
        body=message.body,
    )


def record_outward(
    session: Session, stamp: Stamp, number: int, called: Called, *, off_days: int
) -> str:
    """Record how an attempt ended; returns the state of the message.

    An outlet that has taken nothing for ``off_days`` days is switched off, as is one that says
    that it is gone (HTTP 410).
    """
    message = session.get_one(OutwardMessage, number, with_for_update=True)
    row = session.get_one(Outlet, message.outlet_id, with_for_update=True)
    session.add(
        OutwardAttempt(
            id=allocate_ids(session, OutwardAttempt.__tablename__, 1)[0],
            message_id=number,
            at=stamp.at,
            status=called.status,
            answer=called.answer[:400],
        )
    )
    message.answer = called.answer[:400]
    if called.taken:
        message.state, message.sent_at, row.failing_since = "sent", stamp.at, None
        session.flush()
        return message.state
    _put_off(message, stamp.at)
    row.failing_since = row.failing_since or stamp.at
    gone = called.status == _GONE
    if row.active and (gone or stamp.at - row.failing_since >= timedelta(days=off_days)):
        row.active = False
        row.off_reason = (
            "Nơi nhận báo không còn nhận (410)"
            if gone
            else f"Không nhận được trong {off_days} ngày"
        )
        note(session, stamp, row, "switch_off", reason=row.off_reason)
    session.flush()
    return message.state


def _put_off(message: OutwardMessage, now: datetime) -> None:
    if message.attempts > len(_BACK_OFF):
        message.state, message.next_attempt_at = "failed", None
        return
    message.state = "retrying"
    message.next_attempt_at = now + timedelta(minutes=_BACK_OFF[message.attempts - 1])
