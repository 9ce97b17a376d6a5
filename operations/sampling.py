"""A random sample that anybody can draw again: the same seed from the same population (rule 39).

The population is the leads' confirmed work as known at an instant, so what is recorded later
changes nothing. Each piece of work has the rank SHA-256(seed ":" id); the sample are the first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Evidence, FileCheck, StoredFile, Submission
from operations.file_checks import FileView, view_of
from operations.known_at import work_known_at
from operations.queries import WorkRow
from rules.lifecycle import Status
from rules.values import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledPaper:
    """A document or a file of a sampled result, as filed up to the instant."""

    evidence: int
    code: str | None
    issued_on: str | None
    file_name: str | None
    sha256: str | None
    check: FileView | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What was drawn, in the order of its draw, with the papers of each by assignment."""

    seed: str
    population: int
    rows: tuple[WorkRow, ...]
    papers: Mapping[int, tuple[SampledPaper, ...]]


def draw(ids: Iterable[int], *, seed: str, size: int) -> list[int]:
    """The first ``size`` of ``ids`` by their rank under ``seed``; the order of ``ids`` is nothing."""
    return sorted(ids, key=lambda number: (rank(seed, number), number))[:size]


def rank(seed: str, number: int) -> str:
    """SHA-256 in hexadecimal of ``seed:number``: what anybody can compute by hand."""
    return hashlib.sha256(f"{seed}:{number}".encode()).hexdigest()


def sample(
    session: Session,
    instant: datetime,
    *,
    seed: str,
    size: int,
    plan: str | None = None,
    year: int | None = None,
    item: str | None = None,
    agency: str | None = None,
) -> Sample:
    """Draw from the leads' confirmed work as known at ``instant``."""
    known = work_known_at(
        session,
        instant,
        plan=plan,
        item=item,
        year=year,
        agency=agency,
        roles=[Role.LEAD],
        statuses=[Status.CONFIRMED],
    )
    by_id = {row.id: row for row in known}
    drawn = draw(by_id, seed=seed, size=size)
    return Sample(
        seed=seed,
        population=len(known),
        rows=tuple(by_id[number] for number in drawn),
        papers=_papers(session, drawn, instant),
    )


def _papers(
    session: Session, assignments: Sequence[int], instant: datetime
) -> Mapping[int, tuple[SampledPaper, ...]]:
    query = (
        select(Submission.assignment_id, Evidence, StoredFile, FileCheck)
        .join(Submission, Submission.id == Evidence.submission_id)
        .outerjoin(StoredFile, StoredFile.sha256 == Evidence.sha256)
        .outerjoin(FileCheck, FileCheck.sha256 == Evidence.sha256)
        .where(Submission.assignment_id.in_(assignments), Submission.submitted_at <= instant)
        .order_by(Evidence.id)
    )
    found: dict[int, list[SampledPaper]] = {}
    for number, paper, file, check in session.execute(query):
        day = paper.issued_on
        one = SampledPaper(
            evidence=paper.id,
            code=paper.document_code,
            issued_on=None if day is None else f"{day.day}/{day.month}/{day.year}",
            file_name=paper.file_name,
            sha256=paper.sha256,
            check=view_of(None if file is None else file.media_type, check),
        )
        found.setdefault(number, []).append(one)
    return {number: tuple(papers) for number, papers in found.items()}
