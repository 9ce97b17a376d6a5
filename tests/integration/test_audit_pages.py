"""Exceptions, authorities and samples, as those who check find them (rules 20, 21, 23, 39, 40)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from models.tables import Account, Assignment
from operations.exceptions import Exceptional, Found, exceptions
from operations.rescheduling import reschedule
from operations.sampling import draw
from portal.permissions import Visitor
from tests import portal_site, world
from tests.integration.test_portal_history import tell_openings
from tests.portal_site import PDF, RESULT, Site, mark_of, send, text_of

LATE = {**RESULT, "issued_on": "4/1/2027"}
ENTERED = {
    "entered_channel": "Zalo",
    "entered_number": "=77/SNV",
    "document": "9/BC-UBND",
    "issued_on": "26/2/2027",
    "text": "Đã xong.",
}


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """Two agencies that filed the same file, one entered for, one moved date."""
    with portal_site.site(database_url, tmp_path) as found:
        found.write(tell_openings)
        a, b = found.work["I.1/xa_van_ninh"], found.work["I.1/phuong_nha_trang"]
        found.clock.instant += timedelta(minutes=1)
        path = f"{found.link()}/viec/{a}"
        send(found.browser(), path, "cap-nhat", LATE, files=[("a.pdf", PDF)])
        boss = found.logged_in(Visitor.COORDINATOR)
        send(boss, f"/viec/{b}", "nhap-thay", ENTERED, files=[("b.pdf", PDF)])
        found.clock.instant += timedelta(minutes=1)
        send(boss, f"/viec/{a}", "xac-nhan", {})
        own = found.work["II.5/so_tai_chinh"]
        found.write(
            lambda s: reschedule(
                s, world.coordinator(), own, until=date(2027, 4, 30), reason="Tết", document="5/SNV"
            )
        )
        yield found


def of(site: Site, kind: Exceptional, **how: object) -> list[Found]:
    return site.read(lambda s: exceptions(s, kinds=(kind,), **how))  # type: ignore[arg-type]


def test_each_exception_is_found_with_its_facts(site: Site) -> None:
    a = site.work["I.1/xa_van_ninh"]
    late = of(site, Exceptional.LATE_ENTRY)
    assert [(one.assignment, one.who) for one in late] == [(a, "Nguyễn Thị Hoa")]
    assert "4/1/2027" in late[0].facts
    entered = of(site, Exceptional.ENTERED)
    assert [(one.agency_name, one.document) for one in entered] == [
        ("Phường Nha Trang", "số đến =77/SNV")
    ]
    repeated = of(site, Exceptional.REPEATED_FILE)
    assert {one.agency_name for one in repeated} == {"Xã Vạn Ninh", "Phường Nha Trang"}
    moved = of(site, Exceptional.MOVED_DATE)
    assert [one.facts for one in moved] == ["Từ 31/3/2027 thành 30/4/2027"]
    assert of(site, Exceptional.SELF_CONFIRMED) == of(site, Exceptional.ASKED_OVERDUE) == []
    assert of(site, Exceptional.MOVED_DATE, year=2026) == []
    assert of(site, Exceptional.LATE_ENTRY, agency="phuong_nha_trang") == []


def test_a_result_confirmed_before_its_file_was_opened_is_told(site: Site) -> None:
    """The fact is in the access log: who opened which file, and when."""
    a, b = site.work["I.1/xa_van_ninh"], site.work["I.1/phuong_nha_trang"]
    assert [one.assignment for one in of(site, Exceptional.UNSEEN)] == [a]
    other = site.logged_in(Visitor.COORDINATOR, username="chi.hai")
    assert other.get("/tai-lieu/2").status_code == 200
    site.clock.instant += timedelta(minutes=1)
    assert send(other, f"/viec/{b}", "xac-nhan", {}).status_code == 303
    assert [one.assignment for one in of(site, Exceptional.UNSEEN)] == [a]


def test_pages_and_files_of_exceptions_agree(site: Site) -> None:
    browser = site.logged_in(Visitor.AUDITOR)
    page = browser.get("/kiem-tra/ngoai-le?loai=entered")
    assert "Nhận qua: Zalo." in text_of(page)
    assert "tính hoàn thành theo" not in text_of(page)
    answer = browser.get("/kiem-tra/ngoai-le/xuat/csv").content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(answer)))
    assert len(rows) == 1 + 6
    assert browser.get("/kiem-tra/ngoai-le/xuat/xlsx").content[:2] == b"PK"


def test_every_decision_on_a_date_names_who_and_which_document(site: Site) -> None:
    words = text_of(site.logged_in(Visitor.AUDITOR).get("/kiem-tra/can-cu"))
    assert "Điều chỉnh ngày" in words
    assert "31/3/2027 30/4/2027 Điều phối viên Tết 5/SNV" in words


def test_the_same_seed_draws_the_same_sample_whatever_comes_later(site: Site) -> None:
    browser = site.logged_in(Visitor.AUDITOR)
    first = browser.get("/kiem-tra/mau?co=5")
    assert first.status_code == 303
    address = first.headers["location"]
    page = text_of(browser.get(address))
    assert "Chọn 1 trong 1 kết quả" in page
    assert "Z" not in parse_qs(urlsplit(address).query)["luc"][0]
    assert ",000000)" in page
    who = site.read(lambda s: s.scalars(select(Account).where(Account.role == "coordinator")).one())
    assert f"{who.name} ({who.username})" in page
    assert "tài khoản " not in page.split("Chữ ký số của tệp")[1].split("Đầu mối:")[0]
    assert "125/QĐ-UBND ngày 4/1/2027 tệp a.pdf (SHA-256" in page
    site.clock.instant += timedelta(minutes=5)
    other = site.logged_in(Visitor.LEADERSHIP)
    send(other, f"/viec/{site.work['I.1/phuong_nha_trang']}", "xac-nhan", {})
    assert text_of(browser.get(address)) == page
    later = browser.get(browser.get("/kiem-tra/mau?hat=abc").headers["location"])
    assert "Chọn 2 trong 2 kết quả" in text_of(later)


def test_a_draw_depends_on_seed_and_ids_and_on_nothing_else() -> None:
    ids = list(range(1, 500))
    assert draw(ids, seed="7f", size=20) == draw(reversed(ids), seed="7f", size=20)
    assert draw(ids, seed="7f", size=20)[:5] == draw(ids, seed="7f", size=5)
    assert draw(ids, seed="7f", size=20) != draw(ids, seed="80", size=20)
    halves = sum(
        number <= 250 for seed in range(40) for number in draw(ids, seed=str(seed), size=25)
    )
    assert 420 < halves < 580


def test_an_auditor_sees_the_basis_and_the_last_day_and_is_out_after_it(site: Site) -> None:
    browser = site.logged_in(Visitor.AUDITOR)
    words = text_of(browser.get("/kiem-tra"))
    assert "Căn cứ: Quyết định thử" in words
    assert "đến hết ngày 31/12/2028" in words
    site.write(
        lambda s: setattr(
            s.scalars(select(Account).where(Account.username == "auditor")).one(),
            "valid_to",
            world.TODAY - timedelta(days=1),
        )
    )
    assert browser.get("/kiem-tra").status_code == 401


def test_tables_unlike_the_history_are_told_at_once(site: Site) -> None:
    browser = site.logged_in(Visitor.AUDITOR)
    assert "mọi phân công đều khớp" in browser.get("/kiem-tra").text
    number = site.work["I.1/phuong_nha_trang"]
    site.write(lambda s: setattr(s.get_one(Assignment, number), "due_on", date(2027, 12, 31)))
    words = text_of(browser.get("/kiem-tra"))
    assert "1 phân công khác với lịch sử" in words
    assert f"Phân công số {number} : due_on" in words


def test_everybody_sees_their_own_reading_and_administrators_all(site: Site) -> None:
    """(40)"""
    browser = site.logged_in(Visitor.AUDITOR)
    browser.get("/nhu-da-biet?nam=2027")
    assert "/nhu-da-biet?nam=2027" in text_of(browser.get("/kiem-tra/nhat-ky"))
    assert (
        "/nhu-da-biet"
        not in text_of(site.logged_in(Visitor.LEADERSHIP).get("/kiem-tra/nhat-ky")).split(
            "Nhật ký xem và"
        )[-1]
    )
    assert "(auditor)" in text_of(site.logged_in(Visitor.ADMIN).get("/kiem-tra/nhat-ky"))


def test_a_finding_is_entered_reported_and_closed_on_its_page(site: Site) -> None:
    """(45)"""
    path, new = "/kiem-tra/kien-nghi", {"document": "15/KL-TTr", "agency": "xa_van_ninh"}
    boss, head = (
        site.logged_in(Visitor.COORDINATOR, username="chi.ba"),
        site.logged_in(Visitor.LEADERSHIP),
    )

    def post(browser: TestClient, where: str, **values: str) -> int:
        mark = mark_of(browser.get(path))
        return int(browser.post(f"{path}{where}", data={"mark": mark, **values}).status_code)

    assert post(boss, "", **new) == 422
    assert post(boss, "", **new, text="Bổ sung hồ sơ", due_on="thứ hai") == 422
    assert post(boss, "", **new, text="Bổ sung hồ sơ", due_on="31/3/2027") == 303
    assert post(boss, "/1/bao-cao", report="Đã bổ sung") == 303
    assert post(boss, "/1/khac-phuc", reason="x", document="30/SNV") == 403
    assert post(head, "/1/tra-lai", reason="") == 422
    assert post(head, "/1/tra-lai", reason="Chưa đủ hồ sơ") == 303
    assert "Chưa đủ hồ sơ" in head.get(path).text
    assert post(boss, "/1/bao-cao", report="Đã bổ sung đủ") == 303
    assert post(head, "/1/khac-phuc", reason="Đã xem", document="30/SNV") == 303
    assert post(head, "/1/thoi", reason="Đã xem", document="30/SNV") == 409
    page = site.logged_in(Visitor.AUDITOR).get(path)
    assert "√ Đã khắc phục · Xã Vạn Ninh · kết luận 15/KL-TTr" in text_of(page)
    assert 'method="post"' not in page.text.split("<main")[1]


def test_the_catalogs_own_bases_stand_beside_the_documents(site: Site) -> None:
    """(7) Dates that no document fixed and every phrase, with how sure each is."""
    browser = site.logged_in(Visitor.AUDITOR)
    words = text_of(browser.get("/kiem-tra/can-cu"))
    assert "CCHC-1718 · I.1 Ngày Hàng năm" in words
    assert "Cơ quan chủ trì Các cơ quan, đơn vị, địa phương Xã Vạn Ninh (" in words
    file = browser.get("/kiem-tra/can-cu/cach-hieu/xuat/csv").content.decode("utf-8-sig")
    assert len(list(csv.reader(io.StringIO(file)))) == 1 + 3 * 4


def test_the_reading_log_is_narrowed_by_account_and_period(site: Site) -> None:
    """(40)"""
    site.logged_in(Visitor.AUDITOR).get("/kiem-tra/ngoai-le")
    browser, path = site.logged_in(Visitor.ADMIN), "/kiem-tra/nhat-ky"
    assert "(auditor)" in text_of(browser.get(f"{path}?tai-khoan=auditor&tu=1/3/2027"))
    assert "(auditor)" not in text_of(browser.get(f"{path}?tai-khoan=khac"))
    assert "(auditor)" not in text_of(browser.get(f"{path}?den=28/2/2027"))
    assert browser.get(f"{path}/xuat/csv?tu=mai").status_code == 422
    file = browser.get(f"{path}/xuat/csv?tai-khoan=auditor").content.decode("utf-8-sig")
    assert "/kiem-tra/ngoai-le" in file
