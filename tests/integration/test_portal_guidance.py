"""Hướng dẫn in the portal: for everybody, one's own first, reached from the foot of every page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.permissions import Visitor
from tests import portal_site
from tests.portal_site import Site

FIRST = {
    Visitor.AGENCY: "cơ quan, đơn vị, địa phương",
    Visitor.COORDINATOR: "cơ quan điều phối",
    Visitor.LEADERSHIP: "cơ quan điều phối",
    Visitor.ADMIN: "cơ quan điều phối",
    Visitor.AUDITOR: "người kiểm tra",
}


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal."""
    with portal_site.site(database_url, tmp_path) as found:
        yield found


def test_each_role_finds_its_own_guide_first_and_the_others_beside_it(site: Site) -> None:
    for visitor, words in FIRST.items():
        page = site.logged_in(visitor).get("/huong-dan").text
        assert f"<h1>Hướng dẫn dành cho {words}</h1>" in page
        assert page.count('href="/huong-dan/') == 3
    assert "<h1>Hướng dẫn dành cho cơ quan, đơn vị" in site.browser().get("/huong-dan").text


def test_the_foot_of_every_page_leads_to_the_guidance(site: Site) -> None:
    browser = site.browser()
    for path in ("/", "/dang-nhap", site.link(), "/khong-co"):
        assert '<a href="/huong-dan">Hướng dẫn</a>' in browser.get(path).text


def test_pictures_come_from_our_own_host_and_may_be_kept(site: Site) -> None:
    browser = site.browser()
    answer = browser.get("/huong-dan/hinh/co-quan-thu.png")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    assert "max-age" in answer.headers["cache-control"]
    for path in (
        "/huong-dan/hinh/khong-co.png",
        "/huong-dan/hinh/..%2fco-quan.md",
        "/huong-dan/la",
    ):
        assert browser.get(path).status_code == 404


def test_contacts_page_names_the_coordinating_agency_as_people_do(site: Site) -> None:
    page = site.logged_in(Visitor.AGENCY).get("/co-quan/dau-moi").text
    assert "do Sở Nội vụ cập nhật" in page
    assert "so_noi_vu" not in page
