"""After a restore no message goes to a webhook or a chat by itself that may have gone before it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from operations.backups import record_restored
from operations.errors import Conflict, NotPermitted
from operations.history import Change, record
from operations.outlets import Topic, outlets, queue_test
from operations.outward_restored import decide_held, hold_outward
from operations.state import Facts, set_fact
from portal.permissions import Visitor
from runtime.outward import tell_outward
from tests import portal_site, world
from tests.integration.test_outlets import PATH, chat, run, submit, webhook
from tests.portal_site import Site, mark_of, text_of
from tests.receiver import Receiver, receiver


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    with portal_site.site(database_url, tmp_path) as found:
        found.write(lambda session: set_fact(session, world.admin(), Facts.TRIAL, "true"))
        yield found


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def restore(site: Site) -> int:
    """What a restore writes: a backup of this instant, put back an hour later."""
    made_at, stamp = site.clock.now(), world.admin()
    site.clock.instant += timedelta(hours=1)
    stamp = type(stamp)(at=site.clock.now(), as_of=stamp.as_of, actor=stamp.actor)

    def put_back(session: Session) -> int:
        record_restored(
            session,
            stamp,
            name="tiendo.tar.gz",
            made_at=made_at,
            revision="0020",
            rows=1,
            events=1,
            files=0,
        )
        return hold_outward(session, stamp)

    return site.write(put_back)


def waiting(site: Site) -> list[tuple[int, int]]:
    return [(one.waiting, one.held) for one in site.read(outlets)]


def test_what_waited_and_what_was_not_queued_is_held_and_then_sent_once(
    site: Site, there: Receiver
) -> None:
    """(33) The submission's id is that of its event: a receiver that had it passes over it."""
    number, _ = webhook(site, there)
    site.write(lambda session: queue_test(session, world.coordinator(), number))
    submit(site)
    assert restore(site) == 2
    assert run(site, days=1) == {}
    assert waiting(site) == [(0, 2)]
    desk = site.logged_in(Visitor.COORDINATOR)
    assert "2 tin báo ra ngoài tạm giữ sau khi khôi phục" in text_of(desk.get("/"))
    page = desk.get(PATH)
    assert "Tạm giữ 2 tin" in text_of(page)
    done = desk.post(f"{PATH}/{number}/cho-gui", data={"mark": mark_of(page)})
    assert "Đã cho gửi 2 tin." in text_of(desk.get(done.headers["location"]))
    assert run(site) == {"sent": 2}
    assert run(site) == {}
    assert len({one.headers["webhook-id"] for one in there.got}) == 2
    assert "tạm giữ" not in text_of(desk.get("/"))


def test_what_had_gone_is_closed_and_what_people_do_afterwards_is_told(
    site: Site, there: Receiver
) -> None:
    number, _ = webhook(site, there)
    site.write(lambda session: queue_test(session, world.coordinator(), number))
    assert restore(site) == 1
    submit(site)
    assert run(site, days=1) == {"sent": 1}
    with pytest.raises(NotPermitted):
        site.write(lambda session: decide_held(session, world.agency(), number, send=False))
    close = site.write(
        lambda session: decide_held(session, world.coordinator(), number, send=False)
    )
    assert close == 1
    with pytest.raises(Conflict):
        site.write(lambda session: decide_held(session, world.coordinator(), number, send=True))
    assert run(site, days=1) == {}
    assert [json.loads(one.body)["type"] for one in there.got] == ["result.submitted"]


def test_work_that_opens_again_is_held_and_work_that_opens_later_is_told(
    site: Site, there: Receiver
) -> None:
    """(11) What opened between backup and restore is opened again, as another event."""
    webhook(site, there, Topic.OPENED)
    restore(site)
    stamp = type(world.admin())(
        at=site.clock.now() + timedelta(minutes=1), as_of=world.TODAY, actor=world.admin().actor
    )
    opened = [
        Change(entity="occurrence", entity_id=key, action="open", snapshot={}, effective_on=day)
        for key, day in (("901", world.TODAY), ("902", world.TODAY + timedelta(days=1)))
    ]
    site.write(lambda session: record(session, stamp, opened))
    assert run(site, hours=1) == {"sent": 1}
    assert waiting(site) == [(0, 1)]
    assert json.loads(there.got[0].body)["data"]["effective_on"] == "2027-03-02"


def test_figures_of_the_week_of_the_gap_are_held_and_the_next_week_s_are_told(
    site: Site, there: Receiver
) -> None:
    chat(site, there, Topic.WEEK)
    restore(site)
    assert run(site) == {}
    assert waiting(site) == [(0, 1)]
    monday = date(2027, 3, 8)
    site.clock.instant += timedelta(days=7)
    assert tell_outward(site.runtime.outward_office(), as_of=monday) == {"sent": 1}
