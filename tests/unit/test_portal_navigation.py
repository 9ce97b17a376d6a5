"""The menu leads everybody to what they may open, and says where they are."""

from __future__ import annotations

import pytest

from portal.app import page_routes
from portal.navigation import SECTIONS, menu
from portal.permissions import READS_ALL, Visitor, may_open

ACCOUNTS = sorted(READS_ALL | {Visitor.AGENCY})


@pytest.mark.parametrize("visitor", ACCOUNTS)
def test_nobody_has_more_than_seven_sections_or_a_way_to_a_closed_door(visitor: Visitor) -> None:
    found = menu("/", visitor, local_mailbox=True)
    assert 1 <= len(found.sections) <= 7
    for section in found.sections:
        for entry in section.entries:
            assert may_open(entry.route, visitor, trial=False), entry


def test_each_entry_stands_at_the_address_of_its_route() -> None:
    for section in SECTIONS:
        for entry in section.entries:
            assert page_routes()[entry.route].path == entry.path


@pytest.mark.parametrize(
    ("path", "section", "entry"),
    [
        ("/", "Tổng quan", "Tổng quan"),
        ("/bang/qua-han", "Nhiệm vụ", "Nhiệm vụ, dải năm"),
        ("/dieu-phoi/gia-han", "Điều phối", "Gia hạn"),
        ("/dieu-phoi/xac-nhan-nhieu", "Điều phối", "Chờ xác nhận"),
        ("/thu/12", "Thư, lượt chạy", "Thư theo trạng thái"),
        ("/luot-chay/tat-ca", "Thư, lượt chạy", "Lượt chạy"),
        ("/nhu-da-biet", "Kiểm tra", "Như đã biết lúc"),
    ],
)
def test_a_page_belongs_to_the_nearest_entry(path: str, section: str, entry: str) -> None:
    found = menu(path, Visitor.COORDINATOR, local_mailbox=False)
    assert found.section is not None
    assert found.entry is not None
    assert (found.section.title, found.entry.title) == (section, entry)


def test_a_page_outside_the_menu_is_in_no_section() -> None:
    assert menu("/khong-co", Visitor.COORDINATOR, local_mailbox=False).section is None


def test_the_local_mailbox_is_offered_only_where_letters_end_there() -> None:
    def routes(visitor: Visitor, *, local_mailbox: bool) -> set[str]:
        found = menu("/", visitor, local_mailbox=local_mailbox)
        return {entry.route for section in found.sections for entry in section.entries}

    assert "mailbox" in routes(Visitor.ADMIN, local_mailbox=True)
    assert "mailbox" not in routes(Visitor.ADMIN, local_mailbox=False)
    assert "mailbox" not in routes(Visitor.AUDITOR, local_mailbox=True)
