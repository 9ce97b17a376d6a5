"""What an official document is made of: values only, the same for every way of writing them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

_PLACE: Final = re.compile(r"(\[…[^\]]*\])")
"""A place that is left to people: ``[…]``, with a word about what belongs there."""

_GAP: Final = "\u00a0" * 6
"""Room for a number written by hand; blanks that no program folds into one."""


def to_write(prompt: str = "") -> str:
    """A marked place where people write themselves; ``prompt`` says what."""
    return f"[… {prompt}]" if prompt else "[…]"


def segments(text: str) -> Iterator[tuple[str, bool]]:
    """Parts of ``text``, each with whether it is a place that is left to people."""
    for part in _PLACE.split(text):
        if part:
            yield part, part.startswith("[…")


class Align(StrEnum):
    """How a column stands."""

    LEFT = "left"
    CENTRE = "center"
    RIGHT = "right"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading; level 1 is "I.", level 2 "1."."""

    text: str
    level: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """A paragraph of the body. ``note`` is small and italic, as beneath tables."""

    text: str
    note: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table; ``share`` is its width against the others'."""

    title: str
    share: float = 1
    align: Align = Align.LEFT


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A table. Its header repeats on every page. ``bold`` are rows, counted from 0, of sums."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    bold: frozenset[int] = frozenset()
    empty: str = "Không có."


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A chart as PNG. ``alt`` says in words what it shows."""

    png: bytes
    alt: str
    caption: str


Block = Heading | Paragraph | Grid | Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """Who issues, under which number, where and when; ``agency_name`` as a sentence has it.

    ``parent`` and ``agency`` are capitals, a line each. ``day`` None leaves the day and month
    to be written in; ``number`` is what follows "Số:", with room for what the clerk gives.
    """

    parent: tuple[str, ...]
    agency: tuple[str, ...]
    agency_name: str
    number: str
    place: str
    year: int
    day: date | None = None

    @property
    def place_and_date(self) -> str:
        """The line beneath the nation's."""
        return f"{self.place}, {self.date_words}"

    @property
    def date_words(self) -> str:
        """As the decree writes it: days below 10 and months 1 and 2 with a leading 0."""
        if self.day is None:
            return f"ngày{_GAP}tháng{_GAP}năm {self.year}"
        month = f"{self.day.month:02}" if self.day.month < 3 else str(self.day.month)
        return f"ngày {self.day.day:02} tháng {month} năm {self.day.year}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Who signs: the authority a line each ("KT. GIÁM ĐỐC", "PHÓ GIÁM ĐỐC"), and the name."""

    authority: tuple[str, ...]
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Annex:
    """An annex, with page numbers of its own. ``sideways`` lies it across."""

    number: str
    """``I``; empty when there is only one."""
    title: str
    blocks: tuple[Block, ...]
    sideways: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficialDocument:
    """A document; ``kind`` ("BÁO CÁO") is empty for a công văn, whose ``subject`` then stands
    under its number and whose ``addressees`` follow "Kính gửi:". ``at`` is the instant of its
    data: it dates the files, so that the same data gives the same bytes."""

    letterhead: Letterhead
    kind: str
    subject: str
    addressees: tuple[str, ...] = ()
    blocks: tuple[Block, ...]
    signature: Signature
    recipients: tuple[str, ...]
    annexes: tuple[Annex, ...] = ()
    at: datetime

    @property
    def title(self) -> str:
        """As programs show it."""
        return f"{self.kind.capitalize()}: {self.subject}" if self.kind else f"V/v {self.subject}"

    @property
    def annexed_to(self) -> str:
        """The line under an annex's title, which names what it comes with."""
        head, what = self.letterhead, self.kind.capitalize() if self.kind else "Công văn"
        return f"(Kèm theo {what} số {head.number} {head.date_words} của {head.agency_name})"
