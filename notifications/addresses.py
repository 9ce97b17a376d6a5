"""Mail addresses: one, plain, in ASCII, with a domain that is what it seems to be.

Errors speak Vietnamese, for they are shown beside the field that holds the address.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import idna

_LOCAL: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_VIETNAMESE_MARKS: Final = frozenset("\u0300\u0301\u0303\u0309\u0323\u0302\u0306\u031b")
_SAMPLE_ENDING: Final = ".test"


class AddressError(ValueError):
    """An address that letters cannot go to; the text says in Vietnamese what is wrong."""


def check_address(text: str) -> str:
    """One mail address, ready for an envelope: ASCII, domain in lower case and IDNA form.

    Letters other than Vietnamese ones in a domain are refused, also behind ``xn--``, because a
    Cyrillic "а" looks like a Latin one. Raises :class:`AddressError`.
    """
    if any(unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp") for letter in text):
        raise AddressError("Địa chỉ thư có ký tự xuống dòng hoặc ký tự ẩn; đề nghị nhập lại.")
    address = text.strip(" ")
    if not address:
        raise AddressError("Chưa nhập địa chỉ thư.")
    if re.search(r"[,;\s]", address) or address.count("@") > 1:
        raise AddressError("Mỗi ô chỉ nhập một địa chỉ thư, không có dấu cách, dấu phẩy.")
    if re.search(r"[<>()\[\]\\\":]", address):
        raise AddressError("Chỉ nhập địa chỉ thư, không kèm tên, dấu ngoặc hay dấu hai chấm.")
    local, at, domain = address.partition("@")
    if not at or not local or not domain:
        raise AddressError("Địa chỉ thư cần có dạng ten@khanhhoa.gov.vn.")
    if not local.isascii():
        raise AddressError("Phần trước dấu @ chỉ dùng chữ không dấu, chữ số, dấu chấm, gạch.")
    if _LOCAL.fullmatch(local) is None:
        raise AddressError("Phần trước dấu @ có dấu chấm hoặc ký tự đặt sai chỗ.")
    if len(local) > 64:
        raise AddressError("Phần trước dấu @ dài quá 64 ký tự.")
    checked = f"{local}@{_check_domain(domain)}"
    if len(checked) > 254:
        raise AddressError("Địa chỉ thư dài quá 254 ký tự.")
    return checked


def _check_domain(domain: str) -> str:
    lowered = unicodedata.normalize("NFC", domain).lower()
    labels = lowered.split(".")
    if len(labels) < 2 or labels[-1].isdigit():
        raise AddressError("Tên miền sau dấu @ chưa đủ, ví dụ: khanhhoa.gov.vn.")
    return ".".join(_check_label(label) for label in labels)


def _check_label(label: str) -> str:
    shown = label
    try:
        if label.startswith("xn--"):
            shown = idna.decode(label)
        _refuse_foreign_letters(shown)
        encoded = label if shown.isascii() else idna.encode(shown).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise AddressError("Tên miền sau dấu @ không đúng quy cách.") from None
    if _LABEL.fullmatch(encoded) is None:
        raise AddressError("Tên miền sau dấu @ không đúng quy cách.")
    return encoded


def _refuse_foreign_letters(label: str) -> None:
    for letter in label:
        base, *marks = tuple(unicodedata.normalize("NFD", letter))
        plain = base == "đ" or (base.isascii() and (base.isalnum() or base == "-"))
        if not plain or not _VIETNAMESE_MARKS.issuperset(marks):
            name = unicodedata.name(letter, f"U+{ord(letter):04X}")
            raise AddressError(
                f"Tên miền có ký tự “{letter}” ({name}) không phải chữ cái tiếng Việt, "
                "dễ nhầm với địa chỉ khác; đề nghị gõ lại bằng bàn phím."
            )


def is_sample_address(address: str) -> bool:
    """Whether the address is made for samples and trials: below the reserved ``.test``."""
    return address.rpartition("@")[2].lower().endswith(_SAMPLE_ENDING)
