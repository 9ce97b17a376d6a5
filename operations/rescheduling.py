"""Moving the due date of one assignment, and saying so to its agency (rules 4, 15, 17)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from operations.acting import tell_date
from operations.errors import Refused
from operations.guards import (
    need_decider,
    need_own_document,
    need_text,
    need_working_day,
    rolled_words,
)
from operations.stamp import Stamp
from operations.transition import Work, amend, check_version, load_work
from rules.lifecycle import OPEN, STATUS_WORDS, Status
from rules.values import DateAuthority, Role


def reschedule(
    session: Session,
    stamp: Stamp,
    assignment_id: int,
    *,
    until: date,
    reason: str,
    document: str | None = None,
    expected_version: int | None = None,
) -> date:
    """Move the due date of one assignment, and return the date now in force (rule 15).

    The original due date and the count of extensions stay. A provisional date stays provisional
    unless a document moves it.

    Raises:
        NotPermitted: not a decider; for the coordinator's own work, not its leadership.
        Refused: the work is not open, a reason or the document of whoever fixed the date is
            missing, or the date has passed or is the one in force.
        Conflict: the work changed meanwhile (rule 26).
    """
    work = load_work(session, assignment_id)
    need_decider(session, work, stamp)
    check_version(work, expected_version)
    row = work.assignment
    if row.role != Role.LEAD or Status(row.status) not in OPEN | {Status.SUSPENDED}:
        msg = f"Không thể điều chỉnh hạn khi trạng thái là “{STATUS_WORDS[Status(row.status)]}”."
        raise Refused(msg)
    why = need_text(reason, "Đề nghị nêu lý do điều chỉnh hạn.", field="reason")
    due_on = need_working_day(work.state.calendar, until, field="until")
    if due_on < stamp.as_of or due_on == row.due_on:
        word = "đang được áp dụng" if due_on == row.due_on else "đã qua"
        msg = (
            f"Hạn {rolled_words(until, due_on)} {word}; đề nghị chọn ngày khác, từ hôm nay trở đi."
        )
        raise Refused(msg, field="until")
    code = need_own_document(DateAuthority(row.authority), document)
    changes: dict[str, Any] = {"due_on": due_on, "document_code": code}
    if work.provisional and code is not None:
        changes["authority"] = DateAuthority.COORDINATOR.value
    if row.respond_by is not None:  # returned work is reminded by its day to respond (rule 22)
        changes["respond_by"] = max(row.respond_by, due_on)
    move_date(session, stamp, work, "reschedule", changes=changes, reason=why, document=code)
    return due_on


def move_date(
    session: Session,
    stamp: Stamp,
    work: Work,
    word: str,
    *,
    changes: Mapping[str, Any],
    document: str | None,
    reason: str | None = None,
    keep_ladder: bool = False,
) -> None:
    """Change a date, with its ladder, and say so to a lead whose day is another one (rule 27).

    ``keep_ladder`` lets the rungs that were sent count for the new date as well, for a date that
    only gave way to a day off; otherwise the ladder starts anew.
    """
    row = work.assignment
    previous, lead = row.due_on, row.role == Role.LEAD
    amend(
        session,
        stamp,
        work,
        word,
        changes=changes,
        reason=reason,
        document=document,
        reset_ladder=lead and not keep_ladder,
        skip_past_rungs=lead and not keep_ladder,
    )
    tell_date(session, stamp, work, previous, reason=reason, document=document)
