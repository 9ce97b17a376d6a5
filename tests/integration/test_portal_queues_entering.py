""" "Nhập thay": what came on paper or Zalo, entered for the agency and decided by another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from models.tables import Event, ExtensionRequest, Obstacle, Submission
from portal.permissions import Visitor
from tests import portal_site, world
from tests.portal_site import PDF, RESULT, Site, send, text_of

PAGE = "/dieu-phoi/nhap-thay"


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal with open work."""
    with portal_site.site(database_url, tmp_path) as found:
        yield found


def test_result_is_entered_with_its_channel_and_scan(site: Site) -> None:
    staff, work = site.logged_in(Visitor.COORDINATOR), site.work["I.1/xa_van_ninh"]
    assert "Xã Vạn Ninh" in text_of(staff.get(PAGE))
    assert f"{PAGE}/{work}" in staff.get(f"{PAGE}?co-quan=xa_van_ninh").text
    page = f"{PAGE}/{work}"
    missing = send(staff, page, "nhap-thay", RESULT, files=[("scan.pdf", PDF)])
    assert missing.status_code == 422
    assert 'id="loi-nhap-thay-entered_channel"' in missing.text
    assert "scan.pdf" in missing.text
    values = {**RESULT, "entered_channel": "Văn bản giấy", "entered_number": "12"}
    answer = send(staff, page, "nhap-thay", values, files=[("scan.pdf", PDF)])
    assert answer.headers["location"].startswith(f"{PAGE}?co-quan=xa_van_ninh")
    assert "Đã ghi:" in text_of(staff.get(answer.headers["location"]))
    row = site.read(lambda s: s.scalars(select(Submission)).one())
    assert (row.entered_channel, row.entered_number) == ("Văn bản giấy", "12")
    behalf = select(Event.on_behalf_of).where(Event.action == "submit")
    assert site.read(lambda s: s.scalars(behalf).one()) == world.A
    queue = staff.get("/dieu-phoi")
    assert "Nhập thay, nhận qua: Văn bản giấy" in text_of(queue)
    assert "không tự xác nhận" in text_of(queue)
    other = site.logged_in(Visitor.COORDINATOR, username="nguoi-khac")
    assert send(other, f"/viec/{work}", "xac-nhan", {}).status_code == 303


def test_request_and_obstacle_of_an_agency_are_entered_too(site: Site) -> None:
    staff, page = site.logged_in(Visitor.COORDINATOR), f"{PAGE}/{site.work['I.1/xa_van_ninh']}"
    asked = {"until": "29/4/2027", "reason": "Công văn giấy, số đến 15: chờ nhân sự."}
    assert send(staff, page, "gia-han", asked).status_code == 303
    assert send(staff, page, "vuong-mac", {"text": "Qua Zalo: thiếu biên chế."}).status_code == 303
    assert site.read(lambda s: s.scalars(select(ExtensionRequest.state)).one()) == "asked"
    assert site.read(lambda s: s.scalars(select(Obstacle.agency_key)).one()) == world.A


def test_own_work_and_ended_work_offer_nothing_to_enter(site: Site) -> None:
    staff = site.logged_in(Visitor.COORDINATOR)
    page = staff.get(f"{PAGE}/{site.work['II.3/so_noi_vu']}")
    assert "Không nhập thay được" in text_of(page)
    assert "<textarea" not in page.text
    assert staff.get(f"{PAGE}/9999").status_code == 404
