"""What an edit of an item's calendar does to its periods, looked at first (rules 7, 8, 15, 17).

An edit is a new version of the plan. Periods that have not opened follow it. So do open ones that
nobody has touched and that no document fixed; everything else keeps its dates, and it is said why.
What is shown first is what is carried out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Assignment, Occurrence, PlanRow
from operations.errors import Checks, NotFound, Refused
from operations.guards import need_coordinator, need_own_document, need_text
from operations.stamp import Stamp
from operations.state import PlanState, fixed_dates, load_state
from rules.lifecycle import MOVABLE
from rules.month_days import DayInPeriod, expression_of
from rules.periods import Period
from rules.planning import FixedDate
from rules.recurrence import DueBeforeOpening, NeverFires, Scheduled, expand
from rules.values import Confirmation, DateAuthority, Item, ItemCalendar, TrackingMode
from rules.workdays import OutsideHorizon

SET_BY_ENGINE = frozenset({"provisional", "request", "record"})
"""Ladders that follow from what the work is; no item is given one of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEdit:
    """What a form says of an item's calendar; ``confirmation`` None leaves it as it is."""

    opens: DayInPeriod
    due: DayInPeriod
    ladder: str
    authority: DateAuthority
    fixed_by: str | None
    basis: str
    reason: str
    document: str | None = None
    confirmation: Confirmation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPeriod:
    """An open period: the date in force, and the one it gets; ``why`` it keeps its own."""

    occurrence: int
    period: str
    period_label: str
    agencies: tuple[str, ...]
    before: date
    after: date
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComingPeriod:
    """A period that has not opened, with its days before and after the edit."""

    period_label: str
    opened_on: tuple[date, date]
    due_on: tuple[date, date]


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEffects:
    """What an edit does. ``version`` is the plan's version that it stands on."""

    version: int
    calendar: ItemCalendar
    confirmation: Confirmation | None
    opened: tuple[OpenPeriod, ...]
    coming: tuple[ComingPeriod, ...]


def check_calendar(
    session: Session, stamp: Stamp, plan_key: str, item_key: str, edit: CalendarEdit
) -> CalendarEffects:
    """What ``edit_calendar`` would do, without doing it (rule 15).

    Raises:
        NotPermitted: not the coordinator.
        NotFound: the decision has no such item.
        Refused: a day, the basis, the reason or the document of whoever fixes the date is wrong
            or missing, or nothing would change.
    """
    need_coordinator(stamp)
    state = load_state(session, plan_key)
    item = _item(state, item_key)
    new = _calendar(state, item, edit)
    confirmation = None if edit.confirmation == item.calendar.confirmation else edit.confirmation
    same = replace(new, basis=item.calendar.basis) == item.calendar
    if same and confirmation is None:
        raise Refused("Lịch này đang được áp dụng; không có gì thay đổi.")
    scheduled = _scheduled(state, new, item.calendar)
    look = _Look(session, state, item, new, scheduled)
    return CalendarEffects(
        version=session.get_one(PlanRow, plan_key).current_version,
        calendar=new,
        confirmation=confirmation,
        opened=tuple(_opened(look, stamp.as_of)),
        coming=tuple(_coming(look)),
    )


@dataclass(frozen=True, slots=True)
class _Look:
    """What both lists of periods are read from."""

    session: Session
    state: PlanState
    item: Item
    new: ItemCalendar
    scheduled: dict[str, tuple[Scheduled, Scheduled]]


def _item(state: PlanState, key: str) -> Item:
    found = {item.key: item for item in state.plan.decided}.get(key)
    if found is None:
        raise NotFound(f"Đề án không có nhiệm vụ “{key}”.", field="item")
    return found


def _calendar(state: PlanState, item: Item, edit: CalendarEdit) -> ItemCalendar:
    now, kind = item.calendar, item.calendar.period
    checks, wanted = Checks(), "Đề nghị ghi căn cứ của lịch này."
    basis = checks.run(lambda: need_text(edit.basis, wanted, field="basis"), "")
    checks.run(lambda: need_text(edit.reason, "Đề nghị nêu lý do sửa lịch.", field="reason"), "")
    for authority in {now.authority, edit.authority}:
        checks.run(partial(need_own_document, authority, edit.document), None)
    checks.done()
    if edit.ladder != now.ladder and (
        edit.ladder not in state.plan.ladders or edit.ladder in SET_BY_ENGINE
    ):
        raise Refused("Đề nghị chọn một bậc nhắc trong danh sách.", field="ladder")
    days = {"opens": edit.opens, "due": edit.due}
    said: dict[str, str] = {}
    for name, day in days.items():
        try:
            said[name] = expression_of(day, kind, like=getattr(now, name))
        except ValueError as error:
            msg = "Đề nghị chọn ngày từ 1 đến 31 (hoặc ngày cuối tháng) và tháng trong kỳ."
            raise Refused(msg, field=f"{name}_day") from error
    return replace(
        now,
        opens=said["opens"],
        due=said["due"],
        ladder=edit.ladder,
        authority=edit.authority,
        fixed_by=edit.fixed_by or None,
        basis=basis,
    )


def _scheduled(
    state: PlanState, new: ItemCalendar, now: ItemCalendar
) -> dict[str, tuple[Scheduled, Scheduled]]:
    """Each period as it is and as it would be."""
    plan = state.plan
    try:
        after = expand(new, plan.first_year, plan.last_year)
    except NeverFires as error:
        msg = f"Tháng đã chọn của {error.period.label} không có ngày này; chọn ngày cuối tháng?"
        raise Refused(msg, field=f"{error.field}_day") from error
    except DueBeforeOpening as error:
        msg = f"Ở {error.period.label}, hạn đến trước ngày mở; đề nghị chọn hạn sau ngày mở."
        raise Refused(msg, field="due_day") from error
    before = {one.period.key: one for one in expand(now, plan.first_year, plan.last_year)}
    return {one.period.key: (before[one.period.key], one) for one in after}


def _opened(look: _Look, as_of: date) -> Iterator[OpenPeriod]:
    session, state, item, new = look.session, look.state, look.item, look.new
    fixed = fixed_dates(session, state.plan.key)
    rows = session.scalars(
        select(Occurrence)
        .where(Occurrence.plan_key == state.plan.key, Occurrence.item_key == item.key)
        .order_by(Occurrence.period_first, Occurrence.id)
        .execution_options(populate_existing=True)
    ).all()
    for row in rows:
        rows_open = open_rows(session, row.id)
        if not rows_open or row.period_key not in look.scheduled:
            continue
        after = _rolled(state, look.scheduled[row.period_key][1].nominal_due_on, new)
        if after == row.due_on and row.ladder == new.ladder:
            continue
        yield OpenPeriod(
            occurrence=row.id,
            period=row.period_key,
            period_label=Period.parse(row.period_key).label,
            agencies=tuple(one.agency_name for one in rows_open if one.role == "lead"),
            before=row.due_on,
            after=after,
            why=_why(row, fixed.get((item.key, row.period_key)), after, as_of),
        )


def _why(row: Occurrence, fixed: FixedDate | None, after: date, as_of: date) -> str | None:
    """Why an open period keeps its date; None when it follows."""
    if fixed is not None:
        return f"hạn đã ấn định theo văn bản {fixed.document.code}"
    if row.mode != TrackingMode.FULL:
        return "năm ghi nhận có hạn chung"
    if row.touched:
        return "đã có cơ quan thực hiện, hoặc hạn đã được điều chỉnh"
    if row.due_on < as_of:
        return "hạn đã qua"
    return "hạn mới đã qua" if after < as_of else None


def _coming(look: _Look) -> Iterator[ComingPeriod]:
    session, state, item, new = look.session, look.state, look.item, look.new
    fixed = fixed_dates(session, state.plan.key)
    query = select(Occurrence.period_key).where(
        Occurrence.plan_key == state.plan.key, Occurrence.item_key == item.key
    )
    opened = set(session.scalars(query))
    for key, (before, after) in look.scheduled.items():
        if key in opened or before.period.last_day < state.tracking_start:
            continue
        document = fixed.get((item.key, key))
        dues = [
            _rolled(state, document.due_on if document else one.nominal_due_on, calendar)
            for one, calendar in ((before, item.calendar), (after, new))
        ]
        opens = (before.opens_on, after.opens_on)
        if opens[0] != opens[1] or dues[0] != dues[1]:
            yield ComingPeriod(
                period_label=after.period.label, opened_on=opens, due_on=(dues[0], dues[1])
            )


def _rolled(state: PlanState, nominal: date, calendar: ItemCalendar) -> date:
    try:
        return state.calendar.roll(nominal, calendar.roll)
    except OutsideHorizon:
        return nominal


def open_rows(session: Session, occurrence: int) -> Sequence[Assignment]:
    """The rows of an occurrence whose dates may move, leads and partners."""
    return session.scalars(
        select(Assignment)
        .where(
            Assignment.occurrence_id == occurrence,
            Assignment.status.in_([status.value for status in MOVABLE]),
        )
        .order_by(Assignment.id)
        .execution_options(populate_existing=True)
    ).all()
