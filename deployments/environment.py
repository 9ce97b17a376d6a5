"""The environment of our child processes: our settings, Prefect's, and nothing reported outside."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

from runtime.logs import PREFECT_FORM, form_here
from runtime.settings import Settings
from runtime.settings_help import PREFIX

_PR_SET_PDEATHSIG = 1


def prefect_environment(settings: Settings) -> dict[str, str]:
    """Prefect's variables. Its server keeps everything in the data folder and calls nobody."""
    keep = settings.prefect_keep_days * 24 * 3600
    return {
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_HOME": str(settings.prefect_home),
        "PREFECT_API_URL": settings.prefect_url,
        "PREFECT_SERVER_API_HOST": "127.0.0.1",
        "PREFECT_SERVER_API_PORT": str(settings.prefect_port),
        "PREFECT_UI_API_URL": settings.prefect_url,
        # Prefect would keep runs for ever; what counts of them is in our own run log.
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(keep),
        # Twelve first runs wait their turn; calling them late would only make SQLite wait as well.
        "PREFECT_SERVER_SERVICES_LATE_RUNS_AFTER_SECONDS": "600",
        # Nobody works through pools or triggers here: two loops less.
        "PREFECT_SERVER_SERVICES_FOREMAN_ENABLED": "false",
        "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false",
        # Its lines and our flows' in the form of all others.
        "PREFECT_LOGGING_SETTINGS_PATH": str(PREFECT_FORM),
        "PREFECT_LOGGING_LEVEL": settings.log_level.upper(),
        "PREFECT_LOGGING_FORMATTERS_OURS_FORM": form_here(settings.log_format),
        "PREFECT_LOGGING_COLORS": "false",
    }


def child_environment(settings: Settings) -> dict[str, str]:
    """All variables of a child: this process's, with our settings and Prefect's put in place."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TIENDO_", "PREFECT_"))
    }
    # Their lines go to files: what is readable is decided by where we write ourselves.
    form = {f"{PREFIX}LOG_FORMAT": form_here(settings.log_format)}
    return {**inherited, **settings.environment(), **form, **prefect_environment(settings)}


def die_with_parent() -> None:
    """Ask the kernel to end this process when its parent dies, however it dies. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
