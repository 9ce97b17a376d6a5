"""The ways through the portal: at most seven sections for a role, each with its pages.

Who sees an entry is who may open its route, by the one table of permissions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from portal.permissions import EVERY_PLAN, READS_ALL, Visitor, may_open


@dataclass(frozen=True, slots=True)
class Entry:
    """A page that a section leads to."""

    title: str
    path: str
    route: str
    """The name that stands in the table of permissions."""
    near: tuple[str, ...] = ()
    """Beginnings of other addresses that belong to this page."""
    count: str = ""
    """What of the queues' counts is told beside the title."""

    def nearness(self, path: str) -> int:
        """How many letters of ``path`` this entry accounts for; 0 when it is elsewhere."""
        starts = (self.path, *self.near)
        return max(len(one) if _begins(path, one) else 0 for one in starts)


@dataclass(frozen=True, slots=True)
class Section:
    """An entry on top, with the pages below it."""

    title: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Menu:
    """What somebody may open, and where they are; neither is known on a page outside of it."""

    sections: tuple[Section, ...]
    section: Section | None
    entry: Entry | None
    path: str


def _begins(path: str, start: str) -> bool:
    return path == start or (start != "/" and path.startswith(f"{start}/"))


SECTIONS: Final = (
    Section("Tổng quan", (Entry("Tổng quan", "/", "home"),)),
    Section(
        "Nhiệm vụ",
        (
            Entry("Nhiệm vụ, dải năm", "/nhiem-vu", "items", near=("/viec", "/bang", "/ky")),
            Entry("Bản đồ tiến độ", "/ban-do", "heat_map"),
            Entry("Trang giao ban", "/giao-ban", "briefing"),
            Entry("Chỉ tiêu", "/nhiem-vu/chi-tieu", "targets"),
            Entry("Kinh phí", "/nhiem-vu/kinh-phi", "money"),
            Entry("Giao bổ sung", "/nhiem-vu/giao-bo-sung", "added"),
        ),
    ),
    Section(
        "Điều phối",
        (
            Entry("Chờ xác nhận", "/dieu-phoi", "queue_results", count="results"),
            Entry("Gia hạn", "/dieu-phoi/gia-han", "queue_extensions", count="extensions"),
            Entry("Vướng mắc", "/dieu-phoi/vuong-mac", "queue_obstacles", count="obstacles"),
            Entry("Đề xuất chờ duyệt", "/dieu-phoi/de-xuat", "queue_proposals", count="proposals"),
            Entry("Ấn định lịch năm", "/dieu-phoi/lich-nam", "year_dates"),
            Entry("Nhập thay", "/dieu-phoi/nhap-thay", "entering"),
            Entry("Đề nghị phối hợp", "/dieu-phoi/phoi-hop", "requests"),
            Entry("Báo cáo, văn bản", "/van-ban", "documents"),
        ),
    ),
    Section("Nhiệm vụ của cơ quan", (Entry("Nhiệm vụ của cơ quan", "/co-quan", "agency_list"),)),
    Section(
        "Thư, lượt chạy",
        (
            Entry("Thư theo trạng thái", "/thu", "letters"),
            Entry("Bằng chứng đã nhận", "/thu/bang-chung", "letter_proofs"),
            Entry("Diễn tập", "/thu/dien-tap", "letter_rehearsal"),
            Entry("Thí điểm", "/thu/thi-diem", "letter_pilots"),
            Entry("Lượt chạy", "/luot-chay", "runs"),
            Entry("Hộp thư thử", "/hop-thu-thu", "mailbox"),
        ),
    ),
    Section(
        "Danh mục",
        (
            Entry("Cơ quan, đầu mối", "/danh-muc/co-quan", "agencies"),
            Entry("Sắp xếp", "/danh-muc/sap-xep", "reorganisations"),
            Entry("Nhập đầu mối", "/danh-muc/nhap-dau-moi", "contact_file"),
            Entry("Nhập dữ liệu", "/danh-muc/nhap-du-lieu", "import_file"),
            Entry("Nhóm, thư", "/danh-muc/nhom", "groups"),
            Entry("Ngày nghỉ", "/danh-muc/ngay-nghi", "days"),
            Entry("Lịch nhiệm vụ", "/danh-muc/lich", "item_calendar"),
            Entry("Chính sách", "/danh-muc/chinh-sach", "policies"),
            Entry("Dữ liệu mở", "/danh-muc/du-lieu-mo", "open_data"),
            Entry("Báo ra ngoài", "/danh-muc/bao-ra-ngoai", "outlets"),
            Entry("Tài khoản", "/danh-muc/tai-khoan", "accounts"),
            Entry("Mã API", "/danh-muc/ma-api", "api_tokens"),
        ),
    ),
    Section(
        "Kiểm tra",
        (
            Entry("Phục vụ kiểm tra", "/kiem-tra", "audit"),
            Entry("Lịch sử", "/lich-su", "history"),
            Entry("Như đã biết lúc", "/nhu-da-biet", "known_at"),
            Entry("Ngoại lệ", "/kiem-tra/ngoai-le", "exceptions"),
            Entry("Căn cứ", "/kiem-tra/can-cu", "authority"),
            Entry("Chọn mẫu", "/kiem-tra/mau", "sample"),
            Entry("Kiến nghị", "/kiem-tra/kien-nghi", "findings"),
            Entry("Kiểm chứng", "/kiem-tra/lich-su", "verifying"),
            Entry("Nhật ký xem", "/kiem-tra/nhat-ky", "reading"),
        ),
    ),
)
"""All there is; a new page that people look for gets its line here."""


def menu(path: str, visitor: Visitor, *, local_mailbox: bool, every_plan: bool = True) -> Menu:
    """The sections that ``visitor`` may open, and where among them ``path`` is.

    ``every_plan`` is whether the account sees all plans, and so what is about all of them.
    """
    shown = [
        Section(section.title, entries)
        for section in SECTIONS
        if (
            entries := tuple(
                one
                for one in section.entries
                if _may_see(one, visitor, local_mailbox=local_mailbox)
                and (every_plan or one.route not in EVERY_PLAN)
            )
        )
    ]
    ranked = [
        (entry.nearness(path), section, entry) for section in shown for entry in section.entries
    ]
    nearest = max(ranked, key=lambda one: one[0], default=None)
    if nearest is None or not nearest[0]:
        return Menu(tuple(shown), None, None, path)
    return Menu(tuple(shown), nearest[1], nearest[2], path)


def _may_see(entry: Entry, visitor: Visitor, *, local_mailbox: bool) -> bool:
    if entry.route == "home":
        # Its overview is for those who follow everybody's work; an agency is led to its own.
        return visitor in READS_ALL
    if entry.route == "mailbox" and not local_mailbox:
        return False
    return may_open(entry.route, visitor, trial=False)
