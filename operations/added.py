""" "Giao bổ sung": work outside the appendix, given by a document (rule 44).

It is opened at once, in the same tables and by the same operation as the items of the decision;
letters, lists, history and figures then know it as one of them, told apart by its code.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.bulk import allocate_ids
from models.tables import AddedWork, Occurrence
from operations.date_slots import Slot, store_period_date
from operations.errors import Checks, Conflict, Refused
from operations.guards import (
    need_coordinator,
    need_own_document,
    need_text,
    need_working_day,
    rolled_words,
)
from operations.history import Change, record, snapshot_of
from operations.opening import lock_plan, open_due
from operations.stamp import Stamp
from operations.state import ITEM_ADAPTER, PlanState, load_state
from rules.added import added_item
from rules.directory import UnknownAgency, parties_on
from rules.periods import Period
from rules.values import (
    Confirmation,
    DateAuthority,
    Document,
    Item,
    LeadMode,
    PeriodKind,
)

LADDER = "standard"
"""The ladder of added work: that of work with a due date (rule 27)."""
MODES = (LeadMode.EACH, LeadMode.SINGLE, LeadMode.JOINT)
MAX_TEXT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedInput:
    """What the form says. ``leads`` and ``partners`` are agency keys and ``@group``.

    ``authority`` is whose document sets the date: it moves only by a document of theirs (rule 17).
    """

    basis_code: str
    basis_on: date | None
    task: str
    product: str
    due_on: date | None
    leads: tuple[str, ...]
    partners: tuple[str, ...] = ()
    lead_mode: LeadMode = LeadMode.EACH
    confirmation: Confirmation = Confirmation.REQUIRED
    authority: DateAuthority = DateAuthority.COORDINATOR


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """Work that was added."""

    code: str
    due_on: date
    assignments: int


def add_work(
    session: Session,
    stamp: Stamp,
    plan: str,
    asked: AddedInput,
    *,
    expected_code: str | None = None,
) -> Added:
    """Add the work and open it at once; its code is the next of the year (rule 44).

    ``expected_code`` is the code that a preview showed: a form sent twice adds nothing twice.

    Raises:
        NotPermitted: not the coordinator.
        Refused: something is missing or wrong; ``field`` names it.
        Conflict: the code that was shown has been given meanwhile (rule 26).
    """
    need_coordinator(stamp)
    lock_plan(session, plan)
    state = load_state(session, plan)
    item, nominal, due_on = draft(session, stamp, state, asked)
    if expected_code is not None and expected_code != item.key:
        msg = (
            f"Mã {expected_code} vừa được dùng cho một nhiệm vụ khác, có thể do biểu mẫu gửi hai "
            "lần; chưa giao thêm gì. Đề nghị xem danh sách rồi xem trước lại nếu cần."
        )
        raise Conflict(msg)
    year, basis = stamp.as_of.year, _basis(asked)
    row = AddedWork(
        id=allocate_ids(session, "added_work", 1)[0],
        plan_key=plan,
        year=year,
        number=next_number(session, plan, year),
        code=item.key,
        basis_code=basis.code,
        basis_on=basis.issued_on,
        content=ITEM_ADAPTER.dump_json(item).decode(),
        created_at=stamp.at,
        created_by=stamp.actor.name,
        updated_at=stamp.at,
        updated_by=stamp.actor.name,
        version=1,
    )
    session.add(row)
    session.flush()
    slot = Slot(
        plan=plan,
        item=item,
        period=Period(PeriodKind.YEAR, year),
        asked=nominal,
        due_on=due_on,
        occurrence=None,
    )
    store_period_date(session, stamp, slot, None, document=basis, authority=asked.authority)
    note_added(session, stamp, row, "give")
    opened = open_due(session, stamp, plan, only_item=item.key)
    return Added(code=item.key, due_on=due_on, assignments=opened.assignments)


def note_added(
    session: Session, stamp: Stamp, row: AddedWork, word: str, reason: str | None = None
) -> None:
    """Write what happened to added work into the history."""
    change = Change(
        entity="added_work",
        entity_id=f"{row.plan_key}/{row.code}",
        action=word,
        snapshot=snapshot_of(row) | {"content": json.loads(row.content)},
        plan=row.plan_key,
        item=row.code,
        period=str(row.year),
        reason=reason,
        document=row.basis_code,
    )
    record(session, stamp, [change])


def next_number(session: Session, plan: str, year: int) -> int:
    highest = session.scalar(
        select(func.max(AddedWork.number)).where(AddedWork.plan_key == plan, AddedWork.year == year)
    )
    return (highest or 0) + 1


def _basis(asked: AddedInput) -> Document:
    checks = Checks()
    code = checks.run(lambda: _basis_code(asked), "")
    if asked.basis_on is None:
        checks.add(Refused("Đề nghị ghi ngày của văn bản làm căn cứ.", field="basis_on"))
    checks.done()
    return Document(code=code, issued_on=asked.basis_on)


def _basis_code(asked: AddedInput) -> str:
    code = need_own_document(asked.authority, asked.basis_code, field="basis_code")
    return need_text(code, "Đề nghị ghi số, ký hiệu văn bản làm căn cứ.", field="basis_code")


def _text(text: str, message: str, field: str) -> str:
    found = need_text(text, message, field=field)
    if len(found) > MAX_TEXT:
        msg = f"Nội dung dài {len(found)} ký tự; đề nghị rút gọn còn tối đa {MAX_TEXT}."
        raise Refused(msg, field=field)
    return found


def draft(
    session: Session, stamp: Stamp, state: PlanState, asked: AddedInput
) -> tuple[Item, date, date]:
    """The item as it would be stored, the date asked for, and the working day it means."""
    year = stamp.as_of.year
    if not state.plan.first_year <= year <= state.plan.last_year:
        msg = (
            f"Đề án thực hiện từ năm {state.plan.first_year} đến năm {state.plan.last_year}; "
            f"không giao bổ sung trong năm {year}."
        )
        raise Refused(msg, field="due_on")
    number = next_number(session, state.plan.key, year)
    item, _ = draft_like(state, stamp.as_of, asked, year=year, number=number, opens_on=stamp.as_of)
    _check_leads(state, item, stamp.as_of)
    nominal, due_on = check_due(state, stamp.as_of, asked.due_on)
    return item, nominal, due_on


_WANTED: Final = {
    "task": "Đề nghị ghi nội dung công việc được giao.",
    "product": "Đề nghị ghi sản phẩm, kết quả cần có.",
}


def draft_like(
    state: PlanState, as_of: date, asked: AddedInput, *, year: int, number: int, opens_on: date
) -> tuple[Item, Document]:
    """The item that a form asks for, under a number, and its basis.

    Raises:
        Refused: something is missing or wrong; ``field`` names it.
    """
    checks, texts = Checks(), _WANTED
    basis = checks.run(lambda: _basis(asked), Document(code="", issued_on=None))
    if basis.issued_on is not None and basis.issued_on > as_of:
        msg = "Ngày văn bản chưa đến; đề nghị kiểm tra lại."
        checks.add(Refused(msg, field="basis_on"))
    task = checks.run(lambda: _text(asked.task, texts["task"], "task"), "")
    product = checks.run(lambda: _text(asked.product, texts["product"], "product"), "")
    nominal, _ = checks.run(lambda: check_due(state, as_of, asked.due_on), (as_of, as_of))
    nobody: tuple[str, ...] = ()
    leads = checks.run(lambda: _names(state, asked.leads, "leads"), nobody)
    partners = checks.run(lambda: _names(state, asked.partners, "partners"), nobody)
    checks.done()
    item = added_item(
        year=year,
        number=number,
        opens_on=opens_on,
        due_on=nominal,
        basis=basis,
        task=task,
        product=product,
        lead_words=leads,
        partner_words=partners,
        leads=asked.leads,
        partners=asked.partners,
        lead_mode=asked.lead_mode,
        confirmation=asked.confirmation,
        authority=asked.authority,
        ladder=LADDER,
    )
    return item, basis


def check_due(state: PlanState, as_of: date, asked: date | None) -> tuple[date, date]:
    """The due date asked for and the working day it means (rule 4).

    Raises:
        Refused: it is missing, has passed, or lies outside the known days.
    """
    if asked is None:
        raise Refused("Đề nghị ghi hạn hoàn thành, ví dụ 30/6/2027.", field="due_on")
    due_on = need_working_day(state.calendar, asked, field="due_on")
    if asked < as_of:
        msg = f"Hạn {rolled_words(asked, due_on)} đã qua; đề nghị chọn ngày từ hôm nay trở đi."
        raise Refused(msg, field="due_on")
    return asked, due_on


def _names(state: PlanState, refs: tuple[str, ...], field: str) -> tuple[str, ...]:
    try:
        return tuple(
            state.directory.group(ref).name
            if ref.startswith("@")
            else state.directory.agency(ref).name
            for ref in refs
        )
    except UnknownAgency as error:
        msg = f"Không có cơ quan hoặc nhóm “{error.ref}”; đề nghị chọn trong danh sách."
        raise Refused(msg, field=field) from error


def _check_leads(state: PlanState, item: Item, on: date) -> None:
    if item.parties.lead_mode not in MODES:
        raise Refused("Đề nghị chọn cách chủ trì.", field="lead_mode")
    leads, _ = parties_on(item, state.directory, on)
    if not leads:
        msg = "Đề nghị chọn ít nhất một cơ quan chủ trì đang hoạt động."
        raise Refused(msg, field="leads")
    if item.parties.lead_mode is LeadMode.SINGLE and len(leads) > 1:
        msg = (
            f"Đã chọn {len(leads)} cơ quan chủ trì; đề nghị chọn một cơ quan, hoặc chọn cách "
            "chủ trì khác."
        )
        raise Refused(msg, field="lead_mode")


def occurrence_of(session: Session, row: AddedWork) -> Occurrence:
    """The one occurrence of added work."""
    query = select(Occurrence).where(
        Occurrence.plan_key == row.plan_key, Occurrence.item_key == row.code
    )
    return session.scalars(query.with_for_update()).one()
