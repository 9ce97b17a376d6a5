"""What a list is narrowed to: read from the address, and written into every address from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from urllib.parse import urlencode

from fastapi import Request

from notifications.formats import clean_line, vn_date
from operations.dashboard import Scope
from portal.forms import FieldError, read_date
from rules.added import is_added, is_beside
from rules.lifecycle import Status
from rules.timeliness import Cell
from rules.values import Role

ALL_YEARS: Final = "tat-ca"
CELL_KEYS: Final[Mapping[str, Cell]] = {
    "dung-han": Cell.DONE_IN_TIME,
    "hoan-thanh-muon": Cell.DONE_LATE,
    "trong-han": Cell.OPEN_IN_TIME,
    "qua-han": Cell.OPEN_OVERDUE,
    "qua-moc": Cell.PAST_PROVISIONAL,
}
"""What the four cells are called in addresses."""
OUTSIDE: Final = "ngoai-bon-o"
MARKS: Final[Mapping[str, str]] = {
    "tu-xac-nhan": "Cơ quan điều phối tự xác nhận",
    "cap-nhat-cham": "Cập nhật chậm",
    "thuong-xuyen": "Nhiệm vụ thường xuyên",
}
ROLE_KEYS: Final[Mapping[str, Role]] = {"chu-tri": Role.LEAD, "phoi-hop": Role.PARTNER}
ADDED_KEYS: Final[Mapping[str, bool]] = {"chi": True, "khong": False}
BESIDE: Final = "de-an"
_KEPT: Final = (
    *("de-an", "nam", "quy", "chot", "theo", "o", "loc", "nhiem-vu", "co-quan", "trang-thai"),
    *("vai-tro", "bo-sung"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """The narrowing of one request. ``given`` is what stood in its address and could be read."""

    today: date
    years: range
    plans: Sequence[str]
    given: Mapping[str, str]
    problems: tuple[str, ...]
    plan: str | None
    year: int | None
    quarter: int | None
    cutoff: date
    original: bool
    cell: Cell | None
    outside: bool
    mark: str | None
    item: str | None
    agency: str | None
    status: Status | None
    role: Role | None
    added: bool | None
    """Work outside the appendix alone, or never; None where the address says neither (rule 44)."""
    beside: bool
    """What the decision asks for outside its appendix alone (rule 41)."""
    page: int

    @property
    def scope(self) -> Scope:
        """Which work is counted."""
        return Scope(
            cutoff=self.cutoff,
            plan=self.plan,
            year=self.year,
            quarter=self.quarter,
            original=self.original,
            added=self.added is True or is_added(self.item or ""),
            beside=self.beside or is_beside(self.item or ""),
        )

    @property
    def period_words(self) -> str:
        """The period as titles have it."""
        if self.year is None:
            return f"giai đoạn {self.years[0]}–{self.years[-1]}"
        if self.quarter is not None:
            return f"quý {('I', 'II', 'III', 'IV')[self.quarter - 1]}/{self.year}"
        return f"năm {self.year}"

    @property
    def notes(self) -> tuple[str, ...]:
        """How the numbers were counted, in sentences."""
        basis = "hạn ban đầu" if self.original else "hạn đang áp dụng"
        found = [f"Tính đến hết ngày {vn_date(self.cutoff)}, theo {basis}."]
        if self.quarter is not None:
            found.append(f"Quý: những việc có {basis} trong quý đó.")
        if self.cutoff < self.today:
            found.append(
                "Ngày chốt đã qua: việc hoàn thành sau ngày chốt được tính là chưa hoàn thành, "
                "theo dữ liệu hiện có."
            )
        return tuple(found)

    def link(self, path: str, **changes: str | None) -> str:
        """``path`` with the same narrowing, and these changes (``_`` for ``-``, None takes away)."""
        wanted: dict[str, str | None] = dict(self.given)
        wanted |= {key.replace("_", "-"): value for key, value in changes.items()}
        query = urlencode({key: value for key, value in wanted.items() if value})
        return f"{path}?{query}" if query else path


class _Reading:
    """Reads the address; what cannot be read is said and left out."""

    def __init__(self, request: Request) -> None:
        self._asked = request.query_params
        self.given: dict[str, str] = {}
        self.problems: list[str] = []

    def text(self, key: str) -> str:
        """What stands there, cleaned; empty when nothing does."""
        return clean_line(self._asked.get(key, ""))[:80]

    def keep(self, key: str, value: str) -> None:
        """Take a value over into the addresses of this page."""
        self.given[key] = value

    def choice(self, key: str, allowed: Mapping[str, object] | Sequence[str], what: str) -> str:
        """One of ``allowed``, or empty."""
        found = self.text(key)
        if not found:
            return ""
        if found not in allowed:
            self.problems.append(f"Không có {what} “{found}”; phần lọc này được bỏ qua.")
            return ""
        self.keep(key, found)
        return found


def read_filters(
    request: Request, *, today: date, years: range, plans: Sequence[str], year: int | None = None
) -> Filters:
    """The narrowing that the address of ``request`` asks for; this year unless told."""
    reading = _Reading(request)
    asked = reading.choice("nam", [ALL_YEARS, *map(str, years)], "năm")
    usual = year or (today.year if today.year in years else years[-1])
    chosen = None if asked == ALL_YEARS else int(asked or usual)
    reading.keep("nam", ALL_YEARS if chosen is None else str(chosen))
    quarter = reading.choice("quy", ("1", "2", "3", "4"), "quý")
    cell = reading.choice("o", [*CELL_KEYS, OUTSIDE], "ô theo dõi")
    status = reading.choice("trang-thai", list(Status), "tình trạng")
    role = reading.choice("vai-tro", ROLE_KEYS, "vai trò")
    page = reading.text("trang")
    part = reading.choice("bo-sung", (*ADDED_KEYS, BESIDE), "mục ngoài Phụ lục")
    for key in ("nhiem-vu", "co-quan"):
        if reading.text(key):
            reading.keep(key, reading.text(key))
    return Filters(
        today=today,
        years=years,
        plans=plans,
        plan=reading.choice("de-an", plans, "đề án") or None,
        year=chosen,
        quarter=int(quarter) if quarter and chosen else None,
        cutoff=_cutoff(reading, today),
        original=reading.choice("theo", ("han", "goc"), "cách tính hạn") == "goc",
        cell=CELL_KEYS.get(cell),
        outside=cell == OUTSIDE,
        mark=reading.choice("loc", MARKS, "mục lọc") or None,
        item=reading.given.get("nhiem-vu"),
        agency=reading.given.get("co-quan"),
        status=Status(status) if status else None,
        role=ROLE_KEYS.get(role),
        added=ADDED_KEYS.get(part),
        beside=part == BESIDE,
        page=int(page) if page.isdecimal() and 0 < len(page) < 5 else 1,
        given={key: reading.given[key] for key in _KEPT if key in reading.given},
        problems=tuple(reading.problems),
    )


def _cutoff(reading: _Reading, today: date) -> date:
    text = reading.text("chot")
    try:
        found = read_date(text)
    except FieldError as error:
        reading.problems.append(str(error))
        return today
    if found is None or found == today:
        return today
    if found > today:
        reading.problems.append(
            f"Ngày chốt {vn_date(found)} chưa đến; số liệu tính đến hôm nay, {vn_date(today)}."
        )
        return today
    reading.keep("chot", vn_date(found))
    return found
