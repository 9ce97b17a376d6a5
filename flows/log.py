"""The flows of the log: sealing every quarter of an hour, verifying every night (rule 38)."""

from __future__ import annotations

from datetime import date
from typing import Any

from prefect import flow
from sqlalchemy.orm import Session

from flows.failures import tell_operators
from flows.naming import SEALING, VERIFYING
from flows.reporting import finish, in_thread, run_name
from flows.shell import BusinessDate, Outcome, perform
from operations.checkpoint_letters import queue_checkpoint
from operations.errors import Conflict, Refused
from operations.log_found import PASTED, Outside, Verified
from operations.stamp import Stamp
from rules.notes import BadNote, parse_note
from runtime.sealing import seal_now
from runtime.verifying import verify
from runtime.wiring import Runtime

SEALED = "Đã niêm phong"
NOTHING_NEW = "Không có sự kiện mới"
ANOTHER = "Nơi khác đang niêm phong"
NOT_SEALED = "Chưa niêm phong được"
WHOLE = "Lịch sử còn nguyên vẹn"
NOT_WHOLE = "Phát hiện sai lệch"
BY_ITSELF = "Hệ thống, theo lịch"
NAMED = 5
"""Faults that the operators' letter names."""


def seal_history(runtime: Runtime, run: str | None, as_of: date | None) -> Outcome:
    """Seal what is pending; what stops the sealer is told to the operators, once a day."""
    refused: str | None = None
    try:
        done = seal_now(runtime, run=run)
        outcome = Outcome(
            state=SEALED if done.events else NOTHING_NEW,
            message=f"Niêm phong thêm {done.events} sự kiện.",
            figures={"Sự kiện niêm phong": done.events, "Niêm phong mới": done.checkpoints},
        )
    except Conflict as busy:
        outcome = Outcome(state=ANOTHER, message=str(busy))
    except Refused as stopped:
        refused = str(stopped)
        outcome = Outcome(state=NOT_SEALED, message=refused)

    def tell(_: Runtime, session: Session, stamp: Stamp, day: BusinessDate) -> Outcome:
        if refused is not None and day.sends:
            tell_operators(
                session,
                stamp,
                runtime,
                key=f"sealing:{stamp.as_of}",
                title=f"{SEALING.title}: {NOT_SEALED.lower()}",
                summary=refused,
                facts=[],
                steps=("Chạy “tiendo verify” và làm theo câu trả lời.",),
            )
        return outcome

    return perform(runtime, SEALING, tell, run=run, as_of=as_of)


def verify_history(
    runtime: Runtime,
    run: str | None,
    as_of: date | None,
    *,
    note: str | None = None,
    by: str | None = None,
) -> Outcome:
    """Verify the whole history, tell the operators what is wrong, and send the day's checkpoint.

    ``by`` is who asked for it in the portal, ``note`` a checkpoint that this person has; the day's
    checkpoint is then left to the night.

    Raises:
        Refused: ``note`` holds no checkpoint.
    """
    found = verify(runtime, by=by or BY_ITSELF, against=_pasted(note))

    def tell(_: Runtime, session: Session, stamp: Stamp, day: BusinessDate) -> Outcome:
        sent = False
        address = runtime.settings.auditors_address
        if day.sends and address is not None and by is None:
            sent = queue_checkpoint(session, stamp, address=address)
        if day.sends and not found.whole:
            _alarm(runtime, session, stamp, found)
        state = WHOLE if found.whole else NOT_WHOLE
        first = f" {found.first.text}" if found.first else ""
        return Outcome(
            state=state,
            message=f"{state}: {found.sealed} sự kiện đã niêm phong, {found.pending} chờ.{first}",
            figures={
                "Sự kiện đã niêm phong": found.sealed,
                "Sự kiện chờ niêm phong": found.pending,
                "Chỗ sai": found.wrong,
                "Thư niêm phong gửi nơi kiểm tra": int(sent),
            },
        )

    return perform(runtime, VERIFYING, tell, run=run, as_of=as_of)


def _pasted(note: str | None) -> list[Outside]:
    if note is None:
        return []
    try:
        return [Outside(source=PASTED, note=parse_note(note))]
    except BadNote as error:
        raise Refused(f"Nội dung dán vào không có niêm phong ({error}).", field="note") from None


def _alarm(runtime: Runtime, session: Session, stamp: Stamp, found: Verified) -> None:
    tell_operators(
        session,
        stamp,
        runtime,
        key=f"verifying:{stamp.as_of}",
        title=f"{VERIFYING.title}: {NOT_WHOLE.lower()}",
        summary="Lịch sử trong cơ sở dữ liệu không còn là lịch sử đã ghi và niêm phong.",
        facts=[(f"Chỗ sai {place}", one.text) for place, one in enumerate(found.faults[:NAMED], 1)],
        steps=(
            "Không sửa gì trong cơ sở dữ liệu; giữ nguyên hiện trạng và các bản sao lưu.",
            "Báo người phụ trách an toàn thông tin và nơi kiểm tra.",
            "Chạy “tiendo verify” để xem đầy đủ; đối chiếu với bản sao lưu gần nhất còn nguyên vẹn.",
        ),
    )


@flow(
    name=SEALING.title,
    description="Niêm phong những sự kiện mới của lịch sử, 15 phút một lần.",
    flow_run_name=lambda: run_name(SEALING.title),
)
async def sealing(as_of: date | None = None) -> Any:
    """Seal what is pending."""
    return await finish(
        SEALING,
        await in_thread(SEALING, lambda runtime, run: seal_history(runtime, run, as_of), as_of),
    )


@flow(
    name=VERIFYING.title,
    description="Kiểm chứng toàn bộ lịch sử với các niêm phong; gửi niêm phong của ngày cho nơi kiểm tra.",
    flow_run_name=lambda: run_name(VERIFYING.title),
)
async def verifying(
    as_of: date | None = None, note: str | None = None, by: str | None = None
) -> Any:
    """Verify the whole history; ``note`` and ``by`` come from the portal."""

    def here(runtime: Runtime, run: str | None) -> Outcome:
        return verify_history(runtime, run, as_of, note=note, by=by)

    return await finish(VERIFYING, await in_thread(VERIFYING, here, as_of))
