"""Ending what hangs from a crash, before anything new runs.

A run can stay in Submitting, Pending or Running when its process died with the machine. Where one
runner does all the work, such a run is dead for certain at the runner's start. Of the runs that
came due while nothing ran, the newest of each deployment is enough: the flows compare what should
be with what is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from runtime.prefect_client import PrefectClient
from runtime.settings import Settings

_HANGING = ("PENDING", "RUNNING", "CANCELLING")


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """How many runs were ended, and how many late ones were let go."""

    crashed: int
    skipped: int


def sweep(settings: Settings, *, before: datetime | None = None) -> Swept:
    """End hanging runs of before ``before`` (now), and leave one late run a deployment.

    What was asked for later is somebody's who is at work. Raises ``PrefectDown``.
    """
    before = before or datetime.now(UTC)
    with PrefectClient(settings.prefect_url, timeout=10.0, tries=6) as client:
        hanging = [
            one
            for one in client.runs(types=_HANGING)
            if one.expected_at is None or one.expected_at <= before
        ]
        for one in hanging:
            client.set_state(
                one.id,
                type="CRASHED",
                name="Crashed",
                message="Tiến trình đã dừng giữa chừng; lần chạy sau tự làm tiếp.",
            )
        skipped = 0
        seen: set[str | None] = set()
        # Newest first.
        for one in client.runs(types=("SCHEDULED",), expected_before=before):
            if one.deployment in seen:
                client.set_state(
                    one.id,
                    type="CANCELLED",
                    name="Cancelled",
                    message="Lịch bị lỡ khi hệ thống tắt; lần chạy mới nhất làm thay.",
                )
                skipped += 1
            seen.add(one.deployment)
    return Swept(crashed=len(hanging), skipped=skipped)
