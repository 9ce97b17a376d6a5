"""``python -m simulator [LIVES [JOBS [FIRST]]]``: live a thousand lives and write what came of them.

What has come of them so far is written every few lives: a run that is cut short is not lost.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from simulator.life import Asked
from simulator.lives import Summary, live_all, replay, seeds_from, silence
from simulator.report import lines, write


def main(arguments: Sequence[str]) -> int:
    """Live, print and write; 1 when a promise broke."""
    count, jobs, first = (int(one) for one in (*arguments, *("1000", "2", "0")[len(arguments) :]))
    silence()
    found = Summary()
    for story in live_all(seeds_from(Asked(seed=first), count, mixed=True), jobs=jobs):
        found.add(story)
        lived = sum(found.lives.values())
        if story.broken:
            _say(f"{replay(story.asked)}: {story.day}", *story.broken)
        elif lived % 5 == 0:
            write(lines(found, jobs))
            _say(f"{lived} of {count} lives, {found.seconds:.0f} s, {len(found.broken)} broken")
    text = lines(found, jobs)
    _say("\n".join(text))
    write(text)
    return int(bool(found.broken))


def _say(*words: str) -> None:
    sys.stdout.write("\n".join(words) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
