"""One occurrence: a date moved, an agency added, dropped and added again (rules 4, 12, 15)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from models.tables import Assignment
from portal.permissions import Visitor
from tests import portal_site, world
from tests.portal_site import Site, mark_of, text_of


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal over the small world."""
    with portal_site.site(database_url, tmp_path) as found:
        yield found


def place(site: Site) -> tuple[int, str]:
    """The assignment of a commune in I.1, and the page of its occurrence."""
    number = site.work[f"I.1/{world.A}"]
    above = site.read(lambda session: session.get_one(Assignment, number).occurrence_id)
    return number, f"/ky/{above}"


def post(browser: TestClient, page: str, deed: str, **values: str) -> Response:
    """Send a form of the page."""
    mark = mark_of(browser.get(page))
    answer: Response = browser.post(f"{page}/{deed}", data={"mark": mark, **values})
    return answer


def test_one_due_date_moves_with_a_reason_and_the_others_stay(site: Site) -> None:
    """Rules 4, 15."""
    browser, (number, page) = site.logged_in(Visitor.COORDINATOR), place(site)
    refused = post(browser, page, "han", row=str(number), until="8/5/2027", reason="")
    assert refused.status_code == 422
    assert 'value="8/5/2027"' in refused.text
    done = post(
        browser, page, "han", row=str(number), until="8/5/2027", reason="Thiên tai", version="1"
    )
    assert "nay là 10/5/2027" in text_of(browser.get(done.headers["location"]))
    row = site.read(lambda session: session.get_one(Assignment, number))
    assert (row.due_on, row.original_due_on) == (date(2027, 5, 10), world.DUE)
    stale = post(
        browser, page, "han", row=str(number), until="9/6/2027", reason="Lần hai", version="1"
    )
    assert stale.status_code == 409


def test_an_agency_is_dropped_and_added_again(site: Site) -> None:
    """Rule 12."""
    browser, (number, page) = site.logged_in(Visitor.COORDINATOR), place(site)
    dropped = post(browser, page, "thoi", row=str(number), reason="Giao nhầm")
    assert "Đã thôi theo dõi Xã Vạn Ninh" in text_of(browser.get(dropped.headers["location"]))
    nobody = post(browser, page, "them", agency="", role="lead", reason="Giao lại")
    assert nobody.status_code == 422
    again = post(browser, page, "them", agency=world.A, role="lead", reason="Giao lại")
    words = text_of(browser.get(again.headers["location"]))
    assert "Đã bổ sung Xã Vạn Ninh, chủ trì" in words
    assert "lần 2" in words
    assert post(browser, page, "thoi", row="999", reason="x").status_code == 404


def test_who_only_reads_is_offered_no_form(site: Site) -> None:
    _, page = place(site)
    assert "<form" not in site.logged_in(Visitor.AUDITOR).get(page).text.split("<main")[1]


def test_the_calendar_shows_the_next_periods_after_days_off(site: Site) -> None:
    """Rules 4, 17: 31 March 2029 is a Saturday; nothing can be changed there."""
    page = site.logged_in(Visitor.AUDITOR).get("/danh-muc/lich")
    words = text_of(page)
    assert "Năm 2027 : đã mở 4/1/2027, hạn 31/3/2027" in words.replace("2027:", "2027 :")
    assert "hạn 2/4/2029 (31/3/2029 là ngày nghỉ)" in words
    assert "-15; -5; -1; +2; +6; +15; +30" in words
    assert 'method="post"' not in page.text.split("<main")[1]
