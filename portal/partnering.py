"""A lead's partners as its pages show them (rule 14): what it asked, and what came of it.

Where each agency leads its own, a partner works for all leads: its answers are shared, and another
lead's request is told without naming that lead (rule 46).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from operations.queries import WorkRow
from operations.queries_detail import WorkDetail
from operations.queues import Filed
from rules.lifecycle import Status
from rules.values import LeadMode, Role

_ASKABLE = frozenset({Status.DORMANT, Status.UNANSWERED, Status.REQUESTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """A partner of a lead's work with what it answered.

    ``late`` when its day to answer has passed; ``elsewhere`` when the standing request is another
    lead's; ``askable`` when this lead may ask it now.
    """

    row: WorkRow
    filed: Filed | None
    late: bool
    elsewhere: bool
    askable: bool

    @property
    def received(self) -> bool:
        """Whether the lead that asked has marked the contribution received."""
        return self.row.confirmed_at is not None


def partner_rows(detail: WorkDetail) -> tuple[WorkRow, ...]:
    """The partners of the occurrence; a lead is never its own partner (rule 14)."""
    return tuple(
        one for one in detail.others if one.role is Role.PARTNER and one.agency != detail.row.agency
    )


def partners_shown(detail: WorkDetail) -> tuple[Partner, ...]:
    """What the page of a lead's work says of its partners; nothing on a partner's own page."""
    if detail.row.role is not Role.LEAD:
        return ()
    return partners(detail, {}, date.min)


def partners(detail: WorkDetail, filed: Mapping[int, Filed], as_of: date) -> tuple[Partner, ...]:
    """The partners of a lead's work, with their answers, on a day."""
    each = detail.row.lead_mode is LeadMode.EACH
    found = []
    for row in partner_rows(detail):
        asked_by = row.requested_by
        elsewhere = each and asked_by is not None and asked_by != detail.row.agency
        again = elsewhere and row.status is Status.CONTRIBUTED
        found.append(
            Partner(
                row=row,
                filed=filed.get(row.id),
                late=row.respond_by is not None
                and row.respond_by < as_of
                and row.status is Status.REQUESTED,
                elsewhere=elsewhere,
                askable=row.status in _ASKABLE or again,
            )
        )
    return tuple(found)


def contributed_to(agency: str, detail: WorkDetail) -> bool:
    """Whether this is a contribution to work that ``agency`` leads, which it may read."""
    return detail.row.role is Role.PARTNER and agency in detail.standing.leads
