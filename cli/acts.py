"""From the words of ``tiendo act`` to the operation behind each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from cli.errors import WrongUse
from cli.words import ACTS, ENGINE_ONLY, STATUSES, Extra
from models.tables import Assignment, ExtensionRequest, Proposal
from operations import partners
from operations.act import ActRequest, act
from operations.approvals import decide
from operations.errors import NotFound
from operations.extension_decisions import Decision, approve_extension, decide_extension
from operations.extensions import ask_extension, withdraw_extension
from operations.results import Paper, Result
from operations.stamp import Stamp
from operations.transition import Work, held_capacities, load_work
from rules.actors import AccountRole, Capacity
from rules.lifecycle import OPEN, Action, Status, allowed_actions
from rules.values import Role

if TYPE_CHECKING:
    from cli.evidence import Filed


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was typed with the act; each act reads what it needs."""

    text: str | None = None
    document: str | None = None
    issued_on: date | None = None
    figures: Mapping[str, str] = field(default_factory=dict)
    reason: str | None = None
    due_on: date | None = None
    respond_by: date | None = None
    covered_by: int | None = None
    lead: int | None = None
    channel: str | None = None
    number: str | None = None
    unchanged: bool = False
    form: str | None = None
    explanation: str | None = None
    cap_reason: str | None = None
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What became of it."""

    status: str
    version: int
    submission: int | None = None
    proposal: int | None = None
    extension: int | None = None

    def as_json(self, assignment: int, word: str) -> dict[str, object]:
        """The documented contract of ``act --json``."""
        return {
            "assignment": assignment,
            "action": word,
            "status": self.status,
            "version": self.version,
            "submission": self.submission,
            "proposal": self.proposal,
            "extension": self.extension,
        }

    def sentence(self, assignment: int, word: str) -> str:
        """What people are told."""
        parts = [f"Phân công số {assignment}: đã ghi “{ACTS[word]}”, {STATUSES[self.status]}."]
        if self.submission is not None:
            parts.append(f"Kết quả số {self.submission}.")
        if self.proposal is not None:
            parts.append(f"Đề xuất số {self.proposal} chờ lãnh đạo duyệt.")
        if self.extension is not None:
            parts.append(f"Đề nghị gia hạn số {self.extension}.")
        return " ".join(parts)


def known_action(session: Session, stamp: Stamp, assignment: int, text: str) -> str:
    """The word of an act that exists.

    Raises:
        NotFound: there is no such assignment.
        WrongUse: there is no such act; the text names those that this account may take now.
    """
    word = text.strip().lower().replace("-", "_")
    work = load_work(session, assignment)
    if word in ACTS:
        return word
    allowed = allowed_words(session, stamp, work)
    near = get_close_matches(word, ACTS, n=1)
    hint = f" Có phải “{near[0]}”?" if near else ""
    listed = ", ".join(f"{one} ({ACTS[one]})" for one in allowed) or "không có việc nào"
    msg = (
        f"Không có việc “{text}”.{hint} Với phân công số {assignment}, "
        f"tài khoản {stamp.actor.account} lúc này làm được: {listed}."
    )
    raise WrongUse(msg, field="action")


def allowed_words(session: Session, stamp: Stamp, work: Work) -> list[str]:
    """The acts that this actor may take on this assignment now."""
    row = work.assignment
    held = held_capacities(session, work, stamp)
    status = Status(row.status)
    found = [one.value for one in allowed_actions(status, held) if one not in ENGINE_ONLY]
    leads = stamp.actor.role is AccountRole.LEADERSHIP
    waiting = _waiting_extension(session, row.id)
    if waiting is None and status in OPEN and held & {Capacity.LEAD, Capacity.DECIDER}:
        found.append(Extra.EXTENSION_ASK)
    if waiting is not None and (Capacity.LEAD in held or waiting.asked_by == stamp.actor.identity):
        found.append(Extra.EXTENSION_WITHDRAW)
    if waiting is not None and waiting.state == "asked" and Capacity.DECIDER in held:
        found += [Extra.EXTENSION_GRANT, Extra.EXTENSION_REFUSE]
    if waiting is not None and waiting.state == "proposed" and leads:
        found += [Extra.EXTENSION_APPROVE, Extra.EXTENSION_REJECT]
    if leads and _waiting_proposal(session, row.id) is not None:
        found += [Extra.PROPOSAL_APPROVE, Extra.PROPOSAL_REJECT]
    return [str(one) for one in found]


def perform(
    session: Session,
    stamp: Stamp,
    assignment: int,
    asked: Asked,
    *,
    word: str,
    files: Sequence[Filed] = (),
) -> Done:
    """Take the act; see ``operations.act`` and its neighbours for what each refuses."""
    case = Case(
        session=session,
        stamp=stamp,
        assignment=assignment,
        word=word,
        asked=asked,
        result=_result(asked, files),
    )
    extra = _HANDLERS.get(word, _of_the_table)(case)
    row = session.get_one(Assignment, assignment)
    return Done(status=row.status, version=row.version, **extra)


def _result(asked: Asked, files: Sequence[Filed]) -> Result:
    """The document rides with the first file, where there is one; more files stand alone."""
    papers = [
        Paper(
            code=asked.document if position == 0 else None,
            issued_on=asked.issued_on if position == 0 else None,
            sha256=one.sha256,
            file_name=one.name,
        )
        for position, one in enumerate(files)
    ]
    if not papers and asked.document:
        papers = [Paper(code=asked.document, issued_on=asked.issued_on)]
    return Result(
        text=asked.text or "",
        papers=tuple(papers),
        figures=dict(asked.figures),
        unchanged=asked.unchanged,
        entered_channel=asked.channel,
        entered_number=asked.number,
    )


_Extra = dict[str, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One act to take: by whom, on what, with what."""

    session: Session
    stamp: Stamp
    assignment: int
    word: str
    asked: Asked
    result: Result


_Handler = Callable[[Case], _Extra]


def _of_the_table(case: Case) -> _Extra:
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


def _request(case: Case) -> _Extra:
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


def _contribute(case: Case) -> _Extra:
    number = partners.contribute(
        case.session,
        case.stamp,
        case.assignment,
        case.result,
        expected_version=case.asked.expected_version,
    )
    return {"submission": number}


def _receive(case: Case) -> _Extra:
    return {"submission": partners.receive(case.session, case.stamp, case.assignment, case.result)}


def _dismiss(case: Case) -> _Extra:
    partners.dismiss(case.session, case.stamp, case.assignment, reason=case.asked.reason)
    return {}


def _close_unanswered(case: Case) -> _Extra:
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


def _ask_extension(case: Case) -> _Extra:
    if case.asked.due_on is None:
        raise WrongUse("“extension_ask” cần --due-on: hạn đề nghị.", field="due_on")
    made = ask_extension(
        case.session,
        case.stamp,
        case.assignment,
        until=case.asked.due_on,
        reason=case.asked.reason or "",
        explanation=case.asked.explanation,
        expected_version=case.asked.expected_version,
    )
    return {"extension": made.request}


def _decide_extension(case: Case) -> _Extra:
    number = _need_extension(case.session, case.assignment)
    decision = Decision(
        grant=case.word == Extra.EXTENSION_GRANT,
        reason=case.asked.reason or "",
        until=case.asked.due_on,
        document=case.asked.document,
        cap_reason=case.asked.cap_reason,
    )
    decide_extension(case.session, case.stamp, number, decision)
    return {"extension": number}


def _approve_extension(case: Case) -> _Extra:
    number = _need_extension(case.session, case.assignment)
    approve = case.word == Extra.EXTENSION_APPROVE
    approve_extension(case.session, case.stamp, number, approve=approve, reason=case.asked.reason)
    return {"extension": number}


def _withdraw_extension(case: Case) -> _Extra:
    number = _need_extension(case.session, case.assignment)
    withdraw_extension(case.session, case.stamp, number)
    return {"extension": number}


def _decide_proposal(case: Case) -> _Extra:
    row = _waiting_proposal(case.session, case.assignment)
    if row is None:
        msg = f"Phân công số {case.assignment} không có đề xuất nào đang chờ duyệt."
        raise NotFound(msg, field="assignment")
    approve = case.word == Extra.PROPOSAL_APPROVE
    decide(case.session, case.stamp, row.id, approve=approve, reason=case.asked.reason)
    return {"proposal": row.id}


def _waiting_extension(session: Session, assignment: int) -> ExtensionRequest | None:
    return session.scalars(
        select(ExtensionRequest).where(
            ExtensionRequest.assignment_id == assignment,
            ExtensionRequest.state.in_(("asked", "proposed")),
        )
    ).one_or_none()


def _need_extension(session: Session, assignment: int) -> int:
    row = _waiting_extension(session, assignment)
    if row is None:
        msg = f"Phân công số {assignment} không có đề nghị gia hạn nào đang chờ."
        raise NotFound(msg, field="assignment")
    return row.id


def _waiting_proposal(session: Session, assignment: int) -> Proposal | None:
    return session.scalars(
        select(Proposal).where(Proposal.assignment_id == assignment, Proposal.state == "proposed")
    ).first()


_HANDLERS: Mapping[str, _Handler] = {
    Action.REQUEST.value: _request,
    Action.CONTRIBUTE.value: _contribute,
    Action.RECEIVE.value: _receive,
    Action.DISMISS.value: _dismiss,
    Action.CLOSE_UNANSWERED.value: _close_unanswered,
    Extra.EXTENSION_ASK.value: _ask_extension,
    Extra.EXTENSION_WITHDRAW.value: _withdraw_extension,
    Extra.EXTENSION_GRANT.value: _decide_extension,
    Extra.EXTENSION_REFUSE.value: _decide_extension,
    Extra.EXTENSION_APPROVE.value: _approve_extension,
    Extra.EXTENSION_REJECT.value: _approve_extension,
    Extra.PROPOSAL_APPROVE.value: _decide_proposal,
    Extra.PROPOSAL_REJECT.value: _decide_proposal,
}
