"""Confirming many at once: shown first, each on its own, unopened evidence noted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from models.tables import Assignment, Event
from operations.act import act
from operations.acting import ActRequest
from portal.permissions import Visitor
from rules.lifecycle import Action
from tests import portal_site, world
from tests.portal_site import PDF, RESULT, Site, mark_of, send, text_of

PAGE = "/dieu-phoi/xac-nhan-nhieu"


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal where two agencies have filed I.1, one of them with a file."""
    with portal_site.site(database_url, tmp_path) as found:
        for agency, files in ((world.A, [("a.pdf", PDF)]), (world.B, [])):
            path = f"{found.link(agency)}/viec/{found.work[f'I.1/{agency}']}"
            assert send(found.browser(), path, "cap-nhat", RESULT, files=files).status_code == 303
        yield found


def statuses(site: Site) -> list[str]:
    """How the two stand."""
    works = [site.work[f"I.1/{agency}"] for agency in (world.A, world.B)]
    return [site.read(lambda s, w=work: s.get_one(Assignment, w)).status for work in works]  # type: ignore[misc]


def confirm(browser: TestClient, path: str = f"{PAGE}?nhiem-vu=I.1", **changes: str) -> str:
    """Open the page, leave every tick, press the button; the words of the answer."""
    page = browser.get(path)
    ticks = dict(re.findall(r'name="(chon\.\d+)" value="(\d+)"', page.text))
    answer = browser.post(PAGE, data={"mark": mark_of(page), **ticks, **changes})
    return text_of(answer)


def test_page_shows_each_and_says_which_evidence_was_not_opened(site: Site) -> None:
    staff = site.logged_in(Visitor.COORDINATOR)
    before = site.counts()
    seen = text_of(staff.get(f"{PAGE}?nhiem-vu=I.1"))
    assert "Sẽ xác nhận 2 kết quả" in seen
    assert "▲ chưa mở 1 tệp" in seen
    assert "không có tệp, chỉ có số, ngày văn bản" in seen
    assert site.counts() == before
    assert staff.get("/tai-lieu/1").status_code == 200
    assert "chưa mở" not in text_of(staff.get(f"{PAGE}?nhiem-vu=I.1"))


def test_each_is_confirmed_and_history_keeps_what_was_not_opened(site: Site) -> None:
    staff = site.logged_in(Visitor.COORDINATOR)
    assert "Đã xác nhận 2 kết quả" in confirm(staff, reason="Đủ hồ sơ.")
    assert statuses(site) == ["confirmed", "confirmed"]
    query = select(Event.agency_key, Event.reason).where(Event.action == "confirm")
    reasons = dict(site.read(lambda s: s.execute(query).tuples().all()))
    assert reasons[world.A] == (
        "Đủ hồ sơ. (Xác nhận cùng lúc nhiều kết quả; chưa mở tệp tài liệu kiểm chứng)"
    )
    assert reasons[world.B] == "Đủ hồ sơ. (Xác nhận cùng lúc nhiều kết quả)"


def test_one_that_fails_is_told_and_holds_up_nothing(site: Site) -> None:
    staff = site.logged_in(Visitor.COORDINATOR)
    page, work = staff.get(f"{PAGE}?nhiem-vu=I.1"), site.work["I.1/xa_van_ninh"]
    ticks = dict(re.findall(r'name="(chon\.\d+)" value="(\d+)"', page.text))
    asked = ActRequest(reason="Thiếu phụ lục.")
    site.write(lambda s: act(s, world.coordinator(name="Người khác"), work, Action.RETURN, asked))
    answer = staff.post(PAGE, data={"mark": mark_of(page), **ticks})
    assert "Đã xác nhận 1 kết quả" in text_of(answer)
    assert "Chưa xác nhận 1 kết quả" in text_of(answer)
    assert statuses(site) == ["in_progress", "confirmed"]
    again = staff.post(PAGE, data={"mark": mark_of(page), **ticks})
    assert "Đã xác nhận 1 kết quả" in text_of(again)


def test_only_the_ticked_ones_and_at_least_one(site: Site) -> None:
    staff = site.logged_in(Visitor.COORDINATOR)
    page, work = staff.get(f"{PAGE}?nhiem-vu=I.1"), site.work["I.1/phuong_nha_trang"]
    none = staff.post(PAGE, data={"mark": mark_of(page), "reason": "Đủ.", "tat-ca": str(work)})
    assert none.status_code == 422
    assert 'value="Đủ."' in none.text
    assert "checked" not in none.text
    assert "Đã xác nhận 1 kết quả" in confirm(staff, f"{PAGE}?viec={work}")
    assert statuses(site) == ["submitted", "confirmed"]
    assert staff.post(PAGE, data={"mark": "x"}).status_code == 403


def test_nobody_confirms_what_they_entered_themselves(site: Site) -> None:
    staff, work = site.logged_in(Visitor.COORDINATOR), site.work["II.5/so_tai_chinh"]
    values = {**RESULT, "entered_channel": "Zalo"}
    assert send(staff, f"/viec/{work}", "nhap-thay", values).status_code == 303
    seen = staff.get(f"{PAGE}?nhiem-vu=II.5")
    assert "không tự xác nhận" in text_of(seen)
    assert 'type="checkbox"' not in seen.text
