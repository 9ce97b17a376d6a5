"""Danh mục, nhập dữ liệu: the years before, previewed, refused whole, applied once (19, 26)."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import date
from html import unescape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from openpyxl import Workbook, load_workbook
from sqlalchemy import select

from models.tables import Account, Assignment, Occurrence, PlanRow
from operations.import_sheets import ACCOUNTS, GUIDE, RESULTS
from portal.permissions import Visitor
from rules.lifecycle import Status
from rules.values import Role
from tests import portal_site, world
from tests.late_start import find, packed, put
from tests.portal_site import Site, mark_of, text_of

PAGE = "/danh-muc/nhap-du-lieu"


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal whose plan began in 2026, and is tracked from 2027."""
    with portal_site.site(database_url, tmp_path) as found:
        start = date(2027, 1, 1)
        found.write(
            lambda session: setattr(session.get_one(PlanRow, world.PLAN), "tracking_start", start)
        )
        yield found


def template(browser: TestClient) -> Workbook:
    """The template as it is downloaded."""
    answer = browser.get(f"{PAGE}/tep-mau.xlsx?de-an={world.PLAN}")
    assert answer.status_code == 200
    return load_workbook(io.BytesIO(answer.content))


def filled(browser: TestClient, **cells: object) -> Workbook:
    """The template with a result of one agency; those of nobody are left out."""
    book = template(browser)
    row = find(book[RESULTS], "I.1", "2026", world.NAMES[world.A])
    said = {"state": "Đã hoàn thành", "document": "9/QĐ-UBND", "issued": "20/3/2026"}
    put(book[RESULTS], row, **(said | cells))
    return book


def preview(browser: TestClient, book: Workbook) -> Response:
    """Send a filled workbook."""
    data = {"mark": mark_of(browser.get(PAGE))}
    answer: Response = browser.post(PAGE, data=data, files={"file": ("a.xlsx", packed(book))})
    return answer


def apply(browser: TestClient, page: Response) -> Response:
    """Press "Áp dụng" on a preview."""
    plan = re.search(r'name="plan" value="([^"]+)"', page.text)
    assert plan is not None, text_of(page)
    data = {"mark": mark_of(page), "plan": unescape(plan[1])}
    answer: Response = browser.post(f"{PAGE}/ap-dung", data=data)
    return answer


def statuses(site: Site) -> dict[str, str]:
    """How the leads of I.1 2026 stand."""
    query = (
        select(Assignment.agency_key, Assignment.status)
        .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
        .where(
            Occurrence.item_key == "I.1",
            Occurrence.period_key == "2026",
            Assignment.role == Role.LEAD.value,
        )
    )
    return site.read(lambda session: {key: word for key, word in session.execute(query)})  # noqa: C416 - typed rows


def test_a_workbook_is_previewed_and_applied_once(site: Site) -> None:
    """(19)"""
    browser = site.logged_in(Visitor.COORDINATOR)
    assert template(browser).sheetnames[0] == GUIDE
    before = site.counts()
    page = preview(browser, filled(browser))
    assert page.status_code == 200
    assert "kết quả mới 1" in text_of(page)
    assert site.counts() == before
    answer = apply(browser, page)
    assert answer.status_code == 303, text_of(answer)
    said = text_of(browser.get(answer.headers["location"]))
    assert "Đã nhập" in said
    assert "1 kết quả mới" in said
    assert statuses(site) == {world.A: Status.CONFIRMED, world.B: Status.NOT_STARTED}
    after = site.counts()
    again = apply(browser, page)
    assert "Không có gì thay đổi" in text_of(browser.get(again.headers["location"]))
    assert site.counts() == after
    assert "Không có gì thay đổi" in text_of(preview(browser, filled(browser)))


def test_every_mistake_is_shown_by_sheet_and_cell_and_nothing_is_written(site: Site) -> None:
    """(19)"""
    browser = site.logged_in(Visitor.COORDINATOR)
    book = filled(browser, issued="31/2/2026")
    book[ACCOUNTS].append(["<b>x</b>", "A", "Giám đốc", "", "", "", "", ""])
    before = site.counts()
    page = preview(browser, book)
    assert page.status_code == 422
    words = text_of(page)
    assert "Cần sửa 3 chỗ, chưa ghi gì" in words
    assert "Không có ngày “31/2/2026” trong lịch" in words
    assert "Chọn một trong" in words
    assert site.counts() == before


def test_a_preview_does_not_hold_when_somebody_was_faster(site: Site) -> None:
    """(26) What nobody saw is not applied."""
    browser = site.logged_in(Visitor.COORDINATOR)
    page = preview(browser, filled(browser))
    other = site.logged_in(Visitor.COORDINATOR, username="nguoi.khac")
    assert apply(other, preview(other, filled(other, document="8/QĐ-UBND"))).status_code == 303
    answer = apply(browser, page)
    assert answer.status_code == 409
    assert "đã thay đổi sau khi xem trước" in text_of(answer)


def test_a_preview_is_bound_to_whoever_made_it(site: Site) -> None:
    """(20)"""
    browser = site.logged_in(Visitor.COORDINATOR)
    page = preview(browser, filled(browser))
    other = site.logged_in(Visitor.COORDINATOR, username="nguoi.khac")
    plan = re.search(r'name="plan" value="([^"]+)"', page.text)
    assert plan is not None
    data = {"mark": mark_of(other.get(PAGE)), "plan": unescape(plan[1])}
    assert other.post(f"{PAGE}/ap-dung", data=data).status_code == 422
    assert statuses(site) == {}


def test_accounts_wait_for_an_administrator(site: Site) -> None:
    """(40) The coordinator is told so; the administrator opens them without a password."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = ACCOUNTS
    heads = ("Tên đăng nhập", "Họ và tên", "Vai trò", "Cơ quan")
    for row in (heads, ("hoa.nguyen", "Nguyễn Hoa", "Cơ quan", "Xã Vạn Ninh")):
        sheet.append(row)
    coordinator = site.logged_in(Visitor.COORDINATOR)
    told = text_of(preview(coordinator, book))
    assert "1 tài khoản chưa mở (hoa.nguyen)" in told
    assert "người quản trị tải chính tệp này lên" in told
    assert "Không có gì thay đổi" not in told
    admin = site.logged_in(Visitor.ADMIN)
    assert apply(admin, preview(admin, book)).status_code == 303
    query = select(Account).where(Account.username == "hoa.nguyen")
    assert site.read(lambda session: session.scalars(query).one()).password_hash is None


def test_work_of_before_says_so_on_its_page(site: Site) -> None:
    """(19) "Ghi nhận sau" and "chưa có dữ liệu" wherever it is shown."""
    browser = site.logged_in(Visitor.COORDINATOR)
    apply(browser, preview(browser, filled(browser)))
    query = (
        select(Assignment.agency_key, Assignment.id)
        .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
        .where(
            Occurrence.period_key == "2026", Occurrence.item_key == "I.1", Assignment.role == "lead"
        )
    )
    ids = site.read(lambda session: {key: n for key, n in session.execute(query)})  # noqa: C416
    done = text_of(browser.get(f"/viec/{ids[world.A]}"))
    assert "ghi nhận sau" in done
    assert "9/QĐ-UBND" in done
    assert "không nhắc việc" in done
    assert "Chưa có dữ liệu" in text_of(browser.get(f"/viec/{ids[world.B]}"))
