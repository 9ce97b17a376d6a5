"""Agencies change: every open assignment moves to the successor (rules 11, 35).

Level-triggered: :func:`replay_successions` looks for open work of agencies that have been succeeded
by ``as_of`` and moves it. What was moved is no longer open, so a second run finds nothing, and an
occurrence that opened late ends in the same rows as one that opened in time.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.bulk import allocate_ids
from models.tables import Assignment, Evidence, Occurrence, Submission
from operations.history import Change, record, snapshot_of
from operations.stamp import Stamp
from operations.state import PlanState
from operations.transition import Work, apply, set_next_reminder
from rules.actors import Capacity
from rules.lifecycle import MOVABLE, Action, Status
from rules.values import LeadMode, Role, Succession

_SYSTEM = frozenset({Capacity.SYSTEM})
TO_REVIEW = "phần việc của cơ quan kế thừa đã kết thúc, cơ quan điều phối xem xét việc mở lại"
"""How the reason of a transfer ends that leaves a decision to people (rule 35)."""
_TAKEN_OVER = (
    "occurrence_id",
    "role",
    "round",
    "status",
    "status_before",
    "nominal_due_on",
    "original_due_on",
    "due_on",
    "authority",
    "document_code",
    "respond_by",
    "request_text",
    "request_form",
    "request_document",
    "requested_by",
    "suspended_on",
    "submitted_at",
    "submitted_on",
    "submitted_by",
    "completed_on",
    "late_entry",
    "extensions",
    "returns",
    "last_rung",
)
"""What the successor's new row takes over: due date, evidence, extension count and ladder."""


@dataclass(slots=True)
class Moved:
    """How many rows a replay moved; ``to_review`` are those whose successor had closed already."""

    created: int = 0
    linked: int = 0
    ended: int = 0
    to_review: int = 0

    @property
    def total(self) -> int:
        """All rows that were touched."""
        return self.created + self.linked + self.ended


def replay_successions(session: Session, stamp: Stamp, state: PlanState) -> Moved:
    """Move the open work of every agency succeeded by ``stamp.as_of``."""
    moved = Moved()
    successions = sorted(
        (one for one in state.directory.successions if one.effective_on <= stamp.as_of),
        key=lambda one: (one.effective_on, one.predecessor, not one.items, one.successor or ""),
    )
    if not successions:
        return moved
    waiting = _open_work_of(session, state, {one.predecessor for one in successions})
    for succession in successions:
        # A row moved by an earlier succession may have to move on by a later one.
        for row, occurrence in list(waiting.get(succession.predecessor, ())):
            # Whatever the day it opened on: an agency that has ended owns nothing open.
            given = not succession.items or occurrence.item_key in succession.items
            if given and Status(row.status) in MOVABLE:
                work = Work(state=state, occurrence=occurrence, assignment=row)
                heir = _move(session, stamp, work, succession, moved)
                if heir is not None and succession.successor is not None:
                    waiting.setdefault(succession.successor, []).append((heir, occurrence))
    return moved


def _open_work_of(
    session: Session, state: PlanState, agencies: set[str]
) -> dict[str, list[tuple[Assignment, Occurrence]]]:
    rows = session.execute(
        select(Assignment, Occurrence)
        .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
        .where(
            Assignment.agency_key.in_(agencies),
            Assignment.status.in_([status.value for status in MOVABLE]),
            Occurrence.plan_key == state.plan.key,
        )
        .order_by(Assignment.id)
        .with_for_update(of=Assignment)
    ).all()
    found: dict[str, list[tuple[Assignment, Occurrence]]] = {}
    for row, occurrence in rows:
        found.setdefault(row.agency_key, []).append((row, occurrence))
    return found


def _move(
    session: Session, stamp: Stamp, work: Work, succession: Succession, moved: Moved
) -> Assignment | None:
    """Move one row; the successor's new row, when one was made."""
    if succession.successor is None:
        _end(session, stamp, work, succession)
        moved.ended += 1
        return None
    heir = _row_of(session, work, succession.successor)
    created = heir is None
    if heir is None:
        heir = _create(session, stamp, work, succession)
        moved.created += 1
    else:
        moved.linked += 1
        if Status(heir.status) not in MOVABLE:
            moved.to_review += 1
    apply(
        session,
        stamp,
        work,
        Action.TRANSFER,
        held=_SYSTEM,
        changes={"successor_id": heir.id},
        reason=_reason(work, heir),
        document=succession.document,
        effective_on=succession.effective_on,
    )
    return heir if created else None


def _reason(work: Work, heir: Assignment) -> str:
    text = f"{heir.agency_name} kế thừa nhiệm vụ của {work.assignment.agency_name}"
    if Status(heir.status) not in MOVABLE:
        text += f"; {TO_REVIEW}"
    return text


def _end(session: Session, stamp: Stamp, work: Work, succession: Succession) -> None:
    apply(
        session,
        stamp,
        work,
        Action.CANCEL,
        held=_SYSTEM,
        reason=_end_reason(work, succession),
        document=succession.document,
        effective_on=succession.effective_on,
    )


def _end_reason(work: Work, succession: Succession) -> str:
    text = f"{work.assignment.agency_name} kết thúc hoạt động, không có cơ quan kế thừa"
    return f"{text}: {succession.note}" if succession.note else text


def _row_of(session: Session, work: Work, agency: str) -> Assignment | None:
    """The successor's row in the same occurrence; its lead row takes a partner's as well.

    Where that row has moved on already, it is the one that it moved to.
    """
    found = _own_row(session, work, agency)
    while found is not None and found.status == Status.TRANSFERRED and found.successor_id:
        found = session.get_one(Assignment, found.successor_id)
    return found


def _own_row(session: Session, work: Work, agency: str) -> Assignment | None:
    rows = {
        row.role: row
        for row in session.scalars(
            select(Assignment).where(
                Assignment.occurrence_id == work.occurrence.id, Assignment.agency_key == agency
            )
        )
    }
    if work.assignment.role == Role.PARTNER:
        return rows.get(Role.PARTNER) or rows.get(Role.LEAD)
    return rows.get(Role.LEAD)


def _create(session: Session, stamp: Stamp, work: Work, succession: Succession) -> Assignment:
    old, occurrence = work.assignment, work.occurrence
    successor = work.state.directory.agency(str(succession.successor))
    if old.role == Role.LEAD and occurrence.lead_mode != LeadMode.EACH:
        _drop_partner(session, stamp, work, successor.key)
    heir = Assignment(
        id=allocate_ids(session, "assignment", 1)[0],
        agency_key=successor.key,
        agency_name=successor.name,
        updated_at=stamp.at,
        updated_by=stamp.actor.name,
        self_confirmed=False,
        sampled=False,
        version=1,
        **{name: getattr(old, name) for name in _TAKEN_OVER},
    )
    session.add(heir)
    set_next_reminder(Work(state=work.state, occurrence=occurrence, assignment=heir))
    session.flush()
    _copy_results(session, old, heir)
    record(
        session,
        stamp,
        [
            Change(
                entity="assignment",
                entity_id=str(heir.id),
                action="take_over",
                snapshot=snapshot_of(heir),
                effective_on=succession.effective_on,
                plan=occurrence.plan_key,
                item=occurrence.item_key,
                period=occurrence.period_key,
                agency=heir.agency_key,
                reason=f"Tiếp nhận từ {old.agency_name}",
                document=succession.document,
            )
        ],
    )
    return heir


def _drop_partner(session: Session, stamp: Stamp, work: Work, agency: str) -> None:
    """A lead is never its own partner (rule 14): a successor that becomes lead stops partnering."""
    row = session.scalars(
        select(Assignment).where(
            Assignment.occurrence_id == work.occurrence.id,
            Assignment.agency_key == agency,
            Assignment.role == Role.PARTNER,
            Assignment.status.in_([Status.DORMANT.value, Status.REQUESTED.value]),
        )
    ).one_or_none()
    if row is not None:
        partner = Work(state=work.state, occurrence=work.occurrence, assignment=row)
        reason = f"{row.agency_name} trở thành cơ quan chủ trì"
        apply(session, stamp, partner, Action.CANCEL, held=_SYSTEM, reason=reason)


def _copy_results(session: Session, old: Assignment, heir: Assignment) -> None:
    """Give the successor's row the results filed so far, with their evidence."""
    results = session.scalars(
        select(Submission).where(Submission.assignment_id == old.id).order_by(Submission.id)
    ).all()
    for result in results:
        copy = Submission(**(snapshot_of(result) | {"id": None, "assignment_id": heir.id}))
        session.add(copy)
        session.flush()
        papers = session.scalars(select(Evidence).where(Evidence.submission_id == result.id)).all()
        session.add_all(
            Evidence(**(snapshot_of(paper) | {"id": None, "submission_id": copy.id}))
            for paper in papers
        )
    session.flush()
