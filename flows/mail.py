"""The flows of letters: the day's letters, and the week's summary for the coordinator.

What sends (templates, SMTP, HTTP) is imported by the run and not by the runner, which loads every
flow to know its parameters.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from prefect import flow
from sqlalchemy.orm import Session

from flows.naming import DELIVERY, SUMMARY
from flows.reporting import finish, in_thread, perform_here, run_name
from flows.shell import BusinessDate, Job, Outcome, business_date, perform, today
from models.queries_mail import any_letter
from operations.preview import queue_preview
from operations.reminding import remind
from operations.stamp import Stamp
from operations.state import is_trial
from operations.summary import queue_monday_summary
from runtime.wiring import Runtime

if TYPE_CHECKING:
    from runtime.delivery import DeliveryResult

QUEUING = Job(word="remind", title="Lập thư nhắc")

QUEUED = "Đã lập thư"
NOTHING_OWED = "Không có thư phải lập"
SENT = "Đã gửi thư"
NOTHING_TO_SEND = "Không có thư phải gửi"
SOME_LEFT = "Còn thư chưa gửi được"
SUMMARY_MADE = "Đã lập tổng hợp"
SUMMARY_NOT_DUE = "Chưa đến ngày hoặc đã lập"


def summarise(_: Runtime, session: Session, stamp: Stamp, day: BusinessDate) -> Outcome:
    """Queue the week's summary, unless it is there or the day is off."""
    made = queue_monday_summary(session, stamp) if day.sends else 0
    state = SUMMARY_MADE if made else SUMMARY_NOT_DUE
    return Outcome(state=state, message=f"{state}: {made} thư.", figures={"Thư tổng hợp": made})


@flow(
    name=SUMMARY.title,
    description="Thư tổng hợp cho cơ quan điều phối, ngày làm việc đầu tiên của tuần.",
    flow_run_name=lambda: run_name(SUMMARY.title),
)
async def summary(as_of: date | None = None) -> Any:
    """Make the coordinator's letter of the week."""
    return await finish(SUMMARY, await perform_here(SUMMARY, summarise, as_of))


class MailServerTrouble(Exception):
    """The mail server took no letters; they stay queued and the next run tries again."""


def queue(session: Session, stamp: Stamp, day: BusinessDate, *, preview: bool) -> Outcome:
    """Take back what was left over from earlier days, and queue everything that is owed.

    With ``preview``, a trial on a day off, or one that has no letter to show yet, shows the letters
    of the next working day that owes any.
    """
    done = remind(session, stamp, sending_allowed=day.sends)
    made = done.letters + done.at_once
    quiet = done.day_off or not (made or any_letter(session))
    shown = preview and day.sends and quiet and is_trial(session)
    found = {
        "Thư xem trước": queue_preview(session, stamp) if shown else 0,
        "Thư lập mới": made,
        "Dòng nhắc đưa vào thư": done.rungs + done.notices,
        "Thư tạm giữ": done.held,
        "Thư ngày trước lập lại": done.superseded,
        "Việc nhắc chưa có nơi nhận": done.unreachable,
    }
    state = QUEUED if made else NOTHING_OWED
    return Outcome(state=state, message=f"{state}: {made} thư.", figures=found)


def send_letters(
    runtime: Runtime, run: str | None, as_of: date | None, *, preview: bool = False
) -> Outcome:
    """Queue what is owed, then send what waits: one transaction, then one a step of each letter.

    Raises:
        MailServerTrouble: the mail server took no letters.
    """
    from runtime.delivery import DeliveryResult, deliver
    from runtime.outward import tell_quietly

    def work(_: Runtime, session: Session, stamp: Stamp, day: BusinessDate) -> Outcome:
        return queue(session, stamp, day, preview=preview)

    queued = perform(runtime, QUEUING, work, run=run, as_of=as_of)
    with runtime.database.read() as session:
        day = business_date(session, as_of, today(runtime, DELIVERY))
    sent = deliver(runtime.post_office(run), as_of=day.as_of) if day.sends else DeliveryResult()
    if day.sends:
        tell_quietly(runtime.outward_office(run), as_of=day.as_of)
    outcome = _delivered(queued, sent)
    perform(runtime, DELIVERY, lambda *_: outcome, run=run, as_of=as_of)
    if sent.trouble is not None:
        raise MailServerTrouble(f"Máy chủ thư chưa nhận thư: {sent.trouble}")
    return outcome


def _delivered(queued: Outcome, sent: DeliveryResult) -> Outcome:
    left = sent.retrying + sent.undeliverable + sent.unknown
    if sent.trouble is not None or left:
        state = SOME_LEFT
    else:
        state = SENT if sent.sent else NOTHING_TO_SEND
    found = {
        **queued.figures,
        "Thư đã gửi": sent.sent,
        "Thư chờ gửi lại": sent.retrying,
        "Thư không gửi được": sent.undeliverable,
        "Thư không rõ kết quả": sent.unknown,
        "Thư không còn cần gửi": sent.dropped,
    }
    told = "; ".join(f"{label}: {count}" for label, count in found.items() if count)
    return Outcome(
        state=state, message=f"{state}. {told or 'Không có việc phát sinh'}.", figures=found
    )


@flow(
    name=DELIVERY.title,
    description="Lập thư nhắc của ngày và gửi những thư chờ gửi.",
    flow_run_name=lambda: run_name(DELIVERY.title),
)
async def delivery(as_of: date | None = None, preview: bool = False) -> Any:  # noqa: FBT001, FBT002 - Prefect passes parameters by name
    """Make the day's letters and send what waits."""

    def send(runtime: Runtime, run: str | None) -> Outcome:
        return send_letters(runtime, run, as_of, preview=preview)

    return await finish(DELIVERY, await in_thread(DELIVERY, send, as_of))
