"""The doors of the portal: codes after the password, one's own account, one-time links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import select

from flows.nightly import check
from flows.shell import Job, perform
from models.tables import Account, Event, RunLog, Submission
from operations.totp import pending_secret, reset_totp
from portal.permissions import Visitor
from portal.throttle import LimitsUnreachable, Throttle, open_throttle
from runtime.logs import hide_secrets
from runtime.preparing import first_link
from tests import portal_site, world
from tests.portal_site import PASSWORD, RESULT, Site, mark_of, send, text_of

OWN = "/tai-khoan-cua-toi"
SHORT = "cá vàng 6"
LONG = "mười hai con giáp ngồi"


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal with open work."""
    with portal_site.site(database_url, tmp_path) as found:
        yield found


def own(browser: TestClient, deed: str, **values: str) -> Response:
    """One form of one's own account."""
    mark = mark_of(browser.get(OWN))
    answer: Response = browser.post(f"{OWN}/{deed}", data={"mark": mark, **values})
    return answer


def account(site: Site, username: str) -> Account:
    return site.read(lambda s: s.scalars(select(Account).where(Account.username == username)).one())


def code(site: Site, secret: str) -> str:
    return pyotp.TOTP(secret).at(site.clock.now())


def switch_on(site: Site, browser: TestClient, username: str) -> tuple[str, list[str]]:
    """Switch codes on as a person does; the secret and the recovery codes shown."""
    assert own(browser, "bat-ma", current=PASSWORD).headers["location"] == f"{OWN}/ma-xac-thuc"
    page = browser.get(f"{OWN}/ma-xac-thuc")
    found = re.search(r'<p class="code">([A-Z2-7 ]+)</p>', page.text)
    assert found is not None
    secret = found[1].replace(" ", "")
    assert pending_secret(site.runtime.vault, account(site, username)) == secret
    data = {"mark": mark_of(page), "totp": code(site, secret)}
    told = browser.post(f"{OWN}/xac-nhan-ma", data=data)
    assert told.status_code == 200, text_of(told)
    return secret, re.findall(r'<li class="code">([^<]+)</li>', told.text)


def stranger_mark(page: Response) -> str:
    """The mark of the page's own form, below that which signs out."""
    found: list[str] = re.findall(r'name="mark" value="([^"]+)"', page.text.split("<main")[1])
    return found[0]


def password(browser: TestClient, username: str, word: str = PASSWORD, **values: str) -> Response:
    """The first of the two pages of signing in."""
    data = {
        "mark": stranger_mark(browser.get("/dang-nhap")),
        "username": username,
        "password": word,
    }
    answer: Response = browser.post("/dang-nhap", data={**data, **values})
    return answer


def second(browser: TestClient, page: Response, typed: str) -> Response:
    """The second page, with everything that it carries."""
    body = page.text.split("<main")[1]
    hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', body))
    answer: Response = browser.post("/dang-nhap/ma-xac-thuc", data={**hidden, "totp": typed})
    return answer


def test_sign_in_asks_for_a_code_after_the_password(site: Site) -> None:
    first = site.logged_in(Visitor.COORDINATOR)
    secret, codes = switch_on(site, first, "coordinator")
    assert len(codes) == 10
    assert "Tổng quan" in text_of(first.get("/"))
    browser = site.browser()
    page = password(browser, "coordinator", onward="/nhiem-vu")
    assert page.status_code == 200
    assert "tiendo_phien" not in browser.cookies
    assert browser.get("/nhiem-vu").status_code == 401
    wrong = second(browser, page, "000 00")
    assert wrong.status_code == 403
    site.clock.instant += timedelta(seconds=60)
    answer = second(browser, wrong, code(site, secret))
    assert (answer.status_code, answer.headers["location"]) == (303, "/nhiem-vu")
    assert browser.get("/nhiem-vu").status_code == 200
    replayed = second(site.browser(), page, code(site, secret))
    assert replayed.status_code == 403
    other = site.browser()
    assert second(other, password(other, "coordinator"), code(site, secret)).status_code == 403
    assert second(other, password(other, "coordinator"), codes[0]).status_code == 303


def test_the_page_for_the_code_holds_five_minutes_and_for_its_browser(site: Site) -> None:
    secret, _ = switch_on(site, site.logged_in(Visitor.AGENCY), "agency")
    browser = site.browser()
    assert browser.get("/dang-nhap/ma-xac-thuc").headers["location"] == "/dang-nhap"
    page = password(browser, "agency")
    assert browser.get("/dang-nhap/ma-xac-thuc").status_code == 200
    site.clock.instant += timedelta(minutes=6)
    late = second(browser, page, code(site, secret))
    assert late.status_code == 401
    assert "đăng nhập lại" in text_of(late)
    browser.cookies.set("tiendo_cho_ma", "WzEsMCwieCIsMTgwMDAwMDAwMF0.forged")
    assert browser.get("/dang-nhap/ma-xac-thuc").status_code == 303


def test_five_wrong_codes_lock_and_lead_back_to_the_password(site: Site) -> None:
    secret, _ = switch_on(site, site.logged_in(Visitor.AGENCY), "agency")
    browser = site.browser()
    page = password(browser, "agency")
    for _ in range(4):
        page = second(browser, page, "12345")
        assert "Nhập mã xác thực" in text_of(page)
    fifth = second(browser, page, "12345")
    assert fifth.status_code == 403
    assert "tạm khóa" in text_of(fifth)
    assert 'name="password"' in fifth.text
    site.clock.instant += timedelta(minutes=1)
    assert password(browser, "agency").status_code == 403
    site.clock.instant += timedelta(minutes=16)
    assert second(browser, password(browser, "agency"), code(site, secret)).status_code in {
        303,
        429,
    }


@pytest.mark.parametrize("visitor", [Visitor.AGENCY, Visitor.COORDINATOR])
def test_form_is_kept_through_password_and_code(site: Site, visitor: Visitor) -> None:
    """Rule 26: at the agency's form and at the coordinator's."""
    browser = site.logged_in(visitor)
    secret, _ = switch_on(site, browser, visitor.value)
    if visitor is Visitor.AGENCY:
        page, deed = f"/co-quan/viec/{site.work['I.1/xa_van_ninh']}", "cap-nhat"
        values = dict(RESULT)
    else:
        page, deed = f"/viec/{site.work['I.1/xa_van_ninh']}", "khong-phat-sinh"
        values = {"reason": "Đã ban hành quyết định phân công."}
    seen = browser.get(page)
    site.clock.instant += timedelta(minutes=20)
    ended = send(browser, page, deed, values, page=seen)
    assert ended.status_code == 401
    kept = ended.text.split('name="kept" value="')[1].split('"')[0]
    asked = browser.post(
        "/dang-nhap",
        data={
            "mark": mark_of(ended),
            "username": visitor.value,
            "password": PASSWORD,
            "kept": kept,
        },
    )
    wrong = second(browser, asked, "12345")
    again = second(browser, wrong, code(site, secret))
    assert "Đã ban hành quyết định phân công." in text_of(again)
    body = again.text.split("<main")[1]
    hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', body))
    assert browser.post(f"{page}/{deed}", data=hidden).status_code == 303
    actions = site.read(lambda s: s.scalars(select(Event.action)).all())
    assert ("submit" if visitor is Visitor.AGENCY else "waive") in actions
    filed = site.read(lambda s: s.scalars(select(Submission)).all())
    assert len(filed) == (visitor is Visitor.AGENCY)


def test_every_login_begins_a_session_of_its_own(site: Site) -> None:
    """No session can be planted: what the browser brought before is not what it has after."""
    browser = site.logged_in(Visitor.COORDINATOR)
    before, mark = browser.cookies["tiendo_phien"], mark_of(browser.get("/"))
    assert password(browser, "coordinator").status_code == 303
    assert browser.cookies["tiendo_phien"] != before
    assert mark_of(browser.get("/")) != mark
    assert browser.post("/dang-xuat", data={"mark": mark}).status_code == 403


def test_changing_the_password_ends_the_other_sessions_and_not_this_one(site: Site) -> None:
    here = site.logged_in(Visitor.AGENCY)
    there = site.browser()
    password(there, "agency")
    assert there.get("/co-quan").status_code == 200
    new = {"current": PASSWORD, "password": LONG, "password_again": LONG}
    unlike = own(here, "mat-khau", **{**new, "password_again": "khác"})
    assert unlike.status_code == 422
    assert "không giống nhau" in text_of(unlike)
    assert LONG not in unlike.text
    assert own(here, "mat-khau", **{**new, "current": "sai"}).status_code == 422
    done = own(here, "mat-khau", **new)
    assert done.status_code == 303
    assert "Đã đổi mật khẩu" in text_of(here.get(done.headers["location"]))
    assert there.get("/co-quan").status_code == 401
    assert password(there, "agency").status_code == 403
    assert password(there, "agency", LONG).status_code == 303


def test_people_correct_their_data_and_see_who_signed_in(site: Site) -> None:
    """Rule 40."""
    browser = site.logged_in(Visitor.AUDITOR)
    password(site.browser(), "auditor", "sai")
    page = text_of(browser.get(OWN))
    assert page.index("▲ Không thành công") < page.index("● Thành công")
    data = {"name": "Đỗ Thị Mai", "post": "Thanh tra viên", "email": "mai@thanhtra.test"}
    assert "thư" in text_of(own(browser, "thong-tin", **{**data, "email": "không phải"}))
    assert own(browser, "thong-tin", **data).status_code == 303
    assert "Đỗ Thị Mai" in text_of(browser.get("/"))
    events = site.read(lambda s: world.events(s, "account", "auditor"))
    assert (events[-1].action, events[-1].actor_name) == ("correct", "Người dùng auditor")


def test_signing_out_everywhere_ends_this_session_too(site: Site) -> None:
    here, there = site.logged_in(Visitor.ADMIN), site.browser()
    password(there, "admin")
    assert own(here, "dang-xuat-moi-noi").status_code == 303
    for browser in (here, there):
        assert browser.get(OWN).status_code == 401


def test_the_picture_is_ours_and_nobody_elses(site: Site) -> None:
    browser = site.logged_in(Visitor.AGENCY)
    picture = f"{OWN}/ma-xac-thuc/hinh.svg"
    assert browser.get(picture).status_code == 404
    own(browser, "bat-ma", current=PASSWORD)
    shown = browser.get(picture)
    assert shown.headers["content-type"] == "image/svg+xml"
    assert shown.headers["cache-control"] == "no-store"
    assert "<svg" in shown.text
    assert site.browser().get(picture).status_code == 401
    other = site.logged_in(Visitor.ADMIN)
    assert other.get(picture).status_code == 404


def test_a_short_password_opens_nothing_once_its_codes_are_reset(site: Site) -> None:
    browser = site.logged_in(Visitor.AGENCY)
    secret, _ = switch_on(site, browser, "agency")
    new = {"current": PASSWORD, "password": SHORT, "password_again": SHORT}
    assert own(browser, "mat-khau", **new).status_code == 303
    site.clock.instant += timedelta(minutes=1)
    off = own(browser, "tat-ma", current=SHORT, totp=code(site, secret))
    assert "từ 14 ký tự trước" in text_of(off)
    admin = site.logged_in(Visitor.ADMIN)
    page = "/danh-muc/tai-khoan/agency"
    mark = mark_of(admin.get(page))
    data = {"mark": mark, "reason": "Mất điện thoại"}
    assert admin.post(f"{page}/dat-lai-ma", data={**data, "reason": ""}).status_code == 422
    assert admin.post(f"{page}/dat-lai-ma", data=data).status_code == 303
    assert browser.get("/co-quan").status_code == 401
    assert password(browser, "agency", SHORT).status_code == 303
    assert browser.get("/co-quan").headers["location"] == OWN
    assert "đặt lại mã xác thực" in text_of(browser.get(OWN))
    long = {"current": SHORT, "password": LONG, "password_again": LONG}
    assert own(browser, "mat-khau", **long).status_code == 303
    assert browser.get("/co-quan").status_code == 200


def test_reset_codes_are_asked_for_again(site: Site) -> None:
    browser = site.logged_in(Visitor.AGENCY)
    switch_on(site, browser, "agency")
    site.write(lambda s: reset_totp(s, world.admin(), "agency", reason="Mất điện thoại"))
    assert password(browser, "agency").status_code == 303
    assert browser.get("/co-quan").status_code == 200
    assert "Đề nghị bật lại mã xác thực" in text_of(browser.get(OWN))


def fill_in(browser: TestClient, path: str, **values: str) -> Response:
    mark = stranger_mark(browser.get(path))
    answer: Response = browser.post(path, data={"mark": mark, **values})
    return answer


def test_the_printed_link_opens_the_first_accounts_once(site: Site) -> None:
    link = first_link(site.runtime)
    assert link is not None
    path, browser = link.removeprefix(site.runtime.settings.portal_url), site.browser()
    assert browser.get(path).status_code == browser.head(path).status_code == 200
    new = {"username": "quan.tri", "name": "Lê Văn Bình", "both": "1", "password": LONG}
    short = fill_in(browser, path, **{**new, "password": SHORT, "password_again": SHORT})
    assert short.status_code == 422
    assert 'value="Lê Văn Bình"' in short.text
    assert SHORT not in short.text
    assert browser.post(path, data={**new, "password_again": LONG}).status_code == 403
    made = fill_in(browser, path, **new, password_again=LONG)
    assert "Đã tạo tài khoản" in text_of(made)
    for again in (browser.get(path), site.browser().get(path)):
        assert again.status_code == 410
        assert "đã được dùng" in text_of(again)
    assert first_link(site.runtime) is None
    assert password(browser, "quan.tri", LONG).status_code == 303
    found = re.search(r'href="(/dat-mat-khau/[^"]+)"', made.text)
    assert found is not None
    assert fill_in(browser, found[1], password=LONG, password_again=LONG).status_code == 303
    assert password(browser, "dieu.phoi", LONG).status_code == 303
    assert "Tổng quan tiến độ" in text_of(browser.get("/"))
    assert fill_in(browser, "/dang-nhap").status_code == 403
    assert browser.get(found[1]).status_code == 410


def test_an_administrator_gives_a_link_that_is_shown_once(site: Site) -> None:
    admin = site.logged_in(Visitor.ADMIN)
    site.account(Visitor.AGENCY)
    page = "/danh-muc/tai-khoan/agency"
    shown = admin.post(f"{page}/lien-ket", data={"mark": mark_of(admin.get(page))})
    found = re.search(r"http://tiendo\.test(/dat-mat-khau/[A-Za-z0-9._=-]+)", shown.text)
    assert found is not None
    assert "/dat-mat-khau/" not in admin.get(page).text
    browser = site.browser()
    answer = fill_in(browser, found[1], password=LONG, password_again=LONG)
    assert answer.status_code == 303
    assert "Đã đặt mật khẩu" in text_of(browser.get(answer.headers["location"]))
    assert password(browser, "agency", LONG).status_code == 303


def test_trying_out_links_is_stopped(site: Site) -> None:
    browser = site.browser()
    answers = [browser.get(f"/dat-mat-khau/thu{n}.x").status_code for n in range(24)]
    assert answers[:20] == [404] * 20
    assert set(answers[20:]) == {429}


def test_no_log_line_holds_a_live_link_of_an_account(site: Site) -> None:
    link = first_link(site.runtime)
    line = hide_secrets(None, "info", {"event": f"opened {link}", "path": "/dat-mat-khau/abc.def"})
    assert line["event"].endswith("/tai-khoan-dau-tien/***")
    assert line["path"] == "/dat-mat-khau/***"


def test_the_nightly_run_switches_off_unused_accounts_and_says_so(site: Site) -> None:
    for visitor in (Visitor.AGENCY, Visitor.ADMIN):
        site.account(visitor)
    site.clock.instant += timedelta(days=60)
    job = Job(word="nightly", title="Kiểm tra hằng đêm")
    outcome = perform(site.runtime, job, check, run=None, as_of=None)
    assert "Đã ngừng 1 tài khoản không sử dụng trong 45 ngày: agency" in outcome.message
    assert not account(site, "agency").active
    assert account(site, "admin").active
    figures = site.read(lambda s: s.scalars(select(RunLog.figures)).one())
    assert '"Ngừng tài khoản không sử dụng trong 45 ngày":1' in figures
    assert "Đã ngừng" not in perform(site.runtime, job, check, run=None, as_of=None).message


def test_shared_limits_that_do_not_answer_stop_the_start_with_the_remedy() -> None:
    with pytest.raises(LimitsUnreachable, match="không kết nối được") as caught:
        open_throttle("redis://:matkhau@127.0.0.1:1/0")
    assert "matkhau" not in str(caught.value)
    assert isinstance(open_throttle("memory://"), Throttle)
