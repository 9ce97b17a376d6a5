"""The guidance of ``docs/huong-dan`` as pages: Markdown of our own, its pictures from our own host."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt
from markupsafe import Markup

PATH: Final = "/huong-dan"
TITLES: Final[Mapping[str, str]] = {
    "co-quan": "Cơ quan, đơn vị, địa phương",
    "dieu-phoi": "Cơ quan điều phối",
    "kiem-tra": "Người kiểm tra",
}
"""The guides by their file, as the way between them names them."""
_PLACES: Final = (Path(__file__).parents[1] / "docs", Path(sys.prefix) / "share" / "tiendo")
"""A checkout, and what the wheel brings along (``shared-data`` in ``pyproject.toml``)."""
_PICTURE: Final = re.compile(r"[a-z0-9-]{1,60}\.png")
_SIZE: Final = slice(16, 24)
"""Width and height in the header of a PNG (ISO/IEC 15948, 11.2.2)."""


@dataclass(frozen=True, slots=True)
class Guide:
    """One guide, ready for a page."""

    key: str
    heading: str
    html: Markup


def _place() -> Path:
    return next((one for one in _PLACES if (one / "huong-dan").is_dir()), _PLACES[0])


def picture(name: str) -> bytes | None:
    """A picture of the guidance; None when there is none of this name."""
    file = _place() / "images" / "huong-dan" / name
    return file.read_bytes() if _PICTURE.fullmatch(name) and file.is_file() else None


@cache
def guide(key: str) -> Guide | None:
    """The guide ``key``, drawn once; None when there is none.

    HTML inside the text is shown and never taken over, so that a page is what its Markdown says.
    """
    file = _place() / "huong-dan" / f"{key}.md"
    if key not in TITLES or not file.is_file():
        return None
    first, _, rest = file.read_text(encoding="utf-8").partition("\n")
    return Guide(key=key, heading=first.removeprefix("# "), html=Markup(_draw(rest)))  # noqa: S704 - our own text, drawn without HTML


def _draw(text: str) -> str:
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = reader.parse(text)
    for token in tokens:
        for one in token.children or ():
            if one.type != "image":
                continue
            name = str(one.attrs["src"]).rpartition("/")[2]
            one.attrs |= {"src": f"{PATH}/hinh/{name}", "loading": "lazy", **_measures(name)}
    return str(reader.renderer.render(tokens, reader.options, {}))


def _measures(name: str) -> dict[str, str]:
    """Width and height, so that the text stays where it is while pictures arrive."""
    content = picture(name)
    if content is None:
        return {}
    header = content[_SIZE]
    wide, high = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:], "big")
    return {"width": str(wide), "height": str(high)}
