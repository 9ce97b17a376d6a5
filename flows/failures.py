"""When a run fails: a line in the run log and word to the operators, if that much still works."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.orm import Session

from flows.shell import FAILED, Job, Outcome, log_run
from models.tables import RunLog  # noqa: F401 - mapped before the session is used
from notifications.formats import vn_date
from operations.outbox import queue_operator_notice
from operations.stamp import Stamp
from operations.state import load_state, plan_keys
from rules.actors import flow_actor
from rules.digest import Recipient
from rules.values import Audience
from runtime.logs import logger
from runtime.wiring import Runtime

_LONGEST = 300


def note_failure(
    runtime: Runtime,
    job: Job,
    error: Exception,
    *,
    run: str | None,
    as_of: date,
    started: datetime,
) -> None:
    """Note a failed run in a transaction of its own. Never raises: the first error is what counts.

    Operators hear of a job's failure once a day, by the address that is set for them.
    """
    fault = type(error).__name__
    logger(__name__).error("run failed", job=job.word, item=job.item, fault=fault)
    stamp = Stamp(at=started, as_of=as_of, actor=flow_actor(job.title), run=run)
    outcome = Outcome(state=FAILED, message=f"{FAILED}: {fault}")
    try:
        with runtime.database.write() as session:
            log_run(session, job, stamp, outcome, finished=runtime.clock.now())
            tell_operators(
                session,
                stamp,
                runtime,
                key=f"failed:{job.word}:{as_of}",
                title=f"{job.title}: chưa chạy được",
                summary=(
                    f"Lần chạy cho ngày {vn_date(as_of)} bị lỗi kỹ thuật và không ghi gì vào dữ liệu. "
                    "Lần chạy sau sẽ tự làm tiếp phần còn thiếu."
                ),
                facts=[("Loại lỗi", fault), ("Mã lần chạy", run or "không có")],
            )
    except Exception as again:  # noqa: BLE001 - the database may be what failed
        logger(__name__).error("failure could not be noted", fault=type(again).__name__)


def tell_operators(
    session: Session,
    stamp: Stamp,
    runtime: Runtime,
    *,
    key: str,
    title: str,
    summary: str,
    facts: list[tuple[str, str]],
    steps: tuple[str, ...] = (
        "Xem nhật ký bằng lệnh “tiendo doctor” và trang lần chạy của Prefect.",
        "Nếu lỗi lặp lại ở lần chạy sau, báo người quản trị hệ thống.",
    ),
) -> bool:
    """Queue a letter to the operators; False when none is set up, or ``key`` was told already."""
    address = runtime.settings.operators_address
    plans = plan_keys(session)
    if address is None or not plans:
        return False
    coordinator = load_state(session, plans[0]).coordinator(stamp.as_of)
    return queue_operator_notice(
        session,
        stamp,
        key=key,
        recipient=Recipient(address=address, agency=coordinator, audience=Audience.COORDINATOR),
        title=title,
        summary=summary[:_LONGEST],
        facts=facts,
        steps=steps,
    )
