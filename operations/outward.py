"""The outbox of outlets: queued from the history, claimed, sent, tried again, given up.

Level-triggered: what an outlet has not been told of since its cursor is queued by the next run,
once, by a key that comes from the event. Nothing here waits for letters, nor they for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.bulk import allocate_ids
from models.tables import Event, Outlet, OutwardAttempt, OutwardMessage
from notifications.formats import vn_date, vn_number
from notifications.reaching import Called
from operations.api_reading import SETTLED
from operations.outlets import OutletKind, Topic, note, put
from operations.queries import WorkRow, cell_counts, work_list
from operations.stamp import Stamp
from operations.state import load_calendar, load_directory, plan_keys
from operations.vault import Unreadable, Vault
from rules.added import is_added
from rules.events import plain
from rules.timeliness import Cell
from rules.values import Role

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
    made = 0
    for row in rows:
        if row.kind == OutletKind.WEBHOOK:
            made += _of_events(session, stamp, row)
        else:
            made += _of_figures(session, stamp, row, portal_url)
    session.flush()
    return made


def _of_events(session: Session, stamp: Stamp, row: Outlet) -> int:
    events = session.scalars(
        select(Event)
        .where(
            Event.id > row.event_cursor,
            Event.entity.in_({entity for entity, _ in _OF_EVENT}),
            Event.action.in_({action for _, action in _OF_EVENT}),
        )
        .order_by(Event.id)
        .limit(_BATCH)
    )
    names = {one.key: one.name for one in load_directory(session).agencies}
    made = 0
    for event in events:
        if event.at > stamp.at - SETTLED:
            break  # a transaction that is still open may add one with a smaller number
        row.event_cursor = event.id
        topic = _OF_EVENT.get((event.entity, event.action))
        if topic is not None and topic.value in row.topics.split():
            body = _body(event, topic, names)
            made += put(session, stamp, row, key=_key(event), topic=topic, body=body)
    return made


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


def _of_figures(session: Session, stamp: Stamp, row: Outlet, portal_url: str) -> int:
    calendar = load_calendar(session)
    if not calendar.is_working(stamp.as_of):
        return 0
    topics, made = row.topics.split(), 0
    rows = _counted(session, stamp, row)
    cells = cell_counts(rows)
    late, end = cells[Cell.OPEN_OVERDUE], f"Xem tại {portal_url.rstrip('/')}/"
    whose = "Của cơ quan" if row.agency_key else "Tất cả cơ quan"
    if Topic.WEEK in topics:
        monday = stamp.as_of - timedelta(days=stamp.as_of.weekday())
        text = (
            f"Kính gửi Anh/Chị, số liệu đến ngày {vn_date(stamp.as_of)}. {whose}: hoàn thành đúng "
            f"hạn {vn_number(cells[Cell.DONE_IN_TIME])}, hoàn thành quá hạn "
            f"{vn_number(cells[Cell.DONE_LATE])}, đang thực hiện trong hạn "
            f"{vn_number(cells[Cell.OPEN_IN_TIME])}, quá hạn {vn_number(late)}. {end}"
        )
        made += put(session, stamp, row, key=f"week-{monday}", topic=Topic.WEEK, body=text)
    if Topic.OVERDUE in topics and late != _last_count(session, row):
        text = (
            f"Kính gửi Anh/Chị, đến ngày {vn_date(stamp.as_of)} {whose.lower()} có "
            f"{vn_number(late)} việc quá hạn. Trân trọng đề nghị quan tâm cập nhật. {end}"
            if late
            else f"Đến ngày {vn_date(stamp.as_of)} {whose.lower()} không còn việc quá hạn. "
            f"Trân trọng cảm ơn. {end}"
        )
        key = f"overdue-{stamp.as_of}-{late}"
        made += put(session, stamp, row, key=key, topic=Topic.OVERDUE, body=text)
    return made


def _counted(session: Session, stamp: Stamp, row: Outlet) -> Iterable[WorkRow]:
    """Leads of the appendix in this year, of one agency where the group is that agency's."""
    return [
        one
        for plan in plan_keys(session)
        for one in work_list(
            session,
            as_of=stamp.as_of,
            plan=plan,
            year=stamp.as_of.year,
            agency=row.agency_key,
            roles=[Role.LEAD],
        )
        if not is_added(one.item)
    ]


def _last_count(session: Session, row: Outlet) -> int:
    """The number that was told last; 0 before the first time, so that nothing is said of none."""
    key = session.scalar(
        select(OutwardMessage.key)
        .where(OutwardMessage.outlet_id == row.id, OutwardMessage.topic == Topic.OVERDUE.value)
        .order_by(OutwardMessage.id.desc())
        .limit(1)
    )
    return int(key.rpartition("-")[2]) if key else 0


def claim_outward(session: Session, stamp: Stamp, vault: Vault) -> Parcel | None:
    """The next message to send, claimed; None when nothing waits.

    What a dead run left behind is sent again: a receiver knows a message by its id.
    """
    now = stamp.at
    query = (
        select(OutwardMessage, Outlet)
        .join(Outlet, Outlet.id == OutwardMessage.outlet_id)
        .where(
            Outlet.active,
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
