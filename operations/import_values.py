"""The values of the cells of a late start's workbook: dates, choices, items and periods."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from difflib import get_close_matches
from enum import StrEnum
from typing import Final

from operations.agency_names import bare, plain
from operations.contact_files import FileError, FileRow
from operations.guards import vn_date
from rules.periods import Period


class ResultState(StrEnum):
    """What a row says of a period that has passed."""

    DONE = "done"
    UNCHANGED = "unchanged"
    """No change from the year before, citing the document still in force (rule 20)."""
    NOT_APPLICABLE = "not_applicable"
    BLANK = "blank"
    """Nothing is known: stated so, never counted as done."""


STATE_WORDS: Final[Mapping[ResultState, str]] = {
    ResultState.DONE: "Đã hoàn thành",
    ResultState.UNCHANGED: "Không thay đổi so với năm trước",
    ResultState.NOT_APPLICABLE: "Không phát sinh nhiệm vụ",
    ResultState.BLANK: "Chưa có dữ liệu",
}
YES, NO = "Có", "Không"
_ISO: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T]00:00:00)?")
_VN: Final = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
_SERIAL: Final = re.compile(r"[34]\d{4}")
_EPOCH: Final = date(1899, 12, 30)
"""Day 0 of the numbers by which Excel counts days."""
_LABEL: Final = re.compile(r"(?:quý|quy) (i{1,3}|iv|[1-4])[ /-]+(?:năm )?(\d{4})")
_ROMAN: Final = {"i": 1, "ii": 2, "iii": 3, "iv": 4}


class Cells:
    """The cells of one row, read one by one; what is wrong is gathered in ``errors``."""

    def __init__(self, row: FileRow, errors: list[FileError]) -> None:
        self.row, self._errors, self._before = row, errors, len(errors)
        self._refused: set[str] = set()

    def wrong(self, *fields: str) -> bool:
        """Whether anything was wrong so far; with ``fields``, in one of these cells."""
        if fields:
            return not self._refused.isdisjoint(fields)
        return len(self._errors) > self._before

    def text(self, field: str) -> str:
        """What stands in the cell."""
        return self.row.values.get(field, "")

    def refuse(self, field: str, problem: str, remedy: str) -> None:
        """Say what is wrong with the cell; of a cell only the first thing is said."""
        if field in self._refused:
            return
        self._refused.add(field)
        self._errors.append(self.row.error(field, problem, remedy))

    def day(self, field: str) -> date | None:
        """A date: a date of Excel, ``31/3/2024`` or ``2024-03-31``; None for an empty cell."""
        text = self.text(field)
        if not text:
            return None
        iso, vn = _ISO.fullmatch(text), _VN.fullmatch(text)
        try:
            if iso:
                return date(int(iso[1]), int(iso[2]), int(iso[3]))
            if vn:
                return date(int(vn[3]), int(vn[2]), int(vn[1]))
        except ValueError:
            self.refuse(field, f"Không có ngày “{text}” trong lịch", "Ghi lại ngày có thật")
            return None
        remedy = "Ghi ngày/tháng/năm, ví dụ 31/3/2024"
        if _SERIAL.fullmatch(text):
            meant = vn_date(_EPOCH + timedelta(days=int(text)))
            remedy = f"Có phải {meant}? Định dạng ô là ngày (Date), hoặc ghi {meant} dạng chữ"
        self.refuse(field, f"“{text}” không phải một ngày", remedy)
        return None

    def past_day(self, field: str, today: date) -> date | None:
        """A date that is not ahead (rule 21)."""
        found = self.day(field)
        if found is not None and found > today:
            problem = f"Ngày {vn_date(found)} chưa đến"
            self.refuse(field, problem, f"Ghi ngày không muộn hơn hôm nay, {vn_date(today)}")
            return None
        return found

    def choice(self, field: str, words: Mapping[str, str]) -> str | None:
        """The key of the word that stands there, written with or without marks; None if none."""
        text = self.text(field)
        known = {bare(word): key for key, word in words.items()}
        found = known.get(bare(text)) or (plain(text) if plain(text) in words else None)
        if found is None:
            near = get_close_matches(bare(text), known, n=1)
            listed = ", ".join(f"“{one}”" for one in words.values())
            remedy = f"Có phải “{words[known[near[0]]]}”?" if near else f"Chọn một trong: {listed}"
            problem = f"Không nhận “{text}”" if text else "Chưa chọn"
            self.refuse(field, problem, remedy)
        return found

    def yes(self, field: str, *, default: bool) -> bool:
        """``Có`` or ``Không``."""
        if not self.text(field):
            return default
        return self.choice(field, {"yes": YES, "no": NO}) != "no"

    def period(self, field: str) -> Period | None:
        """``2024``, ``2024-Q4``, ``năm 2024`` or ``quý IV/2024``."""
        text = plain(self.text(field))
        quarter = _LABEL.fullmatch(text)
        if quarter:
            number = _ROMAN.get(quarter[1]) or int(quarter[1])
            text = f"{quarter[2]}-Q{number}"
        text = text.removeprefix("năm ").upper()
        try:
            return Period.parse(text)
        except ValueError:
            problem = f"Không nhận kỳ “{self.text(field)}”" if text else "Chưa ghi kỳ"
            self.refuse(field, problem, "Ghi năm, ví dụ 2024, hoặc quý, ví dụ 2024-Q4")
            return None
