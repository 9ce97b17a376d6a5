"""Results of periods that have passed, as a workbook states them: checked whole (rules 19-21).

Every row is resolved and compared with what the system holds. Nothing is written here; see
``operations.import_writing``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from operations.contact_files import FileError, FileRow
from operations.guards import vn_date
from operations.import_places import MOST_NAMED, Places
from operations.import_stored import Stored, Wanted, differences
from operations.import_values import STATE_WORDS, Cells, ResultState
from operations.import_wanted import read_wanted
from operations.stamp import Stamp
from operations.state import PlanState
from rules.late_start import Holders, imported_word
from rules.lifecycle import OPEN, Status
from rules.periods import Period
from rules.planning import Opening
from rules.values import Agency, ItemKind


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
        self._stored, self._stamp, self._directory = stored, stamp, state.directory
        self._places = Places(state, stored, stamp.as_of)

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
                sorted(self._places.openings, key=lambda one: (one.opens_on, one.item.position))
            ),
        )

    def _read(self, cells: Cells) -> ResultStep | None:
        item, period = self._places.item(cells), cells.period("period")
        check_in = item is not None and item.calendar.kind is ItemKind.CHECK_IN
        if item is None or period is None or not self._places.followed(cells, item, period):
            self._places.agency(cells, None, None)
            read_wanted(cells, check_in=check_in, today=self._stamp.as_of)
            return None
        agency = self._places.agency(cells, item, period)
        if agency is not None:
            self._places.need_lead(cells, item, period, agency)
        wanted = read_wanted(cells, check_in=check_in, today=self._stamp.as_of)
        if wanted is not None:
            _in_its_period(cells, wanted, period)
        if agency is None or wanted is None or cells.wrong():
            return None
        opens_on = self._places.opens_on(item.key, period.key)
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

    def _check(self, step: ResultStep, errors: list[FileError]) -> ResultStep | None:
        cells = Cells(step.row, errors)
        key = (step.item, step.period.key)
        if key in self._stored.occurrences:
            return self._check_stored(cells, step)
        if step.wanted.state is ResultState.BLANK:
            return replace(step, verdict=Verdict.BLANK)
        holders = self._places.holders(key, until=step.day)
        if holders.close(step.agency.key):
            return step
        self._not_its_time(cells, step, holders)
        return None

    def _not_its_time(self, cells: Cells, step: ResultStep, holders: Holders) -> None:
        moved = holders.moved.get(step.agency.key)
        day = vn_date(step.day)
        if moved is not None:
            heir = self._places.name(moved.successor) if moved.successor else None
            problem = (
                f"Ngày {day} “{step.agency.name}” không còn giữ nhiệm vụ này "
                f"(chuyển từ {vn_date(moved.effective_on)})"
            )
            then = f"Ghi cơ quan kế thừa “{heir}”" if heir else "Cơ quan này không có kế thừa"
            cells.refuse("agency", problem, f"{then}, hoặc sửa ngày hoàn thành")
            return
        gave = [
            one.predecessor
            for one in self._directory.successions
            if one.successor == step.agency.key and one.predecessor in holders.keys
        ]
        now = ", ".join(f"“{self._places.name(one)}”" for one in gave[:MOST_NAMED])
        problem = f"Ngày {day} “{step.agency.name}” chưa tiếp nhận nhiệm vụ này"
        remedy = f"Ghi cơ quan khi đó: {now}" if now else "Ghi cơ quan khi đó"
        cells.refuse("agency", problem, f"{remedy}, hoặc sửa ngày hoàn thành")

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


def _in_its_period(cells: Cells, wanted: Wanted, period: Period) -> None:
    if wanted.completed_on is not None and wanted.completed_on < period.first_day:
        problem = f"Ngày {vn_date(wanted.completed_on)} trước khi kỳ bắt đầu"
        remedy = (
            f"Ghi ngày từ {vn_date(period.first_day)}; văn bản có từ trước thì chọn "
            f"“{STATE_WORDS[ResultState.UNCHANGED]}” và ghi ngày hoàn thành"
        )
        cells.refuse("done" if cells.text("done") else "issued", problem, remedy)
