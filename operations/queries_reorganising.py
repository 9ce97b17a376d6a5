"""The changes of agencies that are known, and what they left for people to decide (rule 35)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from models.tables import Assignment, Event, Occurrence, ReorganisationRow
from operations.errors import Conflict, NotFound
from operations.guards import need_coordinator, need_text
from operations.settling import REORGANISATION
from operations.stamp import Stamp
from operations.state import load_directory
from operations.succession import TO_REVIEW
from operations.transition import amend, load_work
from rules.directory import Directory
from rules.lifecycle import MOVABLE, Action, Status
from rules.reorganising import ChangeKind
from rules.values import Certainty, Succession

_REVIEWED = "review_closed"
_STILL_CLOSED = [
    status.value for status in Status if status not in MOVABLE and status is not Status.TRANSFERRED
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReorganisationView:
    """A change with names; ``kind`` None is one that the catalog's files brought."""

    kind: ChangeKind | None
    effective_on: date
    document: str | None
    issued_on: date | None
    before: tuple[str, ...]
    after: tuple[str, ...]
    reason: str | None
    settled: bool
    certain: bool = True
    """Whether it was read in a source; what was not is for the coordinator to confirm."""
    recorded_by: str | None = None
    recorded_at: datetime | None = None


def reorganisations(session: Session, today: date) -> list[ReorganisationView]:
    """Every change of agencies, the newest first."""
    directory = load_directory(session)
    found, known = [], set()
    for row in session.scalars(select(ReorganisationRow).order_by(ReorganisationRow.id)):
        one = REORGANISATION.validate_json(row.content)
        known |= {(key, one.effective_on) for key in one.predecessors}
        heirs = [heir.agency or (heir.new.key if heir.new else None) for heir in one.successors]
        found.append(
            ReorganisationView(
                kind=one.kind,
                effective_on=one.effective_on,
                document=row.document_code,
                issued_on=row.document_issued_on,
                before=_names(directory, one.predecessors),
                after=_names(directory, [key for key in heirs if key]),
                reason=one.reason,
                settled=row.settled_on is not None,
                recorded_by=row.recorded_by,
                recorded_at=row.recorded_at,
            )
        )
    rest = [
        one for one in directory.successions if (one.predecessor, one.effective_on) not in known
    ]
    found += _of_the_catalog(directory, rest, today)
    return sorted(found, key=lambda one: one.effective_on, reverse=True)


def _of_the_catalog(
    directory: Directory, entries: list[Succession], today: date
) -> Iterator[ReorganisationView]:
    grouped: dict[tuple[date, str | None], list[Succession]] = {}
    for one in entries:
        grouped.setdefault((one.effective_on, one.successor), []).append(one)
    for (day, heir), group in grouped.items():
        yield ReorganisationView(
            kind=None,
            effective_on=day,
            document=group[0].document,
            issued_on=None,
            before=_names(directory, [one.predecessor for one in group]),
            after=() if heir is None else _names(directory, [heir]),
            reason="; ".join(dict.fromkeys(one.note for one in group if one.note)) or None,
            settled=day <= today,
            certain=all(one.certainty is Certainty.SEEN for one in group),
        )


def _names(directory: Directory, keys: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return tuple(directory.agency(key).name for key in keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToReview:
    """Open work that was moved to an agency whose row had ended: reopen it, or leave it so."""

    assignment: int
    """The predecessor's row."""
    heir: int
    plan: str
    item: str
    period: str
    agency: str
    to: str
    status: Status
    due_on: date


def to_review(session: Session) -> list[ToReview]:
    """What waits for a decision on reopening, in order of its date."""
    heir = aliased(Assignment)
    reviewed = select(Event.entity_id).where(
        Event.entity == "assignment", Event.action == _REVIEWED
    )
    reopened = select(Event.entity_id).where(
        Event.entity == "assignment", Event.action == Action.REOPEN.value
    )
    done, again = set(session.scalars(reviewed)), set(session.scalars(reopened))
    marked = set(
        session.scalars(
            select(Event.entity_id).where(
                Event.entity == "assignment",
                Event.action == Action.TRANSFER.value,
                Event.reason.endswith(TO_REVIEW, autoescape=True),
            )
        )
    )
    query = (
        select(Assignment, heir, Occurrence)
        .join(heir, heir.id == Assignment.successor_id)
        .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
        .where(Assignment.status == Status.TRANSFERRED.value, heir.status.in_(_STILL_CLOSED))
        .order_by(Assignment.due_on, Assignment.id)
    )
    return [
        ToReview(
            assignment=old.id,
            heir=new.id,
            plan=kept.plan_key,
            item=kept.item_key,
            period=kept.period_key,
            agency=old.agency_name,
            to=new.agency_name,
            status=Status(new.status),
            due_on=old.due_on,
        )
        for old, new, kept in session.execute(query)
        if str(old.id) in marked - done and str(new.id) not in again
    ]


def keep_closed(session: Session, stamp: Stamp, assignment: int, *, reason: str) -> None:
    """Decide that a successor's ended row stays ended; the reason stays in the history (35).

    Raises:
        NotPermitted: not the coordinator.
        NotFound: nothing of that kind waits.
        Refused: a reason is missing.
    """
    need_coordinator(stamp)
    why = need_text(reason, "Đề nghị nêu lý do không mở lại.", field="reason")
    row = session.get(Assignment, assignment, with_for_update=True)
    if row is None:
        msg = f"Không có phân công số {assignment}."
        raise NotFound(msg, field="assignment")
    if assignment not in {one.assignment for one in to_review(session)}:
        msg = "Việc này đã được xem xét hoặc đã mở lại; không còn chờ quyết định."
        raise Conflict(msg)
    amend(session, stamp, load_work(session, assignment), _REVIEWED, changes={}, reason=why)
