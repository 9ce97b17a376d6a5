"""Registers the flows that the fault tests run: ``python -m tests.faults.register ENTRYPOINT…``."""

from __future__ import annotations

import os
import sys

from deployments.environment import prefect_environment
from deployments.serve import runner_deployments
from runtime.settings import load_settings


def main(wanted: list[str]) -> None:
    """Make the deployments of these entrypoints, without schedules."""
    settings = load_settings()
    for name, value in prefect_environment(settings).items():
        os.environ.setdefault(name, value)
    for one in runner_deployments(settings):
        if one.entrypoint in wanted:
            one.schedules = []
            one.apply()


if __name__ == "__main__":
    main(sys.argv[1:])
