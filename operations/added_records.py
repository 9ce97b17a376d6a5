"""Added work as values, to be carried into another database such as a rehearsal's (31, 44)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import AddedWork, Assignment, Occurrence, PeriodDate
from operations.stamp import Stamp
from rules.lifecycle import UNCOUNTED
from rules.values import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedRecord:
    """One added work with the date that its document fixed."""

    plan: str
    year: int
    number: int
    code: str
    basis_code: str
    basis_on: date
    content: str
    due_on: date
    opens_on: date
    authority: str


def added_records(session: Session) -> list[AddedRecord]:
    """Added work of all plans that somebody still follows or has finished, in its order."""
    followed = (
        select(Occurrence.id)
        .join(Assignment, Assignment.occurrence_id == Occurrence.id)
        .where(
            Occurrence.plan_key == AddedWork.plan_key,
            Occurrence.item_key == AddedWork.code,
            Assignment.role == Role.LEAD.value,
            Assignment.status.not_in([one.value for one in UNCOUNTED]),
        )
    )
    rows = session.execute(
        select(AddedWork, Occurrence)
        .join(
            Occurrence,
            (Occurrence.plan_key == AddedWork.plan_key) & (Occurrence.item_key == AddedWork.code),
        )
        .where(followed.exists())
        .order_by(AddedWork.plan_key, AddedWork.year, AddedWork.number)
    )
    return [
        AddedRecord(
            plan=row.plan_key,
            year=row.year,
            number=row.number,
            code=row.code,
            basis_code=row.basis_code,
            basis_on=row.basis_on,
            content=row.content,
            due_on=above.nominal_due_on,
            opens_on=above.opens_on,
            authority=_authority(session, row),
        )
        for row, above in rows
    ]


def _authority(session: Session, row: AddedWork) -> str:
    return session.scalars(
        select(PeriodDate.authority).where(
            PeriodDate.plan_key == row.plan_key, PeriodDate.item_key == row.code
        )
    ).one()


def copy_added(session: Session, stamp: Stamp, records: Iterable[AddedRecord]) -> None:
    """Write added work as it stands, to be opened on its own day like anything else."""
    for one in records:
        values = {"plan_key": one.plan, "year": one.year, "number": one.number, "code": one.code}
        session.add(
            AddedWork(
                **values,
                basis_code=one.basis_code,
                basis_on=one.basis_on,
                content=one.content,
                created_at=stamp.at,
                created_by=stamp.actor.name,
                updated_at=stamp.at,
                updated_by=stamp.actor.name,
            )
        )
        session.add(
            PeriodDate(
                plan_key=one.plan,
                item_key=one.code,
                period_key=str(one.year),
                opens_on=one.opens_on,
                due_on=one.due_on,
                authority=one.authority,
                document_code=one.basis_code,
                document_issued_on=one.basis_on,
                set_at=stamp.at,
                set_by=stamp.actor.name,
            )
        )
    session.flush()
