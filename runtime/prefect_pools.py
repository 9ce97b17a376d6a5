"""Work pools of Prefect and who works in them, read over its API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from runtime.prefect_client import PrefectClient

ALIVE_WITHIN = timedelta(seconds=120)
"""A worker tells of itself every half minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """Who takes runs from a pool, and when it was last heard of."""

    name: str
    heard_at: datetime | None

    def alive(self, now: datetime) -> bool:
        """Whether it was heard of a moment ago."""
        return self.heard_at is not None and now - self.heard_at < ALIVE_WITHIN


def workers(client: PrefectClient, pool: str) -> list[Worker]:
    """Who ever worked in ``pool``. Raises ``PrefectDown``, also where there is no such pool."""
    found = client.post(f"/work_pools/{pool}/workers/filter", {"limit": 200})
    return [
        Worker(
            name=one["name"],
            heard_at=datetime.fromisoformat(one["last_heartbeat_time"])
            if one.get("last_heartbeat_time")
            else None,
        )
        for one in found
    ]
