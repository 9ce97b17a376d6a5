"""Serves every deployment on this machine: ``python -m deployments.serve``.

It waits for Prefect's API, makes the deployments, and runs what their schedules ask for, each run
in a process of its own. With ``--embedded`` it ends with its parent; with ``--sweep``, for where
nobody else runs anything, what hangs from a crash is ended first.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime
from typing import Any

from deployments.environment import die_with_parent, prefect_environment
from runtime.settings import Settings, SettingsError, load_settings

POLL_SECONDS = 2
WAIT_SECONDS = 120.0


def runner_deployments(settings: Settings) -> list[Any]:
    """Every deployment as Prefect's runner takes it.

    Raises:
        models.revision.NewerDatabase, OlderDatabase: the database does not fit this code.
    """
    from prefect.flows import load_flow_from_entrypoint
    from prefect.schedules import Cron

    from deployments.plan import deployed
    from models.revision import check_revision
    from runtime.wiring import open_runtime

    with open_runtime(settings) as runtime:
        check_revision(runtime.database)
        with runtime.database.read() as session:
            plan = deployed(session, settings)
    found = []
    for one in plan:
        made: Any = load_flow_from_entrypoint(one.entrypoint).to_deployment(
            name=one.name,
            schedules=[Cron(cron, timezone=one.time_zone) for cron in one.crons],
            tags=list(one.tags),
            description=one.description,
        )
        # A module path, because a child stands in a folder of its own.
        made.entrypoint = one.entrypoint
        found.append(made)
    return found


def wait_for_api(settings: Settings, seconds: float = WAIT_SECONDS) -> None:
    """Wait until Prefect's API answers.

    Raises:
        TimeoutError: it did not within ``seconds``.
    """
    from runtime.prefect_client import PrefectClient

    deadline = time.monotonic() + seconds
    with PrefectClient(settings.prefect_url) as client:
        while not client.healthy():
            if time.monotonic() > deadline:
                msg = (
                    f"Máy chủ Prefect ở {settings.prefect_url} chưa trả lời sau {seconds:.0f} giây."
                )
                raise TimeoutError(msg)
            time.sleep(0.2)


def main(arguments: list[str]) -> int:
    """Serve until told to stop; 1 when the settings are wrong or Prefect does not answer."""
    started = datetime.now(UTC)
    if "--embedded" in arguments:
        die_with_parent()
    try:
        settings = load_settings()
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - there is no log yet
        return 1
    for name, value in prefect_environment(settings).items():
        os.environ.setdefault(name, value)

    from prefect import serve

    from models.revision import NewerDatabase, OlderDatabase

    try:
        made = runner_deployments(settings)
        wait_for_api(settings)
    except (NewerDatabase, OlderDatabase, TimeoutError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    if "--sweep" in arguments:
        from deployments.sweeping import sweep

        sweep(settings, before=started)
    serve(
        *made,
        limit=settings.flow_limit,
        pause_on_shutdown=False,  # else every schedule would be off after the next start
        print_starting_message=False,
        query_seconds=POLL_SECONDS,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
