"""Registers every deployment in a work pool of Prefect, for workers of any number of hosts.

The same table as everywhere (:func:`deployments.plan.deployed`); nothing runs here. Level-triggered:
done again after each upgrade, and after an item was added, it puts right what differs.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from deployments.dead_runs import watch
from deployments.serve import runner_deployments, wait_for_api
from runtime.prefect_client import PrefectClient
from runtime.settings import Settings

KIND = "process"
"""Workers run flows as processes of their own host, which has the code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """What stands in the pool now, by full name: the flow, then the deployment."""

    pool: str
    deployments: tuple[str, ...]
    paused: tuple[str, ...]
    """Deployments of this pool that the table no longer has; their runs are kept."""


def register(settings: Settings, pool: str, *, wait_seconds: float = 60.0) -> Registered:
    """Make ``pool`` where there is none, put every deployment into it, pause what is left over.

    Raises:
        models.revision.NewerDatabase, OlderDatabase: the database does not fit this code.
        TimeoutError: Prefect's API did not answer within ``wait_seconds``.
        runtime.prefect_client.PrefectDown: it stopped answering.
    """
    from prefect.settings import PREFECT_API_URL, temporary_settings

    wait_for_api(settings, wait_seconds)
    with temporary_settings({PREFECT_API_URL: settings.prefect_url}):
        wanted = runner_deployments(settings)
        _prepare(pool)
        for one in wanted:
            one.apply(work_pool_name=pool)
    names = tuple(f"{one.flow_name}/{one.name}" for one in wanted)
    return Registered(
        pool=pool,
        deployments=names,
        paused=_pause_others(settings, pool, {one.entrypoint for one in wanted}),
    )


def _prepare(pool: str) -> None:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectAlreadyExists
    from prefect.workers.process import ProcessWorker

    template: Any = ProcessWorker.get_default_base_job_template()
    with get_client(sync_client=True) as client:
        with suppress(ObjectAlreadyExists):
            client.create_work_pool(
                WorkPoolCreate(name=pool, type=KIND, base_job_template=template)
            )
        watch(client)


def _pause_others(settings: Settings, pool: str, wanted: set[str]) -> tuple[str, ...]:
    with PrefectClient(settings.prefect_url, timeout=10.0, tries=6) as client:
        left = [
            one
            for one in client.deployments()
            if one.pool == pool and one.entrypoint not in wanted and not one.paused
        ]
        for one in left:
            client.post(f"/deployments/{one.id}/pause_deployment", {})
    return tuple(one.name for one in left)
