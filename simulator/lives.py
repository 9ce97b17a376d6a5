"""Many lives, in several processes, and what came of them all."""

from __future__ import annotations

import itertools
import logging
import math
import multiprocessing
import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import structlog

from simulator.life import Asked, Life, Story

LENGTHS = {1: 95, 2: 3, 4: 1, 8: 1}
"""Years of a life to how many of a hundred have them, where lengths are drawn."""


def draw_years(seed: int) -> int:
    """How long the life of ``seed`` is, where lengths are drawn."""
    chance = random.Random(f"years {seed}")  # noqa: S311 - a seed is the point of it
    return chance.choices(list(LENGTHS), list(LENGTHS.values()))[0]


def seeds_from(first: Asked, lives: int, *, mixed: bool = False) -> list[Asked]:
    """``lives`` lives from the seed of ``first`` on; ``mixed`` draws their lengths."""
    found = [replace(first, seed=first.seed + n) for n in range(lives)]
    return [replace(one, years=draw_years(one.seed)) for one in found] if mixed else found


def silence() -> None:
    """Say nothing of what the engine reports in a life: its troubles are drawn."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)


@contextmanager
def silenced() -> Iterator[None]:
    """The same for a while, in a process that has other things to do."""
    before, level = structlog.get_config(), logging.root.manager.disable
    silence()
    try:
        yield
    finally:
        structlog.configure(**before)
        logging.disable(level)


def live(asked: Asked) -> Story:
    """One life in this process."""
    began = time.process_time()
    story = Life(asked).live()
    story.cpu = time.process_time() - began
    return story


def live_all(asked: Iterable[Asked], *, jobs: int = 1, until: float = math.inf) -> Iterator[Story]:
    """All lives, as they end; in the order asked for with one job.

    None begins after ``until`` (of ``time.monotonic``); what has begun is lived to its end.
    """
    waiting = itertools.takewhile(lambda _: time.monotonic() < until, asked)
    if jobs <= 1:
        yield from map(live, waiting)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=silence) as pool:
        living = {pool.submit(live, one) for one in itertools.islice(waiting, jobs)}
        while living:
            ended, living = wait(living, return_when=FIRST_COMPLETED)
            living |= {pool.submit(live, one) for one in itertools.islice(waiting, len(ended))}
            yield from (one.result() for one in ended)


@dataclass(slots=True)
class Summary:
    """What came of lives, added up. ``seconds`` are by the clock on the wall."""

    lives: Counter[int] = field(default_factory=Counter)
    """By their years."""
    days: int = 0
    events: int = 0
    letters: int = 0
    met: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    checks: Counter[str] = field(default_factory=Counter)
    broken: list[Story] = field(default_factory=list)
    cpu: float = 0
    """Seconds of cores, added up."""
    began: float = field(default_factory=time.monotonic)

    def add(self, story: Story) -> None:
        """Count a life."""
        self.lives[story.asked.years] += 1
        self.days += story.days
        self.events += story.events
        self.letters += story.letters
        self.met += story.met
        self.done += story.done
        self.checks += story.checks
        self.cpu += story.cpu
        if story.broken:
            self.broken.append(story)

    @property
    def count(self) -> int:
        """How many lives."""
        return sum(self.lives.values())

    @property
    def seconds(self) -> float:
        """Since the first life began."""
        return time.monotonic() - self.began


def replay(asked: Asked) -> str:
    """The command that lives this life again."""
    end = "" if asked.database == "sqlite://" else " --database URL"
    return (
        f"tiendo simulate --seed {asked.seed} --years {asked.years} "
        f"--agencies {asked.agencies}{end}"
    )
