"""The address book and its files (rules 30, 36, 37, 40)."""

import io
from collections.abc import Iterator
from dataclasses import replace

import pytest
from openpyxl import Workbook
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.tables import AgencyRow, Contact, ContactKind
from operations.address_book import address_book, contact_gaps
from operations.contact_files import FileRefused, read_contact_file
from operations.contact_import import ImportResult, import_contacts
from operations.contacts import ContactInput, contacts_of, remove_contact, set_contact
from operations.errors import NotFound, NotPermitted, Refused
from operations.sample_contacts import sample_domain, seed_sample_contacts
from rules.values import Audience
from tests import world
from tests.world import COORDINATOR, TODAY, A, B

FOCAL = ContactInput(
    agency_key=A,
    kind=ContactKind.FOCAL,
    name="Nguyễn Thị Lan",
    post="Công chức Văn phòng",
    email="Lan.NT@XaVanNinh.test",
    phone="0258 3822 001",
)
HEADER = "Cơ quan;Loại liên hệ;Họ và tên;Chức vụ;Thư điện tử;Điện thoại"
GOOD = f"""{HEADER}
xa_van_ninh;Hộp thư cơ quan;;;xavanninh@khanhhoa.test;
Xã Vạn Ninh;Đầu mối chính;Nguyễn Thị Lan;Công chức;lan@khanhhoa.test;0258 3822 001
Phường Nha Trang;Văn thư;;;vanthu@khanhhoa.test;
"""


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    with world.opened(database_url) as session:
        yield session


def take(session: Session, text: str | bytes, name: str = "danh-sach.csv") -> ImportResult:
    content = text.encode() if isinstance(text, str) else text
    return import_contacts(session, world.coordinator(), read_contact_file(content, name))


def test_a_contact_is_stored_clean_and_its_change_is_history(session: Session) -> None:
    """Rules 36, 37."""
    row = set_contact(session, world.coordinator(), FOCAL)
    assert (row.email, row.version, row.sample) == ("lan.nt@xavanninh.test", 1, False)
    set_contact(session, world.coordinator(), FOCAL)
    set_contact(session, world.agency(), replace(FOCAL, name="Trần Văn Minh"))
    assert [event.action for event in world.events(session, "contact")] == ["set", "set"]
    assert row.version == 2


def test_an_agency_names_its_own_contacts_and_nobody_elses(session: Session) -> None:
    """Rule 36."""
    set_contact(session, world.agency(A), FOCAL)
    set_contact(session, world.link(A), replace(FOCAL, name="Trần Văn Minh"))
    for stamp in (world.agency(B), world.link(B), world.auditor()):
        with pytest.raises(NotPermitted):
            set_contact(session, stamp, FOCAL)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "lan"}, "email"),
        ({"email": "a@x.vn, b@x.vn"}, "email"),
        ({"name": " "}, "name"),
        ({"phone": "2583822001"}, "phone"),
        ({"phone": "gọi văn phòng"}, "phone"),
        ({"name": "x" * 201}, "name"),
        ({"kind": ContactKind.MAILBOX, "email": None}, "email"),
    ],
)
def test_what_cannot_be_a_contact_is_refused_at_its_field(
    session: Session, change: dict[str, str], field: str
) -> None:
    with pytest.raises(Refused) as refused:
        set_contact(session, world.coordinator(), replace(FOCAL, **change))  # type: ignore[arg-type]
    assert refused.value.field == field


def test_everything_that_is_wrong_with_a_contact_is_said_at_once(session: Session) -> None:
    wrong = replace(FOCAL, name="", email="lan", phone="12")
    with pytest.raises(Refused) as refused:
        set_contact(session, world.coordinator(), wrong)
    assert [one.field for one in refused.value.each] == ["email", "name", "phone"]


def test_an_unknown_agency_is_named(session: Session) -> None:
    with pytest.raises(NotFound, match="xa_khong_co"):
        set_contact(session, world.coordinator(), replace(FOCAL, agency_key="xa_khong_co"))


def test_a_removed_contact_gets_no_letters_and_keeps_its_history(session: Session) -> None:
    """Rule 40."""
    set_contact(session, world.coordinator(), FOCAL)
    remove_contact(session, world.coordinator(), agency_key=A, kind=ContactKind.FOCAL)
    assert contacts_of(session, A) == []
    assert not address_book(session).has(A, Audience.FOCAL)
    last = world.events(session, "contact")[-1]
    assert last.action == "remove"
    assert "Nguyễn Thị Lan" in last.snapshot
    with pytest.raises(NotFound):
        remove_contact(session, world.coordinator(), agency_key=A, kind=ContactKind.FOCAL)


def test_a_deputy_stands_in_for_the_focal_point_and_the_registry_for_the_mailbox(
    session: Session,
) -> None:
    set_contact(session, world.coordinator(), replace(FOCAL, kind=ContactKind.DEPUTY))
    registry = ContactInput(agency_key=A, kind=ContactKind.REGISTRY, email="vanthu@xa.test")
    set_contact(session, world.coordinator(), registry)
    book = address_book(session)
    found = {
        audience: book.recipient(audience, A, coordinator=COORDINATOR)
        for audience in (Audience.FOCAL, Audience.MAILBOX, Audience.HEAD)
    }
    assert {one.address if one else None for one in found.values()} == {
        "lan.nt@xavanninh.test",
        "vanthu@xa.test",
    }


def test_agencies_without_a_mailbox_or_focal_point_are_shown(session: Session) -> None:
    """Rule 36."""
    set_contact(session, world.coordinator(), FOCAL)
    gaps = {gap.agency_key: (gap.mailbox, gap.focal) for gap in contact_gaps(session, TODAY)}
    assert gaps[A] == (False, True)
    assert gaps[B] == (False, False)


def test_samples_are_made_once_marked_and_under_the_reserved_domain(session: Session) -> None:
    session.get_one(AgencyRow, COORDINATOR).kind = "department"
    made = seed_sample_contacts(session, world.flow(), agencies_file="khanh_hoa")
    assert made == 4 * 2 + 1
    assert seed_sample_contacts(session, world.flow(), agencies_file="khanh_hoa") == 0
    rows = session.scalars(select(Contact)).all()
    assert all(row.sample and (row.email or "").endswith("@khanh-hoa.test") for row in rows)
    assert {row.name for row in rows} == {None, "Đầu mối mẫu", "Lãnh đạo mẫu"}
    assert sample_domain("khanh_hoa") == "khanh-hoa.test"


def test_a_real_contact_ends_the_sample(session: Session) -> None:
    seed_sample_contacts(session, world.flow(), agencies_file="thu")
    assert set_contact(session, world.agency(), FOCAL).sample is False


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
def test_a_csv_file_is_taken_over_and_a_second_time_changes_nothing(
    session: Session, encoding: str, separator: str
) -> None:
    content = GOOD.replace(";", separator).encode(encoding)
    assert take(session, content) == ImportResult(created=3, changed=0, unchanged=0)
    count = session.scalar(select(func.count()).select_from(Contact))
    events = len(world.events(session, "contact"))
    assert take(session, content) == ImportResult(created=0, changed=0, unchanged=3)
    assert session.scalar(select(func.count()).select_from(Contact)) == count
    assert len(world.events(session, "contact")) == events


def test_a_spreadsheet_is_taken_over(session: Session) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for line in GOOD.strip().splitlines():
        sheet.append(line.split(";"))
    stream = io.BytesIO()
    book.save(stream)
    assert take(session, stream.getvalue(), "Danh sách.xlsx").created == 3
    changed = GOOD.replace("Nguyễn Thị Lan", "Trần Văn Minh")
    assert take(session, changed) == ImportResult(created=0, changed=1, unchanged=2)


ROW = "xa_van_ninh;Đầu mối chính;Lan;Công chức;lan@khanhhoa.test;0258 3822 001"

BROKEN = {
    "empty": ("", "Tệp không có dòng nào"),
    "header only": (HEADER, "Tệp chỉ có dòng tiêu đề"),
    "missing column": ("Cơ quan;Loại liên hệ\na;b", "Thiếu cột “Thư điện tử”"),
    "forbidden column": (f"{HEADER};Số CCCD\n{ROW};012", "(ô G1): Không nhận cột “Số CCCD”"),
    "column twice": (f"{HEADER};Email\n{ROW};x", "Cột “Thư điện tử” có hai lần"),
    "unknown agency": (
        f"{HEADER}\n{ROW.replace('xa_van_ninh', 'Xã Vạn Ninhh')}",
        "Dòng 2, cột “Cơ quan” (ô A2): Không có cơ quan “Xã Vạn Ninhh”. Có phải “Xã Vạn Ninh”?",
    ),
    "no agency": (f"{HEADER}\n{ROW.replace('xa_van_ninh', '')}", "Chưa ghi cơ quan"),
    "unknown kind": (
        f"{HEADER}\n{ROW.replace('Đầu mối chính', 'Bảo vệ')}",
        "cột “Loại liên hệ” (ô B2): Không có loại liên hệ “Bảo vệ”. Chọn một trong: “Hộp thư",
    ),
    "bad address": (f"{HEADER}\n{ROW.replace('lan@', 'lan ')}", "cột “Thư điện tử” (ô E2)"),
    "no address": (
        f"{HEADER}\nxa_van_ninh;Hộp thư cơ quan;;;;",
        "“Hộp thư cơ quan” cần có địa chỉ thư điện tử",
    ),
    "no name": (f"{HEADER}\n{ROW.replace(';Lan;', ';;')}", "“Đầu mối chính” cần có họ và tên"),
    "lost zero": (
        f"{HEADER}\n{ROW.replace('0258 3822 001', '2583822001')}",
        "(ô F2): Số điện thoại “2583822001” không đúng. Ghi đủ số 0 ở đầu",
    ),
    "twice": (f"{HEADER}\n{ROW}\n\n{ROW}", "Dòng 4, cột “Loại liên hệ” (ô B4): “Đầu mối chính”"),
}


@pytest.mark.parametrize(("text", "words"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_file_is_refused_whole_with_the_cell_and_the_remedy(
    session: Session, text: str, words: str
) -> None:
    with pytest.raises(FileRefused) as refused:
        take(session, text)
    assert words in str(refused.value)
    assert session.scalar(select(func.count()).select_from(Contact)) == 0


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (GOOD.encode("utf-16"), "a.csv", "không phải mã UTF-8"),
        (b"\x00a;b", "a.csv", "ký tự không đọc được"),
        (b"PK\x03\x04 not really", "a.xlsx", "không phải bảng tính"),
        (b"\xd0\xcf\x11\xe0", "a.xls", "Không đọc được tệp “.xls”"),
        (b"x" * 5_000_001, "a.csv", "lớn hơn 5 MB"),
    ],
)
def test_a_file_that_cannot_be_read_says_how_to_save_it(
    content: bytes, name: str, words: str
) -> None:
    with pytest.raises(FileRefused) as refused:
        read_contact_file(content, name)
    assert words in str(refused.value)


def test_every_error_of_a_file_is_said_at_once(session: Session) -> None:
    """And the right rows of it are not written either."""
    rows = [ROW, ROW.replace("xa_van_ninh", "xa_x"), ROW.replace("Đầu mối chính", "?")]
    with pytest.raises(FileRefused) as refused:
        take(session, "\n".join([HEADER, *rows]))
    assert [error.row for error in refused.value.errors] == [3, 4]
    assert session.scalar(select(func.count()).select_from(Contact)) == 0


def test_an_agency_cannot_take_over_a_file_about_others(session: Session) -> None:
    with pytest.raises(NotPermitted):
        import_contacts(session, world.agency(A), read_contact_file(GOOD.encode(), "a.csv"))
