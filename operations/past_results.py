"""Which results were filed up to an instant, and what had become of them by then (rule 39)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, String, cast, exists, or_, select
from sqlalchemy.orm import Session

from models.tables import Assignment, Event, Submission
from rules.lifecycle import Action

_DECIDED_BY: Final[Mapping[str, str]] = {
    Action.CONFIRM.value: "confirmed",
    Action.ACCEPT.value: "confirmed",
    Action.RETURN.value: "returned",
    Action.WITHDRAW.value: "withdrawn",
}
"""What sets an outcome, and which."""


def results_at(session: Session, instant: datetime) -> Select[tuple[int]]:
    """The results filed up to ``instant``.

    A successor's copies of its predecessor's results (rule 35) have no event of their own: they
    came with the transfer, however old they are.
    """
    own = exists().where(
        Event.entity == "submission", Event.entity_id == cast(Submission.id, String)
    )
    later = list(
        session.scalars(
            select(Assignment.successor_id)
            .join(Event, Event.entity_id == cast(Assignment.id, String))
            .where(
                Event.entity == "assignment",
                Event.action == Action.TRANSFER.value,
                Event.at > instant,
                Assignment.successor_id.is_not(None),
            )
        )
    )
    return select(Submission.id).where(
        Submission.submitted_at <= instant,
        or_(own, Submission.assignment_id.not_in(later)),
    )


def outcomes_at(session: Session, instant: datetime) -> Callable[[Mapping[str, Any]], str | None]:
    """What had become of a result by ``instant``, given its row of today.

    An outcome of today holds unless the first act that could have set it came later.
    """
    query = (
        select(Event.entity_id, Event.action, Event.at)
        .where(
            Event.entity == "assignment", Event.action.in_(list(_DECIDED_BY)), Event.at > instant
        )
        .order_by(Event.at, Event.id)
    )
    late: dict[tuple[str, str], datetime] = {}
    for number, action, at in session.execute(query):
        late.setdefault((number, _DECIDED_BY[action]), at)
    early = select(Event.entity_id, Event.action, Event.at).where(
        Event.entity == "assignment",
        Event.action.in_(list(_DECIDED_BY)),
        Event.at <= instant,
        Event.entity_id.in_({number for number, _ in late}),
    )
    before: dict[tuple[str, str], list[datetime]] = {}
    for number, action, at in session.execute(early):
        before.setdefault((number, _DECIDED_BY[action]), []).append(at)

    def outcome(row: Mapping[str, Any]) -> str | None:
        word: str | None = row["outcome"]
        key = (str(row["assignment_id"]), word or "")
        decided = any(at >= row["submitted_at"] for at in before.get(key, ()))
        return None if key in late and not decided else word

    return outcome
