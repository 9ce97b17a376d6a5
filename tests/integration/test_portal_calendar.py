"""An agency's dates in calendars: a secret address that is renewed, and one date as a file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from icalendar import Calendar
from sqlalchemy import select

from models.tables import AccessLog, Event
from operations.act import ActRequest, act
from operations.rescheduling import reschedule
from portal.permissions import Visitor
from rules.lifecycle import Action
from tests import portal_site, world
from tests.portal_site import Site, mark_of, text_of


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal with open work."""
    with portal_site.site(database_url, tmp_path) as found:
        yield found


def renew(browser: TestClient) -> Response:
    """Press the button on the agency's list."""
    answer: Response = browser.post(
        "/co-quan/lich", data={"mark": mark_of(browser.get("/co-quan"))}
    )
    return answer


def address(browser: TestClient) -> str:
    """The path that the agency's list shows."""
    found = re.search(r"http://tiendo\.test(/lich/[^\"]+\.ics)", browser.get("/co-quan").text)
    assert found is not None
    return found[1]


def events(answer: Response) -> dict[str, Any]:
    """The events of a calendar by the start of their UID."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/calendar")
    return {str(one["uid"]).split("@")[0]: one for one in Calendar.from_ical(answer.text).events}


def test_calendar_has_the_agencys_own_dates_with_page_and_alarm(site: Site) -> None:
    """Rule 46: its own work and no other's; the address of a page holds no token (34)."""
    staff = site.logged_in(Visitor.AGENCY)
    assert "/lich/" not in staff.get("/co-quan").text
    assert renew(staff).status_code == 303
    feed = site.browser().get(address(staff))
    found = events(feed)
    work = site.work["I.1/xa_van_ninh"]
    assert set(found) == {f"{work}-1", f"{site.work['II.5/xa_van_ninh']}-1"}
    one = found[f"{work}-1"]
    assert one["dtstart"].dt == world.DUE
    assert str(one["summary"]) == "Hạn: I.1 năm 2027 – Xã Vạn Ninh"
    assert str(one["url"]) == f"http://tiendo.test/co-quan/viec/{work}"
    (alarm,) = [part for part in one.walk() if part.name == "VALARM"]
    assert alarm["trigger"].dt == timedelta(days=-3, hours=8)
    assert "/lien-ket/" not in feed.text


def test_an_event_keeps_its_uid_when_its_date_moves_and_ends_as_cancelled(site: Site) -> None:
    """Rule 4: a calendar moves what it holds, and takes away what has ended."""
    staff, work = site.logged_in(Visitor.AGENCY), site.work["I.1/xa_van_ninh"]
    renew(staff)
    path = address(staff)
    before = events(site.browser().get(path))[f"{work}-1"]
    later = date(2027, 4, 30)
    site.write(
        lambda s: reschedule(s, world.coordinator(), work, until=later, reason="Dời theo kế hoạch")
    )
    moved = events(site.browser().get(path))[f"{work}-1"]
    assert moved["dtstart"].dt == later
    assert moved["sequence"] > before["sequence"]
    assert moved["last-modified"].dt > before["last-modified"].dt
    reason = ActRequest(reason="Không phát sinh trong năm")
    site.write(lambda s: act(s, world.coordinator(), work, Action.WAIVE, reason))
    ended = events(site.browser().get(path))[f"{work}-1"]
    assert (str(ended["status"]), ended["sequence"] > moved["sequence"]) == ("CANCELLED", True)
    assert not [part for part in ended.walk() if part.name == "VALARM"]


def test_a_renewed_address_kills_the_old_one_at_once(site: Site) -> None:
    staff = site.logged_in(Visitor.AGENCY)
    renew(staff)
    old = address(staff)
    renew(staff)
    new = address(staff)
    assert old != new
    gone, forged = site.browser().get(old), site.browser().get("/lich/abc.def.ics")
    assert (gone.status_code, forged.status_code) == (404, 404)
    assert gone.text == forged.text
    assert site.browser().get(new).status_code == 200
    told = site.read(
        lambda s: s.scalars(select(Event).where(Event.entity == "calendar_feed")).all()
    )
    assert [(one.action, one.actor_account) for one in told] == [("renew", "agency")] * 2
    assert not any(new.split("/")[-1].split(".")[1] in one.snapshot for one in told)


def test_reading_is_logged_without_the_secret_and_answers_what_is_unchanged(site: Site) -> None:
    """Rule 40; a program that asks again with the tag gets no body."""
    staff = site.logged_in(Visitor.AGENCY)
    renew(staff)
    path = address(staff)
    first = site.browser().get(path)
    assert "private" in first.headers["cache-control"]
    again = site.browser().get(path, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert site.browser().head(path).status_code == 200
    paths = site.read(
        lambda s: s.scalars(select(AccessLog.path).where(AccessLog.actor == "calendar:xa_van_ninh"))
    )
    assert set(paths) == {"/lich/….ics"}


def test_a_letters_link_shows_no_lasting_address_but_gives_one_date(site: Site) -> None:
    """Rule 34: a link expires, so nothing behind it may open the work for longer."""
    renew(site.logged_in(Visitor.AGENCY))
    browser, link = site.browser(), site.link()
    assert "/lich/" not in browser.get(link).text
    work = site.work["I.1/xa_van_ninh"]
    one = browser.get(f"{link}/viec/{work}/lich.ics")
    assert set(events(one)) == {f"{work}-1"}
    assert "attachment" in one.headers["content-disposition"]
    foreign = f"{link}/viec/{site.work['I.1/phuong_nha_trang']}/lich.ics"
    assert browser.get(foreign).status_code == 404


def test_guessing_addresses_comes_to_an_end(site: Site) -> None:
    browser = site.browser()
    codes = [browser.get(f"/lich/x{number}.y.ics").status_code for number in range(61)]
    assert (set(codes[:60]), codes[60]) == ({404}, 429)


def test_the_list_says_how_a_calendar_is_added(site: Site) -> None:
    staff = site.logged_in(Visitor.AGENCY)
    assert "Tạo địa chỉ lịch" in text_of(staff.get("/co-quan"))
    renew(staff)
    assert "Tạo địa chỉ mới" in text_of(staff.get("/co-quan"))
