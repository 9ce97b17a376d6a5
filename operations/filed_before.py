"""Files that an agency files again: where and when it filed the same content before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from models.tables import Assignment, Evidence, Occurrence, Submission
from operations.queries import WorkRow
from operations.queries_detail import WorkDetail
from rules.periods import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledBefore:
    """The first time that a file was filed: for which item and period, and on which day."""

    item: str
    period: str
    filed_on: date

    @property
    def period_label(self) -> str:
        """The period as people read it: "năm 2026"."""
        return Period.parse(self.period).label


def papers_of(detail: WorkDetail) -> tuple[int, ...]:
    """The evidence of the results filed for this work, by id."""
    return tuple(one.id for result in detail.results for one in result.papers if one.sha256)


def filed_before(
    session: Session, row: WorkRow, papers: Iterable[int]
) -> Mapping[int, FiledBefore]:
    """Which of these pieces of evidence the agency of ``row`` filed before, for other work.

    The same content is the same SHA-256, whatever the file is called. Its own earlier revisions
    do not count, for a supplement may well bring the same file again. Of several the one for the
    same item is named, and of those the earliest.
    """
    mine, other = aliased(Evidence), aliased(Evidence)
    now, then = aliased(Submission), aliased(Submission)
    found = session.execute(
        select(mine.id, Occurrence.item_key, Occurrence.period_key, then.submitted_on)
        .join(now, now.id == mine.submission_id)
        .join(other, other.sha256 == mine.sha256)
        .join(then, then.id == other.submission_id)
        .join(Assignment, Assignment.id == then.assignment_id)
        .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
        .where(
            mine.id.in_(list(papers)),
            then.id < now.id,
            Assignment.id != row.id,
            Assignment.agency_key == row.agency,
        )
        .order_by(mine.id, (Occurrence.item_key == row.item).desc(), then.submitted_on, then.id)
    )
    first: dict[int, FiledBefore] = {}
    for number, item, period, day in found:
        first.setdefault(number, FiledBefore(item=item, period=period, filed_on=day))
    return first
