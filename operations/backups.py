"""What the database knows of its backups: how old the last one and its trial are, and restores."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.tables import RunLog
from operations.history import Change, record
from operations.stamp import Stamp

BACKUP_JOB: Final = "backup"
TRIAL_JOB: Final = "restore_trial"
MADE: Final = "Đã sao lưu"
MADE_WITH_GAPS: Final = "Đã sao lưu, thiếu tệp"
TRIED: Final = "Khôi phục thử đạt"
"""The states in the run log of a job that went well; any other is a failure."""
_WELL: Final = {BACKUP_JOB: (MADE, MADE_WITH_GAPS), TRIAL_JOB: (TRIED,)}
LATE_AFTER: Final = timedelta(hours=36)
"""Both are made every night; older than this, one was missed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupStanding:
    """When the last backup and the last trial restore ended well; None: never.

    ``gaps`` says that the last backup lacked uploads that the database names; ``failed`` that the
    newest attempt of either went wrong.
    """

    backup_at: datetime | None
    trial_at: datetime | None
    gaps: bool
    failed: bool

    def late(self, now: datetime) -> bool:
        """Whether either is too old, or never was."""
        return any(at is None or now - at > LATE_AFTER for at in (self.backup_at, self.trial_at))

    def troubled(self, now: datetime) -> bool:
        """Whether somebody has to look."""
        return self.late(now) or self.gaps or self.failed


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupAges:
    """How long ago; None: never."""

    backup: timedelta | None
    trial: timedelta | None


def standing(session: Session) -> BackupStanding:
    """How backups stand, read from the run log."""
    last = {job: _last(session, job) for job in _WELL}
    well = {job: _last(session, job, *states) for job, states in _WELL.items()}
    made = well[BACKUP_JOB]
    return BackupStanding(
        backup_at=None if made is None else made.finished_at,
        trial_at=None if (tried := well[TRIAL_JOB]) is None else tried.finished_at,
        gaps=made is not None and made.state == MADE_WITH_GAPS,
        failed=any(row is not None and row.state not in _WELL[job] for job, row in last.items()),
    )


def ages(session: Session, at: datetime) -> BackupAges:
    """The ages at the instant ``at``, for whoever watches the system from outside."""
    found = standing(session)
    return BackupAges(
        backup=None if found.backup_at is None else at - found.backup_at,
        trial=None if found.trial_at is None else at - found.trial_at,
    )


def _last(session: Session, job: str, *states: str) -> RunLog | None:
    query = select(func.max(RunLog.id)).where(RunLog.job == job)
    if states:
        query = query.where(RunLog.state.in_(states))
    number = session.scalar(query)
    return None if number is None else session.get(RunLog, number)


def record_restored(
    session: Session,
    stamp: Stamp,
    *,
    name: str,
    made_at: datetime,
    revision: str,
    rows: int,
    events: int,
    files: int,
) -> None:
    """Note in the history that all that came before was put back from a backup."""
    change = Change(
        entity="database",
        entity_id="restore",
        action="restore",
        snapshot={
            "backup": name,
            "made_at": made_at,
            "schema": revision,
            "rows": rows,
            "events": events,
            "files": files,
        },
    )
    record(session, stamp, [change])
