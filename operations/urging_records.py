"""Letters that urge, as recorded after they were issued: read, by assignment and by letter."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from models.tables import Assignment, Urging
from operations.guards import vn_date

_AT_ONCE = 500
"""Ids of one query: SQLite takes a bounded number of values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Urged:
    """An issued letter that covers an assignment."""

    assignment: int
    code: str
    issued_on: date
    current: bool
    """Whether it urged the date and the round that are in force."""

    @property
    def words(self) -> str:
        """As lists and pages say it."""
        return f"đã đôn đốc bằng văn bản {self.code} ngày {vn_date(self.issued_on)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UrgingLetter:
    """An issued letter and how much it covers; ``open`` is what is not finished yet."""

    code: str
    issued_on: date
    issuer: str
    data_at: datetime
    recorded_at: datetime
    recorded_by: str
    covers: int
    withdrawn: bool


def urged(session: Session, assignments: Collection[int]) -> list[Urged]:
    """The letters that cover these assignments, the newest last."""
    return [one for part in _parts(assignments) for one in _urged(session, part)]


def _parts(assignments: Collection[int]) -> Iterator[list[int]]:
    every = sorted(assignments)
    for start in range(0, len(every), _AT_ONCE):
        yield every[start : start + _AT_ONCE]


def _urged(session: Session, assignments: list[int]) -> Iterator[Urged]:
    same = and_(Urging.round == Assignment.round, Urging.due_on == Assignment.due_on)
    query = (
        select(Urging, same)
        .join(Assignment, Assignment.id == Urging.assignment_id)
        .where(Urging.assignment_id.in_(assignments), Urging.state == "recorded")
        .order_by(Urging.issued_on, Urging.id)
    )
    for row, current in session.execute(query):
        yield Urged(
            assignment=row.assignment_id,
            code=row.document_code,
            issued_on=row.issued_on,
            current=bool(current),
        )


def urged_now(session: Session, assignments: Collection[int]) -> dict[int, Urged]:
    """The newest letter that urged the date in force, by assignment."""
    return {one.assignment: one for one in urged(session, assignments) if one.current}


def urged_words(session: Session, assignments: Collection[int]) -> dict[int, str]:
    """The same in words."""
    return {key: one.words for key, one in urged_now(session, assignments).items()}


def urging_letters(session: Session) -> list[UrgingLetter]:
    """Every recorded letter, the newest first; withdrawn ones stay and are said to be so."""
    columns = (
        *(Urging.document_code, Urging.issued_on, Urging.issuer, Urging.data_at),
        *(Urging.recorded_at, Urging.recorded_by, Urging.state),
    )
    query = select(*columns, func.count()).group_by(*columns)
    found = [
        UrgingLetter(
            code=code,
            issued_on=issued_on,
            issuer=issuer,
            data_at=data_at,
            recorded_at=recorded_at,
            recorded_by=recorded_by,
            covers=count,
            withdrawn=state == "withdrawn",
        )
        for code, issued_on, issuer, data_at, recorded_at, recorded_by, state, count in (
            session.execute(query)
        )
    ]
    return sorted(found, key=lambda one: (one.issued_on, one.recorded_at), reverse=True)
