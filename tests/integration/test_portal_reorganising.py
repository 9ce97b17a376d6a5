"""Danh mục › Sắp xếp cơ quan: a form or a file, seen before it is done (rules 9, 26, 35)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import select

from models.tables import Assignment, ReorganisationRow
from portal.permissions import Visitor
from rules.lifecycle import Status
from tests import portal_site, world
from tests.portal_site import Site, mark_of, text_of

PAGE = "/danh-muc/sap-xep"
MERGE = {
    "document": "1667/NQ-UBTVQH15",
    "issued_on": "20/2/2027",
    "effective_on": "1/3/2027",
    "olds": "2",
    "heirs": "1",
    "predecessors.0": world.A,
    "predecessors.1": world.B,
    "successors.0.name": "Xã Vạn Trang",
    "accounts": "move",
    "xem": "1",
}
FILE = """reorganisations:
  - kind: rename
    effective_on: 2027-03-01
    document: {code: 12/NQ-HĐND}
    predecessors: [xa_van_ninh]
    successors:
      - new:
          name: Xã Vạn Giã
"""


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    with portal_site.site(database_url, tmp_path) as made:
        yield made


@pytest.fixture
def browser(site: Site) -> TestClient:
    return site.logged_in(Visitor.COORDINATOR)


def post(browser: TestClient, path: str, values: dict[str, str], **more: object) -> Response:
    mark = mark_of(browser.get(PAGE))
    return browser.post(path, data={"mark": mark, **values}, **more)  # type: ignore[no-any-return]


def signed(page: Response) -> str:
    found = re.search(r'name="plan" value="([^"]+)"', page.text)
    assert found is not None, text_of(page)
    return unescape(found[1])


def status(site: Site, name: str) -> str:
    return site.read(lambda session: session.get_one(Assignment, site.work[name]).status)


def test_a_merger_is_seen_and_then_done(site: Site, browser: TestClient) -> None:
    """(35)"""
    page = post(browser, f"{PAGE}/moi/hop-nhat", MERGE)
    text = text_of(page)
    assert page.status_code == 200, text
    assert re.search(r"Xã Vạn Ninh ?; ?Phường Nha Trang → Xã Vạn Trang", text)
    assert "√ Tiếp nhận" in text
    assert "31/3/2027" in text
    assert "◄ Xã Vạn Trang" in text
    assert status(site, "I.1/xa_van_ninh") == Status.NOT_STARTED
    done = post(browser, f"{PAGE}/ap-dung", {"plan": signed(page)})
    assert done.status_code == 303
    told = text_of(browser.get(done.headers["location"]))
    assert "Đã ghi 1 sắp xếp cơ quan" in told
    assert "1667/NQ-UBTVQH15 ngày 20/2/2027" in told
    assert status(site, "I.1/xa_van_ninh") == Status.TRANSFERRED


def test_what_changed_in_between_is_shown_again(site: Site, browser: TestClient) -> None:
    """(26)"""
    page = post(browser, f"{PAGE}/moi/hop-nhat", MERGE)
    site.write(
        lambda session: setattr(
            session.get_one(Assignment, site.work["I.1/xa_van_ninh"]), "status", "in_progress"
        )
    )
    again = post(browser, f"{PAGE}/ap-dung", {"plan": signed(page)})
    assert again.status_code == 409
    assert "đã thay đổi từ lúc xem trước" in text_of(again)
    assert post(browser, f"{PAGE}/ap-dung", {"plan": signed(again)}).status_code == 303


def test_a_preview_of_somebody_else_or_of_nobody_is_not_applied(
    site: Site, browser: TestClient
) -> None:
    page = post(browser, f"{PAGE}/moi/hop-nhat", MERGE)
    other = site.logged_in(Visitor.LEADERSHIP)
    for plan in (signed(page), "gia.mao"):
        answer = post(other, f"{PAGE}/ap-dung", {"plan": plan})
        assert answer.status_code == 422
    assert site.read(lambda session: session.scalars(select(ReorganisationRow)).all()) == []


def test_lines_are_added_without_losing_what_was_typed(browser: TestClient) -> None:
    page = post(browser, f"{PAGE}/moi/hop-nhat", {**MERGE, "xem": "", "them-cu": "1"})
    assert 'name="predecessors.2"' in page.text
    assert 'value="Xã Vạn Trang"' in page.text
    assert f'value="{world.B}" selected' in page.text


def test_a_mistake_stands_beside_its_field_and_nothing_is_lost(browser: TestClient) -> None:
    wrong = {**MERGE, "successors.0.name": "Sở Tài chính", "effective_on": "31/2/2027"}
    page = post(browser, f"{PAGE}/moi/hop-nhat", wrong)
    assert page.status_code == 422
    assert "Không có ngày 31/2/2027" in text_of(page)
    page = post(browser, f"{PAGE}/moi/hop-nhat", {**wrong, "effective_on": "1/3/2027"})
    assert "Đã có cơ quan tên “Sở Tài chính”" in text_of(page)
    assert 'id="loi-sap-xep-successors.0.name"' in page.text
    assert 'value="1667/NQ-UBTVQH15"' in page.text


def upload(browser: TestClient, text: str) -> Response:
    files = {"file": ("sap-xep.yaml", text.encode(), "application/yaml")}
    return post(browser, f"{PAGE}/tep", {}, files=files)


def test_a_file_is_seen_and_then_done(site: Site, browser: TestClient) -> None:
    page = upload(browser, FILE)
    assert page.status_code == 200, text_of(page)
    assert post(browser, f"{PAGE}/ap-dung", {"plan": signed(page)}).status_code == 303
    assert status(site, "I.1/xa_van_ninh") == Status.TRANSFERRED


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("kind: rename", "kind: renam", "sap-xep.yaml, dòng 2"),
        ("predecessors", "predecesors", "có phải là “predecessors”?"),
        ("[xa_van_ninh]", "[xa_la]", "sap-xep.yaml, dòng 5"),
        ("Xã Vạn Giã", "Sở Tài chính", "dòng 8"),
    ],
)
def test_a_files_mistakes_are_told_by_line_and_remedy(
    site: Site, browser: TestClient, old: str, new: str, said: str
) -> None:
    """(9)"""
    page = upload(browser, FILE.replace(old, new))
    assert page.status_code == 422
    assert said in text_of(page)
    assert site.read(lambda session: session.scalars(select(ReorganisationRow)).all()) == []


def test_what_waits_for_reopening_is_listed_until_it_is_decided(
    site: Site, browser: TestClient
) -> None:
    """(35)"""

    def close(session: object) -> None:
        row = session.get_one(Assignment, site.work["II.5/so_tai_chinh"])  # type: ignore[attr-defined]
        row.status, row.next_reminder_on = Status.CONFIRMED.value, None

    site.write(close)
    values = {**MERGE, "successors.0.name": "", "successors.0.agency": world.C}
    page = post(browser, f"{PAGE}/moi/hop-nhat", values)
    assert "cần xem xét mở lại" in text_of(page)
    post(browser, f"{PAGE}/ap-dung", {"plan": signed(page)})
    listed = text_of(browser.get(PAGE))
    assert "Sở Tài chính: Đã xác nhận hoàn thành" in listed
    path = f"{PAGE}/xem-lai/{site.work['II.5/xa_van_ninh']}"
    assert post(browser, path, {"reason": ""}).status_code == 422
    assert post(browser, path, {"reason": "Kế hoạch đã gồm phần này"}).status_code == 303
    assert "Không có việc nào chờ xem xét" in text_of(browser.get(PAGE))
    assert post(browser, path, {"reason": "Lần nữa"}).status_code == 409


def test_auditors_read_and_change_nothing(site: Site) -> None:
    auditor = site.logged_in(Visitor.AUDITOR)
    page = auditor.get(PAGE)
    assert page.status_code == 200
    assert "Ghi một sắp xếp" not in page.text
    assert auditor.get(f"{PAGE}/moi/hop-nhat").status_code == 403
