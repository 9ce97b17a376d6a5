"""After a restore: which letters may have gone before it, and what holds them (rules 28, 33).

The database knows nothing of the time between the backup and the restore. What waited then, and
what came due then, may have been sent, so it is held until a person lets it go or closes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from models.queries_mail import in_parts
from models.seeing import everything
from models.tables import (
    Assignment,
    Event,
    Finding,
    Letter,
    LetterLine,
    LetterState,
    Notice,
    Occurrence,
    Reminder,
)
from notifications.formats import TIME_ZONE
from operations.errors import Refused
from operations.history import Change, record
from operations.outbox import DAY_BOUND, HELD_WORDS, HeldReason, letter_change
from operations.outcomes import INTERRUPTED
from operations.releasing import release_lines
from operations.stamp import Stamp
from operations.state import load_calendar
from rules.digest import NoticeKind
from rules.restore_gap import Gap, last_working
from rules.workdays import OutsideHorizon

CLOSED: Final = (
    "Đóng sau khi khôi phục từ bản sao lưu: có thể đã gửi trước khi khôi phục nên không gửi nữa"
)


_LAST_RESTORE: Final = (
    select(Event)
    .where(Event.entity == "database", Event.entity_id == "restore")
    .order_by(Event.at.desc(), Event.id.desc())
    .limit(1)
)


def gap_of(session: Session) -> Gap | None:
    """The gap of the last restore; None for a database that was never restored."""
    row = session.scalars(_LAST_RESTORE).first()
    if row is None:
        return None
    made_at = datetime.fromisoformat(json.loads(row.snapshot)["made_at"])
    since, until = made_at.astimezone(TIME_ZONE).date(), row.effective_on
    calendar = load_calendar(session)
    try:
        last = last_working(calendar, since, until)
    except OutsideHorizon:  # no plan has days there, so nothing was owed
        return None
    return Gap(
        since=since,
        until=until,
        made_at=made_at,
        at=row.at,
        last_working=last,
        calendar=calendar,
    )


def said_before(session: Session, gap: Gap, row: Any) -> bool:
    """Whether a notice may have gone in the gap.

    ``row`` has ``kind``, ``at_once``, ``created_on``, ``created_at``, ``opens_on`` (of its work) and
    ``payload``; what reminds of a finding counts by the finding's own date.
    """
    kind = NoticeKind(row.kind)
    if kind is NoticeKind.FINDING_DUE:
        told = json.loads(row.payload)
        finding = session.get(Finding, told["finding"])
        if finding is not None and finding.due_on is not None:
            return gap.rung_may_have_gone(finding.due_on, int(told["rung"]))
    return gap.notice_may_have_gone(
        kind,
        at_once=row.at_once,
        created_on=row.created_on,
        created_at=row.created_at,
        opens_on=row.opens_on,
    )


@dataclass(frozen=True, slots=True)
class HeldBack:
    """What a restore found in the outbox: how many letters it holds, and how many are unknown;
    ``outward``: how many messages to outlets it holds."""

    held: int = 0
    unknown: int = 0
    outward: int = 0


def hold_waiting(session: Session, stamp: Stamp) -> HeldBack:
    """Hold what waited when the backup was made; what was on its way then is unknown (rule 33).

    What a pilot holds stays so: it cannot have gone without a person.
    """
    waiting = (LetterState.QUEUED, LetterState.RETRYING, LetterState.CLAIMED)
    query = select(Letter).where(
        or_(
            Letter.state.in_([state.value for state in (*waiting, LetterState.SENDING)]),
            (Letter.state == LetterState.HELD.value)
            & (Letter.held_reason == HeldReason.BLAST.value),
        )
    )
    changes: list[Change] = []
    unknown = 0
    for row in session.scalars(query.order_by(Letter.id).with_for_update()).all():
        if row.state == LetterState.SENDING.value:
            row.state, row.answer = LetterState.UNKNOWN.value, INTERRUPTED
            changes.append(letter_change(row, "unknown", reason=INTERRUPTED))
            unknown += 1
            continue
        row.state, row.held_reason = LetterState.HELD.value, HeldReason.RESTORED.value
        row.claimed_by, row.next_attempt_at = None, None
        changes.append(letter_change(row, "hold", reason=HELD_WORDS[HeldReason.RESTORED]))
    session.flush()
    record(session, stamp, changes)
    return HeldBack(held=len(changes) - unknown, unknown=unknown)


def close_held(session: Session, stamp: Stamp, *, letter_ids: Iterable[int] | None = None) -> int:
    """Close letters that are held after a restore, for they had gone: these, or all of today.

    They stand as unknown and are never sent by themselves (rule 33), and what they say counts as
    said; a line that cannot have gone before the restore is owed again. Returns how many.

    Raises:
        Refused: a named letter is not held after a restore.
    """
    query = select(Letter).where(
        Letter.state == LetterState.HELD.value,
        Letter.held_reason == HeldReason.RESTORED.value,
    )
    rows: list[Letter] = []
    if letter_ids is None:
        query = query.where(Letter.kind.not_in(DAY_BOUND) | (Letter.day == stamp.as_of))
        rows += session.scalars(query.order_by(Letter.id).with_for_update())
    else:
        wanted = set(letter_ids)
        for part in in_parts(sorted(wanted)):
            rows += session.scalars(query.where(Letter.id.in_(part)).with_for_update())
        if wanted - {row.id for row in rows}:
            msg = (
                "Chỉ đóng được thư đang tạm giữ sau khi khôi phục; có thư không còn như vậy, đề "
                "nghị tải lại trang."
            )
            raise Refused(msg, field="letters")
    for row in rows:
        row.state, row.held_reason, row.answer = LetterState.UNKNOWN.value, None, CLOSED
    session.flush()
    with everything(session):  # a digest speaks of all plans together
        gap = gap_of(session)
        if gap is not None:
            _owe_the_new(session, stamp, gap, [row.id for row in rows if row.day > gap.until])
    record(session, stamp, [letter_change(row, "close", reason=CLOSED) for row in rows])
    return len(rows)


def _owe_the_new(session: Session, stamp: Stamp, gap: Gap, letters: Sequence[int]) -> None:
    """Give back the lines of these letters that are younger than the gap."""
    for letter in letters:
        rungs = session.execute(
            select(Reminder.assignment_id, Reminder.due_on, Reminder.rung).where(
                Reminder.letter_id == letter
            )
        ).all()
        young = {work for work, due_on, rung in rungs if not gap.rung_may_have_gone(due_on, rung)}
        if young:
            release_lines(session, stamp, [letter], assignment_ids=sorted(young))
        new = [one.id for one in _notices_of(session, letter) if not said_before(session, gap, one)]
        if new:
            session.execute(update(Notice).where(Notice.id.in_(new)).values(letter_id=None))


def _notices_of(session: Session, letter: int) -> Sequence[Any]:
    return session.execute(
        select(
            *(Notice.id, Notice.kind, Notice.at_once, Notice.created_on, Notice.created_at),
            *(Notice.payload, Occurrence.opens_on),
        )
        .join(LetterLine, LetterLine.notice_id == Notice.id)
        .outerjoin(Assignment, Assignment.id == Notice.assignment_id)
        .outerjoin(Occurrence, Occurrence.id == Assignment.occurrence_id)
        .where(LetterLine.letter_id == letter)
        .order_by(Notice.id)
    ).all()


def held_after_restore(session: Session) -> tuple[int, Gap] | None:
    """How many letters are held after the last restore, and its gap; None when there are none."""
    count = session.scalar(
        select(func.count())
        .select_from(Letter)
        .where(
            Letter.state == LetterState.HELD.value,
            Letter.held_reason == HeldReason.RESTORED.value,
        )
    )
    gap = gap_of(session) if count else None
    return None if gap is None or not count else (count, gap)
