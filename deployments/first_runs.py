"""The first run of every item's flow, then the first letters: so that a new system shows work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from deployments.plan import Deployed
from runtime.prefect_client import Deployment, PrefectClient, PrefectDown, Run

ENDED: Final = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
POLL_SECONDS: Final = 0.5

Say = Callable[[str], None]
Wait = Callable[[float], bool]
"""Waits some seconds; False when it is time to stop."""


@dataclass(slots=True, kw_only=True)
class FirstRuns:
    """Asks Prefect for the runs, and tells how each ends."""

    client: PrefectClient
    say: Say
    wait: Wait
    limit_seconds: float = 300.0

    def deployments(self, plan: Sequence[Deployed]) -> dict[str, Deployment] | None:
        """Wait until all of the plan's deployments are there, by entrypoint; None when stopped."""
        waited = 0.0
        while waited < self.limit_seconds:
            try:
                found = {one.entrypoint: one for one in self.client.deployments()}
            except PrefectDown:
                found = {}
            if all(one.entrypoint in found for one in plan):
                return found
            if not self.wait(POLL_SECONDS):
                return None
            waited += POLL_SECONDS
        raise TimeoutError("Các luồng chưa được đăng ký với Prefect.")

    def start_items(self, plan: Sequence[Deployed], found: dict[str, Deployment]) -> list[str]:
        """Ask for a run of each item's flow that has never ended one; returns their ids."""
        started = []
        for one in plan:
            deployment = found[one.entrypoint]
            if one.item is not None and not self.client.runs(
                deployment_ids=[deployment.id], types=ENDED, limit=1
            ):
                started.append(self.client.start_run(deployment.id))
        return started

    def run_common(
        self, entrypoint: str, found: dict[str, Deployment], **parameters: object
    ) -> None:
        """One run of a flow that belongs to no plan, to its end."""
        run = self.client.start_run(found[entrypoint].id, parameters=parameters)
        self.follow([run])

    def follow(self, ids: Sequence[str]) -> bool:
        """Tell how each of these runs ends; False when stopped, or it took too long."""
        waiting = list(ids)
        waited = 0.0
        while waiting and waited < self.limit_seconds:
            for run in self._ended(waiting):
                waiting.remove(run.id)
                self.say(f"  {len(ids) - len(waiting)}/{len(ids)} {told(run)}")
            if waiting and not self.wait(POLL_SECONDS):
                return False
            waited += POLL_SECONDS
        if waiting:
            self.say(
                f"Còn {len(waiting)} lần chạy chưa xong; hệ thống chạy tiếp, xem ở trang Prefect."
            )
        return not waiting

    def _ended(self, ids: Sequence[str]) -> list[Run]:
        try:
            return [run for run in self.client.runs(ids=ids) if run.type in ENDED]
        except PrefectDown:  # busy for a moment; asked again
            return []


def told(run: Run) -> str:
    """A run in one line: its name and how it ended."""
    fault = run.type in {"FAILED", "CRASHED"}
    return f"{run.name}: {f'LỖI KỸ THUẬT, {run.message}' if fault else run.state}"
