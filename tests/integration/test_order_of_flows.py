"""The flows of the items leave the same rows, whichever of them comes first (27-30)."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

from flows.items import work_on
from flows.mail import queue
from flows.naming import item_flows
from flows.shell import BusinessDate
from models.tables import ContactKind
from operations.contacts import ContactInput, store_contacts
from operations.opening import open_due
from tests.databases import Copies
from tests.engine import PROVINCE, engine, stamp
from tests.faults.pictures import Picture, differences, picture

BEGUN = date(2026, 11, 23)
DAY = date(2027, 3, 10)
"""Much has opened since :data:`BEGUN`, and some of what opens today does so only now."""
TODAY = BusinessDate(as_of=DAY, sends=True)
ENOUGH = 50
"""Letters; more than a day of few agencies has."""


def lived(url: str, seed: int) -> Picture:
    """The day's flows, in an order drawn by ``seed``, then the sweep that a delivery begins with."""
    with engine(url, folder=PROVINCE, start=BEGUN) as here:
        agencies = sorted(one.key for one in here.catalog.directory.agencies)
        with here.database.write() as session:
            boxes = [
                ContactInput(
                    agency_key=one, kind=ContactKind.MAILBOX, email=f"h{number}@co-quan.test"
                )
                for number, one in enumerate(agencies)
            ]
            store_contacts(session, stamp(BEGUN), boxes)
            open_due(session, stamp(BEGUN), here.plan)
            flows = item_flows(session)
        random.Random(seed).shuffle(flows)
        for one in flows:
            with here.database.write() as session:
                work_on(one, session, stamp(DAY), TODAY)
        with here.database.write() as session:
            queue(session, stamp(DAY), TODAY, preview=False)
        return picture(here.database)


def test_the_flows_of_a_day_leave_the_same_in_any_order(copies: Copies, tmp_path: Path) -> None:
    """(27, 28, 30) Which flow comes first decides neither who is told, nor what, nor when."""
    seen: list[Picture] = []
    for seed in range(2):
        with copies.one(tmp_path, migrated=True) as url:
            seen.append(lived(url, seed))
    wanted, *others = seen
    assert wanted["letter"].total() > ENOUGH
    for found in others:
        assert differences(wanted, found) == []
