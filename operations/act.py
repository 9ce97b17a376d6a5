"""What people do to an assignment: the actions of the table, each with its own demands (rule 20).

:func:`act` is the one entrance for portal, command line and tests. Extensions, requests to
partners and dates have modules of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from operations.acting import ActRequest
from operations.deciding import (
    confirm,
    cover,
    need_new_due_date,
    reopen,
    resume,
    return_for_more,
    suspend,
)
from operations.errors import Refused
from operations.proposals import propose
from operations.stamp import Stamp
from operations.submitting import submit, withdraw
from operations.transition import Work, apply, check_version, held_capacities, load_work
from rules.actors import AccountRole, Capacity
from rules.lifecycle import ACTION_WORDS, TWO_STEP_ABLE, Action, Status, transition

__all__ = ["ActRequest", "ActResult", "act"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActResult:
    """What became of it. ``proposal`` is set when a second person has to approve (rule 20)."""

    assignment: int
    status: Status
    version: int
    submission: int | None = None
    proposal: int | None = None


def act(
    session: Session,
    stamp: Stamp,
    assignment_id: int,
    action: Action,
    request: ActRequest | None = None,
    *,
    approved: bool = False,
) -> ActResult:
    """Take ``action`` on an assignment.

    ``approved`` says that the second step is done; :func:`operations.approvals.decide` sets it.

    Raises:
        rules.lifecycle.ActionNotAllowed: not in this status, or not by this actor.
        Refused: something is missing or wrong; nothing was changed.
        Conflict: somebody else was first (rule 26).
    """
    asked = request or ActRequest()
    work = load_work(session, assignment_id)
    held = held_capacities(session, work, stamp)
    # First who was there before: what is no longer possible is so because of that (rule 26).
    check_version(work, asked.expected_version)
    transition(Status(work.assignment.status), action, held)
    if not approved and _needs_second_step(work, stamp, action):
        if action is Action.REOPEN:
            need_new_due_date(stamp, work, asked)
        number = propose(session, stamp, work, action, reason=asked.reason, due_on=asked.due_on)
        return _result(work, proposal=number)
    handler = _HANDLERS.get(action)
    if handler is None:
        msg = f"“{ACTION_WORDS[action]}” có biểu mẫu riêng, không thực hiện ở đây."
        raise Refused(msg)
    submission = handler(session, stamp, work, held, asked)
    return _result(work, submission=submission)


def _result(work: Work, *, submission: int | None = None, proposal: int | None = None) -> ActResult:
    row = work.assignment
    return ActResult(
        assignment=row.id,
        status=Status(row.status),
        version=row.version,
        submission=submission,
        proposal=proposal,
    )


def _needs_second_step(work: Work, stamp: Stamp, action: Action) -> bool:
    return (
        action in TWO_STEP_ABLE
        and action.value in work.state.plan.policies.two_step
        and stamp.actor.role is AccountRole.COORDINATOR
    )


def _plain(
    action: Action, **changes: None
) -> Callable[[Session, Stamp, Work, frozenset[Capacity], ActRequest], None]:
    def handler(
        session: Session, stamp: Stamp, work: Work, held: frozenset[Capacity], asked: ActRequest
    ) -> None:
        apply(
            session,
            stamp,
            work,
            action,
            held=held,
            changes=changes,
            reason=asked.reason,
            document=asked.document,
        )

    return handler


_HANDLERS: Mapping[
    Action, Callable[[Session, Stamp, Work, frozenset[Capacity], ActRequest], int | None]
] = {
    Action.START: _plain(Action.START),
    Action.SUBMIT: submit,
    Action.WITHDRAW: withdraw,
    Action.RETURN: return_for_more,
    Action.CONFIRM: confirm,
    Action.AWAIT_ISSUANCE: _plain(Action.AWAIT_ISSUANCE),
    Action.RESUME: resume,
    Action.SUSPEND: suspend,
    Action.WAIVE: _plain(Action.WAIVE, respond_by=None),
    Action.CANCEL: _plain(Action.CANCEL, respond_by=None),
    Action.COVER: cover,
    Action.REOPEN: reopen,
}
