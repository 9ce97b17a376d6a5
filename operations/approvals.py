"""The second of two steps: another approves, or refuses with a reason (rule 20)."""

from __future__ import annotations

import json
from datetime import date

from sqlalchemy.orm import Session

from models.tables import Proposal
from operations.act import ActRequest, act
from operations.errors import NotFound, NotPermitted, Refused
from operations.proposals import note_proposal
from operations.stamp import Stamp
from operations.transition import load_work
from rules.actors import AccountRole
from rules.lifecycle import Action


def decide(
    session: Session, stamp: Stamp, proposal_id: int, *, approve: bool, reason: str | None = None
) -> Proposal:
    """Approve a proposal, which carries it out, or refuse it with a reason.

    Raises:
        NotFound: there is none that waits under this number.
        NotPermitted: not a leader's account, or the proposer's own.
        Refused: refused without a reason.
    """
    row = session.get(Proposal, proposal_id, with_for_update=True)
    if row is None or row.state != "proposed":
        msg = f"Không có đề xuất số {proposal_id} đang chờ duyệt."
        raise NotFound(msg)
    if stamp.actor.role is not AccountRole.LEADERSHIP or stamp.actor.identity == row.proposed_by:
        msg = "Đề xuất do lãnh đạo duyệt, và không do chính người đề xuất duyệt."
        raise NotPermitted(msg)
    if not approve and not (reason or "").strip():
        msg = "Không duyệt đề xuất thì cần nêu rõ lý do."
        raise Refused(msg, field="reason")
    row.state = "approved" if approve else "refused"
    row.decided_at, row.decided_by, row.decision_reason = stamp.at, stamp.actor.identity, reason
    session.flush()
    work = load_work(session, row.assignment_id)
    note_proposal(session, stamp, work, row, word="approve" if approve else "refuse", reason=reason)
    if approve:
        due = json.loads(row.payload).get("due_on")
        request = ActRequest(reason=row.reason, due_on=date.fromisoformat(due) if due else None)
        act(session, stamp, row.assignment_id, Action(row.action), request, approved=True)
    return row
