"""How a partner is asked: by which day, and what becomes of what others asked it (rule 14)."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from sqlalchemy.orm import Session

from operations.acting import tell
from operations.errors import Refused
from operations.guards import need_working_day, rolled_words, vn_date
from operations.stamp import Stamp
from operations.transition import Work, amend, apply
from rules.actors import Capacity
from rules.lifecycle import Action, ActionNotAllowed, Status
from rules.values import LeadMode

AS_LEAD: Final = frozenset({Capacity.OCCURRENCE_LEAD})


def day_to_answer(lead: Work, asked: date, as_of: date) -> date:
    """The working day to answer by, for which a lead asked.

    Raises:
        Refused: it is not between today and the lead's own due date.
    """
    due_on = lead.assignment.due_on
    respond_by = need_working_day(lead.state.calendar, asked, field="respond_by")
    if as_of <= respond_by < due_on:
        return respond_by
    if due_on <= as_of:
        msg = (
            f"Hạn của nhiệm vụ là {vn_date(due_on)}, không còn ngày nào trước hạn để trả lời; "
            "đề nghị gia hạn nhiệm vụ trước khi đề nghị phối hợp."
        )
    else:
        msg = (
            f"Ngày đề nghị trả lời phải từ hôm nay và trước hạn của nhiệm vụ {vn_date(due_on)}; "
            f"ngày đã nhập: {rolled_words(asked, respond_by)}."
        )
    raise Refused(msg, field="respond_by")


def ask(session: Session, stamp: Stamp, lead: Work, partner: Work, changes: dict[str, Any]) -> None:
    """Ask one partner on behalf of ``lead``; ``changes`` are the columns that the request sets.

    Raises:
        rules.lifecycle.ActionNotAllowed: it can no longer be asked.
    """
    row, asker = partner.assignment, lead.assignment
    document = changes["request_document"]
    note = f"{asker.agency_name}: {changes['request_text']}"
    if row.status == Status.CONTRIBUTED:
        changes = _asked_after_answer(lead, partner, changes, note)
    if row.status != Status.REQUESTED:
        apply(
            session,
            stamp,
            partner,
            Action.REQUEST,
            held=AS_LEAD,
            changes=changes,
            document=document,
            reset_ladder=True,
            skip_past_rungs=True,
        )
    else:
        if row.requested_by != asker.agency_key and row.respond_by is not None:
            changes = {
                "request_text": f"{row.request_text}\n\n{note}",
                "respond_by": min(row.respond_by, changes["respond_by"]),
            }
        amend(
            session,
            stamp,
            partner,
            "request",
            changes=changes,
            document=document,
            reset_ladder=True,
            skip_past_rungs=True,
        )
    tell(session, stamp, partner, "request", at_once=False, payload={"note": note})


def _asked_after_answer(
    lead: Work, partner: Work, changes: dict[str, Any], note: str
) -> dict[str, Any]:
    """What changes when a lead asks a partner that has answered another one (rule 14).

    Raises:
        rules.lifecycle.ActionNotAllowed: it answered this lead, or all leads lead together.
    """
    row = partner.assignment
    each = lead.occurrence.lead_mode == LeadMode.EACH
    if not each or row.requested_by in {None, lead.assignment.agency_key}:
        raise ActionNotAllowed(Status(row.status), Action.REQUEST, AS_LEAD, ())
    text = f"{row.request_text}\n\n{note}" if row.request_text else changes["request_text"]
    cleared = dict.fromkeys(("confirmed_at", "confirmed_on", "confirmed_by"))
    return changes | cleared | {"request_text": text}
