"""After a restore: messages to outlets that may have gone before it wait for a person.

As with letters (``operations.restored``), the database knows nothing of the time between the backup
and the restore. What waited then, and what happened before the backup and was not queued yet, may
have been sent. It stands as not sent, with its reason, until the coordinator decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.tables import Outlet, OutwardMessage
from operations.errors import Conflict
from operations.guards import need_coordinator
from operations.outlets import MAY_HAVE_GONE, find, note
from operations.outward import queue_events
from operations.stamp import Stamp

CLOSED: Final = "Không gửi: đã gửi trước khi khôi phục từ bản sao lưu"
_RELEASED: Final = "Chưa gửi trước khi khôi phục từ bản sao lưu"


def hold_outward(session: Session, stamp: Stamp) -> int:
    """Hold what waited when the backup was made, and what it had not queued; how many messages."""
    rows = session.scalars(select(Outlet).order_by(Outlet.id).with_for_update()).all()
    for row in rows:
        if row.active:
            queue_events(session, stamp, row, until=None, held=True)
    waiting = select(OutwardMessage).where(
        OutwardMessage.state.in_(("queued", "sending", "retrying"))
    )
    for message in session.scalars(waiting.order_by(OutwardMessage.id).with_for_update()):
        message.state, message.answer = "failed", MAY_HAVE_GONE
        message.claimed_at, message.next_attempt_at = None, None
    session.flush()
    return held_outward(session)


def held_outward(session: Session) -> int:
    """How many messages are held after a restore, which the coordinator has to hear of."""
    query = select(func.count()).where(OutwardMessage.answer == MAY_HAVE_GONE)
    return session.scalar(query) or 0


def decide_held(session: Session, stamp: Stamp, number: int, *, send: bool) -> int:
    """Send what is held for an outlet, or close it because it had gone; returns how many.

    Raises:
        NotPermitted: not the coordinator.
        NotFound: there is no such outlet.
        Conflict: nothing is held, or somebody else was first (rule 26).
    """
    need_coordinator(stamp)
    row = find(session, number)
    held = _held(session, number)
    if not held:
        raise Conflict("Không còn tin nào tạm giữ sau khi khôi phục; đề nghị xem lại.")
    for message in held:
        if send:
            message.state, message.attempts, message.answer = "queued", 0, None
        else:
            message.answer = CLOSED
    session.flush()
    word, why = ("release", _RELEASED) if send else ("close", CLOSED)
    note(session, stamp, row, word, reason=f"{why}: {len(held)} tin")
    return len(held)


def _held(session: Session, number: int) -> Sequence[OutwardMessage]:
    query = (
        select(OutwardMessage)
        .where(OutwardMessage.outlet_id == number, OutwardMessage.answer == MAY_HAVE_GONE)
        .order_by(OutwardMessage.id)
    )
    return session.scalars(query.with_for_update()).all()
