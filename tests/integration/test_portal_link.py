"""The page behind a letter's link: what it shows, what it takes, what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from models.tables import AccessLog, Assignment, Event, Letter, LinkToken, StoredFile, Submission
from operations.links import LINK_PATH, revoke
from portal.forms import read_date
from portal.permissions import Visitor
from tests import portal_site, world
from tests.portal_site import PDF, RESULT, Site, mark_of, send, text_of


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal with open work."""
    with portal_site.site(database_url, tmp_path) as found:
        yield found


def page_of(site: Site, link: str, work: str = "I.1/xa_van_ninh") -> str:
    """The path of one piece of work behind a link."""
    return f"{link}/viec/{site.work[work]}"


def test_whole_flow_from_link_to_confirmed(site: Site) -> None:
    browser, link = site.browser(), site.link()
    seen = browser.get(link)
    assert seen.status_code == 200
    assert "Xã Vạn Ninh" in text_of(seen)
    answer = send(browser, page_of(site, link), "cap-nhat", RESULT, files=[("quyết định.pdf", PDF)])
    assert answer.status_code == 303
    told = text_of(browser.get(answer.headers["location"]))
    assert "Đã ghi nhận kết quả" in told
    assert "09 giờ 00 ngày 1/3/2027" in told
    assert "Chờ xác nhận" in told
    assert "Nguyễn Thị Hoa, Công chức Văn phòng" in told
    coordinator = site.logged_in(Visitor.COORDINATOR)
    desk = f"/viec/{site.work['I.1/xa_van_ninh']}"
    confirmed = send(coordinator, desk, "xac-nhan", {})
    assert confirmed.status_code == 303
    assert "Hoàn thành đúng hạn" in text_of(coordinator.get(confirmed.headers["location"]))
    assert "Đã xác nhận hoàn thành" in text_of(browser.get(page_of(site, link)))


def test_submission_records_mailbox_and_stated_person(site: Site) -> None:
    browser, link = site.browser(), site.link()
    send(browser, page_of(site, link), "cap-nhat", RESULT)
    stored = site.read(lambda s: s.scalars(select(Submission)).one())
    assert stored.identity == "mailbox:xa_van_ninh@co-quan.test"
    assert (stored.stated_name, stored.stated_post) == ("Nguyễn Thị Hoa", "Công chức Văn phòng")
    assert stored.completed_on == date(2027, 2, 26)


def test_first_post_is_proof_of_notice_and_opening_is_not(site: Site) -> None:
    browser, link = site.browser(), site.link()
    browser.get(link)
    assert site.read(lambda s: s.scalars(select(LinkToken.first_post_at)).one()) is None
    send(browser, page_of(site, link), "cap-nhat", {**RESULT, "text": ""})
    assert site.read(lambda s: s.scalars(select(LinkToken.first_post_at)).one()) is not None


def test_looking_changes_nothing(site: Site) -> None:
    browser, link = site.browser(), site.link()
    before = site.counts()
    work, paths = page_of(site, link), ["", "/viec/999999", "/tai-lieu/1"]
    for method in ("GET", "HEAD"):
        for path in [work, f"{work}/da-ghi-nhan?viec=cap-nhat&su-kien=1", "/", "/dang-nhap"]:
            browser.request(method, path)
        for path in paths:
            browser.request(method, link + path)
        browser.request(method, f"{work}/cap-nhat")
    assert site.counts() == before
    row = site.read(lambda s: s.get_one(Assignment, site.work["I.1/xa_van_ninh"]))
    assert (row.version, row.status) == (1, "not_started")
    opens = site.read(lambda s: s.scalars(select(AccessLog)).all())
    assert opens
    assert all(one.maybe_scanner for one in opens)
    assert not any(link.removeprefix(LINK_PATH) in one.path for one in opens)


def test_link_shows_its_own_agency_only(site: Site) -> None:
    browser, link = site.browser(), site.link(world.A)
    other = site.work["I.1/phuong_nha_trang"]
    assert browser.get(f"{link}/viec/{other}").status_code == 404
    mine = browser.get(page_of(site, link))
    data = {"mark": mark_of(mine), "version": "1", **RESULT}
    before = site.counts()
    assert browser.post(f"{link}/viec/{other}/cap-nhat", data=data).status_code == 404
    assert site.counts() == before
    assert "Phường Nha Trang" not in text_of(mine)
    assert "Phường Nha Trang" not in text_of(browser.get(link))


def test_mark_of_another_link_is_refused(site: Site) -> None:
    browser, mine, theirs = site.browser(), site.link(world.A), site.link(world.B)
    stolen = mark_of(browser.get(f"{theirs}/viec/{site.work['I.1/phuong_nha_trang']}"))
    data = {"mark": stolen, "version": "1", **RESULT}
    assert browser.post(f"{page_of(site, mine)}/cap-nhat", data=data).status_code == 403


def test_form_without_its_mark_is_refused(site: Site) -> None:
    browser, link = site.browser(), site.link()
    before = site.counts()
    for mark in ("", "0" * 64, "không phải"):
        data = {"mark": mark, "version": "1", **RESULT}
        answer = browser.post(f"{page_of(site, link)}/cap-nhat", data=data)
        assert answer.status_code == 403
        assert "chưa được ghi" in text_of(answer)
    assert site.counts() == before


def test_form_from_another_site_is_refused(site: Site) -> None:
    browser, link = site.browser(), site.link()
    page = browser.get(page_of(site, link))
    data = {"mark": mark_of(page), "version": "1", **RESULT}
    headers = {"sec-fetch-site": "cross-site"}
    answer = browser.post(f"{page_of(site, link)}/cap-nhat", data=data, headers=headers)
    assert answer.status_code == 403


def test_forged_link_opens_nothing_and_offers_nothing(site: Site) -> None:
    browser, link = site.browser(), site.link()
    for end in ("", "x", "%00", "..%2f", "ế"):
        answer = browser.get(f"{link[:-3]}{end}")
        assert answer.status_code == 404
        assert "<form" not in answer.text.split("<main")[1]


def test_expired_link_sends_a_fresh_one_to_the_same_mailbox(site: Site) -> None:
    browser, link = site.browser(), site.link(days=30)
    site.clock.instant += timedelta(days=31)
    expired = browser.get(page_of(site, link))
    assert expired.status_code == 410
    assert "hết hạn" in text_of(expired)
    assert "@" not in text_of(expired)
    sent = browser.post(f"{link}/gui-lai", data={"mark": mark_of(expired)})
    assert sent.status_code == 200
    assert "@" not in text_of(sent)
    letter = site.read(lambda s: s.scalars(select(Letter).where(Letter.kind == "link")).one())
    assert letter.mailbox == "xa_van_ninh@co-quan.test"
    refused = browser.post(f"{page_of(site, link)}/cap-nhat", data={"mark": mark_of(expired)})
    assert refused.status_code == 410


def test_fresh_links_are_not_sent_without_end(site: Site) -> None:
    browser, link = site.browser(), site.link()
    site.clock.instant += timedelta(days=31)
    mark = mark_of(browser.get(link))
    answers = [browser.post(f"{link}/gui-lai", data={"mark": mark}).status_code for _ in range(7)]
    assert answers == [200] * 5 + [429] * 2


def test_revoked_link_opens_nothing(site: Site) -> None:
    browser, link = site.browser(), site.link()
    site.write(
        lambda s: revoke(s, world.coordinator(), s.scalars(select(LinkToken)).one(), reason="thử")
    )
    answer = browser.get(link)
    assert answer.status_code == 410
    assert "thu hồi" in text_of(answer)
    assert "Xã Vạn Ninh" not in text_of(answer)


def test_guessing_links_is_stopped(site: Site) -> None:
    browser = site.browser()
    answers = [browser.get(f"{LINK_PATH}guess{n}.x").status_code for n in range(25)]
    assert answers[:20] == [404] * 20
    assert set(answers[20:]) == {429}


def test_second_tap_of_the_same_form_records_once(site: Site) -> None:
    browser, link = site.browser(), site.link()
    page = browser.get(page_of(site, link))
    first = send(browser, page_of(site, link), "cap-nhat", RESULT, page=page)
    again = send(browser, page_of(site, link), "cap-nhat", RESULT, page=page)
    assert first.status_code == again.status_code == 303
    assert "Đã ghi nhận kết quả" in text_of(browser.get(again.headers["location"]))
    assert len(site.read(lambda s: s.scalars(select(Submission)).all())) == 1


def test_second_of_two_people_is_told_and_keeps_what_was_typed(site: Site) -> None:
    browser, link = site.browser(), site.link()
    page = browser.get(page_of(site, link))
    send(browser, page_of(site, link), "bat-dau", {"who_name": "Trần Văn Một"})
    late = send(browser, page_of(site, link), "cap-nhat", RESULT, page=page)
    assert late.status_code == 409
    assert "đã được cập nhật bởi Trần Văn Một lúc 09 giờ 00 ngày 1/3/2027" in text_of(late)
    assert 'value="125/QĐ-UBND"' in late.text
    assert "Đã ban hành quyết định phân công." in late.text
    assert not site.read(lambda s: s.scalars(select(Submission)).all())
    agreed = send(browser, page_of(site, link), "cap-nhat", RESULT, page=late)
    assert agreed.status_code == 303


def test_what_was_typed_is_shown_when_its_form_is_gone(site: Site) -> None:
    browser, link = site.browser(), site.link()
    page = browser.get(page_of(site, link))
    first = {**RESULT, "text": "Người thứ nhất đã gửi."}
    send(browser, page_of(site, link), "cap-nhat", first, page=page)
    late = send(browser, page_of(site, link), "cap-nhat", RESULT, page=page)
    assert late.status_code == 409
    assert "Nội dung Đã ban hành quyết định phân công." in text_of(late)


MISTAKES = (
    ("issued_on", "31/2/2027", "Không có ngày 31/2/2027"),
    ("issued_on", "hôm qua", "chưa đúng dạng ngày/tháng/năm"),
    ("issued_on", "2/3/2027", "sau ngày cập nhật"),
    ("issued_on", "1/1/1900", "nằm ngoài các năm"),
    ("issued_on", "", "ngày ban hành của văn bản"),
    ("document", "x" * 61, "quá 60"),
    ("document", "", "Đã có ngày văn bản"),
    ("text", "", "tóm tắt kết quả"),
    ("text", "a" * 20_001, "rút gọn"),
    ("who_name", "", "họ và tên"),
    ("who_name", "N" * 301, "dài quá 300"),
)


def test_mistake_is_told_beside_the_field_and_nothing_is_lost(site: Site) -> None:
    browser, link = site.browser(), site.link()
    for field, typed, told in MISTAKES:
        answer = send(browser, page_of(site, link), "cap-nhat", {**RESULT, field: typed})
        assert answer.status_code == 422, (field, typed)
        assert told in text_of(answer), (field, typed)
        assert f'id="loi-cap-nhat-{field}"' in answer.text
        for name, value in RESULT.items():
            assert name == field or value in answer.text, (field, name)
    assert not site.read(lambda s: s.scalars(select(Submission)).all())


def test_all_mistakes_are_told_at_once(site: Site) -> None:
    browser, link = site.browser(), site.link()
    wrong = {**RESULT, "issued_on": "mai", "who_name": "", "text": "a" * 20_001}
    answer = send(browser, page_of(site, link), "cap-nhat", wrong)
    assert "Cần sửa 3 chỗ" in text_of(answer)


@pytest.mark.parametrize(
    "typed",
    ["26/2/2027", "26.2.2027", " 26 - 02 - 2027 ", "2027-02-26", "ngày 26 tháng 2 năm 2027"],
)
def test_dates_are_read_as_people_write_them(typed: str) -> None:
    assert read_date(typed) == date(2027, 2, 26)


def test_unusual_document_code_is_taken_with_a_word(site: Site) -> None:
    browser, link = site.browser(), site.link()
    answer = send(browser, page_of(site, link), "cap-nhat", {**RESULT, "document": "QĐ 125"})
    assert answer.status_code == 303
    assert "Đề nghị kiểm tra lại" in text_of(browser.get(answer.headers["location"]))


def test_everything_typed_is_escaped(site: Site) -> None:
    browser, link = site.browser(), site.link()
    evil = '<script>alert("x")</script>\'"><img src=x onerror=alert(1)>'
    fields = ("document", "issued_on", "title", "text", "who_name", "who_post", "version", "viec")
    page = page_of(site, link)
    refused = send(browser, page, "cap-nhat", dict.fromkeys(fields, evil))
    pages = [refused]
    good = {**RESULT, "text": evil, "title": evil, "who_name": evil, "who_post": evil}
    good["document"] = "<script>1</script>"
    pages.append(send(browser, page, "cap-nhat", good, files=[(f"{evil}.pdf", PDF)]))
    assert pages[1].status_code == 303
    pages.append(browser.get(pages[1].headers["location"]))
    for deed, extra in (("vuong-mac", {"text": evil}),):
        sent = send(browser, page, deed, {"who_name": evil, **extra})
        pages += [sent, browser.get(sent.headers["location"])]
    pages += [browser.get(page), browser.get(link), browser.get(f"{page}/da-ghi-nhan?viec={evil}")]
    desk = site.logged_in(Visitor.COORDINATOR)
    pages += [desk.get("/"), desk.get(f"/viec/{site.work['I.1/xa_van_ninh']}")]
    for one in pages:
        assert "<script" not in one.text
        assert "<img" not in one.text


def test_link_of_the_coordinator_shows_its_work_and_offers_the_login(site: Site) -> None:
    browser, link = site.browser(), site.link(world.COORDINATOR)
    page = page_of(site, link, "II.3/so_noi_vu")
    shown = browser.get(page)
    assert "được cập nhật bằng tài khoản" in text_of(shown)
    assert "/dang-nhap?tiep=/co-quan/viec/" in shown.text
    token = site.read(lambda s: s.scalars(select(LinkToken.id)).one())
    mark = site.app.state.portal.signing.mark(f"link:{token}")
    data = {"mark": mark, "version": "1", **RESULT}
    assert browser.post(f"{page}/cap-nhat", data=data).status_code == 409
    assert not site.read(lambda s: s.scalars(select(Submission)).all())


def test_every_form_of_the_agency_records(site: Site) -> None:
    browser, link = site.browser(), site.link()
    page, who = page_of(site, link), {"who_name": "Nguyễn Thị Hoa"}
    for deed, values, told in (
        ("bat-dau", {}, "Đang thực hiện"),
        ("gia-han", {"until": "30/4/2027", "reason": "Chờ hướng dẫn."}, "Đã gửi đề nghị gia hạn"),
        ("rut-gia-han", {}, "Đã rút đề nghị gia hạn"),
        ("vuong-mac", {"text": "Thiếu biên chế."}, "Đã ghi nhận phản ánh"),
        ("da-trinh", {"document": "15/TTr-UBND"}, "chờ ban hành"),
        ("tiep-tuc", {}, "tiếp tục thực hiện"),
        ("khong-thay-doi", {"document": "90/QĐ-UBND"}, "không thay đổi"),
        ("rut-lai", {"reason": "Sai số văn bản."}, "Đã rút lại kết quả"),
    ):
        answer = send(browser, page, deed, {**who, **values})
        assert answer.status_code == 303, (deed, text_of(answer))
        assert told in text_of(browser.get(answer.headers["location"])), deed
    history = site.read(lambda s: s.scalars(select(Event.action).order_by(Event.id)).all())
    assert history[0] == "notified"


def test_extension_of_overdue_work_asks_for_an_explanation(site: Site) -> None:
    browser, link = site.browser(), site.link(days=90)
    site.clock.instant += timedelta(days=40)
    values = {"who_name": "Hoa", "until": "30/4/2027", "reason": "Chờ hướng dẫn."}
    assert "Quá hạn" in text_of(browser.get(link))
    refused = send(browser, page_of(site, link), "gia-han", values)
    assert refused.status_code == 422
    assert 'id="loi-gia-han-explanation"' in refused.text
    given = {**values, "explanation": "Nhân sự thay đổi."}
    assert send(browser, page_of(site, link), "gia-han", given).status_code == 303


def test_name_is_remembered_only_when_allowed(site: Site) -> None:
    browser, link = site.browser(), site.link()
    page = page_of(site, link)
    send(browser, page, "bat-dau", {"who_name": "Không nhớ"})
    assert 'value="Không nhớ"' not in browser.get(page).text
    send(browser, page, "da-trinh", {"who_name": "Được nhớ", "remember": "1"})
    assert 'value="Được nhớ"' in browser.get(page).text


def test_file_is_kept_when_something_else_is_wrong(site: Site) -> None:
    browser, link = site.browser(), site.link()
    page = page_of(site, link)
    wrong = {**RESULT, "text": ""}
    refused = send(browser, page, "cap-nhat", wrong, files=[("quyet-dinh.pdf", PDF)])
    assert "Tệp đã nhận, không cần chọn lại" in text_of(refused)
    kept = refused.text.split('name="kept_files" value="')[1].split('"')[0]
    good = {**RESULT, "document": "", "issued_on": "", "kept_files": kept}
    assert send(browser, page, "cap-nhat", good).status_code == 303
    assert "quyet-dinh.pdf" in text_of(browser.get(page))
    other = site.browser(), site.link(world.B)
    theirs = page_of(site, other[1], "I.1/phuong_nha_trang")
    stolen = send(other[0], theirs, "cap-nhat", good)
    assert stolen.status_code == 422


def test_evidence_is_handed_out_to_its_agency_as_an_attachment(site: Site) -> None:
    browser, link = site.browser(), site.link()
    page = page_of(site, link)
    send(browser, page, "cap-nhat", RESULT, files=[("quyết định.pdf", PDF)])
    got = browser.get(f"{link}/tai-lieu/1")
    assert (got.status_code, got.content) == (200, PDF)
    assert got.headers["content-disposition"].startswith("attachment;")
    assert got.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in got.headers["content-security-policy"]
    assert browser.get(f"{site.link(world.B)}/tai-lieu/1").status_code == 404
    site.write(
        lambda s: setattr(s.scalars(select(StoredFile)).one(), "quarantined_at", site.clock.now())
    )
    assert browser.get(f"{link}/tai-lieu/1").status_code == 404


UNFIT = (
    ("ke-hoach.pdf", b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00" + b"\x00" * 200),
    ("trang.pdf", b"<html><script>alert(1)</script></html>"),
    ("rong.pdf", b""),
    ("chay.exe", b"MZ\x90\x00"),
)


def test_file_that_is_not_what_it_says_is_refused(site: Site) -> None:
    browser, link = site.browser(), site.link()
    for file in UNFIT:
        answer = send(browser, page_of(site, link), "cap-nhat", RESULT, files=[file])
        assert answer.status_code == 422
        assert 'id="loi-cap-nhat-file"' in answer.text
        assert RESULT["text"] in answer.text
    assert not site.read(lambda s: s.scalars(select(Submission)).all())


def test_file_too_large_is_refused_and_the_form_is_kept(site: Site) -> None:
    from portal.uploads import MAX_FILE

    browser, link = site.browser(), site.link()
    large = PDF + b"0" * MAX_FILE
    answer = send(browser, page_of(site, link), "cap-nhat", RESULT, files=[("lon.pdf", large)])
    assert answer.status_code == 422
    assert RESULT["text"] in answer.text


def test_request_too_large_is_refused(site: Site) -> None:
    browser, link = site.browser(), site.link()
    large = [(f"{n}.pdf", PDF + b"0" * 16_000_000) for n in range(4)]
    answer = send(browser, page_of(site, link), "cap-nhat", RESULT, files=large)
    assert answer.status_code == 413
    assert "chưa được ghi" in text_of(answer)
    assert not site.read(lambda s: s.scalars(select(Submission)).all())
