"""The one table of transitions (rules 14, 16, 20, 24, 25).

Buttons, permissions, the diagram of the documentation and the tests are all read from
:data:`TRANSITIONS`. A (status, action, capacity) that is not in it does not exist:
:func:`transition` raises :class:`ActionNotAllowed` for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from rules.actors import Capacity


class Status(StrEnum):
    """The status of an assignment, and what people read for it in :data:`STATUS_WORDS`."""

    NOT_STARTED = "not_started"
    IN_PROGRESS = "in_progress"
    AWAITING_ISSUANCE = "awaiting_issuance"
    """Submitted to a superior who has to issue it; the wait is charged to the superior."""
    SUBMITTED = "submitted"
    CONFIRMED = "confirmed"
    SUSPENDED = "suspended"
    NOT_APPLICABLE = "not_applicable"
    COVERED = "covered"
    """Another lead's document covers it (rule 13)."""
    TRANSFERRED = "transferred"
    """A successor agency's row goes on with it (rule 35)."""
    CANCELLED = "cancelled"
    LAPSED = "lapsed"
    """A check-in that was not answered before the next opened (rule 16)."""
    DORMANT = "dormant"
    """A partner who has not been asked yet (rule 14)."""
    REQUESTED = "requested"
    CONTRIBUTED = "contributed"
    NOT_NEEDED = "not_needed"
    UNANSWERED = "unanswered"


class Action(StrEnum):
    """What can be done to an assignment, and what people read for it in :data:`ACTION_WORDS`."""

    START = "start"
    SUBMIT = "submit"
    ACCEPT = "accept"
    """Accepted at once by the engine, a sample being checked afterwards (rule 20)."""
    WITHDRAW = "withdraw"
    RETURN = "return"
    CONFIRM = "confirm"
    AWAIT_ISSUANCE = "await_issuance"
    RESUME = "resume"
    SUSPEND = "suspend"
    WAIVE = "waive"
    COVER = "cover"
    TRANSFER = "transfer"
    CANCEL = "cancel"
    REOPEN = "reopen"
    REASSIGN = "reassign"
    """An agency that was dropped from an occurrence takes part again (rule 12)."""
    LAPSE = "lapse"
    REQUEST = "request"
    CONTRIBUTE = "contribute"
    RECEIVE = "receive"
    """The lead marks a contribution received that came another way."""
    DISMISS = "dismiss"
    """The lead does not need the partner."""
    CLOSE_UNANSWERED = "close_unanswered"


STATUS_WORDS: Mapping[Status, str] = {
    Status.NOT_STARTED: "Chưa thực hiện",
    Status.IN_PROGRESS: "Đang thực hiện",
    Status.AWAITING_ISSUANCE: "Đã trình, chờ ban hành",
    Status.SUBMITTED: "Chờ xác nhận",
    Status.CONFIRMED: "Đã xác nhận hoàn thành",
    Status.SUSPENDED: "Tạm dừng",
    Status.NOT_APPLICABLE: "Không phát sinh nhiệm vụ",
    Status.COVERED: "Thực hiện chung trong văn bản của cơ quan khác",
    Status.TRANSFERRED: "Đã chuyển cơ quan tiếp nhận",
    Status.CANCELLED: "Thôi theo dõi",
    Status.LAPSED: "Kỳ đã qua, chưa cập nhật",
    Status.DORMANT: "Chưa có đề nghị phối hợp",
    Status.REQUESTED: "Đã được đề nghị phối hợp",
    Status.CONTRIBUTED: "Đã phối hợp",
    Status.NOT_NEEDED: "Không cần phối hợp",
    Status.UNANSWERED: "Chưa trả lời đề nghị phối hợp",
}
RETURNED_WORD = "Đề nghị bổ sung, hoàn thiện"
"""What people read for work in progress that was returned and not yet submitted again."""

ACTION_WORDS: Mapping[Action, str] = {
    Action.START: "Bắt đầu thực hiện",
    Action.SUBMIT: "Cập nhật kết quả",
    Action.ACCEPT: "Ghi nhận hoàn thành",
    Action.WITHDRAW: "Rút lại kết quả",
    Action.RETURN: "Đề nghị bổ sung, hoàn thiện",
    Action.CONFIRM: "Xác nhận hoàn thành",
    Action.AWAIT_ISSUANCE: "Đã trình, chờ ban hành",
    Action.RESUME: "Tiếp tục thực hiện",
    Action.SUSPEND: "Tạm dừng",
    Action.WAIVE: "Không phát sinh nhiệm vụ",
    Action.COVER: "Thực hiện chung với cơ quan khác",
    Action.TRANSFER: "Chuyển cơ quan tiếp nhận",
    Action.CANCEL: "Thôi theo dõi",
    Action.REOPEN: "Mở lại",
    Action.REASSIGN: "Giao lại",
    Action.LAPSE: "Kết thúc kỳ cập nhật",
    Action.REQUEST: "Đề nghị phối hợp",
    Action.CONTRIBUTE: "Gửi nội dung phối hợp",
    Action.RECEIVE: "Ghi nhận đã phối hợp",
    Action.DISMISS: "Không cần phối hợp",
    Action.CLOSE_UNANSWERED: "Kết thúc, chưa nhận được trả lời",
}

OPEN = frozenset({Status.NOT_STARTED, Status.IN_PROGRESS, Status.AWAITING_ISSUANCE})
"""A lead's work that is reminded (rule 29)."""
LEAD_STATUSES = OPEN | {
    Status.SUBMITTED,
    Status.CONFIRMED,
    Status.SUSPENDED,
    Status.NOT_APPLICABLE,
    Status.COVERED,
    Status.TRANSFERRED,
    Status.CANCELLED,
    Status.LAPSED,
}
PARTNER_STATUSES = frozenset(
    {
        Status.DORMANT,
        Status.REQUESTED,
        Status.CONTRIBUTED,
        Status.NOT_NEEDED,
        Status.UNANSWERED,
        Status.TRANSFERRED,
        Status.CANCELLED,
    }
)
REMINDED = OPEN | {Status.REQUESTED}
"""Statuses whose ladder goes on."""
SETTLED = frozenset({Status.CONFIRMED, Status.COVERED, Status.NOT_APPLICABLE})
"""Statuses with which a counted lead no longer holds its occurrence open (rule 13)."""
UNCOUNTED = frozenset({Status.TRANSFERRED, Status.CANCELLED})
"""A lead whose row went on elsewhere, or is no longer followed, holds nothing open."""
MOVABLE = OPEN | {Status.SUBMITTED, Status.SUSPENDED, Status.DORMANT, Status.REQUESTED}
"""What a succession moves; nothing closed is touched (rule 35)."""

NEEDS_REASON = frozenset(
    {
        Action.RETURN,
        Action.WAIVE,
        Action.CANCEL,
        Action.REOPEN,
        Action.SUSPEND,
        Action.CLOSE_UNANSWERED,
    }
)
TWO_STEP_ABLE = frozenset({Action.WAIVE, Action.REOPEN, Action.CANCEL})


class ActionNotAllowed(Exception):
    """This action does not exist for this status, or not in this capacity.

    ``allowed`` names what these capacities could do instead.
    """

    def __init__(
        self,
        status: Status,
        action: Action,
        held: frozenset[Capacity],
        allowed: tuple[Action, ...],
    ) -> None:
        self.status, self.action, self.held, self.allowed = status, action, held, allowed
        instead = ", ".join(f"“{ACTION_WORDS[one]}”" for one in allowed) or "không có thao tác nào"
        super().__init__(
            f"Không thể “{ACTION_WORDS[action]}” khi trạng thái là “{STATUS_WORDS[status]}”. "
            f"Thao tác được phép lúc này: {instead}."
        )


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the table. ``to`` None means: back to the status before the suspension."""

    status: Status
    action: Action
    to: Status | None
    capacities: frozenset[Capacity]


def _rows(
    froms: Iterable[Status], action: Action, to: Status | None, *who: Capacity
) -> list[Transition]:
    return [Transition(status, action, to, frozenset(who)) for status in sorted(froms)]


_L, _P, _O, _D, _S = (
    Capacity.LEAD,
    Capacity.PARTNER,
    Capacity.OCCURRENCE_LEAD,
    Capacity.DECIDER,
    Capacity.SYSTEM,
)
_UNFINISHED = OPEN | {Status.SUBMITTED, Status.SUSPENDED}

TRANSITIONS: Mapping[tuple[Status, Action], Transition] = {
    (row.status, row.action): row
    for row in [
        *_rows({Status.NOT_STARTED}, Action.START, Status.IN_PROGRESS, _L, _D),
        # The decider submits for an agency that answered on paper ("nhập thay", rule 20).
        *_rows(OPEN, Action.SUBMIT, Status.SUBMITTED, _L, _D),
        *_rows({Status.SUBMITTED}, Action.ACCEPT, Status.CONFIRMED, _S),
        *_rows({Status.SUBMITTED}, Action.WITHDRAW, Status.IN_PROGRESS, _L),
        *_rows({Status.SUBMITTED}, Action.RETURN, Status.IN_PROGRESS, _D),
        *_rows({Status.SUBMITTED}, Action.CONFIRM, Status.CONFIRMED, _D),
        *_rows({Status.IN_PROGRESS}, Action.AWAIT_ISSUANCE, Status.AWAITING_ISSUANCE, _L, _D),
        *_rows({Status.AWAITING_ISSUANCE}, Action.RESUME, Status.IN_PROGRESS, _L, _D),
        *_rows(OPEN, Action.SUSPEND, Status.SUSPENDED, _D),
        *_rows({Status.SUSPENDED}, Action.RESUME, None, _D),
        *_rows(OPEN | {Status.SUSPENDED}, Action.WAIVE, Status.NOT_APPLICABLE, _D),
        *_rows(OPEN, Action.COVER, Status.COVERED, _L, _D),
        # The engine cancels when an agency ends without a successor (rule 35); a partner is
        # cancelled when it is dropped from the occurrence (rule 12).
        *_rows(
            _UNFINISHED | {Status.DORMANT, Status.REQUESTED},
            Action.CANCEL,
            Status.CANCELLED,
            _D,
            _S,
        ),
        *_rows(
            {Status.CONFIRMED, Status.NOT_APPLICABLE, Status.COVERED},
            Action.REOPEN,
            Status.IN_PROGRESS,
            _D,
        ),
        # Back to where its role begins, in a round of its own; done by ``operations.parties``.
        *_rows({Status.CANCELLED}, Action.REASSIGN, None, _S),
        *_rows(OPEN, Action.LAPSE, Status.LAPSED, _S),
        *_rows(MOVABLE, Action.TRANSFER, Status.TRANSFERRED, _S, _D),
        # One that has answered is asked again only by another lead, where each leads its own
        # (rule 14, operations.partners).
        *_rows(
            {Status.DORMANT, Status.UNANSWERED, Status.CONTRIBUTED},
            Action.REQUEST,
            Status.REQUESTED,
            _O,
            _D,
        ),
        *_rows(
            {Status.REQUESTED, Status.UNANSWERED, Status.DORMANT},
            Action.CONTRIBUTE,
            Status.CONTRIBUTED,
            _P,
        ),
        *_rows(
            {Status.REQUESTED, Status.UNANSWERED, Status.DORMANT},
            Action.RECEIVE,
            Status.CONTRIBUTED,
            _O,
            _D,
        ),
        *_rows({Status.DORMANT, Status.REQUESTED}, Action.DISMISS, Status.NOT_NEEDED, _O, _D),
        *_rows({Status.REQUESTED}, Action.CLOSE_UNANSWERED, Status.UNANSWERED, _O, _D),
    ]
}


def allowed_actions(status: Status, held: frozenset[Capacity]) -> tuple[Action, ...]:
    """The actions that somebody with these capacities may take, in the order of the table."""
    return tuple(
        row.action for row in TRANSITIONS.values() if row.status is status and row.capacities & held
    )


def transition(status: Status, action: Action, held: frozenset[Capacity]) -> Transition:
    """The row for this status and action, if one of these capacities may take it.

    Raises:
        ActionNotAllowed: there is no such row, or it is not for these capacities.
    """
    row = TRANSITIONS.get((status, action))
    if row is None or not row.capacities & held:
        raise ActionNotAllowed(status, action, held, allowed_actions(status, held))
    return row


def is_complete(leads: Iterable[Status]) -> bool:
    """Whether an occurrence with leads in these statuses is complete (rule 13).

    Every counted lead is confirmed, covered or not applicable; one without any is not complete.
    """
    counted = [status for status in leads if status not in UNCOUNTED]
    return bool(counted) and all(status in SETTLED for status in counted)
