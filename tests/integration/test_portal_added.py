"""The page "Giao bổ sung" and where added work shows (rule 44)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import select

from models.tables import AddedWork
from portal.permissions import Visitor
from tests import portal_site, world
from tests.portal_site import Site, mark_of, text_of

PATH = "/nhiem-vu/giao-bo-sung"
TYPED = {
    "basis_code": "512/UBND-NC",
    "basis_on": "15/2/2027",
    "task": "Rà soát <thủ tục> nội bộ",
    "product": "Báo cáo kết quả",
    "due_on": "8/5/2027",
    f"lead.{world.A}": "1",
    f"lead.{world.B}": "1",
    f"partner.{world.C}": "1",
    "lead_mode": "each",
    "authority": "coordinator",
    "confirmation": "required",
}


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal over the small world."""
    with portal_site.site(database_url, tmp_path) as found:
        yield found


def post(browser: TestClient, path: str, **values: str) -> Response:
    """Send a form of the page."""
    mark = mark_of(browser.get(PATH))
    answer: Response = browser.post(path, data={"mark": mark, **values})
    return answer


def given(site: Site, browser: TestClient) -> str:
    """Give the work, and return its page."""
    answer = post(browser, PATH, **TYPED, code="BS-2027/01")
    assert answer.status_code == 303, text_of(answer)
    assert "Đã giao BS-2027/01: 3 phân công, hạn 10/5/2027" in text_of(
        browser.get(answer.headers["location"])
    )
    number = site.read(lambda session: session.scalars(select(AddedWork.id)).one())
    return f"{PATH}/{number}"


def test_preview_says_whom_it_reaches_and_when_letters_go(site: Site) -> None:
    browser = site.logged_in(Visitor.COORDINATOR)
    before = site.counts()
    page = post(browser, f"{PATH}/xem-truoc", **TYPED)
    words = text_of(page)
    assert "Chưa giao gì" in words
    assert "BS-2027/01" in words
    assert "10/5/2027 (ngày 8/5/2027 là ngày nghỉ)" in words
    assert "Xã Vạn Ninh (chưa có hộp thư dùng được; thư về cơ quan điều phối)" in words
    assert "Nhắc trước hạn 15 ngày làm việc" in words
    assert "Rà soát &lt;thủ tục&gt;" in page.text
    assert site.counts() == before
    back = post(browser, f"{PATH}/xem-truoc", **TYPED, sua="1")
    assert 'value="512/UBND-NC"' in back.text


def test_what_was_typed_is_never_lost_on_an_error(site: Site) -> None:
    browser = site.logged_in(Visitor.COORDINATOR)
    page = post(browser, f"{PATH}/xem-truoc", **TYPED | {"basis_on": "32/1/2027", "product": ""})
    assert page.status_code == 422
    assert "Cần sửa" in text_of(page)
    assert "512/UBND-NC" in page.text
    assert f'name="lead.{world.A}" value="1" checked' in page.text


def test_given_work_shows_everywhere_and_is_counted_apart(site: Site) -> None:
    """Rules 44, 46."""
    browser = site.logged_in(Visitor.COORDINATOR)
    cells = "/bang/phan-cong?o=trong-han&nam=2027"
    before = text_of(browser.get(cells))
    page = given(site, browser)
    assert "Rà soát <thủ tục> nội bộ" in text_of(browser.get(page))
    overview = text_of(browser.get("/?nam=2027"))
    assert "Giao bổ sung, ngoài Phụ lục, đếm riêng" in overview
    assert "2 phân công chủ trì" in overview
    assert text_of(browser.get(cells)) == before
    apart = text_of(browser.get("/bang/phan-cong?o=trong-han&nam=2027&bo-sung=chi"))
    assert "2 dòng" in apart
    assert "BS-2027/01" in apart
    assert "BS-2027/01" in text_of(browser.get("/bang/phan-cong?nam=2027"))
    assert "Giao bổ sung, ngoài Phụ lục" in text_of(browser.get("/ban-do?nam=2027"))
    item = text_of(browser.get(f"/nhiem-vu/{world.PLAN}/BS-2027/01?nam=2027"))
    assert "Nội dung giao bổ sung" in item
    assert "Phường Nha Trang" in item
    assert "Giao bổ sung" in text_of(browser.get("/giao-ban?nam=2027"))
    assert "BS-2027/01" in text_of(browser.get("/nhu-da-biet"))
    assert "Giao bổ sung" in text_of(browser.get("/lich-su?nhiem-vu=BS-2027/01"))
    assert browser.get("/xuat/nhiem-vu.xlsx?nam=2027").status_code == 200
    assert browser.get("/xuat/ban-do.xlsx?nam=2027").status_code == 200
    assert "BS-2027/01" not in text_of(browser.get("/dieu-phoi/lich-nam?nam=2027"))
    own = site.logged_in(Visitor.AGENCY)
    mine = own.get("/co-quan")
    assert "BS-2027/01" in text_of(mine)
    assert "Phường Nha Trang" not in text_of(mine)


def test_work_is_amended_and_ended_on_its_page(site: Site) -> None:
    browser = site.logged_in(Visitor.COORDINATOR)
    page = given(site, browser)
    shared = {name: TYPED[name] for name in ("basis_code", "basis_on", "product", "authority")}
    asked = {**shared, "task": "Việc khác", "due_on": "30/6/2027", "confirmation": "accept"}
    refused = post(browser, f"{page}/dieu-chinh", **asked)
    assert refused.status_code == 422
    assert "nêu lý do" in text_of(refused)
    done = post(browser, f"{page}/dieu-chinh", **asked, reason="Theo văn bản mới", version="1")
    assert "nội dung, hạn, cách xác nhận" in text_of(browser.get(done.headers["location"]))
    stale = post(
        browser, f"{page}/dieu-chinh", **asked | {"task": "X"}, reason="Lần hai", version="1"
    )
    assert stale.status_code == 409
    ended = post(browser, f"{page}/thoi", reason="Đã giao nơi khác")
    assert "Đã thôi theo dõi BS-2027/01: 3 phân công" in text_of(
        browser.get(ended.headers["location"])
    )


def test_who_only_reads_is_offered_no_form(site: Site) -> None:
    browser = site.logged_in(Visitor.AUDITOR)
    assert 'method="post"' not in browser.get(PATH).text.split("<main")[1]
    assert browser.get(f"{PATH}/999").status_code == 404
