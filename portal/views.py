"""What templates show, as values: cards of a list, the page of one piece of work, offered forms."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from operations.handing import HANDED, Colleague
from operations.queries import WorkRow, by_urgency, work_list
from operations.queries_detail import WorkDetail
from operations.results import asks_for_this_year
from operations.state import PlanState, known_plan, known_state
from portal.doorway import Doorway
from portal.words import Pill, pill
from rules.actors import Capacity
from rules.lifecycle import OPEN, SETTLED, UNCOUNTED, Action, Status, allowed_actions
from rules.values import Item, ItemKind, LeadMode, Plan, Role, TrackingMode
from rules.workdays import WorkCalendar

SHOWN = OPEN | {
    Status.SUBMITTED,
    Status.SUSPENDED,
    Status.REQUESTED,
    Status.UNANSWERED,
}
"""What stands on an agency's list as open."""
CLOSED = 60
"""Ended work on an agency's list: about two years of it."""
CLOSED_SHOWN = SETTLED | {Status.CONTRIBUTED, Status.LAPSED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One piece of work on a list."""

    row: WorkRow
    item: Item
    plan: Plan
    calendar: WorkCalendar
    pill: Pill
    past: bool
    """Its day has gone by."""
    by_account_only: bool
    """Led by the coordinating agency, and opened by a link (rule 34)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyList:
    """An agency's work: what asks for something, what waits for others, what is done."""

    asks: tuple[Card, ...]
    waits: tuple[Card, ...]
    closed: tuple[Card, ...]
    several_plans: bool

    @property
    def late(self) -> int:
        """How many of what asks for something are overdue."""
        return sum(card.row.overdue for card in self.asks)

    @property
    def next_on(self) -> date | None:
        """The nearest day, not past, by which something is asked; None if there is none."""
        coming = [card.row.asked_by for card in self.asks if not card.past]
        return min(coming, default=None)

    @property
    def by_account_only(self) -> bool:
        """Whether some of it can only be submitted by account (rule 34)."""
        return any(card.by_account_only for card in self.asks)


class Reader:
    """Reads plans and their states once for a page."""

    def __init__(self, session: Session, as_of: date) -> None:
        self._session, self.as_of = session, as_of
        self._states: dict[str, PlanState] = {}
        self._plans: dict[tuple[str, int], Plan] = {}
        self._coordinators: dict[str, str] = {}

    def state(self, plan: str) -> PlanState:
        """The state of a plan."""
        if plan not in self._states:
            self._states[plan] = known_state(self._session, plan)
        return self._states[plan]

    def item(self, row: WorkRow) -> Item:
        """The item of a row, in the version under which it opened (rule 8)."""
        key = (row.plan, row.plan_version)
        if key not in self._plans:
            self._plans[key] = known_plan(self._session, *key)
        return self._plans[key].item(row.item)

    def coordinator(self, plan: str) -> str:
        """The key of a plan's coordinating agency."""
        if plan not in self._coordinators:
            self._coordinators[plan] = self.state(plan).coordinator(self.as_of)
        return self._coordinators[plan]

    def card(self, row: WorkRow, *, by_link: bool = False) -> Card:
        """A row as a list shows it."""
        state, item = self.state(row.plan), self.item(row)
        own = row.agency == self.coordinator(row.plan)
        return Card(
            row=row,
            item=item,
            plan=state.plan,
            calendar=state.calendar,
            pill=pill(row, self.as_of, state.calendar),
            past=row.asked_by < self.as_of,
            by_account_only=by_link and own and row.role is Role.LEAD,
        )

    def cards(self, rows: Iterable[WorkRow], *, by_link: bool = False) -> tuple[Card, ...]:
        """Rows as a list shows them, in their order."""
        return tuple(self.card(row, by_link=by_link) for row in rows)


def agency_list(
    session: Session,
    door: Doorway,
    as_of: date,
    *,
    closed: int | None = CLOSED,
    only: Container[int] | None = None,
) -> AgencyList:
    """The work of the doorway's agency and of no other (rule 46); ``only`` these assignments.

    ``closed`` is how many that ended are told, the newest; None for all.
    """
    reader = Reader(session, as_of)
    rows = by_urgency(work_list(session, as_of=as_of, agency=door.agency))
    rows = [row for row in rows if only is None or row.id in only]
    waiting = {Status.SUBMITTED, Status.SUSPENDED}
    asks = [row for row in rows if row.status in SHOWN - waiting]
    waits = [row for row in rows if row.status in waiting]
    ended = [row for row in rows if row.status in CLOSED_SHOWN]
    ended.sort(key=lambda row: (row.period[:4], row.due_on), reverse=True)
    return AgencyList(
        asks=reader.cards(asks, by_link=door.by_link),
        waits=reader.cards(waits, by_link=door.by_link),
        closed=reader.cards(ended[:closed], by_link=door.by_link),
        several_plans=len({row.plan for row in rows}) > 1,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a visitor may do with one piece of work: read from the table of transitions."""

    actions: frozenset[Action]
    extension: bool
    obstacle: bool
    unchanged: bool
    cover: tuple[WorkRow, ...]
    """Leads whose document may cover this one (rule 13)."""
    by_account_only: bool
    hand: bool
    """Whether the agency may name who works on it."""
    money: bool
    """Whether the agency may say what it planned and spent (rule 43)."""

    @property
    def anything(self) -> bool:
        """Whether there is anything at all."""
        return bool(self.actions or self.extension or self.obstacle or self.hand or self.money)


_AGENCY_ACTIONS = frozenset(
    {
        Action.START,
        Action.SUBMIT,
        Action.WITHDRAW,
        Action.AWAIT_ISSUANCE,
        Action.RESUME,
        Action.COVER,
        Action.CONTRIBUTE,
    }
)


def offer(detail: WorkDetail, held: frozenset[Capacity], *, by_link: bool) -> Offer:
    """What the forms of an agency's page are made from."""
    row = detail.row
    own = held & {Capacity.LEAD, Capacity.PARTNER}
    actions = frozenset(allowed_actions(row.status, frozenset(own))) & _AGENCY_ACTIONS
    lead, is_open = Capacity.LEAD in held, row.status in OPEN
    joint = row.lead_mode is LeadMode.JOINT_OR_SEPARATE
    others = tuple(one for one in detail.others if one.role is Role.LEAD) if joint else ()
    counted = row.kind is ItemKind.TASK and row.mode is TrackingMode.FULL
    asked = any(one.state in {"asked", "proposed"} for one in detail.extensions)
    return Offer(
        actions=actions if others else actions - {Action.COVER},
        extension=lead and is_open and counted and not asked,
        obstacle=bool(own) and row.status in SHOWN,
        unchanged=lead
        and row.kind is ItemKind.TASK
        and Action.SUBMIT in actions
        and not asks_for_this_year(detail.item),
        cover=others,
        by_account_only=by_link and not own and detail.own,
        hand=bool(own) and row.status in HANDED,
        money=lead and row.status not in UNCOUNTED and row.kind is ItemKind.TASK,
    )


def handed_to(detail: WorkDetail, people: Iterable[Colleague]) -> str:
    """The key of the colleague who works on it, as forms name them; empty for nobody known."""
    name = detail.row.handler
    return next((one.key for one in people if one.name == name), "")


def decider_actions(detail: WorkDetail, held: frozenset[Capacity]) -> frozenset[Action]:
    """What somebody who decides may do with one piece of work."""
    deciding = held & {Capacity.DECIDER}
    return frozenset(allowed_actions(detail.row.status, frozenset(deciding)))


def may_ask(detail: WorkDetail, held: frozenset[Capacity]) -> bool:
    """Whether a lead's partners may be asked now, in these capacities (rule 14)."""
    row = detail.row
    partners = (one.status for one in detail.others if one.role is Role.PARTNER)
    towards = {Capacity.OCCURRENCE_LEAD} if Capacity.LEAD in held else held & {Capacity.DECIDER}
    return (
        row.role is Role.LEAD
        and row.status in OPEN
        and any(
            Action.REQUEST in allowed_actions(status, frozenset(towards))
            or status is Status.REQUESTED
            for status in partners
        )
    )
