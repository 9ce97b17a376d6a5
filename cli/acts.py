"""From the words of ``tiendo act`` to what is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from cli import act_handlers as handlers
from cli.act_values import Asked, Case, Done
from cli.errors import WrongUse
from cli.words import ACTS, ENGINE_ONLY, Extra
from models.tables import Assignment
from operations.results import Paper, Result
from operations.stamp import Stamp
from operations.transition import Work, held_capacities, load_work
from rules.actors import AccountRole, Capacity
from rules.lifecycle import OPEN, Action, Status, allowed_actions

if TYPE_CHECKING:
    from cli.evidence import Filed

__all__ = ["Asked", "Done", "allowed_words", "known_action", "perform"]


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
    waiting = handlers.waiting_extension(session, row.id)
    if waiting is None and status in OPEN and held & {Capacity.LEAD, Capacity.DECIDER}:
        found.append(Extra.EXTENSION_ASK)
    if waiting is not None and (Capacity.LEAD in held or waiting.asked_by == stamp.actor.identity):
        found.append(Extra.EXTENSION_WITHDRAW)
    if waiting is not None and waiting.state == "asked" and Capacity.DECIDER in held:
        found += [Extra.EXTENSION_GRANT, Extra.EXTENSION_REFUSE]
    if waiting is not None and waiting.state == "proposed" and leads:
        found += [Extra.EXTENSION_APPROVE, Extra.EXTENSION_REJECT]
    if leads and handlers.waiting_proposal(session, row.id) is not None:
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
    extra = _HANDLERS.get(word, handlers.of_the_table)(case)
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
        outcomes=dict(asked.outcomes),
        unchanged=asked.unchanged,
        entered_channel=asked.channel,
        entered_number=asked.number,
    )


_HANDLERS: Mapping[str, Callable[[Case], handlers.Extras]] = {
    Action.REQUEST.value: handlers.request,
    Action.CONTRIBUTE.value: handlers.contribute,
    Action.RECEIVE.value: handlers.receive,
    Action.DISMISS.value: handlers.dismiss,
    Action.CLOSE_UNANSWERED.value: handlers.close_unanswered,
    Extra.EXTENSION_ASK.value: handlers.extension_ask,
    Extra.EXTENSION_WITHDRAW.value: handlers.extension_withdraw,
    Extra.EXTENSION_GRANT.value: handlers.extension_decide,
    Extra.EXTENSION_REFUSE.value: handlers.extension_decide,
    Extra.EXTENSION_APPROVE.value: handlers.extension_approve,
    Extra.EXTENSION_REJECT.value: handlers.extension_approve,
    Extra.PROPOSAL_APPROVE.value: handlers.proposal_decide,
    Extra.PROPOSAL_REJECT.value: handlers.proposal_decide,
}
