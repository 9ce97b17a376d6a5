"""Fixing the date of one period by itself: the way there, and what the form begins with (17)."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from notifications.formats import vn_date
from operations.queues import YearSlot
from rules.periods import Period
from rules.values import DateAuthority

YEAR_DATES: Final = "/dieu-phoi/lich-nam"


def one_date(plan: str, item: str, period: str) -> str:
    """The year's form with only this period in it; ``period`` is its key, as ``2027-Q4``."""
    year = Period.parse(period).year
    return f"{YEAR_DATES}?{urlencode({'de-an': plan, 'nam': year, 'nhiem-vu': item, 'ky': period})}"


def suggested(slot: YearSlot) -> str:
    """What stands in a date's field before anybody typed.

    Empty where a document fixed it already, or where it is another's to fix: a ministry that is
    awaited, or an authority above.
    """
    owned = slot.owner in {DateAuthority.PROVINCE, DateAuthority.MINISTRY}
    awaited = slot.provisional and slot.item.calendar.fixed_by is not None
    return "" if owned or awaited or slot.document else vn_date(slot.due_on)


def as_it_stands(slot: YearSlot) -> str:
    """The same for a date that was asked for by itself: always the one in force."""
    return vn_date(slot.due_on)


def whose(slot: YearSlot) -> DateAuthority:
    """Whose document is expected: the owner's, or that of whom the calendar waits for."""
    if not slot.provisional:
        return slot.owner
    awaited = slot.item.calendar.fixed_by or ""
    if awaited.startswith("UBND"):
        return DateAuthority.PROVINCE
    central = awaited.startswith(("Bộ", "Chính phủ", "Thủ tướng"))
    return DateAuthority.MINISTRY if central else DateAuthority.COORDINATOR
