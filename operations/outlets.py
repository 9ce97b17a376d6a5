"""Addresses outside that are told of events: webhooks of programs, and group chats.

The address and the secret are kept encrypted, shown to nobody again, and left out of the history.
Letters stay the record: whatever becomes of an outlet, no letter waits for it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from models.bulk import allocate_ids
from models.tables import AgencyRow, Event, Outlet, OutwardAttempt, OutwardMessage
from notifications.chat import check_chat
from notifications.reaching import NotReachable, Reach, check_address
from notifications.signatures import new_secret
from operations.errors import Checks, Conflict, NotFound, Refused
from operations.guards import need_coordinator, need_text
from operations.history import Change, record, snapshot_of
from operations.stamp import Stamp
from operations.vault import Vault


class OutletKind(StrEnum):
    """What an outlet is."""

    WEBHOOK = "webhook"
    CHAT = "chat"


class Topic(StrEnum):
    """What an outlet is told."""

    SUBMITTED = "result.submitted"
    CONFIRMED = "result.confirmed"
    RETURNED = "result.returned"
    EXTENDED = "extension.granted"
    OPENED = "work.opened"
    DATE_FIXED = "date.fixed"
    TEST = "test"
    WEEK = "week.summary"
    OVERDUE = "overdue.count"


TOPIC_WORDS: Final[Mapping[OutletKind, Mapping[Topic, str]]] = {
    OutletKind.WEBHOOK: {
        Topic.SUBMITTED: "Cơ quan cập nhật kết quả",
        Topic.CONFIRMED: "Kết quả được xác nhận",
        Topic.RETURNED: "Đề nghị bổ sung, hoàn thiện",
        Topic.EXTENDED: "Gia hạn được đồng ý",
        Topic.OPENED: "Mở kỳ thực hiện",
        Topic.DATE_FIXED: "Ấn định thời hạn",
    },
    OutletKind.CHAT: {
        Topic.WEEK: "Số liệu tổng hợp, ngày làm việc đầu tuần",
        Topic.OVERDUE: "Số việc quá hạn, khi số này thay đổi",
    },
}
OFF_BY_HAND: Final = "Tắt bằng tay"
MAY_HAVE_GONE: Final = "Tạm giữ: có thể đã gửi trước khi khôi phục từ bản sao lưu"
"""What a message says that is held after a restore, for a person to decide on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOutlet:
    """An outlet to register; ``agency`` narrows a chat to the figures of that agency (rule 46)."""

    kind: OutletKind
    name: str
    address: str = field(repr=False)
    topics: Sequence[str]
    basis: str
    agency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutletView:
    """An outlet as pages show it: of its address only the host."""

    id: int
    kind: OutletKind
    name: str
    host: str
    topics: tuple[Topic, ...]
    agency: str | None
    basis: str
    active: bool
    off_reason: str | None
    failing_since: datetime | None
    created_at: datetime
    created_by: str
    version: int
    waiting: int
    held: int
    """Messages that may have gone before a restore, and wait for a decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptView:
    """One attempt to deliver a message."""

    at: datetime
    topic: Topic
    key: str
    status: int | None
    answer: str


_WANTED: Final = {
    "name": "Đề nghị ghi tên nơi nhận.",
    "address": "Đề nghị ghi địa chỉ nhận.",
    "basis": "Đề nghị ghi căn cứ, mục đích.",
}


def register(
    session: Session, stamp: Stamp, vault: Vault, new: NewOutlet, *, reach: Reach
) -> tuple[OutletView, str | None]:
    """Register an outlet; the second value is a webhook's secret, told here and never again.

    Raises:
        NotPermitted: not the coordinator.
        Refused: something is missing, or the address is none that is called.
    """
    need_coordinator(stamp)
    checks, words = Checks(), _WANTED
    name = checks.run(lambda: need_text(new.name, words["name"], field="name")[:200], "")
    address = checks.run(lambda: need_text(new.address, words["address"], field="address"), "")
    topics = checks.run(lambda: _topics(new), list[Topic]())
    basis = checks.run(lambda: need_text(new.basis, words["basis"], field="basis"), "")
    checks.done()
    if new.agency is not None and session.get(AgencyRow, new.agency) is None:
        raise Refused("Không có cơ quan này.", field="agency")
    try:
        if new.kind is OutletKind.WEBHOOK:
            check_address(address, reach)
            host = urlsplit(address).hostname or ""
        else:
            host = check_chat(address, reach)
    except NotReachable as error:
        raise Refused(str(error), field="address") from None
    number = allocate_ids(session, Outlet.__tablename__, 1)[0]
    secret = new_secret() if new.kind is OutletKind.WEBHOOK else None
    row = Outlet(
        id=number,
        kind=new.kind.value,
        name=name,
        host=host[:200],
        address_sealed=vault.lock(number, address, use="outlet"),
        secret_sealed=None if secret is None else vault.lock(number, secret, use="outlet"),
        topics=" ".join(topics),
        agency_key=new.agency if new.kind is OutletKind.CHAT else None,
        basis=basis,
        active=True,
        event_cursor=session.scalar(select(func.max(Event.id))) or 0,
        created_at=stamp.at,
        created_by=stamp.actor.name,
        version=0,
    )
    session.add(row)
    note(session, stamp, row, "register", reason=basis)
    return _view(row), secret


def _topics(new: NewOutlet) -> list[Topic]:
    known = TOPIC_WORDS[new.kind]
    chosen = [one for one in known if one.value in new.topics]
    if not chosen:
        raise Refused("Đề nghị chọn ít nhất một nội dung.", field="topics")
    return chosen


def switch(
    session: Session, stamp: Stamp, number: int, *, active: bool, reason: str, expected: int
) -> None:
    """Switch an outlet off, or on again; what came up while it was off is not told later.

    Raises:
        NotPermitted: not the coordinator.
        NotFound: there is none.
        Conflict: somebody else was first (rule 26).
        Refused: a reason is missing.
    """
    need_coordinator(stamp)
    why = need_text(reason, "Đề nghị nêu lý do.", field="reason")
    row = find(session, number)
    if row.version != expected or row.active is active:
        raise Conflict("Nơi nhận này vừa được thay đổi; đề nghị xem lại.")
    row.active, row.failing_since = active, None
    row.off_reason = None if active else OFF_BY_HAND
    if active:
        row.event_cursor = session.scalar(select(func.max(Event.id))) or 0
    note(session, stamp, row, "switch_on" if active else "switch_off", reason=why)


def queue_test(session: Session, stamp: Stamp, number: int) -> None:
    """Queue a message that says nothing but that it is a test.

    Raises:
        NotPermitted: not the coordinator.
        NotFound: there is none.
        Conflict: it is switched off.
    """
    need_coordinator(stamp)
    row = find(session, number)
    if not row.active:
        raise Conflict("Nơi nhận này đang tắt; đề nghị bật lại trước khi gửi thử.")
    text = "Thư thử của hệ thống Tiến độ: nơi này đã nhận được tin."
    body = text if row.kind == OutletKind.CHAT else test_body(stamp.at)
    put(session, stamp, row, key=f"test-{stamp.at.timestamp():.0f}", topic=Topic.TEST, body=body)


def test_body(at: datetime) -> str:
    """The body of a webhook's test."""
    return json.dumps(
        {"type": Topic.TEST.value, "timestamp": at.isoformat(), "data": {}}, separators=(",", ":")
    )


def put(
    session: Session,
    stamp: Stamp,
    row: Outlet,
    *,
    key: str,
    topic: Topic,
    body: str,
    held: bool = False,
) -> bool:
    """Queue a message once for each ``key``; False when it was there already.

    ``held``: it may have gone before a restore, and is kept for a person to decide on.
    """
    there = select(OutwardMessage.id).where(
        OutwardMessage.outlet_id == row.id, OutwardMessage.key == key
    )
    if session.scalar(there) is not None:
        return False
    session.add(
        OutwardMessage(
            id=allocate_ids(session, OutwardMessage.__tablename__, 1)[0],
            outlet_id=row.id,
            key=key,
            topic=topic.value,
            body=body,
            state="failed" if held else "queued",
            queued_at=stamp.at,
            attempts=0,
            answer=MAY_HAVE_GONE if held else None,
        )
    )
    session.flush()
    return True


def find(session: Session, number: int) -> Outlet:
    """An outlet's row, locked.

    Raises:
        NotFound: there is none.
    """
    row = session.get(Outlet, number, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("Không có nơi nhận này.", field="number")
    return row


def outlets(session: Session) -> list[OutletView]:
    """All outlets, the newest first, with how many messages wait and how many are held."""
    waiting = _counted(session, OutwardMessage.state.in_(("queued", "sending", "retrying")))
    held = _counted(session, OutwardMessage.answer == MAY_HAVE_GONE)
    rows = session.scalars(select(Outlet).order_by(Outlet.id.desc()))
    return [_view(row, waiting.get(row.id, 0), held.get(row.id, 0)) for row in rows]


def _counted(session: Session, which: ColumnElement[bool]) -> dict[int, int]:
    found = session.execute(
        select(OutwardMessage.outlet_id, func.count())
        .where(which)
        .group_by(OutwardMessage.outlet_id)
    )
    return dict(found.tuples().all())


def switched_off(session: Session) -> list[OutletView]:
    """Outlets that failed for too long, which the coordinator has to hear of."""
    rows = session.scalars(
        select(Outlet).where(Outlet.active.is_(False), Outlet.off_reason != OFF_BY_HAND)
    )
    return [_view(row) for row in rows]


def attempts(session: Session, number: int, limit: int = 100) -> list[AttemptView]:
    """The newest attempts of an outlet."""
    rows = session.execute(
        select(OutwardAttempt, OutwardMessage)
        .join(OutwardMessage, OutwardMessage.id == OutwardAttempt.message_id)
        .where(OutwardMessage.outlet_id == number)
        .order_by(OutwardAttempt.id.desc())
        .limit(limit)
    )
    return [
        AttemptView(
            at=one.at, topic=Topic(above.topic), key=above.key, status=one.status, answer=one.answer
        )
        for one, above in rows
    ]


def note(session: Session, stamp: Stamp, row: Outlet, word: str, *, reason: str) -> None:
    """Write what became of an outlet into the history, without its address."""
    row.version += 1
    session.flush()
    change = Change(
        entity="outlet",
        entity_id=str(row.id),
        action=word,
        snapshot=snapshot_of(row),
        agency=row.agency_key,
        reason=reason,
    )
    record(session, stamp, [change])


def _view(row: Outlet, waiting: int = 0, held: int = 0) -> OutletView:
    return OutletView(
        id=row.id,
        kind=OutletKind(row.kind),
        name=row.name,
        host=row.host,
        topics=tuple(Topic(one) for one in row.topics.split()),
        agency=row.agency_key,
        basis=row.basis,
        active=row.active,
        off_reason=row.off_reason,
        failing_since=row.failing_since,
        created_at=row.created_at,
        created_by=row.created_by,
        version=row.version,
        waiting=waiting,
        held=held,
    )
