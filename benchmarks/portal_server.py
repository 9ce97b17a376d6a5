"""``python -m benchmarks.portal_server portal|minimal URL PORT FOLDER``: one uvicorn worker."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import uvicorn

from benchmarks import portal_minimal
from benchmarks.portal_fill import TODAY
from portal.app import create_app
from runtime.settings import Settings
from runtime.wiring import open_runtime


@dataclass(frozen=True, slots=True)
class ShiftedClock:
    """The clock of this machine, moved so that the day is the one that the rows were made for."""

    by: timedelta

    def now(self) -> datetime:
        """The instant, in UTC."""
        return datetime.now(UTC) + self.by

    def today(self, time_zone: str) -> date:
        """The calendar date in ``time_zone``."""
        return self.now().astimezone(ZoneInfo(time_zone)).date()


def main(kind: str, url: str, port: int, folder: Path) -> None:
    """Serve until told to stop."""
    if kind == "portal":
        settings = Settings(
            _env_file=None,
            data_dir=folder,
            database_url=url,
            portal_port=port,
        )
        by = datetime.combine(TODAY, time(2), UTC) - datetime.now(UTC)
        app = create_app(open_runtime(settings, clock=ShiftedClock(by)))
    else:
        app = portal_minimal.create_app(url)
    uvicorn.run(app, host="127.0.0.1", port=port, access_log=False, log_level="warning")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))
