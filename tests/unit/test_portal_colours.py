"""One set of colours, and every text can be read on what is behind it (WCAG 2.1, 1.4.3)."""

from __future__ import annotations

import re

import pytest

from portal.rendering import STATIC

SHEETS = "\n".join(path.read_text() for path in sorted(STATIC.glob("*.css")))
COLOURS = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", SHEETS))
RULES = re.findall(r"([^{}]+)\{([^{}]+)\}", SHEETS)
GROUNDS = ("paper", "ground", "shade")
ON_GROUNDS = ("ink", "quiet", "link", "link-deep", "grave-ink", "done-ink", "head")
"""Texts that stand on any of the grounds."""


def _brightness(name: str) -> float:
    """The relative luminance of a colour, 0 to 1, as WCAG 2.1 defines it."""
    code = COLOURS[name].removeprefix("#")
    code = "".join(one * 2 for one in code) if len(code) == 3 else code
    parts = [int(code[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, 1 to 21."""
    low, high = sorted((_brightness(one), _brightness(other)))
    return (high + 0.05) / (low + 0.05)


def pairs() -> set[tuple[str, str]]:
    """Text and background of each rule that sets both."""
    found = set()
    for _, body in RULES:
        text = re.search(r"(?:^|[;\s])color: var\(--([a-z-]+)\)", body)
        behind = re.search(r"background(?:-color)?: var\(--([a-z-]+)\)", body)
        if text and behind:
            found.add((text[1], behind[1]))
    return found


def test_colours_are_named_in_one_place() -> None:
    outside = re.sub(r":root \{[^}]+\}", "", SHEETS)
    assert re.findall(r"#[0-9a-f]{3}(?:[0-9a-f]{3})?\b(?=[^{}]*[;}])", outside) == []
    assert set(re.findall(r"var\(--([a-z-]+)\)", SHEETS)) == set(COLOURS)


@pytest.mark.parametrize(("text", "behind"), sorted(pairs()))
def test_text_stands_out_from_its_own_background(text: str, behind: str) -> None:
    assert contrast(text, behind) >= 4.5


@pytest.mark.parametrize("text", ON_GROUNDS)
@pytest.mark.parametrize("behind", GROUNDS)
def test_text_stands_out_from_every_ground(text: str, behind: str) -> None:
    assert contrast(text, behind) >= 4.5


@pytest.mark.parametrize("behind", [*GROUNDS, "head"])
def test_the_mark_of_the_focus_stands_out(behind: str) -> None:
    """(WCAG 2.1, 1.4.11) 3:1 is asked of what is no text."""
    colour = "warn" if behind != "head" else "paper"
    assert contrast(colour, behind) >= 3
