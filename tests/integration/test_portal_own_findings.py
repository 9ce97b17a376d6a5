"""An agency's findings on its own pages: by account and by letter, its own only (45, 46)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from html import unescape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import select

from models.tables import AccessLog
from operations.findings import NewFinding, record_finding
from portal.instants import address_instant
from portal.permissions import Visitor
from tests import portal_site, world
from tests.portal_site import PDF, Site, mark_of, text_of, version_of

DESK = "/kiem-tra/kien-nghi"


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal with a finding about each of two agencies."""
    with portal_site.site(database_url, tmp_path) as found:
        for key, text in ((world.A, "Bổ sung hồ sơ phân công"), (world.B, "Chuyện của phường")):
            new = NewFinding(document="15/KL-TTr", text=text, agency=key, due_on=date(2027, 4, 30))
            with found.runtime.database.write() as session:
                record_finding(session, world.leadership(), new)
        yield found


def report(
    browser: TestClient, base: str, number: int = 1, *, file: bytes | None = None, **typed: str
) -> Response:
    """Fill in the report on a finding and send it."""
    page = browser.get(f"{base}/kien-nghi")
    values = {"mark": mark_of(page), "version": version_of(page), "who_name": "Hoa", **typed}
    files = [("file", ("ho-so.pdf", file, "application/pdf"))] if file else None
    answer: Response = browser.post(
        f"{base}/kien-nghi/{number}/da-khac-phuc", data=values, files=files
    )
    return answer


@pytest.mark.parametrize("by", ["account", "link"])
def test_an_agency_reports_on_its_own_finding_and_the_coordinator_confirms(
    site: Site, by: str
) -> None:
    browser = site.logged_in(Visitor.AGENCY) if by == "account" else site.browser()
    base = "/co-quan" if by == "account" else site.link()
    assert "Bổ sung hồ sơ phân công" in text_of(browser.get(base))
    page = browser.get(f"{base}/kien-nghi")
    assert "Bổ sung hồ sơ phân công" in text_of(page)
    assert "Chuyện của phường" not in text_of(page)
    missing = report(browser, base, report="Đã bổ sung đủ hồ sơ")
    assert missing.status_code == 422
    assert "Đã bổ sung đủ hồ sơ" in missing.text
    done = report(browser, base, report="Đã bổ sung đủ hồ sơ", file=PDF)
    assert done.status_code == 303, text_of(done)
    seen = browser.get(unescape(done.headers["location"]))
    assert "Đã báo cáo khắc phục" in text_of(seen)
    (path,) = set(re.findall(r'href="([^"]+/tep/[0-9a-f]{64})"', seen.text))
    assert browser.get(path).content == PDF
    head = site.logged_in(Visitor.COORDINATOR)
    desk = head.get(DESK)
    assert "ho-so.pdf" in desk.text
    assert head.get(f"{DESK}/1/tep/{path[-64:]}").content == PDF
    values = {"mark": mark_of(desk), "version": "2", "reason": "Đã xem hồ sơ"}
    assert head.post(f"{DESK}/1/khac-phuc", data=values).status_code == 303
    assert "√ Đã khắc phục" in text_of(browser.get(f"{base}/kien-nghi"))
    log = site.read(lambda s: s.scalars(select(AccessLog).where(AccessLog.method == "FILE")).all())
    assert {one.path for one in log} == {"finding/1"}
    assert "account:coordinator" in {one.actor for one in log}


def test_anothers_finding_is_not_there(site: Site) -> None:
    """(46) Neither to report on nor its files."""
    other = site.logged_in(Visitor.AGENCY, username="phuong", agency=world.B)
    own = site.logged_in(Visitor.AGENCY)
    report(own, "/co-quan", report="Đã làm", document="20/BC-UBND", file=PDF)
    (path,) = set(
        re.findall(r"/co-quan/kien-nghi/1/tep/[0-9a-f]{64}", own.get("/co-quan/kien-nghi").text)
    )
    assert other.get(path).status_code == 404
    assert other.get(path.replace("/1/", "/2/")).status_code == 404
    assert report(other, "/co-quan", 1, report="x", document="1/BC-A").status_code == 404
    assert report(other, "/co-quan", 99, report="x", document="1/BC-A").status_code == 404
    assert (
        site.browser().get(f"{site.link(world.B)}/kien-nghi/1/tep/{path[-64:]}").status_code == 404
    )


def test_a_file_of_a_form_with_a_mistake_need_not_be_chosen_again(site: Site) -> None:
    browser = site.logged_in(Visitor.AGENCY)
    back = report(browser, "/co-quan", document="20/BC-UBND", file=PDF)
    assert back.status_code == 422
    kept = re.search(r'name="kept_files" value="([^"]+)"', back.text)
    assert kept is not None
    done = report(browser, "/co-quan", report="Đã làm", kept_files=unescape(kept[1]))
    assert done.status_code == 303
    assert "ho-so.pdf" in browser.get("/co-quan/kien-nghi").text


def test_findings_can_be_looked_at_as_they_were_known(site: Site) -> None:
    """(39) With the reports and files of then."""
    browser = site.logged_in(Visitor.AGENCY)
    before = address_instant(site.clock.now())
    site.clock.instant = site.clock.now().replace(minute=10)
    report(browser, "/co-quan", report="Đã làm xong", document="20/BC-UBND", file=PDF)
    auditor = site.logged_in(Visitor.AUDITOR)
    assert "Đã làm xong" in auditor.get(DESK).text
    past = auditor.get(f"{DESK}?luc={before}")
    assert "Đã làm xong" not in past.text
    file = auditor.get(f"{DESK}/xuat/csv?luc={before}").content.decode("utf-8-sig")
    assert "Đã làm xong" not in file
