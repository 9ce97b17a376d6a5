"""What a password and a user name must be (Luật An ninh mạng 116/2025, level 2)."""

from __future__ import annotations

import re
import unicodedata

MIN_WITHOUT_TOTP = 14
"""Characters, where the password is the only thing that is asked for."""
MIN_WITH_TOTP = 8
"""Characters, where a one-time code is asked for as well."""
MAX_LENGTH = 200
"""Characters; a longer one would only keep the server busy."""
MIN_DISTINCT = 5
"""Different characters: "aaaaaaaaaaaaaa" is long and no password."""
_USERNAME = re.compile(r"[a-z][a-z0-9._-]{2,39}")


class WeakPassword(ValueError):
    """A password that is too short or too plain; the message says what is asked for."""


class NotAUsername(ValueError):
    """A text that cannot be a user name; the message says what would be right."""


def normalise_password(text: str) -> str:
    """``text`` in NFKC, so that every keyboard's way of writing Vietnamese is the same password."""
    return unicodedata.normalize("NFKC", text).encode(errors="replace").decode()


def check_password(text: str, *, totp: bool, username: str) -> str:
    """A new password, normalised.

    ``totp`` says whether the account is asked for a one-time code as well.

    Raises:
        WeakPassword: it is shorter than the law asks, too long, too plain, or holds the user name.
    """
    password = normalise_password(text)
    least = MIN_WITH_TOTP if totp else MIN_WITHOUT_TOTP
    if len(password) < least:
        extra = "" if totp else " (từ 8 ký tự nếu tài khoản dùng mã xác thực một lần)"
        msg = f"Mật khẩu cần từ {least} ký tự{extra}; một câu dễ nhớ, có dấu cách, là đủ tốt."
        raise WeakPassword(msg)
    if len(password) > MAX_LENGTH:
        msg = f"Mật khẩu dài quá {MAX_LENGTH} ký tự; đề nghị chọn mật khẩu ngắn hơn."
        raise WeakPassword(msg)
    if len(set(password)) < MIN_DISTINCT or username.casefold() in password.casefold():
        msg = (
            f"Mật khẩu quá dễ đoán: cần ít nhất {MIN_DISTINCT} ký tự khác nhau "
            "và không chứa tên đăng nhập."
        )
        raise WeakPassword(msg)
    return password


def check_username(text: str) -> str:
    """A new user name, in small letters.

    Raises:
        NotAUsername: it is not 3 to 40 letters a-z, digits, dots, dashes and underscores that
            begin with a letter.
    """
    username = unicodedata.normalize("NFC", text).strip().lower()
    if _USERNAME.fullmatch(username) is None:
        msg = (
            "Tên đăng nhập gồm 3 đến 40 ký tự không dấu: chữ a-z, số, dấu chấm, gạch ngang, gạch "
            "dưới, bắt đầu bằng chữ; ví dụ: nguyen.van.a"
        )
        raise NotAUsername(msg)
    return username
