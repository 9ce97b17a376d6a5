"""Money planned and spent, by occurrence, source and line of costs (rule 43).

Amounts are whole đồng. The lines are those of section V.2.1, the sources those of V.2.2, as the
catalog names them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.bulk import allocate_ids
from models.tables import Assignment, Money, Occurrence
from operations.errors import Conflict, NotPermitted, Refused
from operations.guards import need_text
from operations.history import Change, record, snapshot_of
from operations.stamp import Stamp
from operations.transition import held_capacities, load_work
from rules.actors import Capacity
from rules.values import Budget, Role

MOST = 10**15
"""No line of this plan costs a million billions: what is above was typed wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyInput:
    """What a form says; ``spent`` above ``planned`` wants a ``note``."""

    line: str
    source: str
    planned: int
    spent: int
    note: str | None = None
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyRow:
    """One stored amount with the work that it is of."""

    plan: str
    item: str
    period: str
    occurrence: int
    assignment: int
    agency: str
    agency_name: str
    line: str
    source: str
    planned: int
    spent: int
    note: str | None
    version: int


def set_money(session: Session, stamp: Stamp, assignment_id: int, asked: MoneyInput) -> int:
    """Write what is planned and spent; asked twice, nothing more is written. Returns the row's id.

    Raises:
        NotPermitted: neither the lead whose work it is, nor the coordinator for it.
        Refused: an unknown line or source, an amount below zero, or more spent than planned
            without a word about it; ``field`` names it.
        Conflict: somebody changed the row meanwhile (rule 26).
    """
    work = load_work(session, assignment_id)
    held = held_capacities(session, work, stamp)
    if work.assignment.role != Role.LEAD or not held & {Capacity.LEAD, Capacity.DECIDER}:
        msg = "Kinh phí do cơ quan chủ trì ghi; cơ quan điều phối ghi thay khi cần."
        raise NotPermitted(msg)
    plan = work.state.plan
    _known(plan.cost_lines, asked.line, "line", "mục chi")
    _known(plan.cost_sources, asked.source, "source", "nguồn kinh phí")
    _amount(asked.planned, "planned")
    _amount(asked.spent, "spent")
    note = (asked.note or "").strip() or None
    if asked.spent > asked.planned:
        msg = "Đã chi cao hơn dự toán; đề nghị ghi lý do hoặc văn bản điều chỉnh."
        note = need_text(note, msg, field="note")
    row = session.scalars(
        select(Money)
        .where(
            Money.assignment_id == assignment_id,
            Money.line == asked.line,
            Money.source == asked.source,
        )
        .with_for_update()
    ).one_or_none()
    if row is None:
        row = Money(
            id=allocate_ids(session, "money", 1)[0],
            assignment_id=assignment_id,
            line=asked.line,
            source=asked.source,
            version=0,
        )
        session.add(row)
    elif (row.planned, row.spent, row.note) == (asked.planned, asked.spent, note):
        return row.id
    elif asked.expected_version not in {None, row.version}:
        msg = f"Khoản này đã được {row.updated_by} cập nhật; đề nghị tải lại trang."
        raise Conflict(msg)
    row.planned, row.spent, row.note = asked.planned, asked.spent, note
    row.updated_at, row.updated_by, row.version = stamp.at, stamp.actor.name, row.version + 1
    work.occurrence.touched = True
    session.flush()
    change = Change(
        entity="money",
        entity_id=str(row.id),
        action="set",
        snapshot=snapshot_of(row),
        plan=work.occurrence.plan_key,
        item=work.occurrence.item_key,
        period=work.occurrence.period_key,
        agency=work.assignment.agency_key,
        reason=note,
    )
    record(session, stamp, [change])
    return row.id


def _known(known: Iterable[Budget], key: str, field: str, what: str) -> None:
    if key not in {one.key for one in known}:
        raise Refused(f"Đề nghị chọn {what} trong danh sách.", field=field)


def _amount(amount: int, field: str) -> None:
    if not 0 <= amount <= MOST:
        msg = "Số tiền ghi bằng đồng, là số nguyên không âm, ví dụ 15.000.000."
        raise Refused(msg, field=field)


def money_rows(
    session: Session,
    plan: str,
    *,
    year: int | None = None,
    assignment: int | None = None,
    occurrence: int | None = None,
) -> list[MoneyRow]:
    """The amounts of a plan, narrowed, in the order of items and agencies."""
    query = (
        select(Money, Assignment, Occurrence)
        .join(Assignment, Assignment.id == Money.assignment_id)
        .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
        .where(Occurrence.plan_key == plan)
        .order_by(Occurrence.period_key, Occurrence.item_key, Assignment.agency_name, Money.id)
    )
    if year is not None:
        query = query.where(Occurrence.period_key.startswith(str(year)))
    if assignment is not None:
        query = query.where(Assignment.id == assignment)
    if occurrence is not None:
        query = query.where(Occurrence.id == occurrence)
    return [
        MoneyRow(
            plan=above.plan_key,
            item=above.item_key,
            period=above.period_key,
            occurrence=above.id,
            assignment=of.id,
            agency=of.agency_key,
            agency_name=of.agency_name,
            line=row.line,
            source=row.source,
            planned=row.planned,
            spent=row.spent,
            note=row.note,
            version=row.version,
        )
        for row, of, above in session.execute(query)
    ]
