"""Added work amended while nobody has begun, or no longer followed (rules 15, 44)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import AddedWork, Assignment, Occurrence
from operations.act import ActRequest, act
from operations.added import AddedInput, check_due, draft_like, note_added, occurrence_of
from operations.date_slots import Slot, existing_dates, store_period_date
from operations.errors import Conflict, NotFound, Refused
from operations.guards import need_coordinator, need_text
from operations.history import Change, record, snapshot_of
from operations.rescheduling import move_date
from operations.stamp import Stamp
from operations.state import ITEM_ADAPTER, PlanState, load_state
from operations.transition import Work
from rules.lifecycle import STATUS_WORDS, TRANSITIONS, UNCOUNTED, Action, Status
from rules.periods import Period
from rules.values import Confirmation, DateAuthority, Document, Item, PeriodKind, Role

_UNTOUCHED = frozenset({Status.NOT_STARTED, Status.DORMANT}) | UNCOUNTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """What added work says from now on; whom it reaches is changed agency by agency (rule 12)."""

    basis_code: str
    basis_on: date | None
    task: str
    product: str
    due_on: date | None
    confirmation: Confirmation
    authority: DateAuthority
    reason: str
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """How much work is no longer followed, and how much waits for a second step (rule 20)."""

    ended: int
    proposed: int


def find_added(session: Session, plan: str, code: str, *, lock: bool = False) -> AddedWork:
    """Added work by its code.

    Raises:
        NotFound: there is none.
    """
    query = select(AddedWork).where(AddedWork.plan_key == plan, AddedWork.code == code)
    row = session.scalars(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        msg = f"Không có nhiệm vụ giao bổ sung “{code}”."
        raise NotFound(msg, field="code")
    return row


def is_untouched(rows: Sequence[Assignment]) -> bool:
    """Whether nobody has begun: then the work may still be amended (rule 15)."""
    return all(Status(row.status) in _UNTOUCHED and row.round == 1 for row in rows)


def amend_added(
    session: Session, stamp: Stamp, plan: str, code: str, asked: Amendment
) -> tuple[str, ...]:
    """Amend added work while nobody has begun; the fields that are others now.

    Raises:
        NotFound: there is none.
        NotPermitted: not the coordinator.
        Refused: somebody has begun, a reason is missing, or a field is wrong.
        Conflict: it changed meanwhile (rule 26).
    """
    need_coordinator(stamp)
    row = find_added(session, plan, code, lock=True)
    if asked.expected_version is not None and asked.expected_version != row.version:
        msg = (
            f"{code} đã được {row.updated_by} cập nhật trong lúc này; nội dung vừa nhập chưa được "
            "ghi. Đề nghị xem lại rồi gửi lại nếu cần."
        )
        raise Conflict(msg)
    why = need_text(asked.reason, "Đề nghị nêu lý do điều chỉnh.", field="reason")
    occurrence, state = occurrence_of(session, row), load_state(session, plan)
    rows = _rows(session, occurrence)
    if not is_untouched(rows):
        begun = next(one for one in rows if Status(one.status) not in _UNTOUCHED or one.round > 1)
        msg = (
            f"{begun.agency_name}: {STATUS_WORDS[Status(begun.status)].lower()}; nhiệm vụ đã có cơ "
            "quan bắt đầu nên chỉ điều chỉnh được hạn của từng cơ quan, hoặc thôi theo dõi."
        )
        raise Refused(msg)
    before = ITEM_ADAPTER.validate_json(row.content)
    item, basis, nominal, due_on = _amended(state, stamp, row, before, asked)
    changed = _differences(row, before, item, basis)
    if not changed:
        raise Refused("Nội dung điều chỉnh không khác nội dung hiện có.")
    row.content = ITEM_ADAPTER.dump_json(item).decode()
    row.basis_code, row.basis_on = basis.code, basis.issued_on or row.basis_on
    row.updated_at, row.updated_by = stamp.at, stamp.actor.name
    row.version += 1
    session.flush()
    note_added(session, stamp, row, "amend", why)
    _follow(
        session, stamp, row, occurrence, item=item, basis=basis, dates=(nominal, due_on), why=why
    )
    return changed


def _rows(session: Session, occurrence: Occurrence) -> Sequence[Assignment]:
    query = (
        select(Assignment)
        .where(Assignment.occurrence_id == occurrence.id)
        .order_by(Assignment.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return session.scalars(query).all()


def _amended(
    state: PlanState, stamp: Stamp, row: AddedWork, before: Item, asked: Amendment
) -> tuple[Item, Document, date, date]:
    spans = before.parties
    wanted = AddedInput(
        basis_code=asked.basis_code,
        basis_on=asked.basis_on,
        task=asked.task,
        product=asked.product,
        due_on=asked.due_on,
        leads=spans.leads[0].refs,
        partners=spans.partners[0].refs if spans.partners else (),
        lead_mode=spans.lead_mode,
        confirmation=asked.confirmation,
        authority=asked.authority,
    )
    nominal, due_on = check_due(state, stamp.as_of, asked.due_on)
    opens_on = date(row.year, 1, 1)
    item, basis = draft_like(
        state, stamp.as_of, wanted, year=row.year, number=row.number, opens_on=opens_on
    )
    opens = replace(item.calendar, opens=before.calendar.opens)
    return replace(item, calendar=opens), basis, nominal, due_on


def _differences(row: AddedWork, before: Item, item: Item, basis: Document) -> tuple[str, ...]:
    pairs: tuple[tuple[str, Any, Any], ...] = (
        ("căn cứ", (row.basis_code, row.basis_on), (basis.code, basis.issued_on)),
        ("nội dung", before.text.task, item.text.task),
        ("sản phẩm", before.calendar.expected, item.calendar.expected),
        ("hạn", before.text.timing, item.text.timing),
        ("cách xác nhận", before.calendar.confirmation, item.calendar.confirmation),
        ("cơ quan ấn định hạn", before.calendar.authority, item.calendar.authority),
    )
    return tuple(name for name, old, new in pairs if old != new)


def _follow(
    session: Session,
    stamp: Stamp,
    row: AddedWork,
    occurrence: Occurrence,
    *,
    item: Item,
    basis: Document,
    dates: tuple[date, date],
    why: str,
) -> None:
    """Let the date that was fixed, the occurrence and its assignments say the same."""
    nominal, due_on = dates
    authority, period = item.calendar.authority, Period(PeriodKind.YEAR, row.year)
    slot = Slot(
        plan=row.plan_key, item=item, period=period, asked=nominal, due_on=due_on, occurrence=None
    )
    known = existing_dates(session, row.plan_key).get(slot.key)
    store_period_date(session, stamp, slot, known, document=basis, authority=authority)
    state = load_state(session, row.plan_key)
    changes = {
        "nominal_due_on": nominal,
        "original_due_on": due_on,
        "due_on": due_on,
        "authority": authority.value,
        "document_code": basis.code,
    }
    for one in _rows(session, occurrence):
        if Status(one.status) in UNCOUNTED:
            continue
        if any(getattr(one, name) != value for name, value in changes.items()):
            work = Work(state=state, occurrence=occurrence, assignment=one)
            move_date(
                session, stamp, work, "amend", changes=changes, document=basis.code, reason=why
            )
    occurrence.confirmation = item.calendar.confirmation.value
    occurrence.nominal_due_on, occurrence.original_due_on, occurrence.due_on = (
        nominal,
        due_on,
        due_on,
    )
    occurrence.version += 1
    session.flush()
    change = Change(
        entity="occurrence",
        entity_id=str(occurrence.id),
        action="amend",
        snapshot=snapshot_of(occurrence),
        plan=row.plan_key,
        item=row.code,
        period=occurrence.period_key,
        reason=why,
        document=basis.code,
    )
    record(session, stamp, [change])


def cancel_added(
    session: Session,
    stamp: Stamp,
    plan: str,
    code: str,
    *,
    reason: str,
    document: str | None = None,
) -> Cancelled:
    """No longer follow added work: everything unfinished of it is cancelled, results stay.

    Raises:
        NotFound: there is none.
        NotPermitted: not the coordinator.
        Refused: a reason is missing, or nothing of it is unfinished.
    """
    need_coordinator(stamp)
    row = find_added(session, plan, code, lock=True)
    why = need_text(reason, "Đề nghị nêu lý do thôi theo dõi.", field="reason")
    open_rows = [
        one
        for one in _rows(session, occurrence_of(session, row))
        if (Status(one.status), Action.CANCEL) in TRANSITIONS
    ]
    if not open_rows:
        raise Refused(f"{code} không còn việc nào đang theo dõi.")
    proposed = 0
    for one in sorted(open_rows, key=lambda one: (one.role != Role.LEAD, one.id)):
        done = act(session, stamp, one.id, Action.CANCEL, ActRequest(reason=why, document=document))
        proposed += done.proposal is not None
    note_added(session, stamp, row, "end", why)
    return Cancelled(ended=len(open_rows) - proposed, proposed=proposed)
