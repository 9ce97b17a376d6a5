"""The named queries of a delivery, made once: what may be claimed, and what the letters speak of."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from sqlalchemy import Integer, Row, Select, and_, bindparam, or_, select
from sqlalchemy.orm import Session

from models.queries_mail import in_parts
from models.tables import Assignment, Letter, LetterLine, LetterState, Notice, Occurrence, Reminder


@cache
def claimable(
    *, any_day_only: bool, day_bound: tuple[str, ...], any_day: tuple[str, ...]
) -> Select[tuple[int]]:
    """Ids of the letters that may be claimed on the day ``as_of`` at the instant ``at``.

    Both are given when it is asked. The oldest come first. ``day_bound`` kinds go on their own day
    only; on a day off only ``any_day`` kinds go.
    """
    as_of = bindparam("as_of", type_=Letter.day.type)
    at = bindparam("at", type_=Letter.next_attempt_at.type)
    query = select(Letter.id).where(
        or_(
            Letter.state == LetterState.QUEUED.value,
            and_(Letter.state == LetterState.RETRYING.value, Letter.next_attempt_at <= at),
        ),
        Letter.day <= as_of,
        or_(Letter.kind.not_in(day_bound), Letter.day == as_of),
    )
    if any_day_only:
        query = query.where(Letter.kind.in_(any_day))
    return query.order_by(Letter.id)


@cache
def to_claim(
    *, any_day_only: bool, day_bound: tuple[str, ...], any_day: tuple[str, ...]
) -> Select[tuple[int, str]]:
    """The first ``most`` of them with their mailboxes, locked; what others have locked is skipped."""
    found = claimable(any_day_only=any_day_only, day_bound=day_bound, any_day=any_day)
    first = found.add_columns(Letter.mailbox).limit(bindparam("most", type_=Integer()))
    return first.with_for_update(skip_locked=True)


_LINE_COLUMNS = (
    LetterLine.id.label("line_id"),
    LetterLine.letter_id,
    LetterLine.kind.label("line_kind"),
    LetterLine.rung,
    Notice.id.label("notice_id"),
    Notice.kind.label("notice_kind"),
    Notice.payload.label("notice_payload"),
    Reminder.due_on.label("rung_date"),
    Reminder.round.label("rung_round"),
    Assignment.id.label("assignment_id"),
    Assignment.version.label("assignment_version"),
    Assignment.agency_key,
    Assignment.agency_name,
    Assignment.role,
    Assignment.round,
    Assignment.status,
    Assignment.due_on,
    Assignment.respond_by,
    Assignment.authority,
    Assignment.request_text,
    Occurrence.id.label("occurrence_id"),
    Occurrence.plan_key,
    Occurrence.plan_version,
    Occurrence.item_key,
    Occurrence.period_key,
    Occurrence.kind.label("occurrence_kind"),
    Occurrence.mode,
    Occurrence.ladder,
)


_LOOSE_LINES = (
    select(
        LetterLine.letter_id,
        Notice.kind.label("notice_kind"),
        Notice.payload.label("notice_payload"),
        Notice.agency_key,
    )
    .join(Notice, Notice.id == LetterLine.notice_id)
    .where(
        LetterLine.letter_id.in_(bindparam("part", expanding=True)),
        LetterLine.assignment_id.is_(None),
    )
    .order_by(LetterLine.letter_id, LetterLine.id)
)
_LINES = (
    select(*_LINE_COLUMNS)
    .join(Letter, Letter.id == LetterLine.letter_id)
    .join(Assignment, Assignment.id == LetterLine.assignment_id)
    .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
    .outerjoin(Notice, Notice.id == LetterLine.notice_id)
    .outerjoin(
        Reminder,
        and_(
            Reminder.letter_id == LetterLine.letter_id,
            Reminder.assignment_id == LetterLine.assignment_id,
            Reminder.rung == LetterLine.rung,
            Reminder.mailbox == Letter.mailbox,
        ),
    )
    .where(LetterLine.letter_id.in_(bindparam("part", expanding=True)))
    .order_by(LetterLine.letter_id, LetterLine.id)
)


def loose_lines_of(
    session: Session, letter_ids: Sequence[int]
) -> Sequence[Row[tuple[int, str, str, str]]]:
    """The lines of these letters that are about no assignment, by what their notices say."""
    found: list[Row[tuple[int, str, str, str]]] = []
    for part in in_parts(letter_ids):
        found += session.execute(_LOOSE_LINES, {"part": part}).all()
    return found


def lines_of(session: Session, letter_ids: Sequence[int]) -> Sequence[Row[tuple[object, ...]]]:
    """The lines of these letters with the facts of their work as they are now."""
    found: list[Row[tuple[object, ...]]] = []
    for part in in_parts(letter_ids):
        found += session.execute(_LINES, {"part": part}).all()
    return found
