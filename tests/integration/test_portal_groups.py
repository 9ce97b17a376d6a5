"""Danh mục, nhóm: letters of whole groups, switched with a reason and told as history (36)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from models.tables import Assignment, GroupRow
from portal.permissions import Visitor
from tests import portal_site, world
from tests.portal_site import Site, mark_of, text_of

GROUPS = "/danh-muc/nhom"
SILENT = f"{GROUPS}/silent"
WHY = {"reason": "Đã có danh sách <hộp thư>", "document": "210/SNV-CCHC"}


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal in which a group with one agency gets no letters."""
    with portal_site.site(database_url, tmp_path) as found:
        found.write(lambda session: world.silence(session, world.A))
        yield found


def post(browser: TestClient, deed: str, values: dict[str, str], page: str = SILENT) -> Response:
    """Send the form of a group."""
    data = {"mark": mark_of(browser.get(page)), **values}
    answer: Response = browser.post(f"{page}/{deed}", data=data)
    return answer


def test_groups_tell_how_many_agencies_and_whether_they_get_letters(site: Site) -> None:
    """(36)"""
    browser = site.logged_in(Visitor.AUDITOR)
    page = browser.get(GROUPS)
    words = text_of(page)
    assert "Đang tắt thư tự động (1)" in words
    assert "○ Tắt Từ khi nạp danh mục" in words
    assert 'href="/thu/thi-diem"' in page.text
    assert "Xã Vạn Ninh" in text_of(browser.get(SILENT))
    assert "<form" not in browser.get(SILENT).text.split("<main")[1]
    assert browser.get(f"{GROUPS}/khong_co").status_code == 404


def test_a_group_is_switched_on_with_its_basis_and_the_history_keeps_it(site: Site) -> None:
    """(36, 37)"""
    browser = site.logged_in(Visitor.LEADERSHIP)
    answer = post(browser, "bat-thu", WHY)
    assert answer.status_code == 303, text_of(answer)
    page = browser.get(answer.headers["location"])
    words = text_of(page)
    assert "Đã bật thư tự động: 1 cơ quan" in words
    assert "● Thư tự động đang bật" in words
    assert "&lt;hộp thư&gt;" in page.text
    assert "văn bản 210/SNV-CCHC" in words
    assert "Mở thư tự động cho nhóm" in words.split("Lịch sử của nhóm")[1]
    assert "Đang tắt thư tự động (0)" in text_of(browser.get(GROUPS))
    work = site.work["I.1/xa_van_ninh"]
    assert site.read(lambda s: s.get_one(Assignment, work).next_reminder_on) is not None
    off = post(browser, "tat-thu", {"reason": "Tạm dừng"})
    assert off.status_code == 303
    assert not site.read(lambda session: session.get_one(GroupRow, "silent").letters)


def test_a_switch_without_a_reason_keeps_what_was_typed(site: Site) -> None:
    browser = site.logged_in(Visitor.COORDINATOR)
    answer = post(browser, "bat-thu", {"reason": " ", "document": "210/SNV-CCHC"})
    assert answer.status_code == 422
    assert 'value="210/SNV-CCHC"' in answer.text
    wrong = post(browser, "bat-thu", {"reason": "Vì sao <b>", "document": "2" * 300})
    assert wrong.status_code == 422
    assert "Vì sao &lt;b&gt;" in wrong.text
    assert not site.read(lambda session: session.get_one(GroupRow, "silent").letters)


def test_two_people_switch_a_group_once(site: Site) -> None:
    """(26)"""
    browser = site.logged_in(Visitor.COORDINATOR)
    assert post(browser, "bat-thu", WHY).status_code == 303
    again = post(browser, "bat-thu", WHY)
    assert again.status_code == 409
    assert "đã được bật trước đó" in text_of(again)


def test_groups_are_the_coordinators_to_switch(site: Site) -> None:
    admin = site.logged_in(Visitor.ADMIN)
    data = {"mark": mark_of(admin.get(SILENT)), **WHY}
    assert admin.post(f"{SILENT}/bat-thu", data=data).status_code == 403
    desk = site.logged_in(Visitor.COORDINATOR)
    assert post(desk, "xoa", WHY).status_code == 404
    assert site.logged_in(Visitor.AGENCY).get(GROUPS).status_code == 403
