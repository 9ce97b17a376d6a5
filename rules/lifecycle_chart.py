"""The table of transitions drawn for the documentation, read from the table itself.

``python -m rules.lifecycle_chart > docs/lifecycle.md`` writes the page; a test keeps it true.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from rules.actors import Capacity
from rules.lifecycle import (
    ACTION_WORDS,
    LEAD_STATUSES,
    NEEDS_REASON,
    STATUS_WORDS,
    TRANSITIONS,
    Status,
    Transition,
)

_WHO = {
    Capacity.LEAD: "the agency as lead",
    Capacity.PARTNER: "the agency as partner",
    Capacity.OCCURRENCE_LEAD: "a lead of the occurrence",
    Capacity.DECIDER: "the decider",
    Capacity.SYSTEM: "the engine",
}
_INTRODUCTION = """\
# The life of an assignment

Made from the table in `rules/lifecycle.py`; buttons, permissions and tests read the same table.
The decider is the coordinator, or, for the coordinator's own work, its leadership.
"""


def markdown() -> str:
    """The whole page: two diagrams and one table."""
    lead = [row for row in TRANSITIONS.values() if row.status in LEAD_STATUSES]
    partner = [row for row in TRANSITIONS.values() if row.status not in LEAD_STATUSES]
    parts = [
        _INTRODUCTION,
        "## A lead's work\n",
        _diagram(lead, Status.NOT_STARTED),
        "## A partner's part\n",
        _diagram(partner, Status.DORMANT),
        "## Who may do what\n",
        "\n".join(_table()) + "\n",
    ]
    return "\n".join(parts)


def _diagram(rows: Iterable[Transition], start: Status) -> str:
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {start}"]
    lines += [
        f"    {row.status} --> {row.to or '[*]'}: {row.action}"
        for row in rows
        if row.to is not None
    ]
    return "\n".join([*lines, "```", ""])


def _table() -> Iterator[str]:
    yield "| status | action | leads to | who | reason |"
    yield "|---|---|---|---|---|"
    for row in TRANSITIONS.values():
        to = STATUS_WORDS[row.to] if row.to else "the status before the suspension"
        who = ", ".join(_WHO[one] for one in Capacity if one in row.capacities)
        reason = "needed" if row.action in NEEDS_REASON else ""
        status = f"{STATUS_WORDS[row.status]} (`{row.status}`)"
        action = f"{ACTION_WORDS[row.action]} (`{row.action}`)"
        yield f"| {status} | {action} | {to} | {who} | {reason} |"


if __name__ == "__main__":
    sys.stdout.write(markdown())
