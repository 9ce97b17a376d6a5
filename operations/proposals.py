"""The first of two steps: one proposes (rule 20). ``approvals`` holds the second."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.bulk import allocate_ids
from models.tables import Proposal
from operations.errors import Refused
from operations.history import Change, record, snapshot_of
from operations.stamp import Stamp
from operations.transition import Work
from rules.events import canonical_json
from rules.lifecycle import ACTION_WORDS, NEEDS_REASON, Action


def propose(
    session: Session,
    stamp: Stamp,
    work: Work,
    action: Action,
    *,
    reason: str | None,
    due_on: date | None = None,
) -> int:
    """Store a proposal for a second person to decide, and return its number.

    Raises:
        Refused: a reason is missing, or the same is proposed already.
    """
    if action in NEEDS_REASON and not (reason or "").strip():
        msg = f"“{ACTION_WORDS[action]}” cần nêu rõ lý do."
        raise Refused(msg, field="reason")
    waiting = session.scalars(
        select(Proposal).where(
            Proposal.assignment_id == work.assignment.id, Proposal.state == "proposed"
        )
    ).first()
    if waiting is not None:
        msg = f"Đã có đề xuất số {waiting.id} đang chờ duyệt; đề nghị xử lý đề xuất đó trước."
        raise Refused(msg)
    row = Proposal(
        id=allocate_ids(session, "proposal", 1)[0],
        assignment_id=work.assignment.id,
        action=action.value,
        payload=canonical_json({"due_on": due_on}),
        reason=reason,
        proposed_at=stamp.at,
        proposed_by=stamp.actor.identity,
        state="proposed",
    )
    session.add(row)
    session.flush()
    note_proposal(session, stamp, work, row, word="propose", reason=reason)
    return row.id


def note_proposal(
    session: Session, stamp: Stamp, work: Work, row: Proposal, *, word: str, reason: str | None
) -> None:
    """Write what happened to a proposal into the history."""
    record(
        session,
        stamp,
        [
            Change(
                entity="proposal",
                entity_id=str(row.id),
                action=word,
                snapshot=snapshot_of(row),
                plan=work.occurrence.plan_key,
                item=work.occurrence.item_key,
                period=work.occurrence.period_key,
                agency=work.assignment.agency_key,
                reason=reason,
            )
        ],
    )
