"""Runs the portal: ``python -m deployments.portal``. It receives the local mailbox's letters too."""

from __future__ import annotations

import sys

from deployments.environment import die_with_parent
from runtime.settings import SettingsError, load_settings

APPLICATION = "portal.app:create_app_from_environment"
"""The factory of the portal; it reads the same settings."""


def main(arguments: list[str]) -> int:
    """Serve pages until told to stop; 1 when settings or database do not fit, or limits are gone."""
    if "--embedded" in arguments:
        die_with_parent()
    try:
        settings = load_settings()
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - there is no log yet
        return 1

    import uvicorn

    from deployments.patience import HEAD_BYTES, PatientProtocol, open_more_files
    from models.migrate import upgrade
    from models.revision import NewerDatabase, OlderDatabase
    from portal.throttle import LimitsUnreachable, open_throttle
    from runtime.logs import set_up_logs
    from runtime.wiring import open_runtime

    set_up_logs(settings.log_level, settings.log_format, process="portal")
    try:
        open_throttle(settings.limits_storage)
        with open_runtime(settings) as runtime:
            upgrade(runtime.database)
    except (LimitsUnreachable, NewerDatabase, OlderDatabase) as error:
        print(error, file=sys.stderr)  # noqa: T201 - for whoever starts it
        return 1
    open_more_files()
    uvicorn.run(
        APPLICATION,
        factory=True,
        host=settings.portal_host,
        port=settings.portal_port,
        log_config=None,  # our own, which blots out live links
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
        timeout_keep_alive=5,
        http=PatientProtocol,
        ws="none",
        h11_max_incomplete_event_size=HEAD_BYTES,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
