"""What is wrong with a file that somebody hands over: where, what, and what would be right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FileError:
    """One thing that is wrong with a file: where, what, and what would be right."""

    problem: str
    remedy: str
    row: int | None = None
    """The row as the file counts it, the header being 1."""
    column: str | None = None
    """The heading of the column."""
    cell: str | None = None
    """The cell as a spreadsheet names it, ``E5``."""
    sheet: str | None = None
    """The sheet of a workbook; None for a CSV file."""

    def __str__(self) -> str:
        place = [] if self.sheet is None else [f"trang “{self.sheet}”"]
        if self.row is not None:
            place.append(f"dòng {self.row}")
        if self.column is not None:
            place.append(f"cột “{self.column}”")
        where = ", ".join(place) + (f" (ô {self.cell})" if self.cell else "")
        head = f"{where[:1].upper()}{where[1:]}: " if where else ""
        end = "" if self.remedy.endswith("?") else "."
        return f"{head}{self.problem}. {self.remedy}{end}"


class FileRefused(Exception):
    """A file that cannot be taken over; nothing of it was written. ``errors`` says all of why."""

    def __init__(self, errors: Sequence[FileError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(str(one) for one in self.errors))
