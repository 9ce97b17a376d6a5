"""Claiming letters: taken, rendered and settled, each step in a transaction of its own."""

from __future__ import annotations

from models.engine import Database
from operations.claiming import Claimed, Desk, Taken, draft, settle, take
from operations.outcomes import abandon
from operations.stamp import Stamp


def claim(database: Database, stamp: Stamp, desk: Desk, *, limit: int) -> tuple[Taken, Claimed]:
    """Claim up to ``limit`` letters and make them ready; what was taken, and what became of it.

    Where that fails, they are queued again. A process that dies here leaves them claimed, for
    another to queue again (rule 33).
    """
    with database.write() as session:
        taken = take(session, stamp, desk, limit=limit)
    if not taken.ids:
        return taken, Claimed()
    try:
        with database.read() as session:
            drafts = draft(session, stamp, desk, taken)
        with database.write() as session:
            claimed = settle(session, stamp, desk, taken, drafts)
    except BaseException:
        with database.write() as session:
            abandon(session, stamp, taken.ids, owner=desk.owner)
        raise
    return taken, claimed
