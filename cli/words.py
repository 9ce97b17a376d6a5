"""The closed lists of words that the command line takes and prints, with what people read.

They are read from the rules, which import nothing heavy; ``docs/cli.md`` lists them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from rules.actors import AccountRole
from rules.lifecycle import ACTION_WORDS, STATUS_WORDS, Action
from rules.timeliness import CELL_WORDS
from rules.values import DateAuthority, Role

STATUSES: Mapping[str, str] = {key.value: word for key, word in STATUS_WORDS.items()}
CELLS: Mapping[str, str] = {key.value: word for key, word in CELL_WORDS.items()}
ROLES: Mapping[str, str] = {Role.LEAD.value: "Chủ trì", Role.PARTNER.value: "Phối hợp"}
ACCOUNT_ROLES: Mapping[str, str] = {
    AccountRole.ADMIN.value: "Quản trị",
    AccountRole.COORDINATOR.value: "Điều phối",
    AccountRole.LEADERSHIP.value: "Lãnh đạo",
    AccountRole.AGENCY.value: "Cơ quan",
    AccountRole.AUDITOR.value: "Kiểm tra",
}
AUTHORITIES = tuple(one.value for one in DateAuthority if one is not DateAuthority.PROVISIONAL)
"""Who may fix a date."""


class Extra(StrEnum):
    """What ``act`` can do besides the actions of the table."""

    EXTENSION_ASK = "extension_ask"
    EXTENSION_WITHDRAW = "extension_withdraw"
    EXTENSION_GRANT = "extension_grant"
    EXTENSION_REFUSE = "extension_refuse"
    EXTENSION_APPROVE = "extension_approve"
    EXTENSION_REJECT = "extension_reject"
    PROPOSAL_APPROVE = "proposal_approve"
    PROPOSAL_REJECT = "proposal_reject"


EXTRA_WORDS: Mapping[str, str] = {
    Extra.EXTENSION_ASK.value: "Đề nghị gia hạn",
    Extra.EXTENSION_WITHDRAW.value: "Rút đề nghị gia hạn",
    Extra.EXTENSION_GRANT.value: "Đồng ý gia hạn",
    Extra.EXTENSION_REFUSE.value: "Không đồng ý gia hạn",
    Extra.EXTENSION_APPROVE.value: "Duyệt đề xuất gia hạn",
    Extra.EXTENSION_REJECT.value: "Không duyệt đề xuất gia hạn",
    Extra.PROPOSAL_APPROVE.value: "Duyệt đề xuất",
    Extra.PROPOSAL_REJECT.value: "Không duyệt đề xuất",
}
"""Acts that have an operation of their own, beside the table's."""

ENGINE_ONLY = frozenset({Action.ACCEPT, Action.LAPSE, Action.TRANSFER, Action.REASSIGN})
"""What only the engine does."""

ACTS: Mapping[str, str] = {
    **{key.value: word for key, word in ACTION_WORDS.items() if key not in ENGINE_ONLY},
    **EXTRA_WORDS,
}
"""Every word that ``tiendo act`` takes."""
