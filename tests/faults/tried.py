"""What was tried and what came of it: one table for ``docs/reliability.md``.

Each test of a fault notes its tries; the table adds them up by fault and database, so that no
number in the document was ever typed by hand. With FAULTS_NOTES each try is kept in that file as
well, and ``python -m tests.faults.tried "how it was tried" FILE…`` writes the document from several
runs.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from tests.databases import STORES

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN: Final = "<!-- tried: written by make faults -->"
END: Final = "<!-- end of what was tried -->"
NAMES: Final = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
_HEADS: Final = (
    *("fault", "database", "tried", "what happened", "lost", "doubled", "longest recovery (s)"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """Some tries of one fault on one database.

    ``happened`` is a few words; ``seconds`` how long it took until work went on, None where
    nothing had to recover.
    """

    fault: str
    store: str
    times: int = 1
    happened: str
    lost: int = 0
    doubled: int = 0
    seconds: float | None = None


def keep(one: Tried) -> None:
    """Add a try to the file that FAULTS_NOTES names, if it names one."""
    if file := os.environ.get("FAULTS_NOTES"):
        with Path(file).open("a", encoding="utf-8") as notes:
            notes.write(json.dumps(asdict(one), ensure_ascii=False) + "\n")


def table(tried: Sequence[Tried]) -> list[str]:
    """The tries by fault and database as lines of Markdown; nothing when there were none."""
    if not tried:
        return []
    rows = [
        _row(fault, store, found)
        for fault in dict.fromkeys(one.fault for one in tried)
        for store in STORES
        if (found := [one for one in tried if (one.fault, one.store) == (fault, store)])
    ]
    total = sum(one.times for one in tried)
    lost, doubled = sum(one.lost for one in tried), sum(one.doubled for one in tried)
    rows.append(["all", "both", f"{total:,}", "", str(lost), str(doubled), ""])
    return [f"| {' | '.join(row)} |" for row in (_HEADS, ["---"] * len(_HEADS), *rows)]


def _row(fault: str, store: str, found: Sequence[Tried]) -> list[str]:
    happened: dict[str, int] = {}
    for one in found:
        happened[one.happened] = happened.get(one.happened, 0) + one.times
    said = "; ".join(
        f"{what}: {times}" if len(happened) > 1 else what for what, times in happened.items()
    )
    seconds = [one.seconds for one in found if one.seconds is not None]
    return [
        fault,
        NAMES[store],
        f"{sum(one.times for one in found):,}",
        said,
        str(sum(one.lost for one in found)),
        str(sum(one.doubled for one in found)),
        f"{max(seconds):.1f}" if seconds else "–",
    ]


def write(lines: Iterable[str], document: Path = DOCUMENT) -> None:
    """Put the lines between the marks of the document."""
    text = document.read_text(encoding="utf-8")
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    document.write_text("\n".join((before + BEGIN, "", *lines, "", END + after)), encoding="utf-8")


def main(arguments: Sequence[str]) -> None:
    """Write the document from the notes of several runs."""
    head, *files = arguments
    lines = [line for file in files for line in Path(file).read_text("utf-8").splitlines()]
    write([head, "", *table([Tried(**json.loads(line)) for line in lines])])


if __name__ == "__main__":
    main(sys.argv[1:])
