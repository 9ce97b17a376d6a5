"""Correcting which days are worked, and what follows for open work (rule 3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.tables import Assignment, DayRow, Occurrence
from operations.errors import Refused
from operations.guards import clean_document, need_coordinator, need_text, vn_date
from operations.history import Change, record, snapshot_of
from operations.reminder_days import count_anew
from operations.rescheduling import move_date
from operations.stamp import Stamp
from operations.state import PlanState, load_calendar, load_state, plan_keys
from operations.transition import Work
from rules.lifecycle import MOVABLE
from rules.values import Roll
from rules.workdays import DaySource


@dataclass(frozen=True, slots=True, kw_only=True)
class DayChange:
    """What a correction did.

    ``rolled_to`` is the working day to which dates moved, None when the day is worked.
    ``rolled`` are the assignments that moved, ``reminders`` counts those whose next reminder
    falls on another day now.
    """

    day: date
    rolled_to: date | None
    rolled: tuple[int, ...]
    reminders: int


def change_day(
    session: Session, stamp: Stamp, day: date, *, working: bool, name: str, document: str
) -> DayChange:
    """Say by a document that ``day`` is off, or worked.

    Open dates that now fall on a day off go to the next working day, never earlier, unless the
    item's dates are not rolled at all; the original due date stays. A day that becomes worked
    moves no date back. Ladders that cross the day count anew. Nothing closed is touched.

    Raises:
        NotPermitted: not the coordinator.
        Refused: the name or the document is missing, the day lies outside the known years, or it
            is already as asked for.
    """
    need_coordinator(stamp)
    word = "Đề nghị ghi tên ngày nghỉ hoặc ngày làm việc bù."
    called = need_text(name, word, field="name")
    code = need_text(
        clean_document(document),
        "Đề nghị ghi số, ký hiệu văn bản về ngày nghỉ, ngày làm việc bù.",
        field="document",
    )
    _store(session, stamp, day, working=working, name=called, document=code)
    rolled: list[int] = []
    reminders = 0
    for key in plan_keys(session):
        state = load_state(session, key)
        if not working:
            reason = f"Ngày {vn_date(day)} là ngày nghỉ: {called}"
            rolled += _roll_open_dates(session, stamp, state, day, reason=reason, document=code)
        reminders += count_anew(session, state)
    session.flush()
    target = None if working else load_calendar(session).next_working(day)
    return DayChange(day=day, rolled_to=target, rolled=tuple(rolled), reminders=reminders)


def _store(
    session: Session, stamp: Stamp, day: date, *, working: bool, name: str, document: str
) -> None:
    calendar = load_calendar(session)
    if not calendar.first <= day <= calendar.last:
        msg = (
            f"Ngày {vn_date(day)} nằm ngoài lịch đã có ({vn_date(calendar.first)} đến "
            f"{vn_date(calendar.last)}); đề nghị kiểm tra lại năm."
        )
        raise Refused(msg, field="day")
    row = session.get(DayRow, day)
    if row is None and calendar.is_working(day) is working:
        word = "ngày làm việc" if working else "ngày nghỉ"
        msg = f"Ngày {vn_date(day)} vốn đã là {word}; không cần điều chỉnh."
        raise Refused(msg, field="day")
    if row is None:
        row = DayRow(day=day)
        session.add(row)
    values: dict[str, Any] = {
        "working": working,
        "name": name,
        "source": DaySource.CORRECTION.value,
        "document": document,
    }
    if all(getattr(row, column) == value for column, value in values.items()):
        return
    for column, value in values.items():
        setattr(row, column, value)
    session.flush()
    change = Change(
        entity="day",
        entity_id=day.isoformat(),
        action="correct",
        snapshot=snapshot_of(row),
        document=document,
    )
    record(session, stamp, [change])


def _roll_open_dates(
    session: Session, stamp: Stamp, state: PlanState, day: date, *, reason: str, document: str
) -> list[int]:
    target = state.calendar.next_working(day)
    rows = session.execute(
        select(Assignment, Occurrence)
        .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
        .where(
            Occurrence.plan_key == state.plan.key,
            or_(Assignment.due_on == day, Assignment.respond_by == day),
            Assignment.status.in_([status.value for status in MOVABLE]),
        )
        .order_by(Assignment.id)
        .with_for_update(of=Assignment)
        .execution_options(populate_existing=True)
    ).all()
    unrolled = {one.key for one in state.plan.decided if one.calendar.roll is Roll.NONE}
    rolled: list[int] = []
    occurrences: dict[int, Occurrence] = {}
    for row, occurrence in rows:
        if occurrence.item_key in unrolled:
            continue
        names = [name for name in ("due_on", "respond_by") if getattr(row, name) == day]
        work = Work(state=state, occurrence=occurrence, assignment=row)
        move_date(
            session,
            stamp,
            work,
            "roll_day",
            changes=dict.fromkeys(names, target),
            reason=reason,
            document=document,
            keep_ladder=True,
        )
        rolled.append(row.id)
        occurrences[occurrence.id] = occurrence
    for occurrence in occurrences.values():
        _roll_occurrence(session, stamp, occurrence, day, target, reason=reason, document=document)
    return rolled


def _roll_occurrence(
    session: Session,
    stamp: Stamp,
    occurrence: Occurrence,
    day: date,
    target: date,
    *,
    reason: str,
    document: str,
) -> None:
    if occurrence.due_on != day:
        return
    occurrence.due_on = target
    occurrence.version += 1
    session.flush()
    change = Change(
        entity="occurrence",
        entity_id=str(occurrence.id),
        action="roll_day",
        snapshot=snapshot_of(occurrence),
        plan=occurrence.plan_key,
        item=occurrence.item_key,
        period=occurrence.period_key,
        reason=reason,
        document=document,
    )
    record(session, stamp, [change])
