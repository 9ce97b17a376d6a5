"""Results of periods that have passed, as a workbook states them: checked whole (rules 19-21).

Every row is resolved and compared with what the system holds. Nothing is written here; see
``operations.import_writing``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from operations.agency_names import AgencyNames
from operations.contact_files import FileError, FileRow
from operations.guards import vn_date
from operations.import_stored import Stored, Wanted, differences
from operations.import_values import STATE_WORDS, Cells, ResultState
from operations.import_wanted import read_wanted
from operations.stamp import Stamp
from operations.state import PlanState
from rules.late_start import Holders, imported_word, is_past, past_opening, past_periods
from rules.lifecycle import OPEN, Status
from rules.periods import Period
from rules.planning import Opening
from rules.recurrence import Scheduled
from rules.values import Agency, Item, ItemKind

MOST_NAMED = 6
"""Agencies that a remedy names; of more it says where they are listed."""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


class Verdict(StrEnum):
    """What becomes of one row."""

    NEW = "new"
    CORRECTED = "corrected"
    SAME = "same"
    BLANK = "blank"
    """Nothing is known: "chưa có dữ liệu"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultStep:
    """One row, resolved. ``day`` is when it happened, which places it among the successions."""

    row: FileRow
    item: str
    period: Period
    agency: Agency
    wanted: Wanted
    day: date
    verdict: Verdict = Verdict.NEW

    @property
    def where(self) -> str:
        """The cell that the row begins with: ``Kết quả!A12``."""
        return f"{self.row.sheet}!{self.row.cells['agency']}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultPlan:
    """What a sheet of results would do."""

    steps: tuple[ResultStep, ...] = ()
    openings: tuple[Opening, ...] = ()
    """The periods of before that are missing, each with its parties of then."""


class ResultCheck:
    """Checks the rows of one sheet of results against the plan and what is stored."""

    def __init__(self, state: PlanState, stored: Stored, stamp: Stamp) -> None:
        self._state, self._stored, self._stamp = state, stored, stamp
        self._names = AgencyNames(state.directory.agencies)
        self._items = {one.key: one for one in state.plan.items}
        self._openings: dict[tuple[str, str], Opening] = {}
        self._holders: dict[tuple[str, str], Holders] = {}
        self._leaders: dict[tuple[str, str], frozenset[str]] = {}
        self._periods: dict[str, dict[str, Scheduled]] = {
            key: {one.period.key: one for one in past_periods(state.plan, item, self._start)}
            for key, item in self._items.items()
        }

    @property
    def _start(self) -> date:
        return self._state.tracking_start

    def plan(self, rows: Sequence[FileRow], errors: list[FileError]) -> ResultPlan:
        """The rows as steps, in the order of what happened; errors are added to ``errors``."""
        steps: list[ResultStep] = []
        seen: dict[tuple[str, str, str], int] = {}
        for row in rows:
            cells = Cells(row, errors)
            step = self._read(cells)
            if step is None:
                continue
            key = (step.item, step.period.key, step.agency.key)
            if key in seen:
                problem = f"Cơ quan, nhiệm vụ, kỳ này đã có ở dòng {seen[key]}"
                cells.refuse("agency", problem, "Chỉ giữ một dòng")
                continue
            seen[key] = row.number
            steps.append(step)
        steps.sort(key=lambda one: (one.day, one.item, one.period.key, one.row.number))
        checked = [self._check(step, errors) for step in steps]
        return ResultPlan(
            steps=tuple(one for one in checked if one is not None),
            openings=tuple(
                sorted(self._openings.values(), key=lambda one: (one.opens_on, one.item.position))
            ),
        )

    def _read(self, cells: Cells) -> ResultStep | None:
        item, period = self._item(cells), cells.period("period")
        check_in = item is not None and item.calendar.kind is ItemKind.CHECK_IN
        if item is None or period is None or not self._followed(cells, item, period):
            self._agency(cells, None, None)
            read_wanted(cells, check_in=check_in, today=self._stamp.as_of)
            return None
        agency = self._agency(cells, item, period)
        if agency is not None:
            self._leads(cells, item, period, agency)
        wanted = read_wanted(cells, check_in=check_in, today=self._stamp.as_of)
        if wanted is not None:
            _in_its_period(cells, wanted, period)
        if agency is None or wanted is None or cells.wrong():
            return None
        opens_on = self._opens_on(item.key, period.key)
        day = wanted.completed_on or min(period.last_day, self._stamp.as_of)
        if wanted.completed_on is None and wanted.state is not ResultState.BLANK:
            # Without a date it happened while the agency was there to say so.
            day = min(day, agency.valid_to or day)
        return ResultStep(
            row=cells.row,
            item=item.key,
            period=period,
            agency=agency,
            wanted=wanted,
            day=max(day, opens_on) if wanted.completed_on is None else day,
        )

    def _item(self, cells: Cells) -> Item | None:
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

    def _followed(self, cells: Cells, item: Item, period: Period) -> bool:
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
        elif is_past(plan, period, self._start):
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

    def _agency(self, cells: Cells, item: Item | None, period: Period | None) -> Agency | None:
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

    def _leads(self, cells: Cells, item: Item, period: Period, agency: Agency) -> None:
        """Refuse an agency that never led this work in this period."""
        ever = self._ever(item.key, period.key)
        if agency.key in ever:
            return
        problem = f"“{agency.name}” không chủ trì nhiệm vụ {item.key}, {period.label}"
        named = ", ".join(f"“{self._name(one)}”" for one in sorted(ever))
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
        found.go_to(self._stamp.as_of)
        return found

    def _opens_on(self, item: str, period: str) -> date:
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
                tracking_start=self._start,
            )
        return self._openings[key]

    def _holders_of(self, key: tuple[str, str], *, until: date) -> Holders:
        found = self._holders.get(key)
        if found is None:
            opens_on = self._opening(*key).opens_on
            found = Holders(self._items[key[0]], self._state.directory, opens_on)
            self._holders[key] = found
        found.go_to(until)
        return found

    def _check(self, step: ResultStep, errors: list[FileError]) -> ResultStep | None:
        cells = Cells(step.row, errors)
        key = (step.item, step.period.key)
        if key in self._stored.occurrences:
            return self._check_stored(cells, step)
        if step.wanted.state is ResultState.BLANK:
            return replace(step, verdict=Verdict.BLANK)
        holders = self._holders_of(key, until=step.day)
        if holders.close(step.agency.key):
            return step
        self._not_its_time(cells, step, holders)
        return None

    def _not_its_time(self, cells: Cells, step: ResultStep, holders: Holders) -> None:
        moved = holders.moved.get(step.agency.key)
        day = vn_date(step.day)
        if moved is not None:
            heir = self._name(moved.successor) if moved.successor else None
            problem = (
                f"Ngày {day} “{step.agency.name}” không còn giữ nhiệm vụ này "
                f"(chuyển từ {vn_date(moved.effective_on)})"
            )
            then = f"Ghi cơ quan kế thừa “{heir}”" if heir else "Cơ quan này không có kế thừa"
            cells.refuse("agency", problem, f"{then}, hoặc sửa ngày hoàn thành")
            return
        gave = [
            one.predecessor
            for one in self._state.directory.successions
            if one.successor == step.agency.key and one.predecessor in holders.keys
        ]
        now = ", ".join(f"“{self._name(one)}”" for one in gave[:MOST_NAMED])
        problem = f"Ngày {day} “{step.agency.name}” chưa tiếp nhận nhiệm vụ này"
        remedy = f"Ghi cơ quan khi đó: {now}" if now else "Ghi cơ quan khi đó"
        cells.refuse("agency", problem, f"{remedy}, hoặc sửa ngày hoàn thành")

    def _name(self, key: str) -> str:
        return self._state.directory.agency(key).name

    def _check_stored(self, cells: Cells, step: ResultStep) -> ResultStep | None:
        key = (step.item, step.period.key)
        row, wanted = self._stored.leads(key)[step.agency.key], step.wanted
        if wanted.state is ResultState.BLANK:
            return replace(step, verdict=Verdict.SAME)
        status = Status(row.status)
        if status in OPEN:
            return step
        if status is Status.NOT_APPLICABLE and wanted.state is ResultState.NOT_APPLICABLE:
            return replace(step, verdict=Verdict.SAME)
        if status is not Status.CONFIRMED or wanted.state is ResultState.NOT_APPLICABLE:
            heir = self._stored.heir_of(row)
            problem = f"Trên hệ thống đang là “{imported_word(status)}”"
            remedy = "Bỏ dòng này; cần đổi thì thực hiện tại trang nhiệm vụ"
            if heir is not None:
                remedy = f"Ghi kết quả ở cơ quan tiếp nhận “{heir}”, hoặc bỏ dòng này"
            cells.refuse("state", problem, remedy)
            return None
        return self._compare(cells, step, row.id)

    def _compare(self, cells: Cells, step: ResultStep, assignment: int) -> ResultStep | None:
        filed = self._stored.filed(assignment)
        differing = differences(step.wanted, filed)
        if not differing:
            return replace(step, verdict=Verdict.SAME)
        if filed is None or not filed.by_import:
            problem = "Kết quả này đã được cập nhật trên hệ thống, không phải từ tệp"
            remedy = "Bỏ dòng này; cần đổi thì mở lại tại trang nhiệm vụ"
            cells.refuse(differing[0][0], problem, remedy)
            return None
        if not step.wanted.reason:
            remedy = "Ghi lý do đính chính ở cột “Lý do”, hoặc sửa ô như đã ghi nhận"
            for field, there in differing:
                cells.refuse(field, f"Khác với đã ghi nhận: {there}", remedy)
            return None
        return replace(step, verdict=Verdict.CORRECTED)


def _letters(key: str) -> str:
    """The key of an item without what people write in between: ``I1``, ``I-1`` and ``I,1``."""
    return "".join(one for one in key.upper() if one.isalnum())


def _in_its_period(cells: Cells, wanted: Wanted, period: Period) -> None:
    if wanted.completed_on is not None and wanted.completed_on < period.first_day:
        problem = f"Ngày {vn_date(wanted.completed_on)} trước khi kỳ bắt đầu"
        remedy = (
            f"Ghi ngày từ {vn_date(period.first_day)}; văn bản có từ trước thì chọn "
            f"“{STATE_WORDS[ResultState.UNCHANGED]}” và ghi ngày hoàn thành"
        )
        cells.refuse("done" if cells.text("done") else "issued", problem, remedy)
