"""One life: some years of the engine, day by day, everything drawn from one seed.

Days on which nothing is owed, nothing waits and nobody acts are passed over: a run does nothing
then, which some idle days are drawn to prove.
"""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from sqlalchemy.exc import OperationalError

from operations.errors import Refused
from operations.links import LinkRefused
from rules.lifecycle import ActionNotAllowed
from rules.timeliness import FutureDate
from rules.workdays import OutsideHorizon
from simulator import deeds, runs, town
from simulator.agency_deeds import SECRET
from simulator.clock import SimulatedClock
from simulator.fate import Fate, MortalDatabase, Place
from simulator.mail import MailServer
from simulator.probe import Probe
from simulator.scene import Memory, NothingToDo, Scene, ShouldHaveBeenRefused
from simulator.telling import history_digest, unforeseen
from simulator.watch import Broken, Watch

REFUSALS = (Refused, ActionNotAllowed, FutureDate, LinkRefused, OutsideHorizon)
"""What people are told; everything else that goes wrong in an act is ours."""
LAST_YEAR = 2030
"""Of the plan: a life ends there at the latest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which life to live."""

    seed: int
    years: int = 8
    agencies: int = 12
    database: str = "sqlite://"
    days: int | None = None
    """Ends the life after so many days; None lives all its years."""


@dataclass(slots=True, kw_only=True)
class Story:
    """What came of a life."""

    asked: Asked
    days: int = 0
    """Simulated days, passed over ones included."""
    events: int = 0
    letters: int = 0
    met: Counter[str] = field(default_factory=Counter)
    """Faults by kind."""
    done: Counter[str] = field(default_factory=Counter)
    """Acts and runs by name."""
    checks: Counter[str] = field(default_factory=Counter)
    """How often each promise was looked at."""
    digest: str = ""
    """Of the whole history: equal for equal seeds."""
    broken: list[str] = field(default_factory=list)
    day: date | None = None
    """On which it broke."""
    cpu: float = 0
    """Seconds of one core that it took; not those of a PostgreSQL server."""


class Life:
    """A town, its people, its runs and its mail server."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.story = Story(asked=asked)
        self.chance = chance = random.Random(asked.seed)  # noqa: S311 - a seed is the point of it
        years = min(asked.years, LAST_YEAR - 2022)
        first = chance.randint(2023, LAST_YEAR + 1 - years)
        self.last = date(first + years - 1, 12, 31)
        self.days = asked.days or 366 * years
        late = chance.random() < 0.2 and years > 1
        self.start = date(first, chance.randint(1, 12), 15) if late else date(first, 1, 1)
        self.clock = SimulatedClock(datetime.combine(self.start, time(), UTC))
        self.fate = Fate(chance, deaths=chance.choice((0.01, 0.03, 0.15)), met=self.story.met)
        self.server = MailServer(
            random=chance,
            clock=self.clock,
            met=self.story.met,
            moment=lambda: self.fate.moment(Place.MAIL),
            between=self._between,
            process=lambda: self.fate.now,
            trouble=chance.choice((0.002, 0.01, 0.06)),
        )
        self.database = MortalDatabase(asked.database, self.fate)
        self.catalog = town.draw_catalog(chance, agencies=asked.agencies)
        self.folder = tempfile.TemporaryDirectory(prefix="tiendo-life-")
        self.memory = Memory(plan=self.catalog.plan.key)
        self.runtime = runs.SimulatedRuntime(
            settings=runs.settings(Path(self.folder.name)),
            database=self.database,
            clock=self.clock,
            link_secret=SECRET,
            server=self.server,
            fate=self.fate,
        )
        self.outage = self.away = self.silence = date.min
        self.number = 0

    def live(self) -> Story:
        """Live it to its end, or to the first promise that breaks."""
        day = self.start
        try:
            town.prepare(self.database)
            runs.make_key(self.runtime, self.chance)
            with self.database.write() as session:
                town.settle(session, self.chance, self.catalog, start=self.start)
            self.probe = Probe(self.database, self.memory.plan)
            self.watch = Watch(
                self.database, self.server, self.clock, self.chance, self.story.checks
            )
            while day <= self.last and self.story.days < self.days:
                self.story.day = day
                self._day(day)
                day += timedelta(days=1)
                self.story.days += 1
            self._finish()
            self.watch.whole(self.runtime)
            self.story.day = None
        except Broken as broken:
            self.story.broken = broken.lines
        except Exception as error:  # noqa: BLE001 - whatever nobody foresaw is what is looked for
            self.story.broken = unforeseen(error)
        finally:
            self._close()
        return self.story

    def _finish(self) -> None:
        """One more run of everything, until it comes to its end: nothing may be missing then."""
        for name in ("open", "sweep", "seal"):
            while not self._run(name):
                self.clock.wait(timedelta(minutes=1))

    def _close(self) -> None:
        with self.database.read() as session:
            self.story.digest, self.story.events = history_digest(session)
        self.story.letters = len(self.server.taken)
        self.database.close()
        self.folder.cleanup()

    def _day(self, day: date) -> None:
        chance = self.chance
        self._weather(day)
        self.probe.look()
        self.clock.set(day, time(1))
        working = self.probe.calendar.is_working(day)
        acts = self._acts(working=working)
        runs_go = day > self.outage
        needed = runs_go and self.probe.wants_a_run(day)
        wanted = needed and chance.random() < 0.4
        idle = runs_go and not needed and chance.random() < 0.02
        if not (wanted or idle or acts):
            if day.day == 1:
                self.watch.month()
            return
        if wanted or idle:
            before = self.watch.letters()
            self._morning(day, idle=idle)
            if idle and self.watch.letters() != before:
                raise Broken(["an idle day was not idle: the simulator passes over work"])
        for at in sorted(chance.randint(8 * 60, 17 * 60) for _ in range(acts)):
            self.clock.set(day, time(at // 60, at % 60))
            self._act()
        if runs_go and acts and chance.random() < 0.3:
            self._run("delivery")
        self.watch.day(day)
        if day.day == 1:
            self.watch.month()

    def _weather(self, day: date) -> None:
        """Outages, absences and a mail server that is down, for days or weeks."""
        chance = self.chance
        if chance.random() < 0.004:
            self.outage = day + timedelta(days=chance.choice((1, 2, 5, 21)))
            self.story.met["runs missed, for days"] += 1
        if chance.random() < 0.004:
            self.away = day + timedelta(days=chance.choice((3, 10, 30)))
            self.story.met["coordinator away"] += 1
        if chance.random() < 0.006:
            self.silence = day + timedelta(days=chance.choice((0, 1, 4)))
            self.story.met["mail server down, for days"] += 1
        if chance.random() < 0.004 and self.server.newest:
            gone = chance.choice(sorted(self.server.newest))
            self.server.gone.add(gone)
            self.story.met["mailbox closed"] += 1
        self.server.down = day <= self.silence

    def _acts(self, *, working: bool) -> int:
        often = 0.8 if working else 0.05
        count = 0
        while self.chance.random() < often / (1 + often):
            count += 1
        return count

    def _morning(self, day: date, *, idle: bool) -> None:
        """The runs of a day, some of them missed, repeated, or in each other's way."""
        chance = self.chance
        if not idle and chance.random() < 0.03:
            self._run("nightly")
        self.clock.set(day, time(5, 30))
        if self.probe.settles(day) and chance.random() < 0.8:
            self._run("open")
        for one in self.probe.items_to_run(day, chance):
            if chance.random() < 0.95:
                self._run("item", one)
        self.clock.set(day, time(7, 15))
        if day == self.probe.calendar.first_working_of_week(day) and chance.random() < 0.95:
            self._run("summary")
        self.clock.set(day, time(7, 30))
        if chance.random() < 0.95:
            self._run("delivery")
        if chance.random() < 0.05:
            self._again()
        if chance.random() < 0.3:
            self._run("seal")
        while chance.random() < 0.15:
            self.clock.wait(timedelta(minutes=15))
            self._run("delivery")

    def _again(self) -> None:
        """The same sweep twice in a row: the second finds nothing left to say (28)."""
        first = self._run("sweep")
        second = self._run("sweep") if first else False
        if second:
            self.watch.nothing_left()

    def _run(self, name: str, item: str | None = None) -> bool:
        """One run, which may die or fail; whether it came to its end."""
        self.number += 1
        run, whole = f"run-{self.number}", False
        with self.fate.process(f"{name}"):
            try:
                self._do(name, item, run)
                whole = True
            except OperationalError:
                pass
        self.story.done[f"run {name}"] += 1
        return whole

    def _do(self, name: str, item: str | None, run: str) -> None:
        if name == "item" and item is not None:
            flow = next(one for one in self.probe.flows if one.item.key == item)
            runs.run_item(self.runtime, flow, run)
        elif name == "open":
            runs.run_opening(self.runtime, run)
        elif name == "summary":
            runs.run_summary(self.runtime, run)
        elif name == "nightly":
            runs.run_nightly(self.runtime, run)
        elif name == "seal":
            runs.run_seal(self.runtime, run)
        elif name == "sweep":
            runs.run_sweep(self.runtime, run)
        else:
            runs.run_delivery(self.runtime, run)

    def _act(self) -> None:
        """Somebody does something; what must be refused is refused."""
        one = deeds.draw(self.chance, away=self.clock.day <= self.away)
        outcome = "died"
        with self.fate.process("act"):
            outcome = self._try(one)
        self.story.done[f"{one.name}: {outcome}"] += 1

    def _try(self, one: deeds.Deed) -> str:
        try:
            with self.database.write() as session:
                scene = Scene(
                    session,
                    self.chance,
                    self.memory,
                    now=self.clock.now,
                    day=self.clock.day,
                    link_in=self.server.link_in,
                )
                one.act(scene)
                if one.wrong:
                    raise ShouldHaveBeenRefused(one.name)
        except NothingToDo:
            return "nothing to do"
        except REFUSALS:
            return "refused"
        except OperationalError:
            return "failed"
        except ShouldHaveBeenRefused:
            raise Broken([f"what must be refused was done: {one.name}"]) from None
        return "done"

    def _between(self) -> None:
        """While a letter is under way, others work as well."""
        if self.fate.depth != 1 or self.chance.random() > 0.03:
            return
        self.story.met["runs that overlap"] += 1
        kind = self.chance.choice(("act", "act", "delivery", "sweep", "open", "seal"))
        if kind == "act":
            self._act()
        else:
            self._run(kind)


__all__ = ["Asked", "Life", "Story"]
