"""What a list was narrowed to, in words: read from its address, for the head of its files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy.orm import Session

from models.tables import AgencyRow
from portal.filters import ALL_YEARS, CELL_KEYS, MARKS, OUTSIDE
from rules.lifecycle import STATUS_WORDS
from rules.timeliness import CELL_WORDS

Words = Mapping[str, Mapping[str, str]]
"""By the field of an address: what people read for each of its values."""

FIELD_WORDS: Final[Mapping[str, str]] = {
    "de-an": "đề án",
    "nam": "năm",
    "quy": "quý",
    "ky": "kỳ",
    "chot": "tính đến hết ngày",
    "theo": "tính theo",
    "o": "ô theo dõi",
    "loc": "chỉ",
    "nhiem-vu": "nhiệm vụ",
    "co-quan": "cơ quan",
    "nhom": "nhóm",
    "trang-thai": "tình trạng",
    "tinh-trang": "tình trạng",
    "vai-tro": "vai trò",
    "viec": "việc",
    "loai": "loại",
    "nguoi": "người thực hiện",
    "tu": "từ",
    "den": "đến",
    "noi-dung": "nội dung",
    "luc": "như đã biết lúc",
    "phan-cong": "phân công số",
    "hop-thu": "địa chỉ có chữ",
    "luot": "lượt chạy",
    "ten": "tên có chữ",
    "thieu": "thiếu",
    "gia-dinh": "giả định",
    "hat": "hạt giống",
    "co": "cỡ mẫu",
}
"""Every field that narrows a list, in the order in which it is told."""

_VALUES: Final[Words] = {
    "nam": {ALL_YEARS: "cả giai đoạn"},
    "quy": {"1": "I", "2": "II", "3": "III", "4": "IV"},
    "theo": {"han": "hạn đang áp dụng", "goc": "hạn ban đầu"},
    "o": {key: CELL_WORDS[cell] for key, cell in CELL_KEYS.items()} | {OUTSIDE: "ngoài bốn ô"},
    "loc": MARKS,
    "trang-thai": {status.value: word for status, word in STATUS_WORDS.items()},
    "tinh-trang": {status.value: word for status, word in STATUS_WORDS.items()},
    "vai-tro": {"chu-tri": "chủ trì", "phoi-hop": "phối hợp"},
}


def narrowed_to(session: Session, fields: Mapping[str, str], words: Words) -> str:
    """The fields that narrow a list as one sentence; ``words`` are those of this list.

    A value that ``words`` does not know of a field that it names narrows nothing, and is left out.
    """
    told = []
    for name, label in FIELD_WORDS.items():
        text = " ".join(fields.get(name, "").split())
        if not text or (name in words and text not in words[name]):
            continue
        if name == "co-quan":
            agency = session.get(AgencyRow, text)
            text = text if agency is None else agency.name
        known = words.get(name) or _VALUES.get(name, {})
        told.append(f"{label}: {known.get(text, text)}")
    return f"Lọc theo {'; '.join(told)}." if told else "Không lọc, gồm mọi dòng của danh sách."
