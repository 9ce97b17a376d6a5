"""A worker killed in the middle of a national run: what is left, beside a run left in peace.

The same day is lived twice from one database, by the units of the machine: once undisturbed, once
with all processes of a worker killed (SIGKILL) while they were in transactions, and again while
letters were on their way. What was cut is asked for once more, as the next morning would.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.__main__ import widened
from tasks_catalog.export import export_plan
from tests.production.guide import HOUSE
from tests.production.machine import Machine

TRIAL, CATALOG = "/var/lib/tiendo/trial", "/var/lib/tiendo/nation"
ASKED = (
    "tests/crawler.py",
    "tests/faults/pictures.py",
    "tests/production/inside.py",
    "tests/production/walk.py",
)
DAY = "2027-03-10"
"""Much has opened by then that was not there before, and first letters go."""
ITEMS, DELIVERY = "flows.items.", "flows.mail.delivery"
POSTGRES = "runuser -u postgres --"
ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
LETTERS = "/root/letters.jsonl"
WORKERS = ("tiendo-worker@1", "tiendo-worker@2")
LETTERS_GONE = 200
PAUSE = 5.0
"""Seconds between two looks at the runs: every look is a process."""
PATIENCE = 1800.0
"""Seconds in which every run has an end; dead ones want three minutes."""


@dataclass
class Told:
    """What was seen, in the words of the report."""

    lines: list[str] = field(default_factory=list)

    def say(self, line: str) -> None:
        """Note it, and let whoever waits read it."""
        self.lines.append(line)
        print(line, flush=True)  # noqa: T201 - a report


@dataclass
class National:
    """The trial on a machine whose database ``tiendo`` holds a plan with thousands of agencies."""

    machine: Machine
    told: Told = field(default_factory=Told)

    def bring(self) -> None:
        """Put what asks inside into the machine."""
        for name in ASKED:
            path = f"{TRIAL}/{name}"
            self.machine.type(f"mkdir -p {path.rpartition('/')[0]}")
            self.machine.write(path, (HOUSE / name).read_bytes())
        self.machine.type(f"chown -R tiendo:tiendo {TRIAL}")

    def nation(self, agencies: int) -> None:
        """A database of its own, in which so many communes are added to the shipped ones."""
        one = widened(agencies)
        with TemporaryDirectory() as folder:
            plan = Path(folder) / one.plan.key
            export_plan(one.plan, one.directory, plan, Path(folder) / "agencies")
            shutil.copy(HOUSE / "tasks_catalog" / "days_off.yaml", folder)
            files = subprocess.run(["tar", "-c", "."], cwd=folder, stdout=PIPE, check=True).stdout
        self.machine.type(f"mkdir -p {CATALOG}")
        self.machine.pipe(["tar", "-x", "-C", CATALOG], files)
        self.machine.type(
            f"chown -R tiendo:tiendo {CATALOG}\n"
            f"echo TIENDO_PLAN_FOLDERS={CATALOG}/{one.plan.key} >> /etc/tiendo/tiendo.env"
        )
        self._without_sessions(
            f"{POSTGRES} psql -c 'ALTER DATABASE tiendo RENAME TO tiendo_province'",
            f"{POSTGRES} createdb --owner tiendo_owner tiendo",
            "tiendo-owner database upgrade",
            "tiendo database roles --worker tiendo_app --owner tiendo_owner"
            f" | {POSTGRES} psql -v ON_ERROR_STOP=1 tiendo",
            "tiendo open",
        )

    def prepare(self) -> None:
        """Keep the database as it is now, once nothing asked for before is under way; no letters."""
        until = time.monotonic() + PATIENCE
        while left := self.inside("alone"):
            if time.monotonic() > until:
                raise TimeoutError(f"runs from before do not end: {left}")
            time.sleep(PAUSE)
        self._without_sessions(
            f"{POSTGRES} createdb --owner tiendo_owner --template tiendo tiendo_before"
        )
        self._forget_letters()

    def again(self) -> None:
        """The database as :meth:`prepare` found it, and nobody's letters yet."""
        self._without_sessions(
            f"{POSTGRES} dropdb tiendo",
            f"{POSTGRES} createdb --owner tiendo_owner --template tiendo_before tiendo",
        )
        self._forget_letters()

    def _forget_letters(self) -> None:
        self.machine.type(f": > {LETTERS}")

    def _without_sessions(self, *commands: str) -> None:
        units = " ".join(("tiendo-portal@8718", "tiendo-portal@8719", *WORKERS))
        typed = (f"systemctl stop {units}", "cd /", *commands, f"systemctl start {units}")
        self.machine.type("\n".join(typed))

    def inside(self, *words: str, module: str = "inside") -> Any:
        """Ask :mod:`tests.production.inside`, or another module that is there."""
        command = (
            f"cd {TRIAL}; runuser -u tiendo -- env TIENDO_ENV_FILE=/etc/tiendo/tiendo.env"
            f" /opt/tiendo/.venv/bin/python -m tests.production.{module} {' '.join(words)}"
        )
        return json.loads(self.machine.type(command).splitlines()[-1])

    def settled(self, ids: list[str]) -> dict[str, str]:
        """The states of the runs when all have ended."""
        until = time.monotonic() + PATIENCE
        states: dict[str, str] = {}
        while time.monotonic() < until:
            states = self.inside("states", *ids)
            if sum(one in ENDED for one in states.values()) == len(ids):
                return states
            time.sleep(PAUSE)
        raise TimeoutError(f"runs do not end: {Counter(states.values())}")

    def runs(self, prefix: str, day: str = DAY) -> None:
        """Ask for the runs of these flows and wait for their end."""
        began = time.monotonic()
        self._ended(prefix, self.inside("ask", prefix, day), began)

    def _ended(self, what: str, ids: list[str], began: float) -> None:
        states = Counter(self.settled(ids).values())
        self.told.say(f"{what} {dict(states)} after {time.monotonic() - began:.0f} s")

    def peace(self) -> None:
        """The day undisturbed."""
        self.runs(ITEMS)
        self.runs(DELIVERY)
        self.inside("picture", f"{TRIAL}/peace.json")
        self.machine.type(f"cp {LETTERS} /root/peace.jsonl")

    def disturbed(self) -> None:
        """The day with a worker killed twice; what was cut is asked for again."""
        self._cut(ITEMS, self._writing)
        self._cut(DELIVERY, self._sending)
        self.inside("picture", f"{TRIAL}/killed.json")

    def _writing(self) -> str:
        """The worker whose transaction has been writing for a while; empty while none is."""
        port = self._sql(
            "SELECT client_port FROM pg_stat_activity WHERE usename = 'tiendo_app'"
            " AND backend_xid IS NOT NULL AND clock_timestamp() - xact_start > interval '1 s' LIMIT 1"
        )
        return self._worker_of(port) if port else ""

    def _sending(self) -> str:
        """The worker that sends letters, once some have gone."""
        if int(self.machine.type(f"wc -l < {LETTERS}")) < LETTERS_GONE:
            return ""
        mail = self.machine.type("ss -Htn state established 'dport = :587'").split()
        return self._worker_of(mail[2].rpartition(":")[2]) if mail else ""

    def _worker_of(self, port: str) -> str:
        """The unit that holds a connection from this port of its own."""
        said = self.machine.type(
            f"pid=$(ss -Htnp state established 'sport = :{port}'"
            " | grep -o 'pid=[0-9]*' | head -n 1 | cut -d= -f2)\ncat /proc/$pid/cgroup",
            standing=False,
        )
        return next((unit for unit in WORKERS if unit in said), "")

    def _sql(self, query: str) -> str:
        return self.machine.type(f'cd /; runuser -u postgres -- psql -At -c "{query}"').strip()

    def _cut(self, prefix: str, moment: Callable[[], str]) -> None:
        ids: list[str] = self.inside("ask", prefix, DAY)
        while not (taken := moment()):
            time.sleep(0.2)
        self.machine.type(f"systemctl kill --signal=SIGKILL {taken}")
        killed = time.monotonic()
        self.told.say(f"{prefix} {taken} killed")
        self._ended(f"{prefix} since the kill:", ids, killed)
        cut = [one for one, state in self.inside("states", *ids).items() if state == "CRASHED"]
        self.told.say(f"{prefix} {len(cut)} cut, asked for again")
        self._ended(f"{prefix} again:", self.inside("again", DAY, *cut), time.monotonic())

    def verdict(self) -> bool:
        """Compare; whether nothing is missing and nothing is there twice."""
        found = self.inside("differences", f"{TRIAL}/peace.json", f"{TRIAL}/killed.json")
        peace = self._received("/root/peace.jsonl")
        killed = self._received(LETTERS)
        unknown = len(found["unknown"])
        lost, twice = peace - killed, [one for one, n in killed.items() if n > 1]
        self.told.say(f"rows: {found['rows']}, differences: {found['differences']}")
        for line in found["some"]:
            self.told.say(f"  {line}")
        self.told.say(
            f"letters: {peace.total()} in peace, {killed.total()} killed, {lost.total()} of them"
            f" lost, {len(twice)} twice; {unknown} are “không rõ”"
        )
        return not found["differences"] and not twice and lost.total() <= unknown

    def _received(self, file: str) -> Counter[str]:
        lines = self.machine.type(f"cat {file}").splitlines()
        return Counter(json.loads(line)["id"] for line in lines)
