"""The commands of docs/van-hanh.md, as an administrator would type them."""

from __future__ import annotations

import re
from pathlib import Path

HOUSE = Path(__file__).parents[2]
GUIDE = HOUSE / "docs" / "van-hanh.md"


def blocks(section: int) -> list[str]:
    """The fenced blocks of a numbered section, from first to last, without their fences.

    Raises:
        LookupError: there is no such section.
    """
    text = GUIDE.read_text(encoding="utf-8")
    for part in re.split(r"(?m)^## ", text):
        if part.startswith(f"{section}. "):
            return re.findall(r"(?ms)^```\n(.*?)^```$", part)
    raise LookupError(f"van-hanh.md: no section {section}")
