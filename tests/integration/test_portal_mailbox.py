"""The local test mailbox, the first page, and what every answer carries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from notifications.mailbox import store
from portal.permissions import Visitor
from tests import portal_site
from tests.portal_site import MORNING, Site, text_of

LETTER = """From: Sở Nội vụ <nhacviec@tiendo.test>
To: xa-van-ninh@khanh-hoa.test
Subject: [Bản xem trước] Nhắc việc
Date: Mon, 01 Mar 2027 09:00:00 +0700
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: multipart/alternative; boundary=c

--c
Content-Type: text/plain; charset=utf-8

Cập nhật tại {link}
--c
Content-Type: text/html; charset=utf-8

<html><head><title>x</title></head><body><script>alert(1)</script><p>Kính gửi</p></body></html>
--c--
--b
Content-Type: text/calendar; charset=utf-8
Content-Disposition: attachment; filename="hạn.ics"

BEGIN:VCALENDAR
--b--
"""


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal with a letter in its mailbox."""
    with portal_site.site(database_url, tmp_path) as found:
        folder = found.runtime.settings.mailbox_dir
        folder.mkdir(parents=True)
        text = LETTER.format(link=f"http://tiendo.test{found.link()}").replace("\n", "\r\n")
        found.letter = store(
            folder, text.encode(), to="xa-van-ninh@khanh-hoa.test", received_at=MORNING
        )
        yield found


def test_letters_are_listed_and_filtered(site: Site) -> None:
    browser = site.browser()
    listed = text_of(browser.get("/hop-thu-thu"))
    assert "xa-van-ninh@khanh-hoa.test" in listed
    assert "(bản xem trước)" in listed
    assert "hộp thư thử" in listed.lower()
    assert "1 thư" in text_of(browser.get("/hop-thu-thu?hop-thu=van-ninh"))
    assert "Không có thư nào" in text_of(browser.get("/hop-thu-thu?hop-thu=nha-trang"))


def test_letter_is_shown_in_a_sandbox_without_scripts(site: Site) -> None:
    browser, path = site.browser(), f"/hop-thu-thu/{site.letter}"
    page = browser.get(path)
    assert 'sandbox="' in page.text
    assert "allow-scripts" not in page.text
    assert "allow-same-origin" not in page.text
    assert "Bản xem trước: chưa đến ngày gửi" in text_of(page)
    body = browser.get(f"{path}/noi-dung")
    policy = body.headers["content-security-policy"]
    assert policy.startswith("sandbox ")
    assert "default-src 'none'" in policy
    assert "script" not in policy.replace("allow-", "")
    assert '<base target="_top">' in body.text
    assert "Cập nhật tại" in text_of(browser.get(f"{path}?dang=chu"))


def test_link_of_a_letter_leads_on(site: Site) -> None:
    browser = site.browser()
    page = browser.get(f"/hop-thu-thu/{site.letter}")
    path = page.text.split('class="button" href="')[1].split('"')[0]
    assert "Nhiệm vụ của cơ quan" in text_of(browser.get(path))


def test_attachment_is_handed_out_as_one(site: Site) -> None:
    answer = site.browser().get(f"/hop-thu-thu/{site.letter}/tep/0")
    assert answer.content.startswith(b"BEGIN:VCALENDAR")
    assert "attachment" in answer.headers["content-disposition"]
    assert site.browser().get(f"/hop-thu-thu/{site.letter}/tep/1").status_code == 404


@pytest.mark.parametrize("name", ["x", "..%2f..%2fetc%2fpasswd", "20270301T020000000000Z-0-0"])
def test_letter_that_is_not_there(site: Site, name: str) -> None:
    assert site.browser().get(f"/hop-thu-thu/{name}").status_code == 404


def test_no_local_mailbox_beside_a_mail_server(database_url: str, tmp_path: Path) -> None:
    with portal_site.site(database_url, tmp_path, smtp_host="mail.test") as found:
        assert found.browser().get("/hop-thu-thu").status_code == 404
        assert "Mở hộp thư thử" not in found.browser().get("/").text


def test_every_answer_is_guarded(site: Site) -> None:
    browser, link = site.browser(), site.link()
    desk = site.logged_in(Visitor.COORDINATOR)
    for answer in (
        browser.get("/"),
        browser.get("/khong-co"),
        browser.get(link),
        browser.post("/dang-nhap"),
        desk.get("/"),
    ):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"
        assert "style=" not in answer.text
        assert "http://" not in answer.text.replace("http://127.0.0.1", "").replace(
            "http://tiendo.test", ""
        )


def test_errors_say_what_to_do(site: Site) -> None:
    browser = site.browser()
    assert "quay về trang đầu" in text_of(browser.get("/khong-co"))
    assert browser.get("/viec/abc").status_code in {401, 404}
    assert browser.put("/").status_code == 405
    assert browser.get("/dang-xuat").status_code == 405


def test_crash_is_answered_without_its_cause(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object, **__: object) -> None:
        raise RuntimeError("nguyên nhân riêng")

    monkeypatch.setattr("portal.pages.mailbox.list_messages", crash)
    answer = site.browser().get("/hop-thu-thu")
    assert answer.status_code == 500
    assert "nguyên nhân riêng" not in answer.text
    assert "đề nghị cho biết mã" in text_of(answer)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
