"""Finding the agency that a text means: by key, official code, or name, of now or of then."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date
from difflib import get_close_matches

from rules.values import Agency


def plain(text: str) -> str:
    """``text`` for comparing: NFC, small letters, single blanks."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def bare(text: str) -> str:
    """``text`` without its marks as well: what somebody types who has no Vietnamese keyboard."""
    apart = unicodedata.normalize("NFD", plain(text).replace("đ", "d"))
    return "".join(one for one in apart if not unicodedata.combining(one))


class AgencyNames:
    """The agencies by everything that they are called."""

    def __init__(self, agencies: Iterable[Agency]) -> None:
        self._found: dict[str, list[Agency]] = {}
        self._bare: dict[str, Agency] = {}
        for one in sorted(agencies, key=lambda agency: agency.key):
            names = (one.key, one.name, one.formal_name, one.code)
            for name in dict.fromkeys(plain(each) for each in names if each):
                self._found.setdefault(name, []).append(one)
                self._bare.setdefault(bare(name), one)

    def find(self, text: str) -> Sequence[Agency]:
        """All that are called so, by key."""
        return self._found.get(plain(text), ())

    def living(self, text: str, on: date) -> Sequence[Agency]:
        """Those of them that have not ended by ``on``; all, when all have."""
        found = self.find(text)
        return [one for one in found if one.valid_to is None or one.valid_to >= on] or found

    def near(self, text: str) -> Agency | None:
        """The agency that was probably meant: the same without marks, or nearly the same."""
        exact = self._bare.get(bare(text))
        if exact is not None:
            return exact
        close = get_close_matches(bare(text), self._bare, n=1, cutoff=0.6)
        return self._bare[close[0]] if close else None

    def hint(self, text: str) -> str:
        """What to do about a text that names nobody."""
        meant = self.near(text)
        return f"Có phải “{meant.name}”?" if meant else "Ghi mã hoặc đúng tên cơ quan"
