"""The words of a digest's lines: badge, when, order and sections.

What a machine sends is "nhắc việc" or "thông báo quá hạn"; urging is an act of a person who
signs. A provisional date is "mốc dự kiến" and is never called overdue (rule 17).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import lru_cache
from typing import Final

from notifications.formats import vn_date
from notifications.values import Line, LineKind
from rules.values import Role

_ASKS: Final = 2
"""The rank of all that asks for something by a date: sorted by that date."""

RANKS: Final[Mapping[LineKind, int]] = {
    LineKind.OVERDUE: 0,
    LineKind.FINDING_LATE: 0,
    LineKind.RETURNED: 1,
    LineKind.DUE: _ASKS,
    LineKind.REQUEST: _ASKS,
    LineKind.CHECK_IN: _ASKS,
    LineKind.RECORD_REMIND: _ASKS,
    LineKind.FINDING: _ASKS,
    LineKind.FINDING_DUE: _ASKS,
    LineKind.FINDING_RETURNED: _ASKS,
    LineKind.PAST_PROVISIONAL: 3,
    LineKind.FIX_DATE: 3,
    LineKind.DATE_CHANGED: 4,
    LineKind.EXTENSION_DECIDED: 4,
    LineKind.CONTRIBUTED: 4,
    LineKind.OBSTACLE_ANSWERED: 4,
    LineKind.OPENED: 5,
    LineKind.RECORD_INVITE: 5,
    LineKind.CONFIRMED: 6,
    LineKind.FINDING_CLOSED: 6,
    LineKind.LAPSED: 6,
}

SECTIONS: Final[Mapping[LineKind, str]] = {
    LineKind.OVERDUE: "Quá hạn",
    LineKind.FINDING_LATE: "Kiến nghị kiểm tra quá ngày khắc phục",
    LineKind.RETURNED: "Đề nghị bổ sung, hoàn thiện",
    LineKind.DUE: "Sắp đến hạn",
    LineKind.REQUEST: "Đề nghị phối hợp",
    LineKind.CHECK_IN: "Cập nhật tình hình thực hiện",
    LineKind.RECORD_REMIND: "Ghi nhận kết quả",
    LineKind.FINDING: "Kiến nghị kiểm tra",
    LineKind.FINDING_DUE: "Kiến nghị kiểm tra",
    LineKind.FINDING_RETURNED: "Kiến nghị kiểm tra",
    LineKind.PAST_PROVISIONAL: "Qua mốc dự kiến",
    LineKind.FIX_DATE: "Đề nghị ấn định hạn",
    LineKind.DATE_CHANGED: "Điều chỉnh hạn",
    LineKind.EXTENSION_DECIDED: "Kết quả xem xét gia hạn",
    LineKind.CONTRIBUTED: "Đã có nội dung phối hợp",
    LineKind.OBSTACLE_ANSWERED: "Trả lời vướng mắc",
    LineKind.OPENED: "Nhiệm vụ mới mở",
    LineKind.RECORD_INVITE: "Ghi nhận kết quả",
    LineKind.CONFIRMED: "Đã xác nhận hoàn thành",
    LineKind.FINDING_CLOSED: "Kết thúc theo dõi kiến nghị kiểm tra",
    LineKind.LAPSED: "Đã kết thúc kỳ, chưa có cập nhật",
}

NEWS: Final = frozenset(
    {
        LineKind.CONFIRMED,
        LineKind.EXTENSION_DECIDED,
        LineKind.DATE_CHANGED,
        LineKind.CONTRIBUTED,
        LineKind.OBSTACLE_ANSWERED,
        LineKind.LAPSED,
        LineKind.FINDING_CLOSED,
    }
)
"""Lines that tell and ask for nothing."""

RECORD: Final = frozenset({LineKind.RECORD_INVITE, LineKind.RECORD_REMIND})
"""Lines of a year that is only recorded (rule 19)."""


def said_as(line: Line) -> LineKind:
    """The kind that the words follow.

    A due line whose date has passed is overdue, or past its provisional date; a provisional one
    is never overdue whatever the caller said.
    """
    if line.kind is LineKind.OVERDUE and line.provisional:
        return LineKind.PAST_PROVISIONAL
    if line.kind is LineKind.DUE and line.days < 0:
        return LineKind.PAST_PROVISIONAL if line.provisional else LineKind.OVERDUE
    if line.kind is LineKind.FINDING_DUE and line.days < 0:
        return LineKind.FINDING_LATE
    return line.kind


_SAY_IT_THEMSELVES: Final = frozenset(
    {
        LineKind.OVERDUE,
        LineKind.RETURNED,
        LineKind.REQUEST,
        LineKind.PAST_PROVISIONAL,
        LineKind.CONFIRMED,
        LineKind.FINDING,
        LineKind.FINDING_DUE,
        LineKind.FINDING_LATE,
        LineKind.FINDING_RETURNED,
        LineKind.FINDING_CLOSED,
    }
)
"""Kinds whose :func:`when` begins with the very words of the badge, or whose title does."""


def badge(line: Line) -> str:
    """A few words that say how the line stands; empty where :func:`when` begins with them."""
    kind = said_as(line)
    if kind in _SAY_IT_THEMSELVES:
        return ""
    if kind is LineKind.DUE:
        if line.days == 0:
            return "Mốc dự kiến là hôm nay" if line.provisional else "Hết hạn trong hôm nay"
        return "Sắp đến mốc dự kiến" if line.provisional else "Sắp đến hạn"
    return SECTIONS[kind]


def asked_by(line: Line) -> date:
    """The date that the line asks to be answered by."""
    return line.respond_by or line.due_on


def remaining(days: int) -> str:
    """``còn 5 ngày làm việc``, ``hôm nay``, ``đã qua 2 ngày làm việc``."""
    if days > 0:
        return f"còn {days} ngày làm việc"
    if days == 0:
        return "hôm nay"
    return f"đã qua {-days} ngày làm việc"


def date_label(line: Line) -> str:
    """``hạn 31/3/2027`` or ``mốc dự kiến 30/4/2027``."""
    return f"{_date_word(line)} {vn_date(line.due_on)}"


def _date_word(line: Line) -> str:
    return "mốc dự kiến" if line.provisional else "hạn"


def _due(line: Line) -> str:
    return f"{date_label(line)} ({remaining(line.days)})"


def _overdue(line: Line) -> str:
    if line.days == 0:
        return f"quá hạn ({date_label(line)})"
    return f"quá hạn {-line.days} ngày làm việc ({date_label(line)})"


def _returned(line: Line) -> str:
    if line.respond_by is None:
        return f"đề nghị bổ sung kết quả ({date_label(line)})"
    return f"đề nghị bổ sung trước khi kết thúc ngày {vn_date(line.respond_by)}"


def _requested(line: Line) -> str:
    day = vn_date(asked_by(line))
    return f"đề nghị phối hợp trước khi kết thúc ngày {day} ({remaining(line.days)})"


def _recorded(line: Line) -> str:
    return f"đề nghị ghi nhận trước khi kết thúc ngày {vn_date(asked_by(line))}"


def _moved(line: Line) -> str:
    if line.previous_due_on is None:
        return f"{_date_word(line)} mới {vn_date(line.due_on)}"
    by = f" theo văn bản {line.document}" if line.document else ""
    return (
        f"{_date_word(line)} đổi từ {vn_date(line.previous_due_on)} thành "
        f"{vn_date(line.due_on)}{by}"
    )


def _mend(line: Line) -> str:
    if not line.dated:
        return "đề nghị khắc phục và báo cáo"
    return f"khắc phục trước khi kết thúc ngày {vn_date(line.due_on)} ({remaining(line.days)})"


def _mend_late(line: Line) -> str:
    return f"quá ngày phải khắc phục {vn_date(line.due_on)} ({remaining(line.days)})"


_ANSWERED_APART: Final = RECORD | {LineKind.RETURNED, LineKind.REQUEST, LineKind.CHECK_IN}
"""Kinds that ask for an answer by a day of their own."""

_WHEN: Final[Mapping[LineKind, Callable[[Line], str]]] = {
    LineKind.OVERDUE: _overdue,
    LineKind.RETURNED: _returned,
    LineKind.DUE: _due,
    LineKind.REQUEST: _requested,
    LineKind.CHECK_IN: lambda line: f"cập nhật trước khi kết thúc ngày {vn_date(asked_by(line))}",
    LineKind.RECORD_REMIND: _recorded,
    LineKind.RECORD_INVITE: _recorded,
    LineKind.PAST_PROVISIONAL: lambda line: f"qua mốc dự kiến {vn_date(line.due_on)}",
    LineKind.FIX_DATE: lambda line: f"mốc dự kiến {vn_date(line.due_on)}, chưa có văn bản ấn định",
    LineKind.DATE_CHANGED: _moved,
    LineKind.EXTENSION_DECIDED: lambda line: f"hạn đang áp dụng {vn_date(line.due_on)}",
    LineKind.CONTRIBUTED: lambda line: f"cơ quan phối hợp đã gửi nội dung ({date_label(line)})",
    LineKind.OBSTACLE_ANSWERED: lambda line: (
        f"vướng mắc đã được trả lời ({date_label(line)})" if line.dated else "đã được trả lời"
    ),
    LineKind.FINDING: _mend,
    LineKind.FINDING_DUE: _mend,
    LineKind.FINDING_LATE: _mend_late,
    LineKind.FINDING_RETURNED: lambda line: f"báo cáo khắc phục cần bổ sung; {_mend(line)}",
    LineKind.FINDING_CLOSED: lambda line: line.status_word.lower(),
    LineKind.OPENED: date_label,
    LineKind.CONFIRMED: lambda line: f"đã xác nhận hoàn thành ({date_label(line)})",
    LineKind.LAPSED: lambda line: f"chưa có cập nhật đến hết ngày {vn_date(line.due_on)}",
}


def when(line: Line) -> str:
    """What the line says of its date, in the middle of a sentence."""
    return _WHEN[said_as(line)](line)


def also(line: Line) -> str:
    """The date of the work itself, where :func:`when` names another; else empty."""
    if asked_by(line) == line.due_on or said_as(line) not in _ANSWERED_APART:
        return ""
    return f"{_date_word(line)} của nhiệm vụ: {vn_date(line.due_on)}"


_ROMAN: Final = re.compile(r"^([IVXLC]+)\.(\d+)(.*)$")
_DIGITS: Final = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}


@lru_cache(maxsize=4096)
def item_order(item: str) -> tuple[int, int, str]:
    """Sorts ``II.3`` before ``IV.1`` before ``V.1``; other keys come last, by themselves."""
    match = _ROMAN.match(item)
    if match is None:
        return (1_000, 0, item)
    total = 0
    highest = 0
    for letter in reversed(match[1]):
        value = _DIGITS[letter]
        total += value if value >= highest else -value
        highest = max(highest, value)
    return (total, int(match[2]), match[3])


def by_urgency(lines: Iterable[Line]) -> list[Line]:
    """Overdue first (the longest first), then returned, then by the date asked; news last."""
    return sorted(
        lines,
        key=lambda line: (
            RANKS[said_as(line)],
            asked_by(line),
            line.plan_code,
            item_order(line.item),
            line.agency_name,
            line.assignment_id,
        ),
    )


def title(line: Line, *, agency: str, several_plans: bool) -> str:
    """``I.1 · năm 2027``, with the plan, the agency or "phối hợp" where that is not plain."""
    words = [line.item, line.period_label]
    if several_plans:
        words.insert(0, line.plan_code)
    if line.agency != agency:
        words.append(line.agency_name)
    if line.role is Role.PARTNER:
        words.append("phối hợp")
    return " · ".join(words)
