"""Danh mục: agencies and their contacts, letters on and off, days off, accounts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import select

from models.tables import Account, AgencyRow, Assignment, Contact, DayRow, Mailbox
from operations.rescheduling import reschedule
from portal.permissions import Visitor
from tests import portal_site, world
from tests.portal_site import MORNING, PASSWORD, Site, mark_of, text_of

AGENCY = f"/danh-muc/co-quan/{world.A}"
DAYS = "/danh-muc/ngay-nghi"
ACCOUNTS = "/danh-muc/tai-khoan"
FOCAL = {
    "name": "Trần Thị <Bé>",
    "post": "Công chức",
    "email": "Be.Tran@Co-Quan.test",
    "phone": "0258 3822 001",
}
AUDITOR = {
    "username": "doan.kiem.tra",
    "name": "Đỗ Văn Kiểm",
    "role": "auditor",
    "basis": "Quyết định số 15/QĐ-TTr",
    "valid_to": "31/12/2027",
    "password": PASSWORD,
}


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal over the small world."""
    with portal_site.site(database_url, tmp_path) as found:
        yield found


def post(browser: TestClient, page: str, path: str, values: Mapping[str, str]) -> Response:
    """Send a form of a page."""
    answer: Response = browser.post(path, data={"mark": mark_of(browser.get(page)), **values})
    return answer


def done(browser: TestClient, answer: Response) -> str:
    """The words of the page that a form led to."""
    assert answer.status_code == 303, text_of(answer)
    return text_of(browser.get(answer.headers["location"]))


def test_agencies_without_a_mailbox_are_shown(site: Site) -> None:
    browser = site.logged_in(Visitor.AUDITOR)
    assert browser.get("/danh-muc").headers["location"] == "/danh-muc/co-quan"
    page = text_of(browser.get("/danh-muc/co-quan"))
    assert "4 cơ quan chưa có hộp thư hoặc đầu mối" in page
    assert "1 trong 4" in text_of(browser.get("/danh-muc/co-quan?ten=vạn NINH"))
    assert "Không có cơ quan nào" in text_of(browser.get("/danh-muc/co-quan?ten=%3Cb%3E"))
    assert browser.get("/danh-muc/co-quan/khong-co").status_code == 404
    assert 'method="post"' not in browser.get(AGENCY).text.split("<main")[1]


def test_contact_is_set_mended_and_removed(site: Site) -> None:
    browser = site.logged_in(Visitor.COORDINATOR)
    page = done(browser, post(browser, AGENCY, f"{AGENCY}/ghi-focal", FOCAL))
    assert "Đã ghi đầu mối chính." in page
    assert "be.tran@co-quan.test" in page
    assert "&lt;Bé&gt;" in browser.get(AGENCY).text
    box = Mailbox(
        address="be.tran@co-quan.test", state="undeliverable", answer="550", updated_at=MORNING
    )
    site.write(lambda session: session.add(box))
    assert "Không nhận được thư: 550" in text_of(browser.get(AGENCY))
    done(browser, post(browser, AGENCY, f"{AGENCY}/ghi-focal", FOCAL))
    assert "Không nhận được thư" not in text_of(browser.get(AGENCY))
    done(browser, post(browser, AGENCY, f"{AGENCY}/bo-focal", {}))
    assert not site.read(lambda s: s.scalars(select(Contact).where(Contact.active)).all())
    assert post(browser, AGENCY, f"{AGENCY}/bo-focal", {}).status_code == 404
    assert post(browser, AGENCY, f"{AGENCY}/ghi-khac", FOCAL).status_code == 404


def test_contact_that_cannot_be_comes_back_as_typed(site: Site) -> None:
    browser = site.logged_in(Visitor.ADMIN)
    wrong = FOCAL | {"email": "khong phai"}
    answer = post(browser, AGENCY, f"{AGENCY}/ghi-focal", wrong)
    assert answer.status_code == 422
    assert 'value="khong phai"' in answer.text
    assert 'id="loi-ghi-focal-email"' in answer.text
    assert browser.post(f"{AGENCY}/ghi-focal", data=FOCAL).status_code == 403


def test_every_field_that_is_wrong_says_so(site: Site) -> None:
    browser = site.logged_in(Visitor.COORDINATOR)
    wrong = {"name": "", "email": "khong phai", "phone": "1"}
    answer = post(browser, AGENCY, f"{AGENCY}/ghi-focal", wrong)
    assert "Cần sửa 3 chỗ" in text_of(answer)
    answer = post(browser, DAYS, DAYS, {})
    assert answer.status_code == 422
    assert all(f'id="loi-ngay-{one}"' in answer.text for one in ("off", "name", "document"))
    admin = site.logged_in(Visitor.ADMIN)
    answer = post(admin, ACCOUNTS, ACCOUNTS, {"role": "auditor"})
    fields = ("username", "name", "basis", "valid_to")
    assert all(f'id="loi-mo-{one}"' in answer.text for one in fields), text_of(answer)


def test_letters_are_switched_off_with_a_reason(site: Site) -> None:
    browser = site.logged_in(Visitor.LEADERSHIP)
    assert post(browser, AGENCY, f"{AGENCY}/tat-thu", {"reason": " "}).status_code == 422
    values = {"reason": "Theo dõi bằng văn bản"}
    assert "Đã tắt thư" in done(browser, post(browser, AGENCY, f"{AGENCY}/tat-thu", values))
    assert not site.read(lambda session: session.get_one(AgencyRow, world.A).letters)
    assert "Bật thư tự động" in text_of(browser.get(AGENCY))
    admin = site.logged_in(Visitor.ADMIN)
    assert post(admin, AGENCY, f"{AGENCY}/bat-thu", values).status_code == 403


def test_day_off_rolls_open_dates_forward(site: Site) -> None:
    browser = site.logged_in(Visitor.COORDINATOR)
    values = {"off": "31/3/2027", "name": "Nghỉ bù", "document": "12/VPCP-KGVX"}
    before = site.counts()
    seen = post(browser, DAYS, DAYS, values)
    assert "7 hạn lùi đến ngày làm việc tiếp theo" in text_of(seen)
    assert site.counts() == before
    page = done(browser, post(browser, DAYS, DAYS, values | sealed(seen)))
    assert "Đã ghi 31/3/2027 là ngày nghỉ. 7 hạn đổi ngày" in page
    assert "12/VPCP-KGVX" in page
    dates = site.read(lambda session: set(session.scalars(select(Assignment.due_on))))
    assert dates == {date(2027, 4, 1)}
    again = post(browser, DAYS, DAYS, {**values, "off": "28/3/2027", "name": "Chủ nhật"})
    assert "vốn đã là ngày nghỉ" in text_of(again)


def sealed(seen: Response) -> dict[str, str]:
    """What a preview carries on to the button that does what it showed."""
    found = re.search(r'name="seal" value="([0-9a-f]+)"', seen.text)
    assert found is not None, text_of(seen)
    return {"seal": found[1]}


def test_swapped_days_are_one_form_and_what_was_shown_must_still_be_so(site: Site) -> None:
    """Rules 3, 26."""
    browser = site.logged_in(Visitor.COORDINATOR)
    values = {
        "off": "31/3/2027",
        "worked": "3/4/2027",
        "name": "Hoán đổi",
        "document": "1/VPCP-KGVX",
    }
    seen = post(browser, DAYS, DAYS, values)
    work = site.work["I.1/xa_van_ninh"]
    later = date(2027, 4, 30)
    site.write(lambda s: reschedule(s, world.coordinator(), work, until=later, reason="Dời riêng"))
    stale = post(browser, DAYS, DAYS, values | sealed(seen))
    assert stale.status_code == 409
    assert "đã thay đổi từ lúc xem trước" in text_of(stale)
    assert not site.read(lambda session: session.scalars(select(DayRow)).all())
    page = done(browser, post(browser, DAYS, DAYS, values | sealed(stale)))
    assert "31/3/2027 là ngày nghỉ; 3/4/2027 là ngày làm việc" in page
    assert site.read(lambda s: s.get_one(Assignment, work)).due_on == later
    back = post(browser, DAYS, DAYS, values | {"sua": "1"})
    assert 'name="worked" value="3/4/2027"' in back.text


def test_day_that_cannot_be_keeps_the_form(site: Site) -> None:
    browser = site.logged_in(Visitor.COORDINATOR)
    values = {"worked": "8/5/2027", "name": "Làm bù <b>", "document": "1/VPCP-KGVX"}
    for field, text, told in (
        ("worked", "31/2/2027", "Không có ngày"),
        ("worked", "", "ít nhất một ngày"),
        ("worked", "1/1/2050", "nằm ngoài lịch"),
        ("off", "8/5/2027", "không thể vừa là"),
        ("document", "", "số, ký hiệu văn bản"),
    ):
        answer = post(browser, DAYS, DAYS, values | {field: text})
        assert answer.status_code == 422
        assert told in text_of(answer)
        assert 'value="Làm bù &lt;b&gt;"' in answer.text
    assert not site.read(lambda session: session.scalars(select(DayRow)).all())


def test_days_are_for_the_coordinator_to_correct(site: Site) -> None:
    browser = site.logged_in(Visitor.ADMIN)
    assert "Điều chỉnh hoặc hoán đổi" not in browser.get(DAYS).text
    assert post(browser, DAYS, DAYS, {}).status_code == 403
    assert "chưa có ngày nghỉ" in text_of(browser.get(f"{DAYS}?nam=2028"))


def test_account_is_opened_used_stopped_and_opened_again(site: Site) -> None:
    admin = site.logged_in(Visitor.ADMIN)
    page = done(admin, post(admin, ACCOUNTS, ACCOUNTS, AUDITOR))
    assert "Đã mở tài khoản doan.kiem.tra." in page
    own, visitor = f"{ACCOUNTS}/doan.kiem.tra", site.browser()
    login = {"username": "doan.kiem.tra", "password": PASSWORD}
    assert post(visitor, "/dang-nhap", "/dang-nhap", login).status_code == 303
    assert visitor.get("/danh-muc/co-quan").status_code == 200
    assert post(admin, own, f"{own}/ngung", {"reason": ""}).status_code == 422
    done(admin, post(admin, own, f"{own}/ngung", {"reason": "Đoàn kết thúc"}))
    assert visitor.get("/danh-muc/co-quan").status_code == 401
    done(admin, post(admin, own, f"{own}/mo-lai", {"reason": "Gia hạn đoàn"}))
    weak = post(admin, own, f"{own}/mat-khau", {"password": "ngan"})
    assert weak.status_code == 422
    assert "ngan" not in weak.text.replace("ngang", "").split("<main")[1]
    assert post(admin, own, f"{own}/mat-khau", {}).status_code == 422
    new = "một câu mật khẩu khác hẳn"
    done(admin, post(admin, own, f"{own}/mat-khau", {"password": new}))
    assert post(site.browser(), "/dang-nhap", "/dang-nhap", login).status_code == 403
    again = login | {"password": new}
    assert post(site.browser(), "/dang-nhap", "/dang-nhap", again).status_code == 303


def test_account_that_cannot_be_comes_back_as_typed(site: Site) -> None:
    admin = site.logged_in(Visitor.ADMIN)
    for change, told in (
        ({"username": "Đỗ Kiểm"}, "Tên đăng nhập gồm"),
        ({"basis": ""}, "cần căn cứ"),
        ({"valid_to": "hôm nào"}, "chưa đúng dạng"),
        ({"role": "vua"}, "chọn vai trò"),
        ({"role": "agency"}, "phải thuộc một cơ quan"),
        ({"password": "ngắn quá"}, "Mật khẩu cần từ 14"),
    ):
        answer = post(admin, ACCOUNTS, ACCOUNTS, AUDITOR | change)
        assert answer.status_code == 422, change
        assert told in text_of(answer)
        assert 'value="Đỗ Văn Kiểm"' in answer.text
        assert PASSWORD not in answer.text
    names = site.read(lambda session: session.scalars(select(Account.username)).all())
    assert names == ["admin"]


def test_accounts_are_the_administrators_and_not_ones_own(site: Site) -> None:
    admin = site.logged_in(Visitor.ADMIN)
    own = f"{ACCOUNTS}/admin"
    assert "Ngừng tài khoản</button>" not in admin.get(own).text
    refused = post(admin, ACCOUNTS, f"{own}/ngung", {"reason": "x"})
    assert refused.status_code == 403
    assert "của chính mình" in text_of(refused)
    assert admin.get(f"{ACCOUNTS}/khong-co").status_code == 404
    desk = site.logged_in(Visitor.COORDINATOR)
    assert desk.get(ACCOUNTS).status_code == 403
    assert ACCOUNTS not in desk.get(DAYS).text
