"""The flow of the nightly checks: it looks, tells, and switches off accounts that nobody uses."""

from __future__ import annotations

from datetime import date
from typing import Any

from prefect import flow
from sqlalchemy.orm import Session

from flows.checks import Finding, run_checks
from flows.failures import tell_operators
from flows.naming import NIGHTLY
from flows.reporting import finish, perform_here, run_name
from flows.shell import BusinessDate, Outcome
from operations.login import disable_unused
from operations.stamp import Stamp
from runtime.wiring import Runtime

IN_ORDER = "Không có việc cần xử lý"
TO_SEE_TO = "Có việc cần xử lý"
UNUSED = "tài khoản không sử dụng trong 45 ngày"


def check(runtime: Runtime, session: Session, stamp: Stamp, day: BusinessDate) -> Outcome:
    """Run all checks and switch off unused accounts.

    Operators get one letter when there is anything to see to; a switched-off account is none.
    """
    unused = disable_unused(session, stamp)
    findings = run_checks(session, stamp.as_of, stamp.at)
    said = [f"{one.text} ({one.remedy})" for one in findings]
    if unused:
        said.append(f"Đã ngừng {len(unused)} {UNUSED}: {', '.join(unused)}")
    figures = {one.text: one.count for one in findings}
    if findings and day.sends:
        _tell(runtime, session, stamp, findings)
    state = TO_SEE_TO if findings else IN_ORDER
    return Outcome(
        state=state,
        message=f"{'; '.join(said) or IN_ORDER}.",
        figures=figures | ({f"Ngừng {UNUSED}": len(unused)} if unused else {}),
    )


def _tell(runtime: Runtime, session: Session, stamp: Stamp, findings: list[Finding]) -> None:
    tell_operators(
        session,
        stamp,
        runtime,
        key=f"nightly:{stamp.as_of}",
        title=f"{NIGHTLY.title}: {len(findings)} việc cần xử lý",
        summary="Kiểm tra tự động đêm qua thấy những việc sau cần người xem.",
        facts=[(one.text, str(one.count)) for one in findings],
        steps=tuple(dict.fromkeys(one.remedy for one in findings)),
    )


@flow(
    name=NIGHTLY.title,
    description="Thư kẹt, lần chạy bị lỡ, kỳ chưa mở, cơ quan chưa có hộp thư, lịch ngày nghỉ; ngừng tài khoản không sử dụng.",
    flow_run_name=lambda: run_name(NIGHTLY.title),
)
async def nightly(as_of: date | None = None) -> Any:
    """See what may have gone wrong without anybody noticing."""
    return await finish(NIGHTLY, await perform_here(NIGHTLY, check, as_of))
