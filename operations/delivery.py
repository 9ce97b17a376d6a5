"""What is done to letters around their claim, each within one transaction of its caller (rule 33).

``runtime.delivery`` strings the steps together: recover, then ``operations.claiming``, and for each
letter begin and outcome, committing in between.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import CursorResult, bindparam, exists, select, update
from sqlalchemy.orm import Session

from models.tables import Base, DayRow, Letter, LetterState
from operations.history import Change, record
from operations.outbox import ANY_DAY_LETTERS, letter_change
from operations.outcomes import INTERRUPTED
from operations.stamp import Stamp

ORPHAN_AFTER: Final = timedelta(minutes=60)
"""A claim by a process of which nothing is known is given up after this."""

STUCK_AFTER: Final = timedelta(hours=6)
"""Longer than any delivery: a claim older than this is given up though its process lives."""


_UNDER_WAY: Final = (
    select(Letter)
    .where(Letter.state.in_((LetterState.CLAIMED.value, LetterState.SENDING.value)))
    .order_by(Letter.id)
    .with_for_update(skip_locked=True)
)


def recover(
    session: Session, stamp: Stamp, *, alive: Callable[[str], bool | None]
) -> tuple[int, int]:
    """Deal with letters whose owner is gone; returns how many are queued again and unknown.

    ``alive`` answers for an owner, None meaning that it cannot be known from here: then the claim
    ends after :data:`ORPHAN_AFTER`. What was claimed is queued again; what was being sent becomes
    unknown and is never sent again by itself (rule 33).
    """
    rows = session.scalars(_UNDER_WAY).all()
    changes: list[Change] = []
    requeued = 0
    for row in rows:
        if not _abandoned(row, stamp, alive):
            continue
        if row.state == LetterState.CLAIMED.value:
            row.state, row.claimed_by = LetterState.QUEUED.value, None
            requeued += 1
        else:
            row.state = LetterState.UNKNOWN.value
            row.answer = INTERRUPTED
            changes.append(letter_change(row, "unknown", reason=INTERRUPTED))
    session.flush()
    record(session, stamp, changes)
    return requeued, len(changes)


def _abandoned(row: Letter, stamp: Stamp, alive: Callable[[str], bool | None]) -> bool:
    known = alive(row.claimed_by or "")
    if known is False or row.claimed_at is None:
        return True
    return row.claimed_at <= stamp.at - (STUCK_AFTER if known else ORPHAN_AFTER)


_LETTER: Final = Base.metadata.tables[Letter.__tablename__]
_DAY: Final = Base.metadata.tables[DayRow.__tablename__]
_DECLARED_OFF: Final = exists().where(_DAY.c.day == bindparam("today"), _DAY.c.working.is_(False))
_ON_ITS_WAY: Final = (
    update(_LETTER)
    .where(
        _LETTER.c.id == bindparam("number"),
        _LETTER.c.state == LetterState.CLAIMED.value,
        _LETTER.c.claimed_by == bindparam("owner"),
        _LETTER.c.kind.in_(ANY_DAY_LETTERS) | ~_DECLARED_OFF,
    )
    .values(state=LetterState.SENDING.value, sending_at=bindparam("at"))
)


def begin_sending(session: Session, stamp: Stamp, letter_id: int, *, owner: str) -> bool:
    """Mark a claimed letter as on its way, to be committed just before DATA (rule 33).

    False when it is not this owner's any more, or waits for a working day because this one was
    declared a day off since it was claimed (rule 5): then it must not be sent.
    """
    values = {"number": letter_id, "owner": owner, "at": stamp.at, "today": stamp.as_of}
    done: CursorResult[Any] = session.connection().execute(_ON_ITS_WAY, values)
    return done.rowcount == 1


def declared_off(session: Session, stamp: Stamp) -> bool:
    """Whether the business date was declared a day off (rule 3)."""
    return bool(session.scalar(select(_DECLARED_OFF), {"today": stamp.as_of}))
