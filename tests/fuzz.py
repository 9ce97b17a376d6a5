"""Texts and bytes that nobody means well with, drawn by Hypothesis under a fixed seed."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st

HIDDEN: Final = "\u202e\u202d\u2066\u2069\u200b\u200d\u2060\ufeff\u00ad\x00\x0b\x1f\x7f\u2028\u0085"
"""Written from the right, of no width, of no sight, ends of lines that are none."""
ALIKE: Final = (
    "\u0430\u0435\u043e\u0440\u0441\u03bf\u0131\uff41\u212a\u00d0\u0110\u0189\u1e9e\u0130"
)
"""Cyrillic, Greek, wide, the Kelvin sign, three letters that look like Đ."""
MARKS: Final = "\u0300\u0301\u0303\u0309\u0323\u0302\u0306\u031b"
PLAIN: Final = "aAzZ09 -_./@:;,'\"<>=+{}[]()|\\%&#?!~`^*\r\n\téĐđƯưậễ"

nasty = st.text(
    st.sampled_from(PLAIN + HIDDEN + ALIKE + MARKS) | st.characters(codec="utf-8"), max_size=120
)
"""Text as no keyboard writes it."""
junk = st.binary(max_size=400)


def bounded(examples: int) -> Any:
    """The same examples each time, as many as a second or two allows."""

    def decorate(test: Any) -> Any:
        return seed(1718)(
            settings(
                max_examples=examples,
                database=None,
                deadline=None,
                phases=[Phase.explicit, Phase.generate],
                suppress_health_check=list(HealthCheck),
            )(test)
        )

    return decorate


def twisted(content: bytes) -> st.SearchStrategy[bytes]:
    """``content`` with pieces exchanged, cut out, doubled or put in."""
    places = st.integers(0, max(len(content) - 1, 0))
    change = st.tuples(places, st.integers(0, 40), st.binary(max_size=12))

    def apply(changes: list[tuple[int, int, bytes]]) -> bytes:
        found = content
        for place, length, put in changes:
            found = found[:place] + put + found[place + length :]
        return found

    return st.lists(change, min_size=1, max_size=4).map(apply)
