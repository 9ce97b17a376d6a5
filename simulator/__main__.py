"""``python -m simulator [LIVES [JOBS [FIRST [MINUTES]]]]``: live a thousand lives within an hour.

No life begins after MINUTES of the clock on the wall. What has come of them so far is written into
``docs/reliability.md`` every few lives: a run that is cut short is not lost.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from simulator.life import Asked
from simulator.lives import Summary, live_all, replay, seeds_from, silence
from simulator.report import lines, write

DEFAULTS = (1000, 2, 0, 60)
"""Lives, processes, the first seed, minutes."""
OFTEN = 5
"""Lives after which what came of them is written."""


def main(arguments: Sequence[str]) -> int:
    """Live, print and write; 1 when a promise broke, or not all were lived in time."""
    given = tuple(int(one) for one in arguments)
    count, jobs, first, minutes = given + DEFAULTS[len(given) :]
    asked = seeds_from(Asked(seed=first), count, mixed=True)
    return live_and_write(asked, jobs, minutes, partial(lines, jobs=jobs, asked=count), write)


def live_and_write(
    asked: Sequence[Asked],
    jobs: int,
    minutes: float,
    told: Callable[[Summary], Iterable[str]],
    put: Callable[[Iterable[str]], None],
) -> int:
    """Live them for so many minutes at most; ``told`` says what came of them, ``put`` keeps it."""
    silence()
    found = Summary()
    _say(f"{len(asked)} lives by {jobs} processes, within {minutes:g} minutes")
    for story in live_all(asked, jobs=jobs, until=time.monotonic() + 60 * minutes):
        found.add(story)
        if story.broken:
            _say(f"{replay(story.asked)}: {story.day}", *story.broken)
        if found.count % OFTEN == 0:
            put(told(found))
            _say(_progress(found, len(asked)))
    put(told(found))
    _say(*told(found), "", _progress(found, len(asked)))
    return int(bool(found.broken) or found.count < len(asked))


def _progress(found: Summary, asked: int) -> str:
    whole = found.seconds * asked / max(found.count, 1) / 60
    return (
        f"{found.count} of {asked} lives, {found.seconds / 60:.1f} minutes "
        f"({whole:.0f} for all at this pace), {len(found.broken)} broken"
    )


def _say(*words: str) -> None:
    sys.stdout.write("\n".join(words) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
