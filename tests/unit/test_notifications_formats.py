"""Dates, numbers and cleaned text."""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.formats import (
    LINK_PLACEHOLDER,
    clean_line,
    clean_text,
    shorten,
    vn_date,
    vn_datetime,
    vn_list,
    vn_number,
)


def test_a_date_has_no_leading_zeros() -> None:
    assert vn_date(date(2027, 4, 9)) == "9/4/2027"


def test_an_instant_is_shown_in_the_time_of_vietnam() -> None:
    assert vn_datetime(datetime(2027, 3, 30, 18, 5, tzinfo=UTC)) == "01 giờ 05 ngày 31/3/2027"


@pytest.mark.parametrize(
    ("number", "decimals", "shown"),
    [
        (1234.5, None, "1.234,5"),
        (1234567, None, "1.234.567"),
        (0, None, "0"),
        (-1234.5, None, "-1.234,5"),
        (Decimal("10.00"), None, "10"),
        (2.5, 0, "3"),
        (99.95, 1, "100,0"),
        (100, None, "100"),
        (-0.0, None, "0"),
    ],
)
def test_numbers_have_points_and_a_comma(
    number: float | Decimal, decimals: int | None, shown: str
) -> None:
    assert vn_number(number, decimals) == shown


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not a number"):
        vn_number(float("nan"))


def test_a_list_ends_with_and() -> None:
    assert [vn_list([]), vn_list(["A"]), vn_list(["A", "B"]), vn_list(["A", "B", "C"])] == [
        "",
        "A",
        "A và B",
        "A, B và C",
    ]


def test_text_is_composed_and_free_of_what_cannot_be_seen() -> None:
    decomposed = unicodedata.normalize("NFD", "Xã Vạn Ninh")
    assert clean_line(f"\u202e{decomposed}\r\nBcc: a@b.test\u200b") == "Xã Vạn Ninh Bcc: a@b.test"


def test_a_placeholder_cannot_be_smuggled_in_even_in_halves() -> None:
    half = len(LINK_PLACEHOLDER) // 2
    nested = LINK_PLACEHOLDER[:half] + LINK_PLACEHOLDER + LINK_PLACEHOLDER[half:]
    assert LINK_PLACEHOLDER not in clean_text(f"a {nested} b")
    assert LINK_PLACEHOLDER not in clean_text(LINK_PLACEHOLDER.replace("LIEN", "LI\u200bEN"))


def test_reasons_keep_their_lines() -> None:
    assert clean_text(" một\r\nhai\x00 \n\tba ") == "một\nhai \n ba"


@given(st.text())
def test_clean_text_is_clean(text: str) -> None:
    cleaned = clean_line(text)
    assert unicodedata.is_normalized("NFC", cleaned)
    assert not [c for c in cleaned if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")]
    assert clean_line(cleaned) == cleaned
    cleaned.encode("utf-8")


@given(st.text(), st.integers(min_value=2, max_value=50))
def test_shortened_text_fits(text: str, limit: int) -> None:
    assert len(shorten(text, limit)) <= limit
