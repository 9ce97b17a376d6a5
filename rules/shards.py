"""A share of a large sweep: which agencies it works for (rules 27, 28)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from zlib import crc32

MOST: Final = 64
_WRITTEN: Final = re.compile(r"([0-9]{1,2})/([0-9]{1,2})")


class NotAShard(ValueError):
    """A share that cannot be; the text says what would be right."""


@dataclass(frozen=True, slots=True)
class Shard:
    """The share ``number`` of ``of``, counted from 1.

    An agency belongs to one share alone, by its key: whatever is added or ends meanwhile moves no
    other agency, and an agency's lines stay together.
    """

    number: int
    of: int

    def __post_init__(self) -> None:
        """Refuse what is no share."""
        if not 1 <= self.number <= self.of <= MOST:
            msg = f"Phần “{self}” không có; cần dạng k/n với k từ 1 đến n, n không quá {MOST}."
            raise NotAShard(msg)

    def __str__(self) -> str:
        """As parameters write it: ``2/4``."""
        return f"{self.number}/{self.of}"

    @classmethod
    def parse(cls, text: str) -> Shard:
        """The share of a text such as ``2/4``.

        Raises:
            NotAShard: it is none.
        """
        found = _WRITTEN.fullmatch(text.strip())
        if found is None:
            msg = f"Phần “{text}” không đọc được; cần dạng k/n, ví dụ 2/4."
            raise NotAShard(msg)
        return cls(int(found[1]), int(found[2]))

    def holds(self, agency: str | None) -> bool:
        """Whether an agency belongs to it; what is about no agency belongs to the first."""
        place = 0 if agency is None else crc32(agency.encode()) % self.of
        return place == self.number - 1
