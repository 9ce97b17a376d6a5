"""A sign, a colour and a word for how work stands: never one of them alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from operations.heatmap import Heat
from rules.timeliness import CELL_WORDS, Cell
from rules.values import Certainty, DateAuthority


@dataclass(frozen=True, slots=True)
class Sign:
    """``tone`` names the colour."""

    tone: str
    sign: str
    word: str


HEAT_SIGNS: Final[Mapping[Heat, Sign]] = {
    Heat.OVERDUE: Sign("grave", "▲", CELL_WORDS[Cell.OPEN_OVERDUE]),
    Heat.PAST_PROVISIONAL: Sign("warn", "○", CELL_WORDS[Cell.PAST_PROVISIONAL]),
    Heat.WAITING: Sign("wait", "■", "Chờ xác nhận"),
    Heat.OPEN: Sign("calm", "●", CELL_WORDS[Cell.OPEN_IN_TIME]),
    Heat.DONE_LATE: Sign("late", "◄", CELL_WORDS[Cell.DONE_LATE]),
    Heat.DONE: Sign("done", "√", CELL_WORDS[Cell.DONE_IN_TIME]),
    Heat.OUTSIDE: Sign("none", "–", "Ngoài bốn ô (thường xuyên, ghi nhận, không phát sinh)"),
}
CELL_SIGNS: Final[Mapping[Cell, Sign]] = {
    Cell.DONE_IN_TIME: Sign("done", "√", CELL_WORDS[Cell.DONE_IN_TIME]),
    Cell.DONE_LATE: Sign("warn", "◄", CELL_WORDS[Cell.DONE_LATE]),
    Cell.OPEN_IN_TIME: Sign("calm", "●", CELL_WORDS[Cell.OPEN_IN_TIME]),
    Cell.OPEN_OVERDUE: Sign("grave", "▲", CELL_WORDS[Cell.OPEN_OVERDUE]),
    Cell.PAST_PROVISIONAL: Sign("warn", "○", CELL_WORDS[Cell.PAST_PROVISIONAL]),
}
CERTAINTY_SIGNS: Final[Mapping[Certainty, Sign]] = {
    Certainty.SEEN: Sign("done", "√", "đã đọc trong văn bản"),
    Certainty.GENERAL: Sign("warn", "◐", "hiểu biết chung, chờ xác nhận"),
    Certainty.UNSURE: Sign("warn", "?", "chưa chắc chắn, chờ xác nhận"),
}
DEFAULT_BASIS: Final = "mặc định"
"""What the basis of an interpretation says where nobody decided it yet."""


def basis_sign(basis: str) -> Sign:
    """How sure an interpretation is: one that is only a default waits for a decision."""
    if DEFAULT_BASIS in basis.lower():
        return Sign("warn", "◐", "mặc định, chờ quyết định")
    return Sign("done", "√", "có căn cứ")


DATE_WORDS: Final[Mapping[DateAuthority, str]] = {
    DateAuthority.PROVISIONAL: "mốc dự kiến",
    DateAuthority.COORDINATOR: "cơ quan điều phối ấn định",
    DateAuthority.PROVINCE: "UBND tỉnh ấn định",
    DateAuthority.MINISTRY: "Bộ, cơ quan trung ương ấn định",
}
"""Who fixed a date, as lists have it."""
