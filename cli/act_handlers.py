"""The operation behind each word of ``tiendo act``."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from cli.act_values import Case
from cli.errors import WrongUse
from cli.words import Extra
from models.tables import Assignment, ExtensionRequest, Proposal
from operations import extension_decisions, extensions, partners
from operations.act import ActRequest, act
from operations.approvals import decide
from operations.errors import NotFound
from operations.stamp import Stamp
from operations.transition import load_work
from rules.lifecycle import Action
from rules.values import Role

Extras = dict[str, int | None]
"""Numbers of what an act made: ``submission``, ``proposal``, ``extension``."""


def of_the_table(case: Case) -> Extras:
    """Everything that ``operations.act`` does."""
    request = ActRequest(
        result=case.result,
        reason=case.asked.reason or (case.asked.text if case.word != Action.SUBMIT else None),
        document=case.asked.document,
        due_on=case.asked.due_on,
        respond_by=case.asked.respond_by,
        covered_by=case.asked.covered_by,
        expected_version=case.asked.expected_version,
    )
    done = act(case.session, case.stamp, case.assignment, Action(case.word), request)
    return {"submission": done.submission, "proposal": done.proposal}


def request(case: Case) -> Extras:
    """A lead asks a partner."""
    if case.asked.respond_by is None:
        raise WrongUse("“request” cần --respond-by: ngày cần trả lời.", field="respond_by")
    partners.request_contribution(
        case.session,
        case.stamp,
        _lead_of(case.session, case.stamp, case.assignment, case.asked.lead),
        [case.assignment],
        partners.PartnerRequest(
            content=case.asked.text or "",
            respond_by=case.asked.respond_by,
            form=case.asked.form,
            document=case.asked.document,
        ),
    )
    return {}


def contribute(case: Case) -> Extras:
    """A partner answers."""
    number = partners.contribute(
        case.session,
        case.stamp,
        case.assignment,
        case.result,
        expected_version=case.asked.expected_version,
    )
    return {"submission": number}


def receive(case: Case) -> Extras:
    """A lead marks a contribution received."""
    return {"submission": partners.receive(case.session, case.stamp, case.assignment, case.result)}


def dismiss(case: Case) -> Extras:
    """A partner is not needed."""
    partners.dismiss(case.session, case.stamp, case.assignment, reason=case.asked.reason)
    return {}


def close_unanswered(case: Case) -> Extras:
    """A lead closes over a partner's silence."""
    lead = _lead_of(case.session, case.stamp, case.assignment, case.asked.lead)
    partners.close_silence(
        case.session,
        case.stamp,
        lead,
        reason=case.asked.reason or "",
        partner_ids=[case.assignment],
    )
    return {}


def _lead_of(session: Session, stamp: Stamp, assignment: int, named: int | None) -> int:
    """The lead's assignment in whose name a partner is asked: named, the actor's, or the only one.

    Raises:
        WrongUse: several leads, and none of them named.
    """
    if named is not None:
        return named
    occurrence = load_work(session, assignment).occurrence.id
    rows = session.execute(
        select(Assignment.id, Assignment.agency_key)
        .where(Assignment.occurrence_id == occurrence, Assignment.role == Role.LEAD.value)
        .order_by(Assignment.id)
    ).all()
    own = [number for number, agency in rows if agency == stamp.actor.agency]
    found: list[int] = own or [number for number, _ in rows]
    if len(found) == 1:
        return found[0]
    msg = f"Kỳ này có {len(found)} cơ quan chủ trì; nêu phân công chủ trì bằng --lead SỐ."
    raise WrongUse(msg, field="lead")


def extension_ask(case: Case) -> Extras:
    """Ask for another date."""
    if case.asked.due_on is None:
        raise WrongUse("“extension_ask” cần --due-on: hạn đề nghị.", field="due_on")
    made = extensions.ask_extension(
        case.session,
        case.stamp,
        case.assignment,
        until=case.asked.due_on,
        reason=case.asked.reason or "",
        explanation=case.asked.explanation,
        expected_version=case.asked.expected_version,
    )
    return {"extension": made.request}


def extension_decide(case: Case) -> Extras:
    """Grant or refuse it."""
    number = _need_extension(case.session, case.assignment)
    decision = extension_decisions.Decision(
        grant=case.word == Extra.EXTENSION_GRANT,
        reason=case.asked.reason or "",
        until=case.asked.due_on,
        document=case.asked.document,
        cap_reason=case.asked.cap_reason,
    )
    extension_decisions.decide_extension(case.session, case.stamp, number, decision)
    return {"extension": number}


def extension_approve(case: Case) -> Extras:
    """The second of two steps."""
    number = _need_extension(case.session, case.assignment)
    approve = case.word == Extra.EXTENSION_APPROVE
    extension_decisions.approve_extension(
        case.session, case.stamp, number, approve=approve, reason=case.asked.reason
    )
    return {"extension": number}


def extension_withdraw(case: Case) -> Extras:
    """Take the request back."""
    number = _need_extension(case.session, case.assignment)
    extensions.withdraw_extension(case.session, case.stamp, number)
    return {"extension": number}


def proposal_decide(case: Case) -> Extras:
    """The second of two steps of another act."""
    row = waiting_proposal(case.session, case.assignment)
    if row is None:
        msg = f"Phân công số {case.assignment} không có đề xuất nào đang chờ duyệt."
        raise NotFound(msg, field="assignment")
    approve = case.word == Extra.PROPOSAL_APPROVE
    decide(case.session, case.stamp, row.id, approve=approve, reason=case.asked.reason)
    return {"proposal": row.id}


def waiting_extension(session: Session, assignment: int) -> ExtensionRequest | None:
    """The request that waits for an answer, if there is one."""
    return session.scalars(
        select(ExtensionRequest).where(
            ExtensionRequest.assignment_id == assignment,
            ExtensionRequest.state.in_(("asked", "proposed")),
        )
    ).one_or_none()


def _need_extension(session: Session, assignment: int) -> int:
    row = waiting_extension(session, assignment)
    if row is None:
        msg = f"Phân công số {assignment} không có đề nghị gia hạn nào đang chờ."
        raise NotFound(msg, field="assignment")
    return row.id


def waiting_proposal(session: Session, assignment: int) -> Proposal | None:
    """The proposal that waits for approval, if there is one."""
    return session.scalars(
        select(Proposal).where(Proposal.assignment_id == assignment, Proposal.state == "proposed")
    ).first()
