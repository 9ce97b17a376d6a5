"""Workbooks of a late start that are wrong in one way each, built from one that is right."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date
from typing import Any

from openpyxl import Workbook

from operations.import_sheets import ACCOUNTS, AGENCIES, PEOPLE, RESULTS, SHAPES
from tests.late_start import packed

TODAY = date(2027, 1, 4)
"""The day on which the files are taken over; tracking began on 1 January 2027."""
Rows = dict[str, list[list[Any]]]
Change = Callable[[Workbook], bytes | None]
RIGHT: Rows = {
    AGENCIES: [["so_noi_vu", "Sở Nội vụ", "Sở", "", "", ""]],
    PEOPLE: [["Sở Tư pháp", "Hộp thư cơ quan", "", "", "stp@co-quan.test", "", ""]],
    ACCOUNTS: [
        ["hoa.nguyen", "Nguyễn Thị Hoa", "Cơ quan", "Sở Tư pháp", "Chuyên viên", "", "", ""]
    ],
    RESULTS: [
        [
            *("Sở Tư pháp", "I.1", "2024", "Đã hoàn thành", "", ""),
            *("12/QĐ-STP", date(2024, 3, 15), "", ""),
        ]
    ],
}


def right() -> Workbook:
    """A workbook in which nothing is wrong: one row a sheet."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, shape in SHAPES.items():
        sheet = book.create_sheet(name)
        sheet.append(list(shape.columns.values()))
        for row in RIGHT[name]:
            sheet.append(row)
    return book


def cell(sheet: str, field: str, value: Any, row: int = 2) -> Change:
    """Write one cell."""

    def change(book: Workbook) -> None:
        at = list(SHAPES[sheet].columns).index(field) + 1
        book[sheet].cell(row, at).value = value

    return change


def cells(sheet: str, **values: object) -> Change:
    """Write several cells of the first row."""

    def change(book: Workbook) -> None:
        for field, value in values.items():
            cell(sheet, field, value)(book)

    return change


def again(sheet: str, **values: object) -> Change:
    """Add the first row once more, with some cells changed."""

    def change(book: Workbook) -> None:
        book[sheet].append([one.value for one in book[sheet][2]])
        for field, value in values.items():
            cell(sheet, field, value, row=3)(book)

    return change


def heading(sheet: str, at: int, text: str | None) -> Change:
    """Write one heading."""
    return lambda book: setattr(book[sheet].cell(1, at), "value", text)


def title(sheet: str, text: str) -> Change:
    """Call a sheet something else."""
    return lambda book: setattr(book[sheet], "title", text)


def merged(book: Workbook) -> None:
    """Two cells as one."""
    again(RESULTS, item="I.2")(book)
    book[RESULTS].merge_cells("A2:A3")


def empty(book: Workbook) -> None:
    """Headings only."""
    for sheet in book.worksheets:
        sheet.delete_rows(2)


def number_for_a_day(book: Workbook) -> None:
    """A day as the number by which Excel counts it, in a cell that shows a number."""
    cell(RESULTS, "issued", 45366)(book)
    book[RESULTS].cell(2, list(SHAPES[RESULTS].columns).index("issued") + 1).number_format = "0"


def bomb(book: Workbook) -> bytes:
    """A small file that unpacks to a large one."""
    stream = io.BytesIO(packed(book))
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/image1.bin", b" " * 26_000_000)
    return stream.getvalue()


def no_workbook(_: Workbook) -> bytes:
    """A text that calls itself a workbook."""
    return "Cơ quan;Nhiệm vụ\n".encode()


def too_long(book: Workbook) -> None:
    """More rows than are taken."""
    for _ in range(5_001):
        book[RESULTS].append(["Sở Tư pháp", "I.1", "2024"])


MISTAKES: list[tuple[str, Change]] = [
    ("Tệp không phải bảng tính", no_workbook),
    ("Tệp nén giải ra quá lớn", bomb),
    ("Tệp chỉ có tiêu đề", empty),
    ("Quá nhiều dòng", too_long),
    ("Trang tính lạ", title(RESULTS, "Ket qa")),
    ("Trang tính không liên quan", title(PEOPLE, "Sheet1")),
    ("Thiếu cột bắt buộc", heading(RESULTS, 2, None)),
    ("Cột lạ", heading(ACCOUNTS, 5, "Ngày sinh")),
    ("Cột có hai lần", heading(RESULTS, 9, "Kỳ")),
    ("Ô là công thức", cell(RESULTS, "document", "=A2")),
    ("Ô báo lỗi của Excel", cell(RESULTS, "text", "#REF!")),
    ("Ô bị gộp", merged),
    ("Cơ quan không có", cell(RESULTS, "agency", "Sở Hàng không")),
    ("Cơ quan viết không dấu", cell(RESULTS, "agency", "So Tu phap")),
    ("Cơ quan viết sai", cell(RESULTS, "agency", "Sở Tư phap tỉnh")),
    ("Chưa ghi cơ quan", cell(RESULTS, "agency", None)),
    ("Liên hệ chưa ghi cơ quan", cell(PEOPLE, "agency", "")),
    ("Cơ quan chưa có khi đó", cell(RESULTS, "agency", "Sở Dân tộc và Tôn giáo")),
    (
        "Cơ quan đã kết thúc khi đó",
        cells(
            RESULTS,
            agency="Sở Tài nguyên và Môi trường",
            period="2025",
            issued=date(2025, 5, 10),
        ),
    ),
    (
        "Cơ quan kế thừa chưa tiếp nhận",
        cells(
            RESULTS,
            agency="Sở Nông nghiệp và Môi trường",
            period="2025",
            issued=date(2025, 2, 10),
        ),
    ),
    ("Cơ quan không chủ trì", cell(RESULTS, "item", "II.3")),
    ("Nhiệm vụ không có", cell(RESULTS, "item", "I.9")),
    ("Chưa ghi nhiệm vụ", cell(RESULTS, "item", "")),
    ("Kỳ sai dạng", cell(RESULTS, "period", "Q5/2024")),
    ("Kỳ quý cho nhiệm vụ năm", cell(RESULTS, "period", "2024-Q1")),
    (
        "Kỳ năm cho nhiệm vụ quý",
        cells(RESULTS, agency="Sở Nội vụ", item="II.4", text="Đã phổ biến"),
    ),
    ("Kỳ ngoài Đề án", cell(RESULTS, "period", "2022")),
    (
        "Kỳ trước Quyết định",
        cells(RESULTS, agency="Sở Nội vụ", item="II.4", period="2023-Q1", text="Đã phổ biến"),
    ),
    ("Kỳ đang theo dõi", cells(RESULTS, period="2027", issued=date(2027, 1, 3))),
    ("Kết quả lạ", cell(RESULTS, "state", "Đã xong")),
    ("Có văn bản mà chưa chọn kết quả", cell(RESULTS, "state", "")),
    ("Ngày không có thật", cell(RESULTS, "issued", "31/2/2024")),
    ("Ngày là chữ", cell(RESULTS, "issued", "cuối tháng 3")),
    ("Ngày là số", number_for_a_day),
    ("Ngày chưa đến", cell(RESULTS, "issued", date(2028, 3, 15))),
    ("Hoàn thành trước ngày văn bản", cell(RESULTS, "done", "1/3/2024")),
    ("Hoàn thành trước khi kỳ bắt đầu", cell(RESULTS, "issued", "15/12/2023")),
    ("Thiếu ngày văn bản", cell(RESULTS, "issued", "")),
    ("Thiếu văn bản", cells(RESULTS, document="", issued="", done="15/3/2024")),
    ("Số văn bản quá dài", cell(RESULTS, "document", "12/QĐ-STP về việc " + "phân công " * 8)),
    (
        "Không còn văn bản, thiếu lý do",
        cells(RESULTS, document="", issued="", done="15/3/2024", papers="Không", text="Đã làm"),
    ),
    ("Không còn văn bản mà có số", cells(RESULTS, papers="Không", reason="Thất lạc")),
    (
        "Không phát sinh, thiếu lý do",
        cells(RESULTS, state="Không phát sinh nhiệm vụ", document="", issued=""),
    ),
    ("Một kết quả hai dòng", again(RESULTS)),
    ("Loại liên hệ lạ", cell(PEOPLE, "kind", "Bảo vệ")),
    ("Thư điện tử sai", cell(PEOPLE, "email", "stp@@co-quan")),
    ("Điện thoại mất số 0", cell(PEOPLE, "phone", 2583822001)),
    ("Một liên hệ hai dòng", again(PEOPLE)),
    ("Tên đăng nhập có dấu", cell(ACCOUNTS, "username", "hòa nguyễn")),
    ("Vai trò lạ", cell(ACCOUNTS, "role", "Giám đốc")),
    ("Tài khoản cơ quan thiếu cơ quan", cell(ACCOUNTS, "agency", "")),
    ("Tài khoản kiểm tra thiếu căn cứ", cell(ACCOUNTS, "role", "Kiểm tra")),
    ("Một tài khoản hai dòng", again(ACCOUNTS)),
    ("Cơ quan khác danh mục", cell(AGENCIES, "name", "Sở Nội vụ tỉnh")),
    ("Mã cơ quan có dấu", again(AGENCIES, key="sở_mới", name="Sở Mới")),
    (
        "Cơ quan mới kết thúc trước khi có",
        again(AGENCIES, key="so_moi", name="Sở Mới", **{"from": "1/3/2025", "to": "1/2/2025"}),
    ),
]
"""What it is, and what is done to a workbook that is right."""
