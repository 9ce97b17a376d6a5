"""What one run of the fault tests gathers for ``docs/reliability.md``, also over several processes.

With ``-n`` each process of the tests hands over what it has when it ends, and the first one writes.
"""

from __future__ import annotations

import json
import os
import platform
import sqlite3
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

from tests.faults import report, tried
from tests.faults.kills import Kill
from tests.faults.tried import Tried


@dataclass(slots=True)
class Gathered:
    """Kills of the worker, the lines about its undisturbed runs by store, and every other try."""

    kills: list[Kill] = field(default_factory=list)
    peace: dict[str, str] = field(default_factory=dict)
    tried: list[Tried] = field(default_factory=list)
    version: str | None = None
    """PostgreSQL's."""

    @property
    def processes_killed(self) -> int:
        """All that were killed: workers, and portals, sealers, runs and servers among the tries."""
        others = sum(one.times for one in self.tried if " killed" in f" {one.fault}")
        return len(self.kills) + others

    def packed(self) -> str:
        """As text for another process."""
        return json.dumps(asdict(self), default=date.isoformat)

    def take(self, packed: str) -> None:
        """Add what another process gathered."""
        other = json.loads(packed)
        for one in other["kills"]:
            self.kills.append(Kill(**{**one, "day": date.fromisoformat(one["day"])}))
        self.peace |= other["peace"]
        self.tried += [Tried(**one) for one in other["tried"]]
        self.version = self.version or other["version"]

    def tables(self) -> Iterable[str]:
        """Both tables, for whoever looks at the terminal."""
        return (*report.table(self.kills), *tried.table(self.tried))

    def write(self, document: Path, *, seconds: float, processes: int, failed: int) -> None:
        """Put what was gathered between the marks of the document."""
        at_once = f", {processes} tests at a time" if processes > 1 else ""
        head = (
            f"Tried in {seconds / 60:.0f} minutes on {os.cpu_count()} cores{at_once}; Python "
            f"{platform.python_version()}, SQLite {sqlite3.sqlite_version}, PostgreSQL "
            f"{self.version}. {self.processes_killed} processes were killed, the workers of the "
            f"table above among them. {failed} tests failed."
        )
        tried.write([head, "", *tried.table(self.tried)], document)
        if self.kills:
            peace = [self.peace[store] for store in sorted(self.peace, reverse=True)]
            told = report.told(self.kills, peace, seconds=None, version=self.version)
            report.write(told, document)
