"""What every operation is given beside its own arguments: who, when, on which business date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from rules.actors import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """The circumstances of one act.

    ``at`` is the server's instant (UTC), ``as_of`` the business date in the plan's time zone
    (rule 1), ``run`` the flow run, if one acts.
    """

    at: datetime
    as_of: date
    actor: Actor
    run: str | None = None
