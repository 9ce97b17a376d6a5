"""Dates that documents fix or move (rules 4, 15, 17); there is no other rule of dates.

A document that fixes the date of a period settles it for all its open work: what was provisional
becomes fixed, and the date becomes the one in force for every assignment that stood on the date of
its occurrence. Whether somebody had already begun does not matter here: rule 15 protects what is
touched from an edited calendar, not from a document, and two agencies with the same work must not
be left with two deadlines because one of them pressed "Bắt đầu". What was moved one by one
(extended, rescheduled, suspended for a time, reopened) keeps its own date, unless the document's
is later, and is no longer provisional either. Results that were handed in never become late by it.

The first date that a document fixes is also the original due date: a provisional date was a guess
that nobody was bound by (rule 17). Later documents leave the original as it is (rule 4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Assignment, Occurrence
from operations.date_slots import Slot, check_slots, existing_dates, store_period_date
from operations.guards import (
    need_coordinator,
    need_own_document,
    need_text,
    vn_date,
)
from operations.history import Change, record, snapshot_of
from operations.rescheduling import move_date
from operations.stamp import Stamp
from operations.state import PlanState, load_state
from operations.transition import Work
from rules.lifecycle import MOVABLE, Status
from rules.planning import OccurrenceKey
from rules.values import DateAuthority, Document, TrackingMode

_OWNED = frozenset({DateAuthority.PROVINCE, DateAuthority.MINISTRY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An assignment that keeps its own date, and in words for people, why."""

    assignment: int
    agency_name: str
    due_on: date
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DateMove:
    """What a document does to one item in one period.

    ``asked`` is the date of the document and ``due_on`` the working day it means; ``previous`` is
    the date in force so far, None while the occurrence has not opened. ``moves`` are assignments
    whose date changes, ``confirms`` those whose date stays and is now fixed.
    """

    item: str
    period: str
    asked: date
    due_on: date
    previous: date | None
    moves: tuple[int, ...] = ()
    confirms: tuple[int, ...] = ()
    keeps: tuple[Kept, ...] = ()


def preview_year_dates(
    session: Session,
    plan: str,
    year: int,
    dates: Mapping[OccurrenceKey, date],
    authority: DateAuthority = DateAuthority.COORDINATOR,
) -> tuple[DateMove, ...]:
    """What :func:`fix_year_dates` would do, without doing it (rule 15).

    Raises:
        Refused: an item, a period or a date is wrong; the text says which.
    """
    state = load_state(session, plan)
    return tuple(
        _plan_move(session, slot, authority, lock=False)[0]
        for slot in check_slots(session, state, year, dates, authority)
    )


def fix_year_dates(
    session: Session,
    stamp: Stamp,
    plan: str,
    year: int,
    dates: Mapping[OccurrenceKey, date],
    *,
    document: Document,
    authority: DateAuthority = DateAuthority.COORDINATOR,
) -> tuple[DateMove, ...]:
    """ "Ấn định lịch năm": fix dates of a year by one document (rule 17).

    Periods that have not opened yet open with these dates. Run again with the same dates, it
    changes nothing.

    Raises:
        NotPermitted: not the coordinator.
        Refused: the document is missing or somebody else's; an item, period or date is wrong.
    """
    need_coordinator(stamp)
    state = load_state(session, plan)
    slots = check_slots(session, state, year, dates, authority)
    code = need_own_document(authority, document.code)
    code = need_text(code, "Đề nghị ghi số, ký hiệu văn bản ấn định lịch.", field="document")
    before = existing_dates(session, plan)
    moves = []
    for slot in slots:
        move, rows = _plan_move(session, slot, authority, lock=True)
        named = replace(document, code=code)
        store_period_date(
            session, stamp, slot, before.get(slot.key), document=named, authority=authority
        )
        _carry_out(
            session, stamp, state, slot=slot, rows=rows, move=move, code=code, authority=authority
        )
        moves.append(move)
    return tuple(moves)


def _plan_move(
    session: Session, slot: Slot, authority: DateAuthority, *, lock: bool
) -> tuple[DateMove, Sequence[Assignment]]:
    """What would happen to one period, and the rows that the document settles."""
    occurrence = slot.occurrence
    blank = DateMove(
        item=slot.item.key,
        period=slot.period.key,
        asked=slot.asked,
        due_on=slot.due_on,
        previous=None if occurrence is None else occurrence.due_on,
    )
    if occurrence is None or occurrence.mode != TrackingMode.FULL:
        return blank, ()
    query = (
        select(Assignment)
        .where(
            Assignment.occurrence_id == occurrence.id,
            Assignment.status.in_([status.value for status in MOVABLE]),
        )
        .order_by(Assignment.id)
        .execution_options(populate_existing=True)
    )
    rows = session.scalars(query.with_for_update() if lock else query).all()
    moves, confirms, keeps, settled = [], [], [], []
    for row in rows:
        why, settles = _verdict(row, occurrence, slot, authority)
        if settles:
            settled.append(row)
        if why is not None:
            keeps.append(
                Kept(assignment=row.id, agency_name=row.agency_name, due_on=row.due_on, why=why)
            )
        elif row.due_on != slot.due_on:
            moves.append(row.id)
        else:
            confirms.append(row.id)
    done = replace(blank, moves=tuple(moves), confirms=tuple(confirms), keeps=tuple(keeps))
    return done, settled


def _verdict(
    row: Assignment, occurrence: Occurrence, slot: Slot, authority: DateAuthority
) -> tuple[str | None, bool]:
    """Why ``row`` keeps its date, None when it does not; and whether the document settles it."""
    provisional = row.authority == DateAuthority.PROVISIONAL
    if DateAuthority(row.authority) in _OWNED and row.authority != authority:
        return "hạn do cấp trên ấn định", False
    done = row.completed_on if row.status == Status.SUBMITTED else None
    if done is not None and done > slot.due_on:
        return f"đã cập nhật kết quả, ngày hoàn thành {vn_date(done)}", False
    if row.due_on == slot.due_on:
        return None, True
    said_before = not provisional and occurrence.due_on == slot.due_on
    if row.extensions > 0 and (said_before or slot.due_on < row.due_on):
        return "đã được gia hạn", provisional
    if row.round > 1:
        return "đã được mở lại với hạn riêng", provisional
    if row.extensions == 0 and row.due_on != occurrence.due_on:
        return "đã được điều chỉnh hạn riêng", provisional
    return None, True


def _carry_out(
    session: Session,
    stamp: Stamp,
    state: PlanState,
    *,
    slot: Slot,
    rows: Sequence[Assignment],
    move: DateMove,
    code: str,
    authority: DateAuthority,
) -> None:
    occurrence = slot.occurrence
    if occurrence is None or not rows:
        return
    first = any(row.authority == DateAuthority.PROVISIONAL for row in rows)
    own_date = {kept.assignment for kept in move.keeps}
    for row in rows:
        changes: dict[str, Any] = {"authority": authority.value, "document_code": code}
        if row.id not in own_date:
            changes["due_on"] = slot.due_on
            if row.authority == DateAuthority.PROVISIONAL:
                changes |= {"nominal_due_on": slot.asked, "original_due_on": slot.due_on}
        if any(getattr(row, name) != value for name, value in changes.items()):
            work = Work(state=state, occurrence=occurrence, assignment=row)
            move_date(session, stamp, work, "fix_date", changes=changes, document=code)
    if occurrence.due_on == slot.due_on and not first:
        return
    occurrence.due_on = slot.due_on
    if first:
        occurrence.nominal_due_on, occurrence.original_due_on = slot.asked, slot.due_on
    occurrence.version += 1
    session.flush()
    change = Change(
        entity="occurrence",
        entity_id=str(occurrence.id),
        action="fix_date",
        snapshot=snapshot_of(occurrence),
        plan=occurrence.plan_key,
        item=occurrence.item_key,
        period=occurrence.period_key,
        document=code,
    )
    record(session, stamp, [change])
