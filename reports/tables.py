"""A list as people read it: one value behind the page and behind the spreadsheet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

Value = str | int | date | datetime | None
"""What stands in one cell; None is an empty one. Instants are aware."""


class Kind(StrEnum):
    """How a column is written."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    MOMENT = "moment"
    """Day and hour, in the time zone of the plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column by its Vietnamese header. ``width`` is in characters, for spreadsheets."""

    title: str
    kind: Kind = Kind.TEXT
    width: int = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row. ``href`` is the page behind it, where there is one.

    ``todo`` is where those who decide go on with it, and ``todo_word`` what they do there.
    """

    values: tuple[Value, ...]
    href: str | None = None
    todo: str | None = None
    todo_word: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A list with its title, what it was narrowed to, and what to say when it is empty.

    ``linked`` is the column whose text leads to the page behind a row.
    """

    key: str
    title: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()
    empty: str = "Không có dòng nào."
    linked: int = 0


_RUNS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet may take for the beginning of a formula (OWASP, "CSV Injection")."""


def harmless(text: str) -> str:
    """``text`` marked as text where a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(_RUNS) else text
