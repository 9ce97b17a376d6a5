"""From trial to earnest: a database that people may rely on (rule 1)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from operations.doctor import Finding
from operations.errors import Refused
from operations.guards import need_admin
from operations.history import Change, record
from operations.stamp import Stamp
from operations.state import Facts, is_trial, set_fact


class NotReady(Refused):
    """The database stays a trial; ``findings`` are the reasons."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        lines = [f"- {one.text}" + (f" → {one.remedy}" if one.remedy else "") for one in findings]
        super().__init__("\n".join([f"Chưa thể dùng thật, còn {len(lines)} việc:", *lines]))


def go_live(session: Session, stamp: Stamp, findings: Sequence[Finding]) -> None:
    """Mark the database as no longer a trial; there is no way back.

    ``findings`` are the doctor's, asked just before.

    Raises:
        NotPermitted: not an administrator or an operator of the server.
        Refused: it is live already.
        NotReady: the doctor found what has to be mended first.
    """
    need_admin(stamp)
    if not is_trial(session):
        raise Refused("Cơ sở dữ liệu này đã dùng thật.")
    if reasons := [one for one in findings if one.stops_live]:
        raise NotReady(reasons)
    set_fact(session, stamp, Facts.TRIAL, "false")
    change = Change(
        entity="database",
        entity_id=Facts.TRIAL,
        action="go_live",
        snapshot={
            "trial": False,
            "findings": [{"check": one.check, "text": one.text} for one in findings],
        },
    )
    record(session, stamp, [change])
