"""What waits for somebody, whichever year it is of: the lists of "Tổng quan tiến độ"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.tables import (
    AgencyRow,
    Assignment,
    Letter,
    LetterState,
    Mailbox,
    Occurrence,
    Proposal,
    RunLog,
)
from operations.dashboard import SOON, STANDING
from operations.queries import WorkRow, by_urgency, work_list
from operations.remembered import remember
from operations.state import PlanState
from operations.urging_records import urged_now
from rules.ladder import at_end
from rules.lifecycle import OPEN, Action, Status
from rules.timeliness import Cell, confirmer_days
from rules.values import DateAuthority, ItemKind, Role, TrackingMode
from rules.workdays import OutsideHorizon, WorkCalendar

RUN_WITHIN = timedelta(hours=36)
"""Each item's flow runs daily; a run that is older was missed."""
FAILED_RUN = "Lỗi kỹ thuật"
"""The state of a run that failed, as the run log has it."""
LETTERS_SINCE = timedelta(days=30)
_TROUBLED = (LetterState.UNDELIVERABLE, LetterState.UNKNOWN, LetterState.HELD)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingRow:
    """A result that waits: working days, those beyond what is allowed, and whether its door is
    the leadership's (rules 20, 21)."""

    row: WorkRow
    days: int
    over: int
    own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionalDate:
    """An open occurrence whose date no document fixed yet (rule 17)."""

    row: WorkRow
    count: int
    past: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRun:
    """The last run of an item; ``at`` None when there was none at all."""

    plan: str
    item: str
    at: datetime | None
    state: str | None
    missed: bool
    """Whether there was none within 36 hours."""

    @property
    def alarming(self) -> bool:
        """Whether somebody has to look."""
        return self.missed or self.state == FAILED_RUN


@dataclass(frozen=True, slots=True, kw_only=True)
class TroubledLetter:
    """A letter of the last 30 days that did not arrive, may not have, or is held."""

    id: int
    day: date
    mailbox: str
    agency_name: str | None
    subject: str | None
    state: LetterState
    answer: str | None
    mended: bool
    """Whether its address takes letters again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalRow:
    """The first of two steps that waits for the second (rule 20)."""

    assignment: int
    action: Action
    reason: str | None
    proposed_at: datetime
    proposed_by: str


class Standing:
    """Everything unfinished of some plans on a day, read when it is first asked for."""

    def __init__(self, session: Session, as_of: date, states: Mapping[str, PlanState]) -> None:
        self._session, self.as_of, self.states = session, as_of, states

    @cached_property
    def everything(self) -> tuple[WorkRow, ...]:
        """What is not finished, of leads and of partners who were asked."""
        session, as_of = self._session, self.as_of

        def read() -> tuple[WorkRow, ...]:
            return tuple(work_list(session, as_of=as_of, statuses=[*STANDING, Status.REQUESTED]))

        found = remember(session, ("standing", as_of), read)
        return tuple(row for row in found if row.plan in self.states)

    @cached_property
    def leads(self) -> tuple[WorkRow, ...]:
        """Of that, the leads'."""
        return tuple(row for row in self.everything if row.role is Role.LEAD)

    def calendar(self, plan: str) -> WorkCalendar:
        """The working days of a plan."""
        return self.states[plan].calendar

    def is_own(self, row: WorkRow) -> bool:
        """Whether it is the coordinating agency's own."""
        return row.agency == self.states[row.plan].coordinator(self.as_of)

    def overdue(self) -> list[WorkRow]:
        """What is overdue, the longest first."""
        return by_urgency(row for row in self.leads if row.timeliness is Cell.OPEN_OVERDUE)

    def soon(self) -> list[WorkRow]:
        """What is due within 30 days, the next first."""
        last = self.as_of + SOON
        rows = [
            row for row in self.leads if row.status in OPEN and self.as_of <= row.due_on <= last
        ]
        return sorted(rows, key=lambda row: (row.due_on, row.item, row.agency_name))

    def waiting(self) -> list[WaitingRow]:
        """What waits for confirmation, the longest first."""
        rows = [row for row in self.leads if row.status is Status.SUBMITTED]
        rows.sort(key=lambda row: (row.submitted_on or row.due_on, row.id))
        return [self._waiting(row) for row in rows]

    def _waiting(self, row: WorkRow) -> WaitingRow:
        state, since = self.states[row.plan], row.submitted_on or self.as_of
        allowed = state.plan.policies.confirm_workdays
        try:
            days = state.calendar.between(since, self.as_of)
            over = confirmer_days(since, self.as_of, state.calendar, allowed=allowed)
        except OutsideHorizon:
            days = over = 0
        return WaitingRow(row=row, days=days, over=over, own=self.is_own(row))

    def own(self) -> list[WorkRow]:
        """The coordinating agency's own work, the most urgent first."""
        return by_urgency(row for row in self.everything if self.is_own(row))

    def provisional(self) -> list[ProvisionalDate]:
        """Dates that no document fixed yet, an occurrence each, the earliest first."""
        found: dict[tuple[int, date], list[WorkRow]] = {}
        for row in self.leads:
            task = row.kind is ItemKind.TASK and row.mode is TrackingMode.FULL
            if task and row.provisional:
                found.setdefault((row.occurrence, row.due_on), []).append(row)
        dates = [
            ProvisionalDate(row=rows[0], count=len(rows), past=rows[0].due_on < self.as_of)
            for rows in found.values()
        ]
        return sorted(dates, key=lambda one: (one.row.due_on, one.row.item))

    def to_urge(self) -> list[WorkRow]:
        """Open work whose ladder has ended: a person has to write now (rule 27).

        What an issued letter urged for this very date is left out; it stays among the overdue.
        """
        query = (
            select(Assignment, Occurrence)
            .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
            .where(
                Assignment.role == Role.LEAD.value,
                Assignment.status.in_([status.value for status in OPEN]),
                Assignment.next_reminder_on.is_(None),
                Assignment.last_rung.is_not(None),
                Assignment.authority != DateAuthority.PROVISIONAL.value,
                Occurrence.kind == ItemKind.TASK.value,
                Occurrence.mode == TrackingMode.FULL.value,
            )
        )
        ended = {
            row.id
            for row, above in self._session.execute(query)
            if above.plan_key in self.states and self._ended(row, above)
        }
        left = ended - urged_now(self._session, ended).keys() if ended else ended
        return by_urgency(row for row in self.leads if row.id in left) if left else []

    def _ended(self, row: Assignment, above: Occurrence) -> bool:
        ladder = self.states[above.plan_key].ladder(above, row)
        return ladder is not None and at_end(ladder, row.last_rung or 0)

    def runs(self, now: datetime) -> list[ItemRun]:
        """The last run of every item, in the order of the plan."""
        newest = (
            select(func.max(RunLog.id))
            .where(RunLog.job == "item")
            .group_by(RunLog.plan_key, RunLog.item_key)
        )
        query = select(RunLog.plan_key, RunLog.item_key, RunLog.finished_at, RunLog.state).where(
            RunLog.id.in_(newest)
        )
        last = {(plan, item): (at, state) for plan, item, at, state in self._session.execute(query)}
        found = []
        for key, state in self.states.items():
            for item in state.plan.decided:
                at, word = last.get((key, item.key), (None, None))
                missed = at is None or at < now - RUN_WITHIN
                found.append(ItemRun(plan=key, item=item.key, at=at, state=word, missed=missed))
        return found

    def letters(self) -> list[TroubledLetter]:
        """Letters that somebody has to see to, the newest first."""
        query = (
            select(Letter, AgencyRow.name, Mailbox.state)
            .outerjoin(AgencyRow, AgencyRow.key == Letter.agency_key)
            .outerjoin(Mailbox, Mailbox.address == Letter.mailbox)
            .where(
                Letter.state.in_([state.value for state in _TROUBLED]),
                Letter.day > self.as_of - LETTERS_SINCE,
            )
            .order_by(Letter.day.desc(), Letter.id.desc())
        )
        return [
            TroubledLetter(
                id=letter.id,
                day=letter.day,
                mailbox=letter.mailbox,
                agency_name=name,
                subject=letter.subject,
                state=LetterState(letter.state),
                answer=letter.answer or letter.held_reason,
                mended=letter.state == LetterState.UNDELIVERABLE.value and box != "undeliverable",
            )
            for letter, name, box in self._session.execute(query)
        ]

    def proposals(self) -> list[ProposalRow]:
        """What was proposed and waits for the leadership, the oldest first."""
        query = select(Proposal).where(Proposal.state == "proposed").order_by(Proposal.id)
        return [
            ProposalRow(
                assignment=row.assignment_id,
                action=Action(row.action),
                reason=row.reason,
                proposed_at=row.proposed_at,
                proposed_by=row.proposed_by,
            )
            for row in self._session.scalars(query)
        ]
