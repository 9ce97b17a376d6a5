"""What a password and a user name must be."""

import unicodedata

import pytest

from rules.passwords import (
    MAX_LENGTH,
    NotAUsername,
    WeakPassword,
    check_password,
    check_username,
    normalise_password,
)


@pytest.mark.parametrize(
    ("password", "totp"),
    [("mua xuan nho nho", False), ("sáu con cá vàng", False), ("cá vàng 6", True)],
)
def test_a_password_of_the_lawful_length_is_taken(password: str, totp: bool) -> None:
    assert check_password(password, totp=totp, username="nguyen.van.a") == password


@pytest.mark.parametrize(
    ("password", "totp", "word"),
    [
        ("mười ba ký t!", False, "từ 14 ký tự"),
        ("bảy chữ", True, "từ 8 ký tự"),
        ("a" * 20, False, "dễ đoán"),
        ("abcabcabcabcabcabc", False, "dễ đoán"),
        ("Nguyen.Van.A-2027", False, "dễ đoán"),
        ("x1y2z3" * 40, False, f"quá {MAX_LENGTH}"),
    ],
)
def test_a_short_plain_or_endless_password_is_refused_with_the_remedy(
    password: str, totp: bool, word: str
) -> None:
    with pytest.raises(WeakPassword, match=word):
        check_password(password, totp=totp, username="nguyen.van.a")


def test_every_way_of_typing_vietnamese_is_the_same_password() -> None:
    typed = "sáu con cá vàng bơi"
    assert normalise_password(unicodedata.normalize("NFD", typed)) == normalise_password(typed)


@pytest.mark.parametrize("text", ["nguyen.van.a", " Nguyen.Van.A ", "snv_01", "a-b"])
def test_a_user_name_is_read_in_small_letters(text: str) -> None:
    assert check_username(text) == text.strip().lower()


@pytest.mark.parametrize("text", ["", "ab", "1abc", "nguyễn", "có dấu cách", "a" * 41, "a/../b"])
def test_what_cannot_be_a_user_name_is_refused(text: str) -> None:
    with pytest.raises(NotAUsername, match=r"nguyen\.van\.a"):
        check_username(text)
