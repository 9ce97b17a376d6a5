"""What a mail server's answer does to a letter (rule 33)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.orm import Session

from models.tables import Base, Letter, LetterState, Mailbox
from notifications.answers import (
    NotConnected,
    Outcome,
    PermanentFailure,
    Sent,
    SessionRefused,
    TemporaryFailure,
    Unknown,
)
from operations.history import Change, record, snapshot_of
from operations.outbox import BODIES, letter_change
from operations.stamp import Stamp
from rules.digest import back_off

GIVE_UP_AFTER: Final = 12
"""Tries of a letter that is not bound to a day, about two days, before people must look at it."""

INTERRUPTED: Final = "Việc gửi dừng giữa chừng; không rõ thư đã đến hay chưa."
"""What stands as the answer of a letter that became unknown without one."""

_LETTER: Final = Base.metadata.tables[Letter.__tablename__]
_SAID: Final = tuple(column for column in _LETTER.columns if column.name not in BODIES)
_MINE: Final = (
    LetterState.CLAIMED.value,
    LetterState.SENDING.value,
    LetterState.UNKNOWN.value,
)
"""States in which an outcome may still come: a letter given up as unknown may turn out sent."""


_OURS: Final = (
    select(Letter)
    .where(
        Letter.id == bindparam("number"),
        Letter.claimed_by == bindparam("owner"),
        Letter.state.in_(_MINE),
    )
    .with_for_update()
)


def record_outcome(
    session: Session, stamp: Stamp, letter_id: int, outcome: Outcome, *, owner: str
) -> LetterState | None:
    """Write what became of a letter and return its state; None when it is no longer ours.

    A refusal before the letter was under way is about the address: its mailbox counts as
    undeliverable until somebody mends it. Failures of the session leave the letter queued.
    """
    if isinstance(outcome, Sent):
        return _sent(session, stamp, letter_id, outcome, owner=owner)
    row = session.scalars(_OURS, {"number": letter_id, "owner": owner}).one_or_none()
    if row is None:
        return None
    changes = list(_apply(session, stamp, row, outcome))
    session.flush()
    record(session, stamp, changes)
    return LetterState(row.state)


_AS_SENT: Final = (
    update(_LETTER)
    .where(
        _LETTER.c.id == bindparam("number"),
        _LETTER.c.claimed_by == bindparam("owner"),
        or_(*(_LETTER.c.state == one for one in _MINE)),
    )
    .values(
        state=LetterState.SENT.value,
        sent_at=bindparam("at"),
        answer=bindparam("said"),
        attempts=_LETTER.c.attempts + 1,
    )
    .returning(*_SAID)
)


def _sent(
    session: Session, stamp: Stamp, letter_id: int, outcome: Sent, *, owner: str
) -> LetterState | None:
    """As most letters end: one statement, which gives back the row without its bodies."""
    said = f"{outcome.code} {outcome.answer}"
    values = {"number": letter_id, "owner": owner, "at": stamp.at, "said": said}
    found = session.connection().execute(_AS_SENT, values).one_or_none()
    if found is None:
        return None
    change = Change(
        entity="letter",
        entity_id=str(letter_id),
        action="sent",
        snapshot=dict(found._mapping),  # noqa: SLF001 - its public name, by the manual
        agency=found.agency_key,
    )
    record(session, stamp, [change])
    return LetterState.SENT


def abandon(session: Session, stamp: Stamp, letter_ids: Sequence[int], *, owner: str) -> None:
    """Let go of letters whose delivery ended before its time.

    What was not tried is queued again; what was on its way is unknown, and never sent again by
    itself.
    """
    rows = session.scalars(
        select(Letter)
        .where(
            Letter.id.in_(letter_ids),
            Letter.claimed_by == owner,
            Letter.state.in_((LetterState.CLAIMED.value, LetterState.SENDING.value)),
        )
        .order_by(Letter.id)
        .with_for_update()
    ).all()
    changes = []
    for row in rows:
        if row.state == LetterState.CLAIMED.value:
            row.state, row.claimed_by = LetterState.QUEUED.value, None
            continue
        row.state, row.answer = LetterState.UNKNOWN.value, INTERRUPTED
        changes.append(letter_change(row, "unknown", reason=INTERRUPTED))
    session.flush()
    record(session, stamp, changes)


def _apply(session: Session, stamp: Stamp, row: Letter, outcome: Outcome) -> list[Change]:
    match outcome:
        case TemporaryFailure(code=code, answer=answer):
            return _later(stamp, row, f"{code} {answer}")
        case PermanentFailure(code=code, answer=answer):
            return _refused(session, stamp, row, f"{code} {answer}")
        case Unknown(error=error):
            row.state, row.answer = LetterState.UNKNOWN.value, error
            row.attempts += 1
            return [letter_change(row, "unknown", reason=error)]
        case NotConnected(error=error):
            row.state, row.claimed_by, row.answer = LetterState.QUEUED.value, None, error
        case SessionRefused(code=code, answer=answer):
            row.state, row.claimed_by = LetterState.QUEUED.value, None
            row.answer = f"{code} {answer}"
    return []


def _later(stamp: Stamp, row: Letter, answer: str) -> list[Change]:
    row.attempts += 1
    row.answer, row.claimed_by = answer, None
    if row.attempts >= GIVE_UP_AFTER:
        row.state, row.next_attempt_at = LetterState.UNDELIVERABLE.value, None
        return [letter_change(row, "undeliverable", reason=answer)]
    row.state = LetterState.RETRYING.value
    row.next_attempt_at = stamp.at + back_off(row.attempts)
    return []


def _refused(session: Session, stamp: Stamp, row: Letter, answer: str) -> list[Change]:
    about_address = row.state == LetterState.CLAIMED.value
    row.state, row.answer = LetterState.UNDELIVERABLE.value, answer
    row.attempts += 1
    changes = [letter_change(row, "undeliverable", reason=answer)]
    if about_address:
        box = session.get(Mailbox, row.mailbox)
        if box is None:
            box = Mailbox(address=row.mailbox, state="ok", updated_at=stamp.at)
            session.add(box)
        box.state, box.answer, box.updated_at = "undeliverable", answer, stamp.at
        session.flush()
        changes.append(
            Change(
                entity="mailbox",
                entity_id=row.mailbox[:80],
                action="undeliverable",
                snapshot=snapshot_of(box),
                agency=row.agency_key,
                reason=answer,
            )
        )
    return changes
