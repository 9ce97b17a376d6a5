"""The nightly backup: made, read back in a scratch place, and the old ones thinned out.

Nothing of Prefect here: the command line does the same by hand.
"""

from __future__ import annotations

from datetime import date, datetime

from flows.failures import note_failure, tell_operators
from flows.naming import BACKUP, RESTORE_TRIAL
from flows.shell import Job, Outcome, business_date, log_run, today
from models.revision import code_revision, database_revision
from operations.backups import MADE, MADE_WITH_GAPS, TRIED
from operations.stamp import Stamp
from rules.actors import flow_actor
from rules.keeping import KeepRule
from runtime.backup import Made, make_backup
from runtime.backup_shelf import note_trial, thin_out
from runtime.restore_trial import Tried, try_restore
from runtime.wiring import Runtime


class TrialFailed(Exception):
    """The backup was made and could not be restored; the text says why."""


def back_up(runtime: Runtime, *, run: str | None = None, as_of: date | None = None) -> Made:
    """Make a backup and log it as a run; operators hear of uploads that were not there.

    Raises:
        runtime.backup_shelf.BackupFailed: nothing was made.
    """
    started = runtime.clock.now()
    made = make_backup(runtime, at=started)
    gaps = len(made.missing) + len(made.damaged)
    outcome = Outcome(
        state=MADE_WITH_GAPS if gaps else MADE,
        message=f"{made.path.name}, {made.card.size // 1024} KB.",
        figures={
            "Dòng dữ liệu": made.card.rows,
            "Sự kiện": made.card.events,
            "Tệp tài liệu": made.card.files,
            "Dung lượng (KB)": made.card.size // 1024,
            "Tệp không còn trên đĩa": len(made.missing),
            "Tệp đã bị đổi nội dung": len(made.damaged),
        },
    )
    _log(runtime, BACKUP, outcome, run=run, as_of=as_of, started=started, gaps=gaps)
    return made


def try_out(
    runtime: Runtime, made: Made, *, run: str | None = None, as_of: date | None = None
) -> Tried:
    """Restore a backup that was just made into a scratch place, and log that.

    Raises:
        TrialFailed: it could not be restored; that is logged, and operators hear of it.
    """
    started = runtime.clock.now()
    keys = [made.once] if made.once is not None else []
    try:
        tried = try_restore(runtime, made.path, keys=keys)
    except Exception as error:
        note_trial(made.path, at=started, well=False)
        day = as_of or today(runtime, RESTORE_TRIAL)
        note_failure(runtime, RESTORE_TRIAL, error, run=run, as_of=day, started=started)
        raise TrialFailed(f"{made.path.name}: {error}") from error
    note_trial(made.path, at=started, well=True)
    outcome = Outcome(
        state=TRIED,
        message=f"{made.path.name}: khớp bản kê.",
        figures={
            "Dòng dữ liệu": tried.rows,
            "Sự kiện": tried.events,
            "Tệp tài liệu": tried.files,
            "Sự kiện đã niêm phong": tried.checkpoint or 0,
        },
    )
    _log(runtime, RESTORE_TRIAL, outcome, run=run, as_of=as_of, started=started)
    return tried


def nightly(runtime: Runtime, run: str | None, as_of: date | None) -> Outcome:
    """Back up, try, and only then thin out: nothing old goes before something new is proven."""
    made = back_up(runtime, run=run, as_of=as_of)
    try:
        try_out(runtime, made, run=run, as_of=as_of)
    except TrialFailed as error:
        return Outcome(state=NOT_RESTORED, message=str(error))
    gone = thin(runtime)
    state = MADE_WITH_GAPS if made.missing or made.damaged else TRIED
    return Outcome(
        state=state,
        message=f"{made.path.name}: đã sao lưu và khôi phục thử.",
        figures={"Dung lượng (KB)": made.card.size // 1024, "Bản cũ đã bỏ": len(gone)},
    )


NOT_RESTORED = "Khôi phục thử không đạt"


def thin(runtime: Runtime) -> list[str]:
    """Remove the backups that the settings do not keep; their names."""
    settings = runtime.settings
    rule = KeepRule(
        daily=settings.backup_keep_daily,
        weekly=settings.backup_keep_weekly,
        monthly=settings.backup_keep_monthly,
    )
    return thin_out(settings.backups_dir, rule, settings.time_zone)


def _log(
    runtime: Runtime,
    job: Job,
    outcome: Outcome,
    *,
    run: str | None,
    as_of: date | None,
    started: datetime,
    gaps: int = 0,
) -> None:
    with runtime.database.write() as session:
        day = business_date(session, as_of, today(runtime, job))
        stamp = Stamp(at=started, as_of=day.as_of, actor=flow_actor(job.title), run=run)
        log_run(session, job, stamp, outcome, finished=runtime.clock.now())
        if gaps and database_revision(runtime.database) == code_revision():
            tell_operators(
                session,
                stamp,
                runtime,
                key=f"backup-gaps:{stamp.as_of}",
                title=f"Sao lưu: {gaps} tệp tài liệu không còn nguyên",
                summary=(
                    "Cơ sở dữ liệu có ghi những tệp này nhưng trên đĩa không còn, hoặc nội dung đã "
                    "khác. Các bản sao lưu trước có thể còn tệp nguyên vẹn."
                ),
                facts=[(label, str(count)) for label, count in outcome.figures.items() if count],
                steps=(
                    "Xem tệp nào: tiendo backup list.",
                    "Lấy lại tệp từ bản sao lưu trước (docs/backups.md).",
                ),
            )
