"""Danh mục, nhập đầu mối từ tệp: previewed, refused whole, applied once (26, 36, 37)."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from openpyxl import Workbook, load_workbook
from sqlalchemy import select

from models.tables import Contact, ContactKind
from operations import contact_files
from operations.contact_files import FileRefused, read_contact_file
from operations.contacts import ContactInput, set_contact
from portal.permissions import Visitor
from tests import portal_site, world
from tests.portal_site import Site, mark_of, text_of

PAGE = "/danh-muc/nhap-dau-moi"
OLD = ContactInput(
    agency_key=world.A, kind=ContactKind.FOCAL, name="Lê Cũ", email="cu@co-quan.test"
)
HEAD = ("Cơ quan", "Loại liên hệ", "Họ và tên", "Chức vụ", "Thư điện tử", "Điện thoại", "Thôi dùng")
ROWS = (
    ("Xã Vạn Ninh", "Đầu mối chính", "=Trần <Mới>", "", "moi@co-quan.test", "0258 3822 001", ""),
    ("Phường Nha Trang", "Hộp thư cơ quan", "", "", "nhatrang@co-quan.test", "", ""),
    ("Sở Tài chính", "Hộp thư cơ quan", "", "", "", "", ""),
)


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A portal in which one agency has a focal point."""
    with portal_site.site(database_url, tmp_path) as found:
        found.write(lambda session: set_contact(session, world.coordinator(), OLD))
        yield found


def book(*rows: tuple[str, ...]) -> bytes:
    """A filled sheet."""
    found = Workbook()
    sheet = found.active
    assert sheet is not None
    sheet.title = "Đầu mối"
    for row in (HEAD, *rows):
        sheet.append(row)
        for cell in sheet[sheet.max_row]:
            cell.data_type = "s"
    stream = io.BytesIO()
    found.save(stream)
    return stream.getvalue()


def preview(browser: TestClient, content: bytes, name: str = "dau-moi.xlsx") -> Response:
    """Send a filled sheet."""
    data = {"mark": mark_of(browser.get(PAGE))}
    answer: Response = browser.post(PAGE, data=data, files={"file": (name, content)})
    return answer


def apply(browser: TestClient, page: Response) -> Response:
    """Press "Áp dụng" on a preview."""
    plan = re.search(r'name="plan" value="([^"]+)"', page.text)
    assert plan is not None, text_of(page)
    data = {"mark": mark_of(page), "plan": unescape(plan[1])}
    answer: Response = browser.post(f"{PAGE}/ap-dung", data=data)
    return answer


def names(site: Site) -> dict[tuple[str, str], str | None]:
    """The contacts in use: who, or the address where there is no name."""
    rows = site.read(lambda s: s.scalars(select(Contact).where(Contact.active)).all())
    return {(row.agency_key, row.kind): row.name or row.email for row in rows}


def test_nothing_is_written_until_it_is_applied_and_twice_changes_nothing(site: Site) -> None:
    """(36, 37)"""
    browser = site.logged_in(Visitor.COORDINATOR)
    before = site.counts()
    page = preview(browser, book(*ROWS))
    assert page.status_code == 200, text_of(page)
    words = text_of(page)
    assert "1 thêm mới, 1 sửa, 0 thôi dùng, 0 giữ nguyên; 1 dòng để trống" in words
    assert "Họ và tên: Lê Cũ → =Trần <Mới>" in words
    assert "&lt;Mới&gt;" in page.text
    assert site.counts() == before
    done = apply(browser, page)
    assert done.status_code == 303, text_of(done)
    assert "1 liên hệ mới, 1 liên hệ sửa" in text_of(browser.get(done.headers["location"]))
    assert names(site) == {
        (world.A, "focal"): "=Trần <Mới>",
        (world.B, "mailbox"): "nhatrang@co-quan.test",
    }
    after = site.counts()
    again = apply(browser, page)
    assert "Không có gì thay đổi" in text_of(browser.get(again.headers["location"]))
    assert "Không có gì thay đổi" in text_of(preview(browser, book(*ROWS)))
    assert site.counts() == after


def test_a_contact_is_ended_only_where_the_sheet_says_so(site: Site) -> None:
    """(36, 40)"""
    browser = site.logged_in(Visitor.ADMIN)
    page = preview(browser, book(("Xã Vạn Ninh", "Đầu mối chính", "Lê Cũ", "", "", "", "x")))
    assert "1 thôi dùng" in text_of(page)
    assert apply(browser, page).status_code == 303
    assert names(site) == {}


def test_every_error_is_told_by_sheet_and_cell_with_its_remedy(site: Site) -> None:
    """(36)"""
    browser = site.logged_in(Visitor.COORDINATOR)
    wrong = (
        ("Xã Vạn Ninhh", "Đầu mối chính", "A", "", "a@b.test", "", ""),
        ("Xã Vạn Ninh", "Bảo vệ", "A", "", "a@b.test", "", ""),
        ("Xã Vạn Ninh", "Văn thư", "", "", "không phải", "", ""),
        ("Xã Vạn Ninh", "Đầu mối chính", "A", "", "a@b.test", "", "bỏ"),
    )
    page = preview(browser, book(*wrong, ROWS[1]))
    assert page.status_code == 422
    words = text_of(page)
    assert "Cần sửa 4 chỗ, chưa ghi gì" in words
    for told in ("Đầu mối A2", "B3", "E4", "G5", "Có phải “Xã Vạn Ninh”", "chỉ ghi x"):
        assert told in words, told
    assert 'name="plan"' not in page.text
    assert "Chưa chọn tệp" in text_of(browser.post(PAGE, data={"mark": mark_of(page)}))


def test_a_change_between_preview_and_apply_is_said_and_kept(site: Site) -> None:
    """(26)"""
    browser = site.logged_in(Visitor.COORDINATOR)
    page = preview(browser, book(*ROWS))
    later = ContactInput(
        agency_key=world.A, kind=ContactKind.FOCAL, name="Phạm Sau", email="sau@co-quan.test"
    )
    site.write(lambda session: set_contact(session, world.agency(), later))
    answer = apply(browser, page)
    assert answer.status_code == 409
    assert "sửa sau khi xem trước: Đầu mối chính của Xã Vạn Ninh" in text_of(answer)
    assert names(site) == {(world.A, "focal"): "Phạm Sau"}


def test_a_preview_is_ones_own_and_signed(site: Site) -> None:
    page = preview(site.logged_in(Visitor.COORDINATOR), book(*ROWS))
    other = site.logged_in(Visitor.ADMIN)
    plan = re.search(r'name="plan" value="([^"]+)"', page.text)
    assert plan is not None
    for text in (unescape(plan[1]), "forged", ""):
        data = {"mark": mark_of(other.get(PAGE)), "plan": text}
        answer = other.post(f"{PAGE}/ap-dung", data=data)
        assert answer.status_code == 422
        assert "tải tệp lên lại" in text_of(answer)
    assert names(site) == {(world.A, "focal"): "Lê Cũ"}


def test_the_template_holds_every_agency_and_comes_back_unchanged(site: Site) -> None:
    browser = site.logged_in(Visitor.COORDINATOR)
    content = browser.get(f"{PAGE}/tep-mau.xlsx").content
    sheet = load_workbook(io.BytesIO(content)).worksheets[0]
    assert [cell.value for cell in sheet[1]] == list(HEAD)
    assert {row[0].value for row in sheet.iter_rows(min_row=2)} == set(world.NAMES.values())
    offered = [one.formula1 for one in sheet.data_validations.dataValidation]
    assert any("Hộp thư cơ quan,Đầu mối chính" in one for one in offered)
    page = preview(browser, content)
    assert page.status_code == 200, text_of(page)
    assert "0 thêm mới, 0 sửa, 0 thôi dùng, 1 giữ nguyên; 7 dòng để trống" in text_of(page)
    assert 'name="plan"' not in page.text
    assert site.logged_in(Visitor.AUDITOR).get(PAGE).status_code == 403


def packed(name: str, content: bytes) -> bytes:
    """A filled sheet with one part replaced."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(book(*ROWS))) as old,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for part in old.infolist():
            new.writestr(part.filename, content if part.filename == name else old.read(part))
    return stream.getvalue()


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = packed("xl/worksheets/sheet1.xml", b" " * (contact_files.MAX_UNPACKED + 1))
    assert len(bomb) < 100_000
    with pytest.raises(FileRefused, match="giải nén ra hơn 25 MB"):
        read_contact_file(bomb, "a.xlsx")


def test_entities_that_multiply_are_refused() -> None:
    text = b'<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>'
    with pytest.raises(FileRefused, match="không phải bảng tính"):
        read_contact_file(packed("xl/worksheets/sheet1.xml", text), "a.xlsx")


def test_more_rows_than_a_table_of_contacts_has_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(contact_files, "MAX_ROWS", 50)
    many = book(*[ROWS[1]] * (contact_files.MAX_ROWS + 1))
    with pytest.raises(FileRefused, match="hơn 50 dòng"):
        read_contact_file(many, "a.xlsx")
