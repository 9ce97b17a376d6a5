"""All that one page says of one assignment: the decision's words, results, requests, obstacles."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import (
    Assignment,
    Evidence,
    ExtensionRequest,
    FileCheck,
    Obstacle,
    Occurrence,
    StoredFile,
    Submission,
)
from operations.errors import NotFound
from operations.file_checks import view_of
from operations.queries import WorkRow, standing_of, work_list, work_one
from operations.queries_views import ExtensionView, ObstacleView, PaperView, ResultView
from operations.state import PlanState, load_plan, load_state
from operations.urging_records import Urged, urged
from rules.actors import Standing
from rules.lifecycle import Status
from rules.periods import Period
from rules.values import Item, Plan, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkDetail:
    """One assignment with everything around it.

    ``others`` are the other rows of the occurrence; ``results`` the newest first; ``earlier`` the
    agency's confirmed results of the same item in earlier periods, the newest first.
    """

    row: WorkRow
    state: PlanState
    item: Item
    standing: Standing
    others: tuple[WorkRow, ...]
    results: tuple[ResultView, ...]
    earlier: tuple[ResultView, ...]
    extensions: tuple[ExtensionView, ...]
    obstacles: tuple[ObstacleView, ...]
    urged: tuple[Urged, ...] = ()
    """Issued letters that urged it, the oldest first."""

    @property
    def plan(self) -> Plan:
        """The plan in its current version."""
        return self.state.plan

    @property
    def own(self) -> bool:
        """Whether it is the coordinating agency's own work (rule 20)."""
        return self.standing.agency == self.standing.coordinator

    @property
    def group_title(self) -> str:
        """The heading under which the row stands in the decision."""
        return self.plan.group_title(self.item)

    @property
    def in_force(self) -> PaperView | None:
        """The newest earlier document, which "không thay đổi" may cite."""
        papers = (paper for result in self.earlier for paper in result.papers)
        return next((paper for paper in papers if paper.code), None)


def work_detail(session: Session, assignment_id: int, *, as_of: date) -> WorkDetail:
    """Everything around one assignment, its words as of the version under which it opened.

    Raises:
        NotFound: there is none.
    """
    row = work_one(session, assignment_id, as_of=as_of)
    if row is None:
        msg = f"Không có nhiệm vụ số {assignment_id}."
        raise NotFound(msg, field="assignment")
    state = load_state(session, row.plan)
    together = work_list(session, as_of=as_of, occurrence=row.occurrence)
    return WorkDetail(
        row=row,
        state=state,
        item=load_plan(session, row.plan, row.plan_version).item(row.item),
        standing=standing_of(session, row, state.coordinator(as_of)),
        others=tuple(one for one in together if one.id != row.id),
        results=_results(session, {row.id: row.period}),
        earlier=_earlier(session, row),
        extensions=extensions(session, assignments=[row.id]),
        obstacles=obstacles(session, assignments=[row.id]),
        urged=tuple(urged(session, [row.id])),
    )


def _earlier(session: Session, row: WorkRow) -> tuple[ResultView, ...]:
    found = session.execute(
        select(Assignment.id, Occurrence.period_key)
        .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
        .where(
            Occurrence.plan_key == row.plan,
            Occurrence.item_key == row.item,
            Occurrence.period_first < Period.parse(row.period).first_day,
            Assignment.agency_key == row.agency,
            Assignment.role == Role.LEAD.value,
            Assignment.status == Status.CONFIRMED.value,
        )
    )
    periods = {one.id: one.period_key for one in found}
    results = [one for one in _results(session, periods) if one.outcome == "confirmed"]
    return tuple(sorted(results, key=lambda one: (one.period, one.id), reverse=True))


def _results(session: Session, periods: Mapping[int, str]) -> tuple[ResultView, ...]:
    """The results of these assignments (id to period), the newest first."""
    if not periods:
        return ()
    rows = session.scalars(
        select(Submission)
        .where(Submission.assignment_id.in_(list(periods)))
        .order_by(Submission.id.desc())
    ).all()
    papers: dict[int, list[PaperView]] = {}
    for paper in _papers(session, [row.id for row in rows]):
        papers.setdefault(paper.submission, []).append(paper)
    return tuple(
        ResultView(
            id=row.id,
            assignment=row.assignment_id,
            period=periods[row.assignment_id],
            round=row.round,
            revision=row.revision,
            text=row.text,
            unchanged=row.unchanged,
            figures=json.loads(row.figures),
            outcomes=json.loads(row.outcomes),
            submitted_at=row.submitted_at,
            completed_on=row.completed_on,
            late_entry=row.late_entry,
            stated_name=row.stated_name,
            stated_post=row.stated_post,
            entered_channel=row.entered_channel,
            entered_number=row.entered_number,
            outcome=row.outcome,
            papers=tuple(papers.get(row.id, ())),
        )
        for row in rows
    )


def _papers(session: Session, submissions: Sequence[int]) -> Iterable[PaperView]:
    rows = session.execute(
        select(Evidence, StoredFile, FileCheck)
        .outerjoin(StoredFile, StoredFile.sha256 == Evidence.sha256)
        .outerjoin(FileCheck, FileCheck.sha256 == Evidence.sha256)
        .where(Evidence.submission_id.in_(submissions))
        .order_by(Evidence.id)
    )
    for paper, file, check in rows:
        yield _paper(paper, file, check)


def _paper(paper: Evidence, file: StoredFile | None, check: FileCheck | None = None) -> PaperView:
    return PaperView(
        id=paper.id,
        submission=paper.submission_id,
        code=paper.document_code,
        issued_on=paper.issued_on,
        title=paper.title,
        sha256=paper.sha256,
        file_name=paper.file_name,
        size=None if file is None else file.size,
        media_type=None if file is None else file.media_type,
        scan=paper.scan,
        kept_away=file is not None and file.quarantined_at is not None,
        check=view_of(None if file is None else file.media_type, check),
    )


def paper_of(session: Session, evidence_id: int) -> tuple[PaperView, int] | None:
    """A piece of evidence and the assignment it was filed for; None when there is none."""
    found = session.execute(
        select(Evidence, StoredFile, Submission.assignment_id)
        .join(Submission, Submission.id == Evidence.submission_id)
        .outerjoin(StoredFile, StoredFile.sha256 == Evidence.sha256)
        .where(Evidence.id == evidence_id)
    ).one_or_none()
    return None if found is None else (_paper(found[0], found[1]), found[2])


def extensions(
    session: Session,
    *,
    assignments: Sequence[int] | None = None,
    states: Sequence[str] | None = None,
) -> tuple[ExtensionView, ...]:
    """Requests for another date, the newest first."""
    query = select(ExtensionRequest).order_by(ExtensionRequest.id.desc())
    if assignments is not None:
        query = query.where(ExtensionRequest.assignment_id.in_(assignments))
    if states is not None:
        query = query.where(ExtensionRequest.state.in_(states))
    return tuple(
        ExtensionView(
            assignment=row.assignment_id,
            **{
                name: getattr(row, name) for name in ExtensionView.__slots__ if name != "assignment"
            },
        )
        for row in session.scalars(query)
    )


def obstacles(
    session: Session,
    *,
    assignments: Sequence[int] | None = None,
    agency: str | None = None,
    states: Sequence[str] | None = None,
) -> tuple[ObstacleView, ...]:
    """Obstacles, the newest first."""
    query = select(Obstacle).order_by(Obstacle.id.desc())
    if assignments is not None:
        query = query.where(Obstacle.assignment_id.in_(assignments))
    if agency is not None:
        query = query.where(Obstacle.agency_key == agency)
    if states is not None:
        query = query.where(Obstacle.state.in_(states))
    return tuple(
        ObstacleView(
            assignment=row.assignment_id,
            agency=row.agency_key,
            **{
                name: getattr(row, name)
                for name in ObstacleView.__slots__
                if name not in {"assignment", "agency"}
            },
        )
        for row in session.scalars(query)
    )
