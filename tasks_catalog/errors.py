"""What is wrong with a catalog, told to the operator who has to mend it (rule 9).

The words are Vietnamese, for operators read them; field names stand as in the file.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class CatalogError:
    """One mistake: ``file`` (folder/name), ``line`` (from 1), ``field``, problem and remedy."""

    file: str
    line: int
    field: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.field}: {self.problem}; {self.remedy}"


class CatalogErrors(Exception):
    """The catalog is refused whole; ``errors`` are all its mistakes, by file and line."""

    def __init__(self, errors: Iterable[CatalogError]) -> None:
        self.errors = tuple(sorted(set(errors)))
        super().__init__("\n".join(str(error) for error in self.errors))
