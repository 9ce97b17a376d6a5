"""The first run of every item's flow, then the first letters: so that a new system shows work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from deployments.plan import Deployed
from runtime.prefect_client import Deployment, PrefectClient, PrefectDown, Run

ENDED: Final = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
POLL_SECONDS: Final = 0.5
DELIVERY: Final = "flows.mail.delivery"
NEWEST: Final = 200
"""Runs that are looked at where one is waited for; deliveries of months are some thousands."""

Say = Callable[[str], None]
Wait = Callable[[float], bool]
"""Waits some seconds; False when it is time to stop."""


@dataclass(slots=True, kw_only=True)
class FirstRuns:
    """Looks what never ran, and tells how each run ends."""

    client: PrefectClient
    say: Say
    wait: Wait
    limit_seconds: float = 300.0

    def deployments(self, plan: Sequence[Deployed]) -> dict[str, Deployment] | None:
        """Wait until all of the plan's deployments are there, by entrypoint; None when stopped.

        Raises:
            TimeoutError: they did not come.
        """
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

    def never_run(self, plan: Sequence[Deployed], found: dict[str, Deployment]) -> list[Deployment]:
        """The deployments of items that have not ended a single run. Raises ``PrefectDown``."""
        items = [found[one.entrypoint] for one in plan if one.item is not None]
        return [one for one in items if not self.ended([one.id], limit=1)]

    def follow(
        self,
        waiting: Iterable[Deployment],
        alive: Callable[[], bool],
        *,
        earlier: Iterable[Run] = (),
    ) -> bool:
        """Tell how the first run of each ends that is not among the ``earlier`` ones.

        False when stopped, or when nobody runs them any more.
        """
        known = {one.id for one in earlier}
        ids = [one.id for one in waiting]
        total, waited = len(ids), 0.0
        while ids:
            goes_on = alive()
            for run in self._told(ids):
                if run.deployment in ids and run.id not in known:
                    ids.remove(run.deployment)
                    self.say(f"  {total - len(ids)}/{total} {told(run)}")
            if ids and (not goes_on or waited > self.limit_seconds or not self.wait(POLL_SECONDS)):
                return False
            waited += POLL_SECONDS
        return True

    def _told(self, ids: Sequence[str]) -> list[Run]:
        try:
            return list(reversed(self.ended(ids, limit=max(NEWEST, len(ids)))))
        except PrefectDown:  # busy for a moment; asked again
            return []

    def ended(self, ids: Sequence[str], *, limit: int = NEWEST) -> list[Run]:
        """The newest runs of these deployments that have ended. Raises ``PrefectDown``."""
        return self.client.runs(deployment_ids=ids, types=ENDED, limit=limit)


def told(run: Run) -> str:
    """A run in one line: its name and how it ended."""
    fault = run.type in {"FAILED", "CRASHED"}
    return f"{run.name}: {f'LỖI KỸ THUẬT, {run.message}' if fault else run.state}"
