"""Accounts: logging in and out, sessions that end, an agency's own pages, decisions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from models.tables import AccessLog, Assignment, Event, ExtensionRequest, Obstacle, Submission
from operations.accounts import disable_account
from portal.permissions import Visitor
from tests import portal_site, world
from tests.portal_site import PASSWORD, PDF, RESULT, Site, mark_of, send, text_of


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal with open work."""
    with portal_site.site(database_url, tmp_path) as found:
        yield found


def log_in(site: Site, browser: TestClient, username: str, password: str) -> int:
    """Try to log in; the status of the answer."""
    mark = mark_of(browser.get("/dang-nhap"))
    data = {"mark": mark, "username": username, "password": password}
    return int(browser.post("/dang-nhap", data=data).status_code)


def test_wrong_password_and_unknown_name_read_alike(site: Site) -> None:
    site.account(Visitor.AGENCY)
    browser, told = site.browser(), []
    for username in ("agency", "nobody"):
        mark = mark_of(browser.get("/dang-nhap"))
        data = {"mark": mark, "username": username, "password": "sai"}
        answer = browser.post("/dang-nhap", data=data)
        assert answer.status_code == 403
        assert f'value="{username}"' in answer.text
        told.append(text_of(answer))
    assert told[0] == told[1]


def test_five_wrong_passwords_lock_the_account(site: Site) -> None:
    username, browser = site.account(Visitor.AGENCY), site.browser()
    for _ in range(5):
        assert log_in(site, browser, username, "sai") == 403
    assert log_in(site, browser, username, PASSWORD) == 403
    site.clock.instant += timedelta(minutes=16)
    assert log_in(site, browser, username, PASSWORD) in {303, 429}


def test_guessing_passwords_is_stopped(site: Site) -> None:
    browser = site.browser()
    answers = [log_in(site, browser, f"nguoi{n}", "sai") for n in range(24)]
    assert answers[:20] == [403] * 20
    assert set(answers[20:]) == {429}


def test_login_needs_the_mark_of_its_page(site: Site) -> None:
    username = site.account(Visitor.AGENCY)
    data = {"mark": "", "username": username, "password": PASSWORD}
    assert site.browser().post("/dang-nhap", data=data).status_code == 403
    page_of_another = site.browser().get("/dang-nhap")
    data["mark"] = mark_of(page_of_another)
    assert site.browser().post("/dang-nhap", data=data).status_code == 403


@pytest.mark.parametrize("onward", ["//evil.test/", "https://evil.test/", "/\\evil.test"])
def test_login_goes_on_inside_the_portal_only(site: Site, onward: str) -> None:
    username, browser = site.account(Visitor.COORDINATOR), site.browser()
    mark = mark_of(browser.get("/dang-nhap"))
    data = {"mark": mark, "username": username, "password": PASSWORD, "onward": onward}
    answer = browser.post("/dang-nhap", data=data)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_cookie_is_for_this_site_and_no_script(site: Site) -> None:
    username, browser = site.account(Visitor.COORDINATOR), site.browser()
    mark = mark_of(browser.get("/dang-nhap"))
    data = {"mark": mark, "username": username, "password": PASSWORD}
    cookies = browser.post("/dang-nhap", data=data).headers.get_list("set-cookie")
    session = next(one for one in cookies if one.startswith("tiendo_phien="))
    assert "HttpOnly" in session
    assert "SameSite=Lax" in session
    assert "Max-Age" not in session


def test_cookies_are_secure_where_people_come_by_https(database_url: str, tmp_path: Path) -> None:
    address = "https://tiendo.khanhhoa.gov.vn"
    with portal_site.site(database_url, tmp_path, portal_public_url=address) as found:
        answer = found.browser().get("/dang-nhap")
        assert "Secure" in answer.headers["set-cookie"]
        assert "max-age=" in answer.headers["strict-transport-security"]


def test_session_ends_after_fifteen_minutes_without_a_click(site: Site) -> None:
    browser = site.logged_in(Visitor.COORDINATOR)
    for _ in range(3):
        site.clock.instant += timedelta(minutes=14)
        assert "Tổng quan tiến độ năm" in text_of(browser.get("/"))
    site.clock.instant += timedelta(minutes=16)
    assert "Tổng quan tiến độ năm" not in text_of(browser.get("/"))
    assert browser.get("/co-quan").status_code == 401


def test_form_posted_after_the_session_ended_is_kept_through_the_login(site: Site) -> None:
    browser = site.logged_in(Visitor.AGENCY)
    page = f"/co-quan/viec/{site.work['I.1/xa_van_ninh']}"
    seen = browser.get(page)
    site.clock.instant += timedelta(minutes=20)
    ended = send(browser, page, "cap-nhat", RESULT, files=[("a.pdf", PDF)], page=seen)
    assert ended.status_code == 401
    assert "được giữ lại" in text_of(ended)
    kept = ended.text.split('name="kept" value="')[1].split('"')[0]
    data = {
        "mark": mark_of(ended),
        "username": "agency",
        "password": PASSWORD,
        "kept": kept,
    }
    again = browser.post("/dang-nhap", data=data)
    assert "Đã ban hành quyết định phân công." in text_of(again)
    assert "Tệp đính kèm cần chọn lại" in text_of(again)
    hidden = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', again.text)
    body = again.text.split("<main")[1]
    marks = re.findall(r'name="mark" value="([^"]+)"', body)
    sent = browser.post(f"{page}/cap-nhat", data={**dict(hidden), "mark": marks[0]})
    assert sent.status_code == 303
    assert len(site.read(lambda s: s.scalars(select(Submission)).all())) == 1


def test_logging_out_ends_the_session(site: Site) -> None:
    browser = site.logged_in(Visitor.AUDITOR)
    mark = mark_of(browser.get("/"))
    assert browser.post("/dang-xuat", data={"mark": "x"}).status_code == 403
    assert browser.post("/dang-xuat", data={"mark": mark}).status_code == 303
    assert browser.get("/viec/1").status_code == 401


def test_disabled_account_is_out_at_once(site: Site) -> None:
    browser = site.logged_in(Visitor.AGENCY)
    site.write(lambda s: disable_account(s, world.admin(), "agency", reason="Chuyển công tác"))
    assert browser.get("/co-quan").status_code == 401


def test_forged_session_cookie_is_nobody(site: Site) -> None:
    browser = site.browser()
    browser.cookies.set("tiendo_phien", "WzEsMCwieCIsMTgwMDAwMDAwMF0.forged")
    assert browser.get("/co-quan").status_code == 401


def test_agency_works_by_account_on_its_own_work_only(site: Site) -> None:
    browser = site.logged_in(Visitor.AGENCY)
    assert browser.get("/").headers["location"] == "/co-quan"
    own, other = site.work["I.1/xa_van_ninh"], site.work["I.1/phuong_nha_trang"]
    answer = send(browser, f"/co-quan/viec/{own}", "cap-nhat", RESULT)
    assert answer.status_code == 303
    stored = site.read(lambda s: s.scalars(select(Submission)).one())
    assert (stored.identity, stored.stated_name) == ("account:agency", "Người dùng agency")
    assert browser.get(f"/co-quan/viec/{other}").status_code == 404
    data = {"mark": mark_of(browser.get("/co-quan")), "version": "1", **RESULT}
    assert browser.post(f"/co-quan/viec/{other}/cap-nhat", data=data).status_code == 404
    assert "Phường Nha Trang" not in text_of(browser.get(f"/co-quan/viec/{own}"))


def test_coordinators_own_work_is_submitted_by_account_and_confirmed_by_leadership(
    site: Site,
) -> None:
    staff = site.logged_in(Visitor.COORDINATOR)
    work = site.work["II.3/so_noi_vu"]
    assert send(staff, f"/co-quan/viec/{work}", "cap-nhat", RESULT).status_code == 303
    desk = staff.get(f"/viec/{work}")
    assert "Xác nhận hoàn thành" not in desk.text.split("Lịch sử")[0]
    data = {"mark": mark_of(desk), "version": "2"}
    assert staff.post(f"/viec/{work}/xac-nhan", data=data).status_code == 409
    leader = site.logged_in(Visitor.LEADERSHIP)
    assert send(leader, f"/viec/{work}", "xac-nhan", {}).status_code == 303
    row = site.read(lambda s: s.get_one(Assignment, work))
    assert (row.status, row.self_confirmed) == ("confirmed", True)
    assert "tự xác nhận" in text_of(leader.get(f"/viec/{work}"))


def test_result_is_returned_with_a_reason_and_comes_again(site: Site) -> None:
    browser, link = site.browser(), site.link()
    page = f"{link}/viec/{site.work['I.1/xa_van_ninh']}"
    send(browser, page, "cap-nhat", RESULT)
    desk, staff = f"/viec/{site.work['I.1/xa_van_ninh']}", site.logged_in(Visitor.COORDINATOR)
    missing = send(staff, desk, "tra-lai", {})
    assert missing.status_code == 422
    assert 'id="loi-tra-lai-reason"' in missing.text
    assert send(staff, desk, "tra-lai", {"reason": "Thiếu phụ lục."}).status_code == 303
    seen = text_of(browser.get(page))
    assert "Đề nghị bổ sung, hoàn thiện" in seen
    assert "Thiếu phụ lục." in seen
    again = {**RESULT, "text": "Đã bổ sung phụ lục."}
    assert send(browser, page, "cap-nhat", again).status_code == 303


def test_extension_is_decided_on_the_page_of_the_work(site: Site) -> None:
    browser, link = site.browser(), site.link()
    work = site.work["I.1/xa_van_ninh"]
    asked = {"who_name": "Hoa", "until": "30/4/2027", "reason": "Chờ hướng dẫn."}
    send(browser, f"{link}/viec/{work}", "gia-han", asked)
    staff = site.logged_in(Visitor.COORDINATOR)
    assert "Chờ hướng dẫn." in text_of(staff.get("/"))
    assert send(staff, f"/viec/{work}", "dong-y-gia-han", {"reason": ""}).status_code == 422
    granted = {"reason": "Có căn cứ.", "until": "29/4/2027"}
    assert send(staff, f"/viec/{work}", "dong-y-gia-han", granted).status_code == 303
    state = site.read(lambda s: s.scalars(select(ExtensionRequest.state)).one())
    assert state == "granted"
    assert "29/4/2027" in text_of(browser.get(f"{link}/viec/{work}"))
    assert send(staff, f"/viec/{work}", "khong-gia-han", {"reason": "x"}).status_code == 422


def test_obstacle_is_answered_where_the_agency_reads_it(site: Site) -> None:
    browser, link = site.browser(), site.link()
    work = site.work["I.1/xa_van_ninh"]
    raised = {"who_name": "Hoa", "text": "Thiếu biên chế."}
    send(browser, f"{link}/viec/{work}", "vuong-mac", raised)
    send(browser, f"{link}/viec/{work}", "vuong-mac", raised)
    number = site.read(lambda s: s.scalars(select(Obstacle.id)).one())
    staff = site.logged_in(Visitor.COORDINATOR)
    assert "Thiếu biên chế." in text_of(staff.get("/"))
    answer = {"obstacle": str(number), "text": "Sở Nội vụ sẽ trình bổ sung."}
    assert send(staff, f"/viec/{work}", "tra-loi", answer).status_code == 303
    assert "Sở Nội vụ sẽ trình bổ sung." in text_of(browser.get(f"{link}/viec/{work}"))


def test_entering_for_an_agency_says_so_and_is_confirmed_by_another(site: Site) -> None:
    work, staff = site.work["I.1/xa_van_ninh"], site.logged_in(Visitor.COORDINATOR)
    values = {**RESULT, "entered_number": "12/2027"}
    assert send(staff, f"/viec/{work}", "nhap-thay", values).status_code == 422
    values["entered_channel"] = "Văn bản giấy"
    assert send(staff, f"/viec/{work}", "nhap-thay", values).status_code == 303
    assert "Nhập thay, nhận qua: Văn bản giấy" in text_of(staff.get(f"/viec/{work}"))
    assert send(staff, f"/viec/{work}", "xac-nhan", {}).status_code == 403
    other = site.logged_in(Visitor.COORDINATOR, username="nguoi-khac")
    assert send(other, f"/viec/{work}", "xac-nhan", {}).status_code == 303


def test_actions_that_end_work_ask_for_a_reason(site: Site) -> None:
    work, staff = site.work["I.1/xa_van_ninh"], site.logged_in(Visitor.COORDINATOR)
    desk = f"/viec/{work}"
    for deed, values in (
        ("tam-dung", {"reason": "Chờ hướng dẫn", "document": "12/SNV-CCHC"}),
        ("tiep-tuc", {"reason": "Đã có hướng dẫn"}),
        ("khong-phat-sinh", {"reason": "Không thuộc phạm vi"}),
        ("mo-lai", {"reason": "Rà soát lại", "due_on": "30/6/2027"}),
        ("thoi-theo-doi", {"reason": "Theo văn bản mới"}),
    ):
        if deed != "tiep-tuc":
            assert send(staff, desk, deed, {**values, "reason": ""}).status_code == 422, deed
        assert send(staff, desk, deed, values).status_code == 303, deed
    actions = site.read(lambda s: s.scalars(select(Event.action)).all())
    assert {"suspend", "resume", "waive", "reopen", "cancel"} <= set(actions)


def test_evidence_is_read_by_those_who_follow_everything_and_that_is_logged(site: Site) -> None:
    link = site.link()
    page = f"{link}/viec/{site.work['I.1/xa_van_ninh']}"
    send(site.browser(), page, "cap-nhat", RESULT, files=[("a.pdf", PDF)])
    auditor = site.logged_in(Visitor.AUDITOR)
    assert auditor.get("/tai-lieu/1").content == PDF
    assert auditor.get("/tai-lieu/2").status_code == 404
    read = site.read(lambda s: s.scalars(select(AccessLog).where(AccessLog.method == "FILE")).all())
    assert [(one.actor, one.path) for one in read] == [("account:auditor", "evidence/1")]


def test_overview_counts_the_four_cells(site: Site) -> None:
    staff = site.logged_in(Visitor.COORDINATOR)
    assert "5 ● Chưa hoàn thành, trong hạn" in text_of(staff.get("/"))
    site.clock.instant += timedelta(days=40)
    late = site.logged_in(Visitor.LEADERSHIP).get("/")
    assert "5 ▲ Chưa hoàn thành, quá hạn" in text_of(late)
    assert "Quá hạn (5)" in text_of(late)
    assert "Tổng quan tiến độ năm 2026" in text_of(
        site.logged_in(Visitor.AUDITOR).get("/?nam=2026")
    )
