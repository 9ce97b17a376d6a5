"""Correcting which days are worked, and what follows for open work (rule 3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import groupby
from typing import Any

from sqlalchemy.orm import Session

from models.tables import Assignment, DayRow, Occurrence
from operations.day_effects import DayEffects, DayOrder, MovedDate, day_effects
from operations.errors import Checks, Refused
from operations.guards import clean_document, need_coordinator, need_text, vn_date
from operations.history import Change, record, snapshot_of
from operations.opening import lock_plan
from operations.reminder_days import count_anew
from operations.rescheduling import move_date
from operations.stamp import Stamp
from operations.state import load_calendar, load_state, plan_keys
from operations.transition import Work
from rules.workdays import DaySource, WorkCalendar


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
    """Say by a document that ``day`` is off, or worked; see :func:`change_days`."""
    order = DayOrder(day=day, working=working)
    found = change_days(session, stamp, [order], name=name, document=document)
    return DayChange(
        day=day,
        rolled_to=None if working else load_calendar(session).next_working(day),
        rolled=tuple(dict.fromkeys(one.assignment for one in found.moved)),
        reminders=len(found.reminders),
    )


def check_days(
    session: Session, stamp: Stamp, orders: Sequence[DayOrder], *, name: str, document: str
) -> DayEffects:
    """What :func:`change_days` would do, without doing it.

    Raises:
        NotPermitted: not the coordinator.
        Refused: with all of it: the name or the document is missing; no day, a day twice, one
            outside the known years or already as asked for.
    """
    need_coordinator(stamp)
    checks = Checks()
    checks.run(lambda: _check(session, orders), None)
    checks.run(lambda: _name(name), "")
    checks.run(lambda: _document(document), "")
    checks.done()
    return day_effects(session, orders, stamp.as_of)


def change_days(
    session: Session, stamp: Stamp, orders: Sequence[DayOrder], *, name: str, document: str
) -> DayEffects:
    """Correct days by one document, as a swap of a day off and a working day does.

    Open dates that now fall on a day off go to the next working day, never earlier, unless the
    item's dates are not rolled at all; the original due date stays. A day that becomes worked
    moves no date back. Ladders that cross the days count anew. Nothing closed is touched.

    Raises:
        NotPermitted, Refused: see :func:`check_days`.
    """
    need_coordinator(stamp)
    for key in plan_keys(session):
        lock_plan(session, key)
    found = check_days(session, stamp, orders, name=name, document=document)
    called, code = _name(name), _document(document)
    for order in orders:
        _store(session, stamp, order, name=called, document=code)
    for key in plan_keys(session):
        moved = [one for one in found.moved if one.plan == key]
        _roll(session, stamp, moved, name=called, document=code)
        count_anew(session, load_state(session, key))
    session.flush()
    return found


def _name(name: str) -> str:
    message = "Đề nghị ghi lý do, như sẽ hiện trong lịch, ví dụ: Hoán đổi ngày nghỉ Tết."
    return need_text(name, message, field="name")


def _document(document: str) -> str:
    message = "Đề nghị ghi số, ký hiệu văn bản về ngày nghỉ, ngày làm việc bù."
    return need_text(clean_document(document), message, field="document")


def _check(session: Session, orders: Sequence[DayOrder]) -> None:
    if not orders:
        raise Refused("Đề nghị ghi ít nhất một ngày nghỉ hoặc ngày làm việc bù.", field="off")
    calendar, checks = load_calendar(session), Checks()
    for order in orders:
        checks.run(partial(_check_day, session, calendar, orders, order), None)
    checks.done()


def _check_day(
    session: Session, calendar: WorkCalendar, orders: Sequence[DayOrder], order: DayOrder
) -> None:
    day, said = order.day, vn_date(order.day)
    if not calendar.first <= day <= calendar.last:
        msg = (
            f"Ngày {said} nằm ngoài lịch đã có ({vn_date(calendar.first)} đến "
            f"{vn_date(calendar.last)}); đề nghị kiểm tra lại năm."
        )
        raise Refused(msg, field=order.field)
    if sum(one.day == day for one in orders) > 1:
        msg = f"Ngày {said} không thể vừa là ngày nghỉ vừa là ngày làm việc."
        raise Refused(msg, field=order.field)
    if session.get(DayRow, day) is None and calendar.is_working(day) is order.working:
        word = "ngày làm việc" if order.working else "ngày nghỉ"
        msg = f"Ngày {said} vốn đã là {word}; không cần điều chỉnh."
        raise Refused(msg, field=order.field)


def _store(session: Session, stamp: Stamp, order: DayOrder, *, name: str, document: str) -> None:
    day = order.day
    row = session.get(DayRow, day)
    if row is None:
        row = DayRow(day=day)
        session.add(row)
    values: dict[str, Any] = {
        "working": order.working,
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


def _roll(
    session: Session, stamp: Stamp, moved: Sequence[MovedDate], *, name: str, document: str
) -> None:
    """Move the dates; each event names the day that moved it."""
    if not moved:
        return
    state = load_state(session, moved[0].plan)
    occurrences: dict[int, Occurrence] = {}
    for number, dates in groupby(moved, key=lambda one: one.assignment):
        fields = list(dates)
        row = session.get_one(Assignment, number, with_for_update=True)
        occurrence = session.get_one(Occurrence, row.occurrence_id)
        touched = occurrence.touched
        move_date(
            session,
            stamp,
            Work(state=state, occurrence=occurrence, assignment=row),
            "roll_day",
            changes={one.name: one.after for one in fields},
            reason=_reason(dict.fromkeys(one.before for one in fields), name),
            document=document,
            keep_ladder=True,
        )
        occurrence.touched = touched  # a day off is nobody's act on the work (rule 15)
        occurrences[occurrence.id] = occurrence
    targets = {one.before: one.after for one in moved}
    for occurrence in occurrences.values():
        _roll_occurrence(session, stamp, occurrence, targets=targets, name=name, document=document)


def _reason(days: Iterable[date], name: str) -> str:
    return f"Ngày {', '.join(vn_date(day) for day in days)} là ngày nghỉ: {name}"


def _roll_occurrence(
    session: Session,
    stamp: Stamp,
    occurrence: Occurrence,
    *,
    targets: Mapping[date, date],
    name: str,
    document: str,
) -> None:
    if occurrence.due_on not in targets:
        return
    reason = _reason([occurrence.due_on], name)
    occurrence.due_on = targets[occurrence.due_on]
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
