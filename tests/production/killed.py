"""A worker killed in the middle of a national run: what is left, beside a run left in peace.

The same two days are lived twice from one database, by the units of the machine: once undisturbed,
once with all processes of a worker killed (SIGKILL) while they were in transactions, and again
while letters were on their way. What was cut is asked for once more, as the next morning would.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.production.guide import HOUSE
from tests.production.machine import Machine

TRIAL = "/var/lib/tiendo/trial"
ASKED = ("tests/faults/pictures.py", "tests/production/inside.py")
OPENING, REMINDING = "2027-03-01", "2027-03-10"
"""Days on which much opens, and on which first letters go."""
ITEMS, DELIVERY = "flows.items.", "flows.mail.delivery"
ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
LETTERS = "/root/letters.jsonl"
PATIENCE = 1800.0


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

    def prepare(self) -> None:
        """Put what asks inside into the machine, and keep the database as it is now."""
        for name in ASKED:
            path = f"{TRIAL}/{name}"
            self.machine.type(f"mkdir -p {path.rpartition('/')[0]}")
            self.machine.write(path, (HOUSE / name).read_bytes())
        self.machine.type(f"chown -R tiendo:tiendo {TRIAL}")
        self._without_sessions("createdb --owner tiendo_owner --template tiendo tiendo_before")

    def again(self) -> None:
        """The database as :meth:`prepare` found it, and nobody's letters yet."""
        self._without_sessions(
            "dropdb tiendo", "createdb --owner tiendo_owner --template tiendo_before tiendo"
        )
        self.machine.type(f": > {LETTERS}")

    def _without_sessions(self, *commands: str) -> None:
        units = "'tiendo-portal@*' 'tiendo-worker@*'"
        typed = "\n".join(f"runuser -u postgres -- {one}" for one in commands)
        names = "tiendo-portal@8718 tiendo-portal@8719 tiendo-worker@1 tiendo-worker@2"
        self.machine.type(f"systemctl stop {units}\ncd /\n{typed}\nsystemctl start {names}")

    def inside(self, *words: str) -> Any:
        """Ask :mod:`tests.production.inside`."""
        command = (
            f"cd {TRIAL}; runuser -u tiendo -- env TIENDO_ENV_FILE=/etc/tiendo/tiendo.env"
            f" /opt/tiendo/.venv/bin/python -m tests.production.inside {' '.join(words)}"
        )
        return json.loads(self.machine.type(command).splitlines()[-1])

    def settled(self, ids: list[str], *, but: int = 0) -> dict[str, str]:
        """The states of the runs when all but so many have ended."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            states: dict[str, str] = self.inside("states", *ids)
            if sum(one in ENDED for one in states.values()) >= len(ids) - but:
                return states
            time.sleep(2)
        raise TimeoutError(f"runs do not end: {Counter(states.values())}")

    def day(self, prefix: str, day: str) -> None:
        """Ask for a day's runs and wait for their end."""
        began = time.monotonic()
        ids = self.inside("ask", prefix, day)
        states = Counter(self.settled(ids).values())
        self.told.say(f"{day} {prefix}: {dict(states)} in {time.monotonic() - began:.0f} s")

    def peace(self) -> None:
        """Both days undisturbed."""
        self.day(ITEMS, OPENING)
        self.day(ITEMS, REMINDING)
        self.day(DELIVERY, REMINDING)
        self.inside("picture", f"{TRIAL}/peace.json")
        self.machine.type(f"cp {LETTERS} /root/peace.jsonl")

    def disturbed(self) -> None:
        """Both days, each with a worker killed; what was cut is asked for again."""
        self._cut(ITEMS, OPENING, self._transactions)
        self.day(ITEMS, REMINDING)
        self._cut(DELIVERY, REMINDING, self._letters)
        self.inside("picture", f"{TRIAL}/killed.json")

    def _transactions(self) -> bool:
        """Whether a worker's transaction has been writing for a while."""
        query = (
            "SELECT count(*) FROM pg_stat_activity WHERE usename = 'tiendo_app'"
            " AND backend_xid IS NOT NULL AND clock_timestamp() - xact_start > interval '0.5 s'"
        )
        return int(self._sql(query)) > 0

    def _letters(self) -> bool:
        """Whether letters are on their way."""
        return int(self.machine.type(f"wc -l < {LETTERS}")) > 200

    def _sql(self, query: str) -> str:
        return self.machine.type(f'cd /; runuser -u postgres -- psql -At -c "{query}"').strip()

    def _cut(self, prefix: str, day: str, moment: Any) -> None:
        ids = self.inside("ask", prefix, day)
        while not moment():
            time.sleep(0.3)
        taken = self._busy()
        at_work = self._sql(
            "SELECT count(*) FROM pg_stat_activity WHERE usename = 'tiendo_app'"
            " AND backend_xid IS NOT NULL"
        )
        self.machine.type(f"systemctl kill --signal=SIGKILL {taken}")
        killed = time.monotonic()
        cut = self._silent(ids)
        self.told.say(f"{day} {prefix}: {taken} killed, {at_work} transactions open, {cut} cut")
        states = self.settled(ids)
        self.told.say(
            f"all ended {time.monotonic() - killed:.0f} s after the kill: {dict(Counter(states.values()))}"
        )
        self.day(prefix, day)

    def _busy(self) -> str:
        """The worker's unit with the most processes."""
        count = "systemctl show --property=TasksCurrent --value tiendo-worker@"
        tasks = {n: int(self.machine.type(f"{count}{n}")) for n in (1, 2)}
        return f"tiendo-worker@{max(tasks, key=lambda n: tasks[n])}"

    def _silent(self, ids: list[str]) -> int:
        """How many runs have nobody any more; the others are waited for."""
        before: dict[str, str] = {}
        while True:
            states = self.inside("states", *ids)
            if states == before and "SCHEDULED" not in states.values():
                return sum(one not in ENDED or one == "CRASHED" for one in states.values())
            before = states
            time.sleep(20)

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
