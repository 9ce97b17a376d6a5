"""The flow of the nightly backup and its trial restore.

The runner loads every flow to know its parameters and never runs one: what only a run needs
(migrations, the drivers of databases, encryption) is imported by the run.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from prefect import flow

from flows.naming import BACKUP
from flows.reporting import finish, in_thread, run_name
from flows.shell import Outcome
from runtime.wiring import Runtime


@flow(
    name=BACKUP.title,
    description="Sao lưu cơ sở dữ liệu và tệp tài liệu, khôi phục thử, bỏ bớt bản cũ theo thiết lập.",
    flow_run_name=lambda: run_name(BACKUP.title),
)
async def backup(as_of: date | None = None) -> Any:
    """Back up, and read back what was written.

    Raises:
        flows.keeping.TrialFailed: the backup could not be restored; that is noted already.
    """
    from flows.keeping import NOT_RESTORED, TrialFailed, nightly

    def work(runtime: Runtime, run: str | None) -> Outcome:
        return nightly(runtime, run, as_of)

    outcome = await in_thread(BACKUP, work, as_of)
    if outcome.state == NOT_RESTORED:
        raise TrialFailed(outcome.message)
    return await finish(BACKUP, outcome)
