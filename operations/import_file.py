"""The template of a late start as a file."""

from __future__ import annotations

from datetime import date
from typing import Final

from sqlalchemy.orm import Session

from operations.import_sheets import GUIDE, LISTS, RESULTS, SHAPES
from operations.import_template import Template, template, year_list
from reports.import_sheet import Sheet, import_workbook

HELP: Final = (
    "Nhập dữ liệu những năm trước khi bắt đầu theo dõi",
    "Điền các trang tính: Cơ quan, Đầu mối, Tài khoản, Kết quả. Trang nào không dùng thì để nguyên hoặc xóa cả trang. Cột có nền vàng là bắt buộc.",
    "Hệ thống kiểm tra cả tệp trước khi ghi: mọi chỗ sai được nêu theo trang tính, ô và cách sửa; còn một chỗ sai thì chưa ghi gì. Nhập lại cùng một tệp không làm thay đổi gì.",
    "Ngày: dùng ngày của Excel, hoặc ghi 31/3/2024. Không dùng công thức, không gộp ô.",
    "Cơ quan: các dòng có sẵn là danh mục hiện có, để nguyên. Thêm dòng cho cơ quan chưa có.",
    "Đầu mối: mỗi cơ quan có tối đa một liên hệ mỗi loại; dòng để trống được bỏ qua; muốn thôi dùng thì ghi x ở cột “Thôi dùng”.",
    "Tài khoản: không ghi mật khẩu. Sau khi nhập, người quản trị gửi cho từng người liên kết đặt mật khẩu dùng một lần.",
    "Kết quả: mỗi dòng là một cơ quan chủ trì, một nhiệm vụ, một kỳ. Ghi tên cơ quan khi đó; việc hoàn thành sau ngày sáp nhập thì ghi cơ quan kế thừa.",
    "Cột “Kết quả” để trống nghĩa là chưa có dữ liệu: hệ thống ghi rõ như vậy và không tính là hoàn thành. Kỳ không có dòng nào trong tệp thì chưa được mở.",
    "“Đã hoàn thành” cần số, ký hiệu và ngày văn bản. Ngày hoàn thành để trống thì lấy ngày văn bản. Không còn văn bản thì chọn “Không” ở cột “Còn văn bản”, ghi ngày hoàn thành, nội dung và lý do.",
    "“Không thay đổi so với năm trước” cần số, ngày của văn bản còn hiệu lực và ngày hoàn thành trong kỳ. “Không phát sinh nhiệm vụ” cần lý do.",
    "Sửa kết quả đã nhập: sửa ô và ghi lý do đính chính ở cột “Lý do”. Kết quả cũ vẫn được lưu trong lịch sử.",
    "Mọi kết quả nhập từ tệp được ghi “ghi nhận sau”, không nhắc việc, không tính vào bốn ô đúng hạn, quá hạn. Không nhập tài liệu thuộc bí mật nhà nước.",
)
"""The first sheet of the template, and the help of its page."""
_DATES: Final = frozenset({"from", "to", "valid_to", "done", "issued"})


def template_file(session: Session, plan_key: str, today: date) -> bytes:
    """The xlsx file of the template, with everything that is known.

    Raises:
        NotFound: there is no such plan.
    """
    found = template(session, plan_key, today)
    return import_workbook(
        [_sheet(name, found) for name in SHAPES],
        found.lists,
        guide=(GUIDE, HELP),
        lists_title=LISTS,
    )


def _sheet(name: str, found: Template) -> Sheet:
    shape = SHAPES[name]
    fields = list(shape.columns)
    rows = found.rows[name]
    by_row = {}
    if name == RESULTS:
        at = fields.index("agency")
        by_row = {n: (at, year_list(int(str(row[2])[:4]))) for n, row in enumerate(rows)}
    return Sheet(
        title=name,
        headings=tuple(shape.columns.values()),
        required=[at for at, field in enumerate(fields) if field in shape.required],
        dates=[at for at, field in enumerate(fields) if field in _DATES],
        rows=rows,
        offers={
            at: found.offers[name, field]
            for at, field in enumerate(fields)
            if (name, field) in found.offers
        },
        by_row=by_row,
    )
