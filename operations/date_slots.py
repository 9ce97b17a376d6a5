"""The items and periods whose dates a document may fix, checked one by one (rule 17)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Occurrence, PeriodDate
from operations.errors import Refused
from operations.guards import rolled_words, vn_date
from operations.history import Change, record, snapshot_of
from operations.stamp import Stamp
from operations.state import PlanState
from rules.periods import Period
from rules.planning import OccurrenceKey
from rules.recurrence import Scheduled, expand
from rules.values import DateAuthority, Document, Item
from rules.workdays import OutsideHorizon

_OWNER_WORDS = {DateAuthority.PROVINCE: "UBND tỉnh", DateAuthority.MINISTRY: "Bộ"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One item in one period, with the date a document gives it and the working day it means."""

    plan: str
    item: Item
    period: Period
    asked: date
    due_on: date
    occurrence: Occurrence | None

    @property
    def key(self) -> OccurrenceKey:
        """(item key, period key)."""
        return self.item.key, self.period.key


def existing_dates(session: Session, plan: str) -> dict[OccurrenceKey, PeriodDate]:
    """The dates that documents have fixed so far."""
    rows = session.scalars(select(PeriodDate).where(PeriodDate.plan_key == plan))
    return {(row.item_key, row.period_key): row for row in rows}


def check_slots(
    session: Session,
    state: PlanState,
    year: int,
    dates: Mapping[OccurrenceKey, date],
    authority: DateAuthority,
) -> list[Slot]:
    """Read what a document fixes; everything is checked before anything is written.

    Raises:
        Refused: no date at all, an unknown item or period, a date before the opening, or one that
            a higher authority fixed.
    """
    if not dates or authority is DateAuthority.PROVISIONAL:
        msg = (
            "Đề nghị nhập ít nhất một hạn."
            if not dates
            else "Văn bản ấn định hạn thì hạn không còn là mốc dự kiến; đề nghị chọn cơ quan ấn định."
        )
        raise Refused(msg, field="authority" if dates else "dates")
    query = select(Occurrence).where(Occurrence.plan_key == state.plan.key)
    opened = {(row.item_key, row.period_key): row for row in session.scalars(query)}
    before = existing_dates(session, state.plan.key)
    slots = []
    for key, asked in sorted(dates.items()):
        item, scheduled = _scheduled(state, year, key)
        due_on = _rolled(state, item, asked, key)
        occurrence, fixed = opened.get(key), before.get(key)
        opens_on = occurrence.opens_on if occurrence else scheduled.opens_on
        if due_on < opens_on:
            msg = (
                f"{item.key}, {scheduled.period.label}: hạn {rolled_words(asked, due_on)} trước "
                f"ngày bắt đầu kỳ {vn_date(opens_on)}; đề nghị chọn ngày từ đó trở đi."
            )
            raise Refused(msg, field=_field(key))
        owner = DateAuthority(fixed.authority) if fixed else item.calendar.authority
        if owner in _OWNER_WORDS and owner is not authority:
            msg = (
                f"{item.key}, {scheduled.period.label}: hạn do {_OWNER_WORDS[owner]} ấn định, chỉ "
                f"thay đổi theo văn bản của {_OWNER_WORDS[owner]}."
            )
            raise Refused(msg, field=_field(key))
        slots.append(
            Slot(
                plan=state.plan.key,
                item=item,
                period=scheduled.period,
                asked=asked,
                due_on=due_on,
                occurrence=occurrence,
            )
        )
    return slots


def _field(key: OccurrenceKey) -> str:
    return f"dates.{key[0]}.{key[1]}"


def _scheduled(state: PlanState, year: int, key: OccurrenceKey) -> tuple[Item, Scheduled]:
    plan = state.plan
    found = {item.key: item for item in plan.decided}.get(key[0])
    if found is None:
        msg = f"Đề án không có nhiệm vụ “{key[0]}”; các nhiệm vụ: {', '.join(i.key for i in plan.decided)}."
        raise Refused(msg, field=_field(key))
    periods = {
        one.period.key: one
        for one in expand(found.calendar, plan.first_year, plan.last_year)
        if one.period.year == year
    }
    if key[1] not in periods:
        have = ", ".join(periods) or "không có kỳ nào"
        msg = f"Nhiệm vụ {key[0]} không có kỳ “{key[1]}” trong năm {year}; các kỳ: {have}."
        raise Refused(msg, field=_field(key))
    return found, periods[key[1]]


def _rolled(state: PlanState, item: Item, asked: date, key: OccurrenceKey) -> date:
    try:
        return state.calendar.roll(asked, item.calendar.roll)
    except OutsideHorizon as error:
        msg = (
            f"{item.key}: ngày {vn_date(asked)} nằm ngoài lịch ngày nghỉ đã có "
            f"({vn_date(error.first)} đến {vn_date(error.last)}); đề nghị kiểm tra lại năm."
        )
        raise Refused(msg, field=_field(key)) from error


def store_period_date(
    session: Session,
    stamp: Stamp,
    slot: Slot,
    row: PeriodDate | None,
    *,
    document: Document,
    authority: DateAuthority,
) -> None:
    """Write the date of a period with its document, unless it says so already."""
    values = {
        "due_on": slot.asked,
        "authority": authority.value,
        "document_code": document.code,
        "document_issued_on": document.issued_on,
    }
    if row is not None and all(getattr(row, name) == value for name, value in values.items()):
        return
    if row is None:
        row = PeriodDate(plan_key=slot.plan, item_key=slot.item.key, period_key=slot.period.key)
        session.add(row)
    for name, value in values.items():
        setattr(row, name, value)
    row.set_at, row.set_by = stamp.at, stamp.actor.name
    session.flush()
    change = Change(
        entity="period_date",
        entity_id=f"{slot.plan}/{slot.item.key}/{slot.period.key}",
        action="fix_date",
        snapshot=snapshot_of(row),
        plan=slot.plan,
        item=slot.item.key,
        period=slot.period.key,
        document=document.code,
    )
    record(session, stamp, [change])
