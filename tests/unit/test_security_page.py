"""docs/security.md speaks of the doors that there are, and of tests that there are."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

from portal.permissions import ACCOUNTS, TABLE

HOUSE = Path(__file__).parents[2]
PAGE = (HOUSE / "docs" / "security.md").read_text(encoding="utf-8")


def doors() -> dict[str, list[str]]:
    """The names of routes in each row of the table, but for the last, which is every other."""
    table = PAGE.split("| door | routes |")[1].split("\n\n")[0]
    rows = [line.split("|") for line in table.splitlines()[2:]]
    return {row[1].strip(): re.findall(r"`([^`]+)`", row[2]) for row in rows}


def test_every_route_that_is_not_a_desk_stands_at_its_door() -> None:
    named = doors()
    assert named.pop("the desks") == []
    patterns = [one for ones in named.values() for one in ones]
    for one in patterns:
        assert any(fnmatch(route, one) for route in TABLE), f"no route {one}"
    others = [route for route in TABLE if not any(fnmatch(route, one) for one in patterns)]
    assert len(others) > 50
    for route in others:
        assert TABLE[route] <= ACCOUNTS, f"{route} opens to others than accounts: name its door"


def test_every_test_that_it_names_is_there() -> None:
    names = re.findall(r"`(?:faults/)?(test_\w+\*?\.py)`", PAGE)
    assert len(names) > 8
    for name in names:
        assert list((HOUSE / "tests").rglob(name)), name


def test_every_page_that_it_leads_to_is_there() -> None:
    for name in re.findall(r"\]\(([^)]+\.md)\)", PAGE):
        assert (HOUSE / "docs" / name).is_file(), name
