""" "Đề nghị phối hợp": asked, answered another way, not needed, or silent (rule 14)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from models.tables import Assignment
from portal.permissions import Visitor
from tests import portal_site
from tests.portal_site import Site, send, text_of

PAGE = "/dieu-phoi/phoi-hop"
ASKED = {"content": "Cung cấp số liệu.", "respond_by": "26/3/2027", "tat-ca": "1"}


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal with open work."""
    with portal_site.site(database_url, tmp_path) as found:
        yield found


def status_of(site: Site) -> str:
    """How the partner of II.3 stands."""
    work = site.work["II.3/xa_van_ninh/partner"]
    return site.read(lambda s: s.get_one(Assignment, work)).status


def test_partners_are_asked_and_what_came_another_way_is_received(site: Site) -> None:
    staff, lead = site.logged_in(Visitor.COORDINATOR), site.work["II.3/so_noi_vu"]
    partner = str(site.work["II.3/xa_van_ninh/partner"])
    page = f"{PAGE}/{lead}"
    assert page in staff.get(PAGE).text
    missing = send(staff, page, "de-nghi", {**ASKED, "respond_by": ""})
    assert missing.status_code == 422
    assert "Cung cấp số liệu." in missing.text
    assert send(staff, page, "de-nghi", {**ASKED, "tat-ca": ""}).status_code == 422
    assert send(staff, page, "de-nghi", ASKED).status_code == 303
    assert status_of(site) == "requested"
    none = send(staff, page, "da-nhan", {"partner": partner})
    assert none.status_code == 422
    got = {"partner": partner, "entered_channel": "Zalo", "text": "Đã gửi bảng số liệu."}
    assert send(staff, page, "da-nhan", got).status_code == 303
    assert status_of(site) == "contributed"
    assert "Đã gửi bảng số liệu." in text_of(staff.get(page))


def test_partner_that_is_not_needed_and_a_foreign_one(site: Site) -> None:
    staff, page = site.logged_in(Visitor.COORDINATOR), f"{PAGE}/{site.work['II.3/so_noi_vu']}"
    send(staff, page, "de-nghi", ASKED)
    foreign = {"partner": str(site.work["I.1/so_noi_vu/partner"])}
    assert send(staff, page, "khong-can", foreign).status_code == 404
    own = {"partner": str(site.work["II.3/xa_van_ninh/partner"]), "reason": "Đã đủ số liệu."}
    assert send(staff, page, "khong-can", own).status_code == 303
    assert status_of(site) == "not_needed"
    assert staff.get(f"{PAGE}/{foreign['partner']}").status_code == 404
