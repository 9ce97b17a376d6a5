"""Runs deployments one after the other in one process: ``python -m deployments.run_now entrypoint…``.

Each is a run of Prefect's engine like any other, of its own deployment, with its states, logs and
tables. Only the process is shared: a child for each, as the runner makes them, spends two seconds
on imports for a quarter of a second of work, and a new system has twelve to do while somebody
waits. An entrypoint may carry parameters as JSON: ``flows.mail.delivery={"preview":true}``.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from deployments.environment import die_with_parent, prefect_environment
from runtime.settings import SettingsError, load_settings


async def run_all(asked: list[tuple[str, dict[str, Any]]]) -> int:
    """Run each entrypoint with its parameters; returns how many did not complete.

    The runs begin as Pending, so that the runner, which looks for scheduled ones, leaves them.
    """
    from prefect.client.orchestration import get_client
    from prefect.flow_engine import run_flow
    from prefect.flows import load_flow_from_entrypoint
    from prefect.states import Pending

    failed = 0
    async with get_client() as client:
        ids = await _deployments(client)
        for entrypoint, parameters in asked:
            flow: Any = load_flow_from_entrypoint(entrypoint)
            made = await client.create_flow_run_from_deployment(
                ids[entrypoint], parameters=parameters, state=Pending()
            )
            running: Any = run_flow(
                flow, flow_run=made, parameters=made.parameters, return_type="state"
            )
            state = await running
            failed += not state.is_completed()
    return failed


async def _deployments(client: Any) -> dict[str, Any]:
    """The ids of all deployments by entrypoint; Prefect gives no more than 200 at once."""
    ids: dict[str, Any] = {}
    read = 0
    while more := await client.read_deployments(limit=200, offset=read):
        ids |= {one.entrypoint: one.id for one in more}
        read += len(more)
    return ids


def parse(argument: str) -> tuple[str, dict[str, Any]]:
    """An entrypoint and its parameters."""
    entrypoint, _, text = argument.partition("=")
    return entrypoint, json.loads(text) if text else {}


def main(arguments: list[str]) -> int:
    """Run what is asked for; 1 when anything did not complete."""
    die_with_parent()
    try:
        settings = load_settings()
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - there is no log yet
        return 1
    for name, value in prefect_environment(settings).items():
        os.environ.setdefault(name, value)
    return 1 if asyncio.run(run_all([parse(one) for one in arguments])) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
