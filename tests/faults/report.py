"""The table of kills: printed by the tests, and written into ``docs/reliability.md``.

``python -m tests.faults.report`` kills fifty workers, prints the table and writes it between the
marks in the document, so that no number there was ever typed by hand.
"""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.databases import STORES, postgres_copies, postgres_server, sqlite_copies
from tests.faults.kills import (
    DAYS,
    PLACES,
    SEEDS,
    Ground,
    Kill,
    Undisturbed,
    kill_until_hit,
    leave_in_peace,
    store_of,
)
from tests.faults.worker import PHASES

DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN = "<!-- measured: written by python -m tests.faults.report -->"
END = "<!-- end of what was measured -->"
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
HEADS = (
    "phase",
    "database",
    "kills",
    "hit",
    *PLACES,
    "hit nothing",
    "letters “không rõ”",
    "of these received",
    "rows or letters lost",
    "twice or too much",
)


def table(kills: Sequence[Kill]) -> list[str]:
    """The kills by phase and store as lines of Markdown; nothing when there were none."""
    if not kills:
        return []
    rows = [
        _row(phase, NAMES[store], found)
        for phase in PHASES
        for store in STORES
        if (found := [one for one in kills if (one.phase, one.store) == (phase, store)])
    ]
    rows.append(_row("all", "both", kills))
    lines = [f"| {' | '.join(row)} |" for row in (HEADS, ["---"] * len(HEADS), *rows)]
    return [*lines, *(f"broken, seed {one.seed}: {line}" for one in kills for line in one.broken)]


def _row(phase: str, store: str, kills: Sequence[Kill]) -> list[str]:
    lost = [line for one in kills for line in one.broken if "lost" in line]
    other = sum(len(one.broken) for one in kills) - len(lost)
    numbers = (
        len(kills),
        sum(one.hit for one in kills),
        *(sum(one.where == place for one in kills) for place in PLACES),
        sum(not one.hit for one in kills),
        sum(one.unknown for one in kills),
        sum(one.unknown_arrived for one in kills),
        len(lost),
        other,
    )
    return [phase, store, *map(str, numbers)]


def run_all(folder: Path) -> tuple[list[Kill], dict[str, Undisturbed], str]:
    """All kills, the undisturbed runs by store, and the version of PostgreSQL."""
    kills: list[Kill] = []
    with postgres_server() as server:
        grounds = {
            "sqlite": Ground(sqlite_copies(_made(folder / "sqlite")), folder / "sqlite"),
            "postgresql": Ground(postgres_copies(server), _made(folder / "postgresql")),
        }
        peace = {store: leave_in_peace(ground) for store, ground in grounds.items()}
        for seed in SEEDS:
            store = store_of(seed)
            for one in kill_until_hit(seed, grounds[store], peace[store]):
                kills.append(one)
                print(one.seed, store, one.phase, one.day, one.where, flush=True)  # noqa: T201 - progress
        return kills, peace, server.version


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def undisturbed(peace: dict[str, Undisturbed]) -> dict[str, str]:
    """What the runs that were left in peace took and wrote, in a line for each store."""
    return {store: _of_peace(store, peace[store]) for store in STORES if store in peace}


def _of_peace(store: str, one: Undisturbed) -> str:
    spans = ", ".join(
        f"{phase} {sum(s for (word, _), s in one.spans.items() if word == phase):.2f} s"
        for phase in PHASES
    )
    rows = ", ".join(f"{rows.total():,} {name}" for name, rows in one.picture.items())
    return (
        f"- {NAMES[store]}, undisturbed: {spans}; rows compared: {rows}; "
        f"{one.letters.total()} letters received."
    )


def told(
    kills: Sequence[Kill],
    peace: Iterable[str],
    *,
    seconds: float | None,
    version: str | None,
) -> list[str]:
    """All that the document says of the kills; without the seconds where others ran as well.

    ``peace`` are the lines of :func:`undisturbed`.
    """
    days = ", ".join(day.isoformat() for day in DAYS)
    took = "" if seconds is None else f" in {seconds:.0f} s"
    servers = f"SQLite {sqlite3.sqlite_version}, PostgreSQL {version or '18'}"
    head = (
        f"{len(kills)} kills{took} on {os.cpu_count()} cores; "
        f"Python {platform.python_version()}, {servers}; business days {days}."
    )
    return [head, "", *table(kills), "", *peace]


def write(lines: Iterable[str], document: Path = DOCUMENT) -> None:
    """Put the lines between the marks of the document."""
    text = document.read_text(encoding="utf-8")
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    document.write_text("\n".join((before + BEGIN, "", *lines, "", END + after)), encoding="utf-8")


def main() -> int:
    """Kill, print and write; 1 when anything is broken."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tiendo-kills-") as folder:
        kills, peace, version = run_all(Path(folder))
    peaceful = undisturbed(peace).values()
    lines = told(kills, peaceful, seconds=time.monotonic() - began, version=version)
    print("\n".join(lines))  # noqa: T201 - what it is for
    write(lines)
    return int(any(one.broken for one in kills))


if __name__ == "__main__":
    sys.exit(main())
