"""Every page with everybody who may open it: nobody is kept out by how it looks or is built."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.portal_live import live
from tests.portal_routes import address
from tests.portal_walk import Found, Walker, enter, stops
from tests.screenshots import chromium

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def test_every_page_is_in_order_for_everybody_who_may_open_it(tmp_path: Path) -> None:
    """axe finds no serious or critical fault; nothing sticks out at the side of a phone; one main
    heading; a title; Vietnamese; no complaint of the browser; no other host; no word for machines.
    """
    found, seen = Found(), 0
    with live(tmp_path) as site, chromium() as browser:
        contexts = enter(browser, site)
        walkers = {visitor: Walker(site, one) for visitor, one in contexts.items()}
        for stop in stops(site, contexts):
            walkers[stop.visitor].look(stop, found)
            seen += 1
    for line in found.doubtful:
        print(f"worth a look: {line}")  # noqa: T201
    assert not found.wrong, "\n".join(found.wrong)
    assert seen > 150


def test_a_route_without_a_sample_says_what_to_add() -> None:
    with pytest.raises(AssertionError, match=r"'work_id', of which no sample is known: add one"):
        address("work", {})
