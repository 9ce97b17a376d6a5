"""What the rehearsal asks inside the machine, with the code that is installed there.

``python -m tests.production.inside ask PREFIX DAY`` | ``again DAY ID…`` | ``states ID…`` |
``alone`` | ``picture FILE`` | ``differences FILE FILE``; the answers are JSON.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from runtime.prefect_client import PrefectClient
from runtime.settings import load_settings

_OWN = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d[0-9:.+Z]*|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
"""When something was done, and by which run, is a run's own; what day it is for, is not."""
SHOWN = 20
UNDER_WAY = ("SCHEDULED", "PENDING", "RUNNING", "CANCELLING")


def prefect() -> PrefectClient:
    """Prefect, at the address of the settings, asked again while it is busy."""
    return PrefectClient(load_settings().prefect_url, timeout=30.0, tries=6)


def ask(prefix: str, day: str) -> list[str]:
    """Ask for a run of every flow whose entrypoint begins so; the ids."""
    with prefect() as client:
        return [
            client.start_run(one.id, parameters={"as_of": day})
            for one in client.deployments()
            if one.entrypoint.startswith(prefix)
        ]


def again(day: str, *ids: str) -> list[str]:
    """Ask once more for the work of these runs; the new ids."""
    with prefect() as client:
        return [
            client.start_run(one.deployment, parameters={"as_of": day})
            for one in client.runs(ids=ids)
            if one.deployment is not None
        ]


def states(*ids: str) -> dict[str, str]:
    """The state of each run, in Prefect's own word."""
    with prefect() as client:
        return {one.id: one.type for one in client.runs(ids=ids)}


def alone() -> list[str]:
    """Let no schedule start anything any more; the runs that have not ended yet.

    What was asked for before, or comes by the clock, would do a part of the day that is compared.
    """
    with prefect() as client:
        for one in client.deployments():
            if not one.paused:
                client.post(f"/deployments/{one.id}/pause_deployment", {})
        return [one.id for one in client.runs(types=UNDER_WAY)]


def take_picture(file: str) -> int:
    """Write every row that runs make, by natural keys, into ``file``; how many."""
    from flows.shell import opened
    from tests.faults.pictures import picture, unknown_keys

    with opened() as runtime:
        unknown = unknown_keys(runtime.database)
        found = picture(runtime.database, without=unknown)
    rows = {
        table: Counter(_OWN.sub("…", row) for row in counted.elements())
        for table, counted in found.items()
    }
    told = {"rows": rows, "unknown": sorted(unknown)}
    Path(file).write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    return sum(counted.total() for counted in rows.values())


def compare(wanted: str, found: str) -> dict[str, Any]:
    """How two pictures differ, but for the letters of which either does not know the end."""
    from tests.faults.pictures import differences

    read = [json.loads(Path(one).read_text(encoding="utf-8")) for one in (wanted, found)]
    unknown = {key for one in read for key in one["unknown"]}
    pictures = [
        {
            table: Counter({row: n for row, n in rows.items() if _letter_of(row) not in unknown})
            for table, rows in one["rows"].items()
        }
        for one in read
    ]
    told = differences(*pictures)
    return {
        "rows": {table: counted.total() for table, counted in pictures[1].items()},
        "unknown": sorted(unknown),
        "differences": len(told),
        "some": told[:SHOWN],
    }


def _letter_of(row: str) -> str:
    """The key of the letter that a row speaks of: a letter, its event, its line or its links."""
    first, _, rest = row.partition(" ")
    return rest.partition(" ")[0] if first == "letter" else first.removeprefix("key=").rstrip(":")


JOBS: dict[str, Any] = {
    "ask": ask,
    "again": again,
    "states": states,
    "alone": alone,
    "picture": take_picture,
    "differences": compare,
}

if __name__ == "__main__":
    print(json.dumps(JOBS[sys.argv[1]](*sys.argv[2:]), ensure_ascii=False))  # noqa: T201 - the answer
