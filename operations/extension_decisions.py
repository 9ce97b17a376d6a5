"""Deciding on an extension: granted or refused with a reason, in one step or two (rules 20, 23)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from models.tables import ExtensionRequest
from operations.acting import tell
from operations.errors import NotPermitted, Refused
from operations.extensions import later_date, load_request, need_state, note_request
from operations.guards import need_decider, need_own_document, need_text
from operations.stamp import Stamp
from operations.transition import Work, amend
from rules.actors import AccountRole
from rules.lifecycle import OPEN, STATUS_WORDS, Status
from rules.values import DateAuthority


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What became of a request: its state, and the due date now in force."""

    request: int
    state: str
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A decision. ``until`` None grants the date asked for; ``cap_reason`` passes the cap.

    ``document`` is the document that moves the date; see rule 17 for whose it has to be.
    """

    grant: bool
    reason: str
    until: date | None = None
    document: str | None = None
    cap_reason: str | None = None


def decide_extension(
    session: Session, stamp: Stamp, request_id: int, decision: Decision
) -> Decided:
    """Grant or refuse a request; where two steps are set, a grant becomes a proposal.

    Raises:
        NotFound: there is no such request.
        NotPermitted: not a decider (for own work: its leadership), or the one who asked.
        Refused: a reason, the document, or the reason to pass the cap is missing, or the date is
            not later than the one in force.
        Conflict: it was decided or withdrawn meanwhile.
    """
    work, request = load_request(session, request_id)
    need_decider(session, work, stamp)
    _refuse_self(stamp, request)
    need_state(request, ("asked",))
    reason = need_text(decision.reason, "Đề nghị nêu lý do của quyết định.", field="reason")
    if not decision.grant:
        return _refuse(session, stamp, work, request, reason)
    _prepare_grant(work, request, decision, stamp.as_of)
    request.decision_reason = reason
    steps = work.state.plan.policies.two_step
    if "extend" in steps and stamp.actor.role is AccountRole.COORDINATOR:
        request.state, request.proposed_by = "proposed", stamp.actor.identity
        note_request(session, stamp, work, request, "propose", reason=reason)
        return Decided(request=request.id, state="proposed", due_on=work.assignment.due_on)
    return _grant(session, stamp, work, request)


def approve_extension(
    session: Session, stamp: Stamp, request_id: int, *, approve: bool, reason: str | None = None
) -> Decided:
    """The second of two steps: leadership approves the proposed grant, or refuses with a reason.

    Raises:
        NotFound: there is no such request.
        NotPermitted: not a leader's account, or the one who asked or proposed.
        Refused: refused without a reason, or the proposed date is no longer later.
        Conflict: it does not wait for approval (any more).
    """
    work, request = load_request(session, request_id)
    mine = stamp.actor.identity in {request.asked_by, request.proposed_by}
    if stamp.actor.role is not AccountRole.LEADERSHIP or mine:
        msg = "Gia hạn do lãnh đạo duyệt, và không do chính người đề nghị hoặc đề xuất duyệt."
        raise NotPermitted(msg)
    need_state(request, ("proposed",))
    if not approve:
        word = "Không duyệt gia hạn thì cần nêu rõ lý do."
        return _refuse(session, stamp, work, request, need_text(reason, word, field="reason"))
    proposed = Decision(
        grant=True,
        reason=request.decision_reason or "",
        until=request.granted_due_on,
        document=request.document_code,
        cap_reason=request.cap_reason,
    )
    _prepare_grant(work, request, proposed, stamp.as_of)
    return _grant(session, stamp, work, request)


def _prepare_grant(work: Work, request: ExtensionRequest, decision: Decision, as_of: date) -> None:
    """Check a grant and write it on the request, not yet on the assignment."""
    row = work.assignment
    if Status(row.status) not in OPEN | {Status.SUBMITTED} or request.round != row.round:
        msg = (
            f"Không gia hạn được nữa: trạng thái là “{STATUS_WORDS[Status(row.status)]}”, "
            f"lần thực hiện thứ {row.round}; đề nghị trả lời không đồng ý, nêu rõ lý do."
        )
        raise Refused(msg)
    asked = decision.until or request.requested_due_on
    until = later_date(work, asked, as_of, field="until")
    document = need_own_document(DateAuthority(row.authority), decision.document)
    cap = work.state.plan.policies.extension_cap
    cap_reason = (decision.cap_reason or "").strip() or None
    if row.extensions >= cap and cap_reason is None:
        msg = (
            f"Nhiệm vụ đã được gia hạn {row.extensions} lần, mức tối đa là {cap}; "
            "để gia hạn thêm, đề nghị nêu lý do vượt số lần gia hạn."
        )
        raise Refused(msg, field="cap_reason")
    request.granted_due_on, request.document_code = until, document
    request.cap_reason = cap_reason


def _grant(session: Session, stamp: Stamp, work: Work, request: ExtensionRequest) -> Decided:
    row = work.assignment
    previous, until = row.due_on, request.granted_due_on or request.requested_due_on
    _close(stamp, request, "granted", request.decision_reason)
    changes: dict[str, Any] = {
        "due_on": until,
        "extensions": row.extensions + 1,
        "document_code": request.document_code,
    }
    if work.provisional and request.document_code is not None:
        changes["authority"] = DateAuthority.COORDINATOR.value
    if row.respond_by is not None:  # returned work is reminded by its day to respond (rule 22)
        changes["respond_by"] = max(row.respond_by, until)
    note_request(session, stamp, work, request, "grant", reason=request.decision_reason)
    amend(
        session,
        stamp,
        work,
        "extend",
        changes=changes,
        reason=request.decision_reason,
        document=request.document_code,
        reset_ladder=True,
        skip_past_rungs=True,
    )
    _tell_decision(session, stamp, work, request, previous)
    return Decided(request=request.id, state="granted", due_on=until)


def _refuse(
    session: Session, stamp: Stamp, work: Work, request: ExtensionRequest, reason: str
) -> Decided:
    _close(stamp, request, "refused", reason)
    request.granted_due_on = None
    note_request(session, stamp, work, request, "refuse", reason=reason)
    _tell_decision(session, stamp, work, request, work.assignment.due_on)
    return Decided(request=request.id, state="refused", due_on=work.assignment.due_on)


def _close(stamp: Stamp, request: ExtensionRequest, state: str, reason: str | None) -> None:
    request.state, request.decision_reason = state, reason
    request.decided_at, request.decided_by = stamp.at, stamp.actor.identity


def _tell_decision(
    session: Session, stamp: Stamp, work: Work, request: ExtensionRequest, previous: date
) -> None:
    payload: dict[str, object] = {
        "granted": request.state == "granted",
        "asked_for": request.requested_due_on,
        "previous_due_on": previous,
        "reason": request.decision_reason,
    }
    if request.document_code is not None:
        payload["document"] = request.document_code
    tell(session, stamp, work, "extension_decided", payload=payload)


def _refuse_self(stamp: Stamp, request: ExtensionRequest) -> None:
    if stamp.actor.identity == request.asked_by:
        msg = "Người đã đề nghị hoặc nhập thay đề nghị gia hạn không tự quyết định đề nghị đó."
        raise NotPermitted(msg)
