"""What waits for the coordinator's decision, as values, with the evidence beside it (rule 20)."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.tables import (
    AccessLog,
    Assignment,
    Evidence,
    ExtensionRequest,
    Obstacle,
    Occurrence,
    Proposal,
    Submission,
)
from operations.accounts import account_names
from operations.date_slots import existing_dates
from operations.state import PlanState
from rules.lifecycle import Action, Status
from rules.periods import Period
from rules.recurrence import Scheduled, expand
from rules.values import DateAuthority, Item, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueCounts:
    """How much waits at each door; ``proposals`` are second steps of any kind."""

    results: int
    extensions: int
    obstacles: int
    proposals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalView:
    """A first step that waits for a leader's; ``due_on`` is the new date of a reopening.

    ``proposed_by`` is a person's name, or the identity where there is no account any more.
    """

    id: int
    assignment: int
    action: Action
    due_on: date | None
    reason: str | None
    proposed_at: datetime
    proposed_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledPaper:
    """A piece of evidence; ``has_file`` False is a document by number and date alone."""

    id: int
    code: str | None
    issued_on: date | None
    file_name: str | None
    has_file: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """The newest result of an assignment with its papers."""

    assignment: int
    text: str
    unchanged: bool
    submitted_at: datetime
    stated_name: str
    entered_channel: str | None
    papers: tuple[FiledPaper, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class YearSlot:
    """One item in one period of a year: the date in force beside last year's (rule 17).

    ``due_on`` is the date that stands now, ``document`` the one that fixed it, None while it is
    provisional; ``owner`` who alone may move it. ``last_due_on`` is None where the plan has no
    such period a year earlier.
    """

    item: Item
    period: Period
    milestone: str | None
    opens_on: date
    opened: bool
    due_on: date
    document: str | None
    owner: DateAuthority
    last_due_on: date | None
    last_document: str | None

    @property
    def provisional(self) -> bool:
        """Whether no document has fixed the date yet."""
        return self.owner is DateAuthority.PROVISIONAL

    @property
    def field(self) -> str:
        """The name of its field in forms, as refusals name it."""
        return f"dates.{self.item.key}.{self.period.key}"


def queue_counts(session: Session) -> QueueCounts:
    """How much waits at each door."""

    def requests(state: str) -> int:
        query = select(func.count()).select_from(ExtensionRequest)
        return session.scalar(query.where(ExtensionRequest.state == state)) or 0

    submitted = select(func.count()).select_from(Assignment)
    stuck = select(func.count()).select_from(Obstacle)
    proposed = select(func.count()).select_from(Proposal)
    return QueueCounts(
        results=session.scalar(submitted.where(Assignment.status == Status.SUBMITTED.value)) or 0,
        extensions=requests("asked"),
        obstacles=session.scalar(stuck.where(Obstacle.state.in_(("raised", "consolidated")))) or 0,
        proposals=requests("proposed")
        + (session.scalar(proposed.where(Proposal.state == "proposed")) or 0),
    )


def proposals_waiting(session: Session) -> tuple[ProposalView, ...]:
    """Proposals to end or reopen work that wait for a leader, the oldest first."""
    query = select(Proposal).where(Proposal.state == "proposed").order_by(Proposal.id)
    names = account_names(session)
    found = []
    for row in session.scalars(query):
        due = json.loads(row.payload).get("due_on")
        found.append(
            ProposalView(
                id=row.id,
                assignment=row.assignment_id,
                action=Action(row.action),
                due_on=date.fromisoformat(due) if due else None,
                reason=row.reason,
                proposed_at=row.proposed_at,
                proposed_by=names.get(row.proposed_by.removeprefix("account:"), row.proposed_by),
            )
        )
    return tuple(found)


def obstacle_versions(session: Session) -> Mapping[int, int]:
    """The row version of every obstacle that waits (rule 26)."""
    query = select(Obstacle.id, Obstacle.version).where(Obstacle.state != "closed")
    return dict(session.execute(query).tuples().all())


def filed(session: Session, assignments: Sequence[int]) -> Mapping[int, Filed]:
    """The newest result of each of these assignments, by the assignment's id."""
    newest: dict[int, Submission] = {}
    query = select(Submission).where(Submission.assignment_id.in_(assignments))
    for row in session.scalars(query.order_by(Submission.id)):
        newest[row.assignment_id] = row
    papers: dict[int, list[FiledPaper]] = {}
    evidence = select(Evidence).where(Evidence.submission_id.in_([s.id for s in newest.values()]))
    for one in session.scalars(evidence.order_by(Evidence.id)):
        papers.setdefault(one.submission_id, []).append(
            FiledPaper(
                id=one.id,
                code=one.document_code,
                issued_on=one.issued_on,
                file_name=one.file_name,
                has_file=one.sha256 is not None,
            )
        )
    return {
        row.assignment_id: Filed(
            assignment=row.assignment_id,
            text=row.text,
            unchanged=row.unchanged,
            submitted_at=row.submitted_at,
            stated_name=row.stated_name,
            entered_channel=row.entered_channel,
            papers=tuple(papers.get(row.id, ())),
        )
        for row in newest.values()
    }


def files_opened(session: Session, who: str, evidence: Collection[int]) -> frozenset[int]:
    """Which of these pieces of evidence ``who`` has opened, by the log of reading (rule 40)."""
    paths = {f"evidence/{number}": number for number in evidence}
    query = (
        select(AccessLog.path)
        .where(
            AccessLog.actor == who, AccessLog.method == "FILE", AccessLog.path.in_(sorted(paths))
        )
        .distinct()
    )
    return frozenset(paths[path] for path in session.scalars(query))


def partner_counts(session: Session, occurrences: Sequence[int]) -> Mapping[int, Mapping[str, int]]:
    """How many partners stand in which status, by occurrence."""
    query = (
        select(Assignment.occurrence_id, Assignment.status, func.count())
        .where(Assignment.occurrence_id.in_(occurrences), Assignment.role == Role.PARTNER.value)
        .group_by(Assignment.occurrence_id, Assignment.status)
    )
    found: dict[int, dict[str, int]] = {}
    for occurrence, status, count in session.execute(query):
        found.setdefault(occurrence, {})[status] = count
    return found


def year_slots(session: Session, state: PlanState, year: int) -> tuple[YearSlot, ...]:
    """Every date of a year that a document may fix, item by item (rule 17)."""
    plan = state.plan
    query = select(Occurrence).where(Occurrence.plan_key == plan.key)
    opened = {(row.item_key, row.period_key): row for row in session.scalars(query)}
    fixed = existing_dates(session, plan.key)

    def in_force(item: Item, one: Scheduled) -> tuple[date, str | None, DateAuthority]:
        key = (item.key, one.period.key)
        if (row := fixed.get(key)) is not None:
            occurrence = opened.get(key)
            due_on = row.due_on if occurrence is None else occurrence.due_on
            return due_on, row.document_code, DateAuthority(row.authority)
        due_on = opened[key].due_on if key in opened else one.nominal_due_on
        return due_on, None, item.calendar.authority

    found = []
    for item in sorted(plan.decided, key=lambda one: one.position):
        dates = {one.period: one for one in expand(item.calendar, plan.first_year, plan.last_year)}
        for one in dates.values():
            if one.period.year != year:
                continue
            before = dates.get(Period(one.period.kind, year - 1, one.period.number))
            last = None if before is None else in_force(item, before)
            occurrence = opened.get((item.key, one.period.key))
            due_on, document, owner = in_force(item, one)
            found.append(
                YearSlot(
                    item=item,
                    period=one.period,
                    milestone=one.milestone,
                    opens_on=one.opens_on if occurrence is None else occurrence.opens_on,
                    opened=occurrence is not None,
                    due_on=due_on,
                    document=document,
                    owner=owner,
                    last_due_on=None if last is None else last[0],
                    last_document=None if last is None else last[1],
                )
            )
    return tuple(found)
