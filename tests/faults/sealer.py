"""A sealer as a process: ``python -m tests.faults.sealer URL FOLDER`` adds events and seals them."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from operations.history import Change, record
from runtime.clock import FixedClock
from runtime.sealing import seal_now
from runtime.wiring import Runtime, open_runtime
from tests.engine import stamp
from tests.faults.portals import settings
from tests.faults.small import DAY, NOW

AT_ONCE, BATCH = 30, 7
"""Events of one transaction, and of one checkpoint."""


def opened(url: str, folder: Path) -> Runtime:
    """The runtime of the sealer."""
    return open_runtime(settings(url, folder, 1), clock=FixedClock(NOW))


def add(runtime: Runtime, count: int, name: str) -> None:
    """Some events in one transaction."""
    changes = [
        Change(entity="setting", entity_id=f"{name}.{number}", action="set", snapshot={"n": number})
        for number in range(count)
    ]
    with runtime.database.write() as session:
        record(session, stamp(DAY), changes)


def main(arguments: Sequence[str]) -> None:
    """Add and seal until killed."""
    url, folder = arguments
    with opened(url, Path(folder)) as runtime:
        seal_now(runtime)
        os.write(1, b"ready\n")
        for number in range(100_000):
            add(runtime, AT_ONCE, f"{os.getpid()}.{number}")
            seal_now(runtime, batch=BATCH)


if __name__ == "__main__":
    main(sys.argv[1:])
