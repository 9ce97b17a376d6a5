""" "Bản xem trước": the next working day's digests, shown in a trial database on a day off."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from sqlalchemy.orm import Session

from models.queries_mail import letters_by_key
from operations.collecting import collect
from operations.errors import Refused
from operations.outbox import LetterKind, LineRow, NewLetter, insert_letters, insert_lines
from operations.parcels import Collected, Parcel
from operations.reminding import lock_sweep
from operations.stamp import Stamp
from operations.state import is_trial, load_calendar

LOOK_AHEAD: Final = 14
"""Days, counted from the first one looked at, after which nothing is shown."""


def next_owed(session: Session, after: date) -> tuple[date, Collected] | None:
    """The first working day after ``after`` on which anything is owed, and what; else None.

    Only what is open now is seen: work that will open meanwhile is not.
    """
    calendar = load_calendar(session)
    for ahead in range(1, LOOK_AHEAD + 1):
        day = after + timedelta(days=ahead)
        if calendar.is_working(day):
            collected = collect(session, day)
            if any(parcel.rungs or parcel.notices for parcel in collected.parcels.values()):
                return day, collected
    return None


def queue_preview(session: Session, stamp: Stamp) -> int:
    """Queue the digests of the next working day that owes any, marked as previews.

    Nothing but the letters themselves is written: no reminder, no step of a ladder, no notice
    taken. Asked again, nothing is queued twice. Returns how many letters are new.

    Raises:
        Refused: the database is not a trial.
    """
    if not is_trial(session):
        msg = "Chỉ lập bản xem trước trong cơ sở dữ liệu dùng thử."
        raise Refused(msg)
    lock_sweep(session)
    found = next_owed(session, stamp.as_of)
    if found is None:
        return 0
    day, collected = found
    keys = {address: f"{LetterKind.PREVIEW}:{day}:{address}" for address in collected.parcels}
    there = letters_by_key(session, keys.values())
    fresh = [
        parcel
        for address, parcel in collected.parcels.items()
        if keys[address] not in there and (parcel.rungs or parcel.notices)
    ]
    ids = insert_letters(
        session,
        stamp,
        [
            NewLetter(
                key=keys[parcel.recipient.address],
                kind=LetterKind.PREVIEW,
                recipient=parcel.recipient,
                payload={"shown_day": day},
            )
            for parcel in fresh
        ],
    )
    lines = [row for number, one in zip(ids, fresh, strict=True) for row in _lines(number, one)]
    insert_lines(session, lines)
    return len(ids)


def _lines(letter_id: int, parcel: Parcel) -> list[LineRow]:
    rungs: list[LineRow] = [
        (letter_id, one.assignment_id, one.kind.value, one.rung, None) for one in parcel.rungs
    ]
    return rungs + [
        (letter_id, one.assignment_id, one.kind.value, None, one.notice_id)
        for one in parcel.notices
    ]
