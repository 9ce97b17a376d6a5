"""Becomes a worker of the work pool: ``python -m deployments.worker``.

Prefect's own worker, with the environment of our settings: one file says everything. It takes the
runs that are due, each in a process of its own, and as many at once as ``TIENDO_FLOW_LIMIT``.
"""

from __future__ import annotations

import os
import sys

from deployments.dead_runs import HEARTBEAT_SECONDS
from deployments.environment import child_environment
from runtime.settings import Settings, SettingsError, load_settings


def command(settings: Settings) -> list[str]:
    """What it becomes.

    Raises:
        SettingsError: no work pool is set.
    """
    if settings.work_pool is None:
        raise SettingsError(
            [
                "TIENDO_WORK_POOL: chưa đặt; cần tên nhóm chạy luồng, ví dụ tiendo, như ở tiendo deploy"
            ]
        )
    return [
        *(sys.executable, "-m", "prefect", "worker", "start", "--type", "process"),
        *("--pool", settings.work_pool, "--limit", str(settings.flow_limit)),
    ]


def main() -> None:
    """Become the worker; ends with 1 when the settings are wrong."""
    try:
        settings = load_settings()
        arguments = command(settings)
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - there is no log yet
        sys.exit(1)
    environment = {
        **child_environment(settings),
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_SECONDS),
    }
    os.execve(arguments[0], arguments, environment)  # noqa: S606 - no shell wanted


if __name__ == "__main__":
    main()
