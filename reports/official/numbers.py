"""Dates and numbers as Vietnamese documents write them; letters have their own, beside this layer."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

_LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")


def vn_day(day: date) -> str:
    """``31/3/2027``."""
    return f"{day.day}/{day.month}/{day.year}"


def vn_moment(at: datetime) -> str:
    """``08 giờ 05 phút ngày 31/3/2027``, in the time of the province."""
    local = at.astimezone(_LOCAL)
    return f"{local:%H} giờ {local:%M} phút ngày {vn_day(local.date())}"


def vn_count(number: int) -> str:
    """``1.234``."""
    return f"{number:,}".replace(",", ".")


def vn_amount(number: Decimal) -> str:
    """``1.234,5``; a whole number without decimals."""
    text = f"{number:,f}" if number % 1 else f"{number:,.0f}"
    return text.translate(str.maketrans(",.", ".,"))


def vn_share(part: int, whole: int) -> str:
    """``43,5%``; a dash where there is nothing to share."""
    if not whole:
        return "–"
    return f"{100 * part / whole:.1f}".removesuffix(".0").replace(".", ",") + "%"
