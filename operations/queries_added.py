"""Added work as lists and forms show it (rule 44)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import AddedWork, Assignment, Occurrence
from operations.added_changes import is_untouched
from operations.errors import NotFound
from operations.state import ITEM_ADAPTER
from rules.lifecycle import UNCOUNTED, Status, is_complete
from rules.values import Item, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedView:
    """One added work. ``asked`` is the date that its document names, ``due_on`` the one in force
    of the occurrence; ``untouched`` says that nobody has begun, so that it may be amended."""

    id: int
    plan: str
    item: Item
    basis_code: str
    basis_on: date
    asked: date
    due_on: date
    occurrence: int
    leads: int
    done: int
    complete: bool
    followed: bool
    untouched: bool
    created_by: str
    version: int


def added_works(session: Session) -> list[AddedView]:
    """All added work, the newest first."""
    rows = session.execute(
        select(AddedWork, Occurrence)
        .join(
            Occurrence,
            (Occurrence.plan_key == AddedWork.plan_key) & (Occurrence.item_key == AddedWork.code),
        )
        .order_by(AddedWork.year.desc(), AddedWork.number.desc(), AddedWork.plan_key)
    ).all()
    found: dict[int, list[Assignment]] = {above.id: [] for _, above in rows}
    query = select(Assignment).where(Assignment.occurrence_id.in_(list(found)))
    for one in session.scalars(query):
        found[one.occurrence_id].append(one)
    return [_view(row, above, found[above.id]) for row, above in rows]


def added_one(session: Session, number: int) -> AddedView:
    """One added work by its row's number.

    Raises:
        NotFound: there is none.
    """
    found = next((one for one in added_works(session) if one.id == number), None)
    if found is None:
        msg = "Không có nhiệm vụ giao bổ sung này; đề nghị mở lại từ danh sách."
        raise NotFound(msg)
    return found


def _view(row: AddedWork, above: Occurrence, rows: Sequence[Assignment]) -> AddedView:
    leads = [Status(one.status) for one in rows if one.role == Role.LEAD]
    counted = [one for one in leads if one not in UNCOUNTED]
    return AddedView(
        id=row.id,
        plan=row.plan_key,
        item=ITEM_ADAPTER.validate_json(row.content),
        basis_code=row.basis_code,
        basis_on=row.basis_on,
        asked=above.nominal_due_on,
        due_on=above.due_on,
        occurrence=above.id,
        leads=len(counted),
        done=sum(is_complete([one]) for one in counted),
        complete=is_complete(leads),
        followed=bool(counted),
        untouched=is_untouched(rows),
        created_by=row.created_by,
        version=row.version,
    )
