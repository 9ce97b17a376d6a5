"""Opening what should be open (rules 10, 11, 16, 19): the hot path of a new period.

Level-triggered: run it ten times or after ten missed days, it ends in the same rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import bindparam, select, text
from sqlalchemy.orm import Session

from models.bulk import allocate_ids, reads_by_index
from models.tables import Assignment, Occurrence
from operations.history import Change, record, snapshot_of
from operations.opening_rows import OpeningRows
from operations.remembered import newest_before_writing
from operations.settling import settle_due
from operations.stamp import Stamp
from operations.state import PlanState, fixed_dates, state_before_writing
from operations.succession import Moved, replay_successions
from operations.transition import Work, apply
from rules.actors import Capacity
from rules.lifecycle import OPEN, Action
from rules.planning import Opening, openings
from rules.values import ItemKind, TrackingMode


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
    reads_by_index(session)
    state = state_before_writing(session, newest_before_writing(session), plan_key)
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


_OPENED = select(Occurrence.item_key, Occurrence.period_key).where(
    Occurrence.plan_key == bindparam("plan")
)
_OPENED_OF_ITEM = _OPENED.where(Occurrence.item_key == bindparam("item"))


def _existing(session: Session, plan: str, item: str | None) -> set[tuple[str, str]]:
    query = _OPENED if item is None else _OPENED_OF_ITEM
    rows = session.execute(query, {"plan": plan, "item": item})
    return {(found, period) for found, period in rows}


def open_occurrence(session: Session, stamp: Stamp, state: PlanState, opening: Opening) -> int:
    """Write one occurrence with its parties and tell the leads; returns how many rows there are."""
    occurrence = _occurrence(session, stamp, state, opening)
    session.add(occurrence)
    session.flush()
    record(session, stamp, [_change(opening, occurrence)])
    rows = OpeningRows(session, stamp, state, opening, occurrence).write()
    session.expunge(occurrence)
    return rows


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


def _change(opening: Opening, occurrence: Occurrence) -> Change:
    return Change(
        entity="occurrence",
        entity_id=str(occurrence.id),
        action="open",
        snapshot=snapshot_of(occurrence),
        effective_on=opening.opens_on,
        plan=occurrence.plan_key,
        item=occurrence.item_key,
        period=occurrence.period_key,
        document=opening.document.code if opening.document else None,
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
