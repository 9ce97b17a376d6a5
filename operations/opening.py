"""Opening what should be open (rules 10, 11, 16, 19): the hot path of a new period.

Level-triggered: run it ten times or after ten missed days, it ends in the same rows. Rows and
events are written through the driver's bulk path, one occurrence at a time, so that memory does
not grow with the number of agencies.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from models.bulk import allocate_ids, insert_rows
from models.tables import Assignment, Base, Occurrence
from operations.history import Change, record, snapshot_of
from operations.notices import add_opening_notices
from operations.settling import settle_due
from operations.stamp import Stamp
from operations.state import PlanState, fixed_dates, load_state
from operations.succession import Moved, replay_successions
from operations.transition import Work, apply
from rules.actors import Capacity
from rules.ladder import NO_RUNG, next_step
from rules.lifecycle import OPEN, Action, Status
from rules.planning import Opening, Party, ladder_key, openings
from rules.values import DateAuthority, ItemKind, Role, TrackingMode

_ASSIGNMENT = Base.metadata.tables["assignment"]
_COLUMNS = tuple(column.name for column in _ASSIGNMENT.columns)


@dataclass(slots=True)
class OpeningResult:
    """What a run opened: occurrences as (item, period), and how many rows of each kind."""

    occurrences: list[tuple[str, str]] = field(default_factory=list)
    assignments: int = 0
    lapsed: int = 0
    moved: Moved = field(default_factory=Moved)


def lock_plan(session: Session, plan: str) -> None:
    """Let one run at a time open and move work of a plan (a SQLite writer is alone anyway)."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": plan})


def open_due(
    session: Session, stamp: Stamp, plan_key: str, *, only_item: str | None = None
) -> OpeningResult:
    """Open every occurrence that is due by ``stamp.as_of`` and missing, then replay successions.

    Raises:
        NotFound: there is no such plan.
    """
    lock_plan(session, plan_key)
    state = load_state(session, plan_key)
    result = OpeningResult()
    missing = openings(
        state.plan,
        state.directory,
        state.calendar,
        existing=_existing(session, plan_key, only_item),
        fixed=fixed_dates(session, plan_key),
        tracking_start=state.tracking_start,
        as_of=stamp.as_of,
        only_item=only_item,
    )
    for opening in missing:
        result.assignments += open_occurrence(session, stamp, state, opening)
        result.occurrences.append((opening.item.key, opening.period.key))
        if opening.item.calendar.kind is ItemKind.CHECK_IN:
            result.lapsed += _lapse_earlier(session, stamp, state, opening)
    result.moved = replay_successions(session, stamp, state)
    settle_due(session, stamp)
    return result


def _existing(session: Session, plan: str, item: str | None) -> set[tuple[str, str]]:
    query = select(Occurrence.item_key, Occurrence.period_key).where(Occurrence.plan_key == plan)
    if item is not None:
        query = query.where(Occurrence.item_key == item)
    return {(found, period) for found, period in session.execute(query)}


def open_occurrence(session: Session, stamp: Stamp, state: PlanState, opening: Opening) -> int:
    """Write one occurrence with its parties and tell the leads; returns how many rows there are."""
    occurrence = _occurrence(session, stamp, state, opening)
    session.add(occurrence)
    session.flush()
    ids = allocate_ids(session, "assignment", len(opening.parties))
    rows = [
        _assignment(stamp, state, opening, occurrence_id=occurrence.id, number=number, party=party)
        for number, party in zip(ids, opening.parties, strict=True)
    ]
    insert_rows(
        session, _ASSIGNMENT, _COLUMNS, (tuple(row[name] for name in _COLUMNS) for row in rows)
    )
    record(session, stamp, list(_changes(opening, occurrence, rows)))
    add_opening_notices(
        session,
        stamp,
        [(row["id"], row["agency_key"]) for row in rows if _is_told(state, opening, row)],
        opening.mode,
    )
    session.expunge(occurrence)
    return len(rows)


def _is_told(state: PlanState, opening: Opening, row: dict[str, Any]) -> bool:
    lead = row["role"] == Role.LEAD.value
    return lead and state.directory.letters_on(row["agency_key"], opening.opens_on)


def _occurrence(session: Session, stamp: Stamp, state: PlanState, opening: Opening) -> Occurrence:
    item = opening.item
    return Occurrence(
        id=allocate_ids(session, "occurrence", 1)[0],
        plan_key=state.plan.key,
        plan_version=state.plan.version,
        item_key=item.key,
        period_key=opening.period.key,
        period_first=opening.period.first_day,
        period_last=opening.period.last_day,
        opens_on=opening.opens_on,
        nominal_due_on=opening.nominal_due_on,
        original_due_on=opening.original_due_on,
        due_on=opening.original_due_on,
        mode=opening.mode.value,
        kind=item.calendar.kind.value,
        lead_mode=item.parties.lead_mode.value,
        confirmation=item.calendar.confirmation.value,
        ladder=item.calendar.ladder,
        milestone=opening.milestone,
        opened_at=stamp.at,
        touched=False,
        version=1,
    )


def _assignment(
    stamp: Stamp,
    state: PlanState,
    opening: Opening,
    *,
    occurrence_id: int,
    number: int,
    party: Party,
) -> dict[str, Any]:
    lead = party.role is Role.LEAD
    row: dict[str, Any] = dict.fromkeys(_COLUMNS)
    row |= {
        "id": number,
        "occurrence_id": occurrence_id,
        "agency_key": party.agency,
        "agency_name": party.name,
        "role": party.role.value,
        "round": 1,
        "status": (Status.NOT_STARTED if lead else Status.DORMANT).value,
        "nominal_due_on": opening.nominal_due_on,
        "original_due_on": opening.original_due_on,
        "due_on": opening.original_due_on,
        "authority": opening.authority.value,
        "document_code": opening.document.code if opening.document else None,
        "late_entry": False,
        "self_confirmed": False,
        "sampled": False,
        "extensions": 0,
        "returns": 0,
        "updated_at": stamp.at,
        "updated_by": stamp.actor.name,
        "version": 1,
    }
    if lead and state.directory.letters_on(party.agency, opening.original_due_on):
        row["next_reminder_on"] = _first_reminder(state, opening)
    return row


def _first_reminder(state: PlanState, opening: Opening) -> Any:
    key = ladder_key(
        opening.item.calendar.ladder,
        kind=opening.item.calendar.kind,
        mode=opening.mode,
        role=Role.LEAD,
        provisional=opening.authority is DateAuthority.PROVISIONAL,
    )
    ladder = state.plan.ladders.get(key) if key else None
    if ladder is None:
        return None
    step = next_step(ladder, opening.original_due_on, state.calendar, last_rung=NO_RUNG)
    return None if step is None else step.day


def _changes(
    opening: Opening, occurrence: Occurrence, rows: list[dict[str, Any]]
) -> Iterator[Change]:
    document = opening.document.code if opening.document else None
    yield Change(
        entity="occurrence",
        entity_id=str(occurrence.id),
        action="open",
        snapshot=snapshot_of(occurrence),
        effective_on=opening.opens_on,
        plan=occurrence.plan_key,
        item=occurrence.item_key,
        period=occurrence.period_key,
        document=document,
    )
    for row in rows:
        yield Change(
            entity="assignment",
            entity_id=str(row["id"]),
            action="assign",
            snapshot=row,
            effective_on=opening.opens_on,
            plan=occurrence.plan_key,
            item=occurrence.item_key,
            period=occurrence.period_key,
            agency=row["agency_key"],
            document=document,
        )


def _lapse_earlier(session: Session, stamp: Stamp, state: PlanState, opening: Opening) -> int:
    """End the unanswered check-ins of earlier periods, now that the next one opens (rule 16)."""
    rows = session.execute(
        select(Assignment, Occurrence)
        .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
        .where(
            Occurrence.plan_key == state.plan.key,
            Occurrence.item_key == opening.item.key,
            Occurrence.period_first < opening.period.first_day,
            # What came by import without data says so, and waits for its data (rule 19).
            Occurrence.mode != TrackingMode.IMPORTED.value,
            Assignment.status.in_([status.value for status in OPEN]),
        )
        .order_by(Assignment.id)
    ).all()
    for row, occurrence in rows:
        apply(
            session,
            stamp,
            Work(state=state, occurrence=occurrence, assignment=row),
            Action.LAPSE,
            held=frozenset({Capacity.SYSTEM}),
            effective_on=opening.opens_on,
        )
    return len(rows)
