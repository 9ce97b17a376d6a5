"""The guidance of docs/huong-dan: true to the pages, whole, and drawn without foreign HTML."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from portal.guidance import TITLES, guide, picture
from tests.guidance_pictures import LARGEST

HOUSE = Path(__file__).parents[2]
GUIDES = HOUSE / "docs" / "huong-dan"
PICTURES = HOUSE / "docs" / "images" / "huong-dan"


def _words_of_pages() -> str:
    found = [*(HOUSE / "portal").rglob("*.html"), *(HOUSE / "portal").rglob("*.py")]
    found += (HOUSE / "rules").glob("*.py")
    return "\n".join(one.read_text(encoding="utf-8") for one in found).lower()


@pytest.mark.parametrize("key", TITLES)
def test_what_a_guide_quotes_stands_on_a_page(key: str) -> None:
    text, pages = (GUIDES / f"{key}.md").read_text(encoding="utf-8"), _words_of_pages()
    quoted = re.findall("“([^”]+)”", text)
    assert quoted
    assert [one for one in quoted if one.lower() not in pages] == []


@pytest.mark.parametrize("key", TITLES)
def test_every_picture_of_a_guide_is_there_says_what_it_shows_and_is_small(key: str) -> None:
    text = (GUIDES / f"{key}.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[([^\]]*)\]\(\.\./images/huong-dan/([^)]+)\)", text)
    assert shown
    for words, name in shown:
        assert len(words) > 20
        content = picture(name)
        assert content is not None
        assert content.startswith(b"\x89PNG")
        assert len(content) <= LARGEST
        assert re.search(rf'src="/huong-dan/hinh/{name}" alt="[^"]+"', _html(key))


def test_no_picture_is_left_that_no_guide_shows() -> None:
    texts = "".join(one.read_text(encoding="utf-8") for one in GUIDES.glob("*.md"))
    assert [one.name for one in PICTURES.iterdir() if one.name not in texts] == []
    assert {one.stem for one in GUIDES.glob("*.md")} == set(TITLES)


def test_a_guide_has_a_heading_and_one_page_of_text() -> None:
    for key in TITLES:
        found = guide(key)
        assert found is not None
        assert found.heading.startswith("Hướng dẫn dành cho")
        assert "<h1" not in found.html
        assert len((GUIDES / f"{key}.md").read_text(encoding="utf-8").split()) < 1100


@pytest.mark.parametrize("name", ["../huong-dan/co-quan.md", "khong-co.png", "A.png", "a.png/../b"])
def test_only_pictures_of_the_guidance_are_handed_out(name: str) -> None:
    assert picture(name) is None


def test_the_wheel_brings_the_guidance_along() -> None:
    configuration = tomllib.loads((HOUSE / "pyproject.toml").read_text())
    shared = configuration["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    assert shared == {
        "docs/huong-dan": "share/tiendo/huong-dan",
        "docs/images/huong-dan": "share/tiendo/images/huong-dan",
    }


def _html(key: str) -> str:
    found = guide(key)
    assert found is not None
    return str(found.html)
