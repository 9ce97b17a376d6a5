"""What the modules of actions share: the request, and the small steps that several take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy.orm import Session

from operations.notices import add_notice
from operations.results import Result
from operations.stamp import Stamp
from operations.transition import Work
from rules.values import Audience, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class ActRequest:
    """What comes with an act; each action reads what it needs.

    ``expected_version`` is the row version that the actor saw (rule 26). ``due_on`` is the new
    due date of a reopening, ``respond_by`` the day to respond of a return.
    """

    result: Result = field(default_factory=Result)
    reason: str | None = None
    document: str | None = None
    due_on: date | None = None
    respond_by: date | None = None
    covered_by: int | None = None
    expected_version: int | None = None


def is_own(work: Work, stamp: Stamp) -> bool:
    """Whether the work is the coordinator's own (rule 20)."""
    return work.assignment.agency_key == work.state.coordinator(stamp.as_of)


def tell(
    session: Session,
    stamp: Stamp,
    work: Work,
    kind: str,
    *,
    at_once: bool = True,
    to_address: str | None = None,
    payload: Mapping[str, object] | None = None,
) -> None:
    """Leave a notice for the agency, where it gets letters (rule 36)."""
    row = work.assignment
    if work.state.directory.letters_on(row.agency_key, stamp.as_of):
        add_notice(
            session,
            stamp,
            kind=kind,
            assignment=row,
            agency_key=row.agency_key,
            audience=Audience.MAILBOX if kind == "receipt" else Audience.FOCAL,
            at_once=at_once,
            to_address=to_address,
            payload=payload,
        )


def tell_date(
    session: Session,
    stamp: Stamp,
    work: Work,
    previous: date,
    *,
    reason: str | None,
    document: str | None,
) -> None:
    """Leave word for a lead whose date is another one than ``previous`` (rule 27)."""
    row = work.assignment
    if row.due_on == previous or row.role != Role.LEAD:
        return
    payload: dict[str, object] = {"previous_due_on": previous}
    payload |= {"document": document} if document else {}
    payload |= {"reason": reason} if reason else {}
    tell(session, stamp, work, "date_changed", at_once=False, payload=payload)
