"""Writing answers: tables for people, or one JSON object a line for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from rules.events import plain

if TYPE_CHECKING:
    from rich.console import Console

WIDE = 160
"""Columns of a table that goes into a file or a pipe."""
ABSENT = "–"


def shown(day: date | None) -> str:
    """A date as people write it, ``31/3/2027``; a dash for none."""
    return ABSENT if day is None else f"{day.day}/{day.month}/{day.year}"


def shown_instant(at: datetime | None, time_zone: str) -> str:
    """An instant as people read it in ``time_zone``: ``8:05 31/3/2027``."""
    if at is None:
        return ABSENT
    from zoneinfo import ZoneInfo

    local = at.astimezone(ZoneInfo(time_zone))
    return f"{local:%H:%M} {local.day}/{local.month}/{local.year}"


@dataclass(frozen=True, slots=True)
class Output:
    """Where a command's answer goes. With ``as_json`` only :meth:`record` writes to stdout."""

    as_json: bool

    def record(self, fields: Mapping[str, object]) -> None:
        """One object of the documented contract, on a line of its own."""
        if self.as_json:
            print(json.dumps(plain(fields), ensure_ascii=False))

    def say(self, text: str) -> None:
        """A sentence for people."""
        if not self.as_json:
            print(text)

    def note(self, text: str) -> None:
        """A sentence beside the answer: progress, a warning."""
        print(text, file=sys.stderr)

    def table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        *,
        title: str | None = None,
        keep: Sequence[int] = (),
    ) -> None:
        """A table for people; columns in ``keep`` (by position) are never broken into lines."""
        if self.as_json:
            return
        from rich.table import Table
        from rich.text import Text

        made = Table(title=title, title_justify="left", show_lines=False, pad_edge=False)
        for position, name in enumerate(columns):
            made.add_column(name, no_wrap=position in keep, overflow="fold")
        for row in rows:
            made.add_row(*(Text(str(cell)) for cell in row))
        console().print(made)

    def fields(self, pairs: Iterable[tuple[str, object]], *, title: str | None = None) -> None:
        """Names and values below one another."""
        if self.as_json:
            return
        from rich.table import Table
        from rich.text import Text

        made = Table(title=title, title_justify="left", show_header=False, box=None, pad_edge=False)
        made.add_column(no_wrap=True)
        made.add_column(overflow="fold")
        for name, value in pairs:
            made.add_row(Text(name, style="dim"), Text(str(value)))
        console().print(made)


def console(*, stderr: bool = False) -> Console:
    """A console on the streams of now; wide where nobody looks at a terminal."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(file=stream, width=None if stream.isatty() else WIDE, highlight=False)


def agreed(question: str, *, already: bool) -> bool:
    """Ask a yes-or-no question on stderr; no answer means no."""
    if already:
        return True
    print(f"{question} [c/k]: ", end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline().strip().lower()
    return answer in {"c", "có", "co", "y", "yes"}
