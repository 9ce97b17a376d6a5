"""The history as values: what was done, by whom, when, on which paper (rules 37, 38)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from sqlalchemy import Select, String, and_, cast, or_, select
from sqlalchemy.orm import Session

from models.tables import Event, ExtensionRequest, Money, Obstacle, Proposal, Submission, Urging
from rules.events import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLine:
    """One event. ``digest`` is its leaf digest in hexadecimal, ``snapshot`` canonical JSON."""

    id: int
    at: datetime
    effective_on: date
    entity: str
    entity_id: str
    action: str
    plan: str | None
    item: str | None
    period: str | None
    agency: str | None
    actor_kind: str
    actor_name: str
    actor_post: str | None
    actor_account: str | None
    actor_mailbox: str | None
    actor_agency: str | None
    on_behalf_of: str | None
    reason: str | None
    document: str | None
    run: str | None
    address: str | None
    snapshot: str
    canonical_version: int
    digest: str

    def as_json(self) -> dict[str, object]:
        """Every field by its name: ISO dates, UTC instants."""
        return {name: plain(getattr(self, name)) for name in type(self).__slots__}


class Narrowing(Protocol):
    """The narrowing that every reading of the history shares; None does not narrow."""

    @property
    def plan(self) -> str | None: ...
    @property
    def item(self) -> str | None: ...
    @property
    def period(self) -> str | None: ...
    @property
    def agency(self) -> str | None: ...
    @property
    def entity_id(self) -> str | None: ...
    @property
    def since(self) -> datetime | None: ...
    @property
    def until(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFilter:
    """Which events; a field that is None does not narrow."""

    plan: str | None = None
    item: str | None = None
    period: str | None = None
    agency: str | None = None
    entity: str | None = None
    entity_id: str | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Up to this instant, inclusive."""
    after_id: int | None = None
    """Only events with a larger id: the way to page on."""


def history(
    session: Session, asked: HistoryFilter, *, limit: int | None = None
) -> list[HistoryLine]:
    """The events that fit, oldest first."""
    query = narrowed(asked).order_by(Event.id)
    for column, value in ((Event.entity, asked.entity), (Event.action, asked.action)):
        if value is not None:
            query = query.where(column == value)
    if asked.after_id is not None:
        query = query.where(Event.id > asked.after_id)
    return lines_of(session, query if limit is None else query.limit(limit))


def narrowed(asked: Narrowing) -> Select[tuple[Event]]:
    """The events of a plan, item, period, agency or entity between two instants, both inclusive."""
    query = select(Event)
    for column, value in (
        (Event.plan_key, asked.plan),
        (Event.item_key, asked.item),
        (Event.period_key, asked.period),
        (Event.agency_key, asked.agency),
        (Event.entity_id, asked.entity_id),
    ):
        if value is not None:
            query = query.where(column == value)
    if asked.since is not None:
        query = query.where(Event.at >= asked.since)
    if asked.until is not None:
        query = query.where(Event.at <= asked.until)
    return query


def history_of(
    session: Session, assignment_id: int, *, until: datetime | None = None
) -> list[HistoryLine]:
    """All that happened to one assignment and to what hangs on it, oldest first.

    ``until`` leaves out what came after that instant.
    """
    parts = [and_(Event.entity == "assignment", Event.entity_id == str(assignment_id))]
    for entity, table in (
        ("submission", Submission),
        ("extension_request", ExtensionRequest),
        ("extension", ExtensionRequest),
        ("proposal", Proposal),
        ("obstacle", Obstacle),
        ("urging", Urging),
        ("money", Money),
    ):
        ids = select(cast(table.id, String)).where(table.assignment_id == assignment_id)
        parts.append(and_(Event.entity == entity, Event.entity_id.in_(ids)))
    query = select(Event).where(or_(*parts)).order_by(Event.id)
    return lines_of(session, query if until is None else query.where(Event.at <= until))


def lines_of(session: Session, query: Select[tuple[Event]]) -> list[HistoryLine]:
    """The events of ``query`` as values, in its order."""
    return [
        HistoryLine(
            id=row.id,
            at=row.at,
            effective_on=row.effective_on,
            entity=row.entity,
            entity_id=row.entity_id,
            action=row.action,
            plan=row.plan_key,
            item=row.item_key,
            period=row.period_key,
            agency=row.agency_key,
            actor_kind=row.actor_kind,
            actor_name=row.actor_name,
            actor_post=row.actor_post,
            actor_account=row.actor_account,
            actor_mailbox=row.actor_mailbox,
            actor_agency=row.actor_agency,
            on_behalf_of=row.on_behalf_of,
            reason=row.reason,
            document=row.document,
            run=row.run,
            address=row.address,
            snapshot=row.snapshot,
            canonical_version=row.canonical_version,
            digest=row.digest.hex(),
        )
        for row in session.scalars(query)
    ]
