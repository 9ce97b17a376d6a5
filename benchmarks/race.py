"""Two ways of doing the same, turn by turn, each in a process of its own.

A way is a generator: what it does before its first ``yield`` prepares, and each ``next`` after that
is one turn and is timed. The turns alternate, so that a busy neighbour slows both sides alike.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.ratios import Spent, spent

Way = Callable[..., Iterator[object]]
Entry = tuple[Way, Sequence[Any]]
"""A way and what it is called with; both go to another process."""


def whole(turns: Sequence[Spent]) -> Spent:
    """What several turns cost together."""
    return Spent(
        seconds=sum(one.seconds for one in turns),
        cpu=sum(one.cpu for one in turns),
        peak=max(one.peak for one in turns),
        grown=max(one.grown for one in turns),
    )


def race(ways: Mapping[str, Entry], turns: int) -> dict[str, list[Spent]]:
    """Let every way take ``turns`` turns in changing order; what each turn cost, by name."""
    taken: dict[str, list[Spent]] = {name: [] for name in ways}
    with ExitStack() as stack:
        sides = {name: stack.enter_context(_side(*entry)) for name, entry in ways.items()}
        for turn in range(turns):
            for name in list(sides) if turn % 2 == 0 else list(reversed(sides)):
                sides[name].send("turn")
                taken[name].append(sides[name].recv())
    return taken


def together(ways: Sequence[Entry]) -> float:
    """Let all ways take one turn at the same time; the seconds until the last was done."""
    with ExitStack() as stack:
        sides = [stack.enter_context(_side(*entry)) for entry in ways]
        began = time.perf_counter()
        for side in sides:
            side.send("turn")
        for side in sides:
            side.recv()
        return time.perf_counter() - began


@contextmanager
def _side(way: Way, args: Sequence[Any]) -> Iterator[Connection]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, way, args))
    process.start()
    theirs.close()
    try:
        ours.recv()  # prepared
        yield ours
    finally:
        ours.close()
        process.join(60)
        if process.is_alive():
            process.kill()


def _work(told: Connection, way: Way, args: Sequence[Any]) -> None:
    turns = way(*args)
    next(turns)
    told.send("ready")
    try:
        while told.recv():
            with spent() as found:
                next(turns)
            told.send(found)
    except (EOFError, BrokenPipeError):
        pass  # the other side has seen enough
