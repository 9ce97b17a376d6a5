"""What somebody typed, as it is shown when its form is no longer there (rule 26)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from portal.forms import FormState

LABELS: Final[Mapping[str, str]] = {
    "text": "Nội dung",
    "document": "Số, ký hiệu văn bản",
    "issued_on": "Ngày văn bản",
    "title": "Trích yếu",
    "reason": "Lý do",
    "explanation": "Giải trình",
    "until": "Xin gia hạn đến ngày",
    "due_on": "Hạn mới",
    "respond_by": "Ngày đề nghị bổ sung",
    "cap_reason": "Lý do vượt số lần gia hạn",
    "entered_channel": "Hình thức nhận",
    "entered_number": "Số đến",
    "who_name": "Người cập nhật",
    "who_post": "Chức vụ",
}
"""The fields that people type into, by name, in the order in which they are shown."""


_FOCAL: Mapping[str, str] = {
    "focal.name": "Họ và tên đầu mối",
    "focal.post": "Chức vụ của đầu mối",
    "focal.email": "Thư công vụ của đầu mối",
    "focal.phone": "Điện thoại của đầu mối",
}


def typed_lines(form: FormState) -> tuple[tuple[str, str], ...]:
    """The label and text of every field that was typed into."""
    figures = {
        name: f"Số liệu {name.removeprefix('figure.')}"
        for name in form.values
        if name.startswith("figure.")
    }
    outcomes = {
        name: f"Kết quả {name.removeprefix('outcome.')}"
        for name in form.values
        if name.startswith("outcome.")
    }
    labels = {**LABELS, **figures, **outcomes, **_FOCAL}
    return tuple(
        (label, form.values[name]) for name, label in labels.items() if form.values.get(name)
    )
