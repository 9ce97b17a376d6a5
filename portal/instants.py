"""Instants as people type them: "31/3/2027", "31/3/2027 14:05", "6/4/2027 08:30:00,000000"; and
as an address carries them.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from notifications.formats import TIME_ZONE, vn_date
from portal.forms import FieldError, read_date

_DAY_AND_HOUR: Final = re.compile(
    r"(?P<day>\S+?)[ ,T]+(?P<hour>\d{1,2})\s*(?::|giờ|h)\s*(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[,.](?P<part>\d{1,6}))?)?"
)
_HOUR_AND_DAY: Final = re.compile(
    r"(?P<hour>\d{1,2})\s*(?::|giờ|h)\s*(?P<minute>\d{2})(?P<second>)?(?P<part>)?\s+(?:ngày\s+)?(?P<day>\S+)"
)
_SMALLEST: Final = timedelta(microseconds=1)


def read_instant(text: str) -> datetime | None:
    """The last moment that ``text`` speaks of, in UTC; None if empty.

    "31/3/2027" is the end of that day, "31/3/2027 14:05" the end of that minute, in the time
    zone of the plan: what is shown with that day or minute is part of it. With all six decimals
    of a second it is that very instant (:func:`exact_instant`).

    Raises:
        FieldError: anything else.
    """
    typed = text.strip()
    if not typed:
        return None
    if typed.endswith("Z") or "+" in typed:
        return _exact(typed)
    found = _DAY_AND_HOUR.fullmatch(typed) or _HOUR_AND_DAY.fullmatch(typed)
    if found is None:
        return end_of(_day(typed))
    day, part = _day(found["day"]), found["part"] or ""
    try:
        seconds, small = int(found["second"] or 0), int(part.ljust(6, "0"))
        hour = time(int(found["hour"]), int(found["minute"]), seconds, small)
    except ValueError:
        raise FieldError(f"“{typed[:40]}” có giờ, phút không đúng.") from None
    length = timedelta(microseconds=10 ** (6 - len(part)))
    length = length if found["second"] else timedelta(minutes=1)
    begin = datetime.combine(day, hour, TIME_ZONE)
    return (begin + length - _SMALLEST).astimezone(UTC)


def _day(text: str) -> date:
    day = read_date(text)
    if day is None or not 2000 <= day.year <= 2100:
        raise FieldError(f"“{text[:40]}” nằm ngoài các năm theo dõi; đề nghị kiểm tra lại năm.")
    return day


def _exact(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None and 2000 <= found.year <= 2100:
            return found.astimezone(UTC)
    except ValueError:
        pass
    raise FieldError(f"“{text[:40]}” chưa đúng; đề nghị ghi như 31/3/2027 14:05.")


def start_of(day: date) -> datetime:
    """The first moment of a day, in UTC."""
    return datetime.combine(day, time(), TIME_ZONE).astimezone(UTC)


def end_of(day: date) -> datetime:
    """The last moment of a day, in UTC."""
    return start_of(day + timedelta(days=1)) - _SMALLEST


def address_instant(instant: datetime) -> str:
    """``instant`` exactly, as an address carries it."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def exact_instant(instant: datetime) -> str:
    """``instant`` exactly, as people read it and may type it again: "6/4/2027 08:30:00,000000"."""
    local = instant.astimezone(TIME_ZONE)
    return f"{vn_date(local)} {local:%H:%M:%S},{local.microsecond:06d}"


def minute_words(instant: datetime) -> str:
    """``instant`` to the minute, as people type it: "6/4/2027 08:30"."""
    local = instant.astimezone(TIME_ZONE)
    return f"{vn_date(local)} {local:%H:%M}"
