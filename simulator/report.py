"""The simulator's part of ``docs/reliability.md``, so that no number there was ever typed by hand."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from simulator.lives import Summary, replay

DOCUMENT = Path(__file__).parents[1] / "docs" / "reliability.md"
SQLITE = f"SQLite {sqlite3.sqlite_version}"
_BEGIN = "<!-- simulated{}: written by python -m {} -->"
_END = "<!-- end of what was simulated{} -->"


def lines(found: Summary, jobs: int, *, asked: int, store: str = SQLITE) -> list[str]:
    """What came of the lives of ``asked`` ones, in Markdown; ``store`` is what they were lived on."""
    lengths = ", ".join(f"{count} of {years} years" for years, count in sorted(found.lives.items()))
    done = Counter[str]()
    for name, count in found.done.items():
        done["runs" if name.startswith("run ") else name.rpartition(": ")[2]] += count
    acts = ", ".join(f"{count:,} {word}" for word, count in done.most_common() if word != "runs")
    head = (
        f"{found.count:,} lives of {asked:,} asked for ({lengths}), {found.days:,} days, {done['runs']:,} runs, "
        f"{found.events:,} events, {found.letters:,} letters taken, in {found.seconds:.0f} s by {jobs} "
        f"processes on {os.cpu_count()} cores ({_each(found)} s of a core for each simulated year); Python {platform.python_version()}, "
        f"{store}. What people did: {acts}."
    )
    return [
        head,
        "",
        *_table("fault injected", found.met),
        "",
        *_table("promise", found.checks, "looked at"),
        "",
        f"Lives in which a promise broke: {len(found.broken)}.",
        *(f"- `{replay(one.asked)}`, {one.day}: {one.broken[0]}" for one in found.broken),
    ]


def _each(found: Summary) -> str:
    years = sum(years * count for years, count in found.lives.items())
    return f"{found.cpu / max(years, 1):.1f}"


def _table(title: str, counts: Counter[str], how: str = "times") -> Iterable[str]:
    yield f"| {title} | {how} |"
    yield "| --- | --: |"
    for name, count in sorted(counts.items()):
        yield f"| {name.replace('_', ' ')} | {count:,} |"


def write(text: Iterable[str], *, document: Path = DOCUMENT, on_postgresql: bool = False) -> None:
    """Put the lines between their marks of the document."""
    where = (" on PostgreSQL", "tests.postgres_lives") if on_postgresql else ("", "simulator")
    begin, end = _BEGIN.format(*where), _END.format(where[0])
    whole = document.read_text(encoding="utf-8")
    if begin not in whole or end not in whole:
        raise ValueError(f"{document} has no place for lives: {begin} ... {end}")
    before, after = whole.partition(begin)[0], whole.partition(end)[2]
    document.write_text("\n".join((before + begin, "", *text, "", end + after)), encoding="utf-8")
