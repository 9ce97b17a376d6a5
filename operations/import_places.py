"""Where a row of results belongs: its item, its period, and the agency that led it then (19, 35)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Final

from operations.agency_names import AgencyNames
from operations.guards import vn_date
from operations.import_stored import Stored
from operations.import_values import Cells
from operations.state import PlanState
from rules.late_start import Holders, is_past, past_opening, past_periods
from rules.periods import Period
from rules.planning import Opening
from rules.recurrence import Scheduled
from rules.values import Agency, Item

MOST_NAMED: Final = 6
"""Agencies that a remedy names; of more it says where they are listed."""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


class Places:
    """Items, periods and agencies of before, as rows name them; wrong cells say so themselves."""

    def __init__(self, state: PlanState, stored: Stored, today: date) -> None:
        self._state, self._stored, self._today = state, stored, today
        self._names = AgencyNames(state.directory.agencies)
        self._items = {one.key: one for one in state.plan.items}
        self._openings: dict[tuple[str, str], Opening] = {}
        self._holders: dict[tuple[str, str], Holders] = {}
        self._leaders: dict[tuple[str, str], frozenset[str]] = {}
        self._periods: dict[str, dict[str, Scheduled]] = {
            key: {
                one.period.key: one for one in past_periods(state.plan, item, state.tracking_start)
            }
            for key, item in self._items.items()
        }

    @property
    def openings(self) -> Collection[Opening]:
        """The missing periods that rows have named so far."""
        return self._openings.values()

    def item(self, cells: Cells) -> Item | None:
        """The item that the row names; None, when there is none such."""
        text = cells.text("item").rstrip(".").upper()
        found = self._items.get(text)
        if found is None:
            written = {_letters(key): key for key in self._items}
            meant = written.get(_letters(text))
            listed = f"Chọn một trong: {', '.join(self._items)}"
            remedy = f"Ghi “{meant}”" if meant else listed
            problem = f"Không có nhiệm vụ “{cells.text('item')}”" if text else "Chưa ghi nhiệm vụ"
            cells.refuse("item", problem, remedy)
        return found

    def followed(self, cells: Cells, item: Item, period: Period) -> bool:
        """Whether results of this period come by import."""
        plan = self._state.plan
        key = (item.key, period.key)
        if period.kind is not item.calendar.period:
            yearly = item.calendar.period.value == "year"
            remedy = "Ghi năm, ví dụ 2024" if yearly else "Ghi quý, ví dụ 2024-Q4"
            cells.refuse("period", f"Nhiệm vụ {item.key} không có kỳ “{period.label}”", remedy)
        elif not plan.first_year <= period.year <= plan.last_year:
            problem = f"{_capital(period.label)} nằm ngoài Đề án"
            remedy = f"Ghi kỳ từ năm {plan.first_year} đến năm {plan.last_year}"
            cells.refuse("period", problem, remedy)
        elif period.last_day < plan.effective_from:
            problem = f"{_capital(period.label)} kết thúc trước khi Quyết định có hiệu lực"
            remedy = f"Bỏ dòng này; ghi kỳ từ ngày {vn_date(plan.effective_from)}"
            cells.refuse("period", problem, remedy)
        elif is_past(plan, period, self._state.tracking_start):
            if period.key in self._periods[item.key] or key in self._stored.occurrences:
                return True
            cells.refuse("period", f"Nhiệm vụ {item.key} không mở {period.label}", "Bỏ dòng này")
        elif key in self._stored.occurrences and self._stored.is_record(key):
            return True
        else:
            problem = f"{_capital(period.label)} được theo dõi trên hệ thống, không nhập từ tệp"
            remedy = "Bỏ dòng này; cập nhật tại trang nhiệm vụ hoặc “Nhập thay”"
            cells.refuse("period", problem, remedy)
        return False

    def agency(self, cells: Cells, item: Item | None, period: Period | None) -> Agency | None:
        """The agency that the row names, of whatever time; of several the one that led this."""
        text = cells.text("agency")
        found = list(self._names.find(text))
        if len(found) > 1 and item is not None and period is not None:
            ever = self._ever(item.key, period.key)
            found = [one for one in found if one.key in ever] or found
        if len(found) == 1:
            return found[0]
        if not text:
            cells.refuse("agency", "Chưa ghi cơ quan", "Ghi mã hoặc tên cơ quan khi đó")
        elif found:
            keys = ", ".join(one.key for one in found)
            problem = f"“{text}” là tên của nhiều cơ quan"
            cells.refuse("agency", problem, f"Ghi mã cơ quan: {keys}")
        else:
            cells.refuse("agency", f"Không có cơ quan “{text}”", self._names.hint(text))
        return None

    def need_lead(self, cells: Cells, item: Item, period: Period, agency: Agency) -> None:
        """Refuse an agency that never led this work in this period."""
        ever = self._ever(item.key, period.key)
        if agency.key in ever:
            return
        problem = f"“{agency.name}” không chủ trì nhiệm vụ {item.key}, {period.label}"
        named = ", ".join(f"“{self.name(one)}”" for one in sorted(ever))
        few = 0 < len(ever) <= MOST_NAMED
        remedy = f"Cơ quan chủ trì: {named}" if few else "Chọn trong danh sách cơ quan của năm đó"
        cells.refuse("agency", problem, remedy)

    def _ever(self, item: str, period: str) -> frozenset[str]:
        """Everybody who led this work at some time of this period, up to today."""
        key = (item, period)
        if key not in self._leaders:
            there = self._stored.leads(key)
            self._leaders[key] = frozenset(
                there if key in self._stored.occurrences else self._to_date(key).ever
            )
        return self._leaders[key]

    def _to_date(self, key: tuple[str, str]) -> Holders:
        """Holders of their own, for those of :meth:`_holders_of` only go forward."""
        found = Holders(self._items[key[0]], self._state.directory, self._opening(*key).opens_on)
        found.go_to(self._today)
        return found

    def opens_on(self, item: str, period: str) -> date:
        """The day on which the period opened, or would have."""
        occurrence = self._stored.occurrences.get((item, period))
        return occurrence.opens_on if occurrence else self._opening(item, period).opens_on

    def _opening(self, item: str, period: str) -> Opening:
        key = (item, period)
        if key not in self._openings:
            self._openings[key] = past_opening(
                self._state.plan,
                self._state.directory,
                self._state.calendar,
                item=self._items[item],
                scheduled=self._periods[item][period],
                tracking_start=self._state.tracking_start,
            )
        return self._openings[key]

    def holders(self, key: tuple[str, str], *, until: date) -> Holders:
        """Who held the work up to ``until``; asked for in the order of days."""
        found = self._holders.get(key)
        if found is None:
            opens_on = self._opening(*key).opens_on
            found = Holders(self._items[key[0]], self._state.directory, opens_on)
            self._holders[key] = found
        found.go_to(until)
        return found

    def name(self, key: str) -> str:
        """The name of an agency."""
        return self._state.directory.agency(key).name


def _letters(key: str) -> str:
    """The key of an item without what people write in between: ``I1``, ``I-1`` and ``I,1``."""
    return "".join(one for one in key.upper() if one.isalnum())
