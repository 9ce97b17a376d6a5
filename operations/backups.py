"""What the database knows of its backups: how old the last one and its trial are, and restores."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.tables import RunLog
from notifications.formats import vn_datetime
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
_HOURS_TOLD: Final = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupStanding:
    """When the last backup and the last trial restore ended well (None: never), as of ``now``.

    ``gaps`` says that the last backup lacked uploads that the database names.
    """

    now: datetime
    backup_at: datetime | None
    trial_at: datetime | None
    gaps: bool
    backup_failed: bool
    """Whether the newest attempt went wrong."""
    trial_failed: bool

    @property
    def never(self) -> bool:
        """Whether nothing was ever tried, as on the first day of a system."""
        return self.backup_at is None and not (self.backup_failed or self.trial_failed)

    @property
    def told(self) -> str:
        """How it stands, in a sentence for people."""
        if self.backup_at is None:
            return "Chưa có bản sao lưu nào."
        made = f"Sao lưu gần nhất {vn_datetime(self.backup_at)}, {_ago(self.now - self.backup_at)}"
        if self.trial_at is None:
            return f"{made}; chưa lần nào khôi phục thử đạt."
        tried = f"{vn_datetime(self.trial_at)}, {_ago(self.now - self.trial_at)}"
        return f"{made}; khôi phục thử đạt {tried}."

    @property
    def shortly(self) -> str:
        """The ages alone, where all is well."""
        if self.backup_at is None or self.trial_at is None:
            return self.told
        made, tried = (_ago(self.now - at) for at in (self.backup_at, self.trial_at))
        return f"Sao lưu {made}; khôi phục thử đạt {tried}."

    @property
    def troubles(self) -> tuple[str, ...]:
        """What somebody has to see to, each in words; empty when all is well."""
        found = (
            (self.backup_failed, "lần sao lưu gần nhất bị lỗi"),
            (self.trial_failed, "lần khôi phục thử gần nhất không đạt"),
            (self._old(self.backup_at), "đã quá 36 giờ không có bản sao lưu mới"),
            (self._old(self.trial_at), "đã quá 36 giờ không khôi phục thử đạt"),
            (
                self.gaps,
                "bản sao lưu gần nhất thiếu tệp tài liệu, vì tệp trên đĩa không còn nguyên",
            ),
        )
        return tuple(words for holds, words in found if holds)

    def _old(self, at: datetime | None) -> bool:
        return at is None or self.now - at > LATE_AFTER


def _ago(age: timedelta) -> str:
    hours = int(age.total_seconds() // 3600)
    if hours < 1:
        return "chưa đến một giờ trước"
    return f"{hours} giờ trước" if hours < _HOURS_TOLD else f"{hours // 24} ngày trước"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupAges:
    """How long ago; None: never."""

    backup: timedelta | None
    trial: timedelta | None


def standing(session: Session, now: datetime) -> BackupStanding:
    """How backups stand at ``now``, read from the run log."""
    last = {job: _last(session, job) for job in _WELL}
    well = {job: _last(session, job, *states) for job, states in _WELL.items()}
    made = well[BACKUP_JOB]
    failed = {job: row is not None and row.state not in _WELL[job] for job, row in last.items()}
    return BackupStanding(
        now=now,
        backup_at=None if made is None else made.finished_at,
        trial_at=None if (tried := well[TRIAL_JOB]) is None else tried.finished_at,
        gaps=made is not None and made.state == MADE_WITH_GAPS,
        backup_failed=failed[BACKUP_JOB],
        trial_failed=failed[TRIAL_JOB],
    )


def ages(session: Session, at: datetime) -> BackupAges:
    """The ages at the instant ``at``, for whoever watches the system from outside."""
    found = standing(session, at)
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
