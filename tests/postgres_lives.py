"""``python -m tests.postgres_lives [LIVES [JOBS [FIRST [MINUTES]]]]``: lives of a year on PostgreSQL.

On a server of its own, each life in a database of its own; written into ``docs/reliability.md``.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial

from simulator.__main__ import live_and_write
from simulator.life import Asked
from simulator.report import lines, write
from tests.databases import postgres_server, prepare_template

DEFAULTS = (20, 2, 0, 10)
"""Lives, processes, the first seed, minutes."""


def main(arguments: Sequence[str]) -> int:
    """Live, print and write; 1 when a promise broke, or not all were lived in time."""
    given = tuple(int(one) for one in arguments)
    count, jobs, first, minutes = given + DEFAULTS[len(given) :]
    with postgres_server() as server:
        prepare_template(server.create("empty"))
        asked = [
            Asked(seed=seed, years=1, database=server.create(f"life_{seed}", template="empty"))
            for seed in range(first, first + count)
        ]
        told = partial(lines, jobs=jobs, asked=count, store=f"PostgreSQL {server.version}")
        return live_and_write(asked, jobs, minutes, told, partial(write, on_postgresql=True))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
