"""The subject of a digest: one header-safe line, fast enough for rehearsals.

The agency's name ends each subject, because văn thư forwards letters. At most
:data:`SUBJECT_LIMIT` characters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from notifications.formats import clean_line, shorten, vn_date
from notifications.values import Line, LineKind
from notifications.wording import (
    NEWS,
    RECORD,
    asked_by,
    by_urgency,
    date_label,
    remaining,
    said_as,
)

SUBJECT_LIMIT: Final = 200

_UNDATED: Final = NEWS | RECORD | {LineKind.PAST_PROVISIONAL}
"""Lines whose date is not one to come."""

_NAME_LIMIT: Final = 80
_PART_LIMIT: Final = 30


def prefix(plan_codes: Sequence[str]) -> str:
    """``[CCHC-1718] ``; two plans are both named, more are counted."""
    codes = list(dict.fromkeys(shorten(clean_line(code), _PART_LIMIT) for code in plan_codes))
    if len(codes) > 2:
        codes = [codes[0], f"+{len(codes) - 1} đề án"]
    return f"[{', '.join(codes)}] " if codes else ""


def subject_line(plan_codes: Sequence[str], words: str, short_name: str) -> str:
    """``[plan] words – agency``, cleaned and shortened so that the agency's name stays."""
    name = shorten(clean_line(short_name), _NAME_LIMIT)
    head = prefix(plan_codes)
    room = SUBJECT_LIMIT - len(head) - len(name) - 3
    return f"{head}{shorten(clean_line(words), room)} – {name}"


def digest_subject(lines: Sequence[Line], *, short_name: str) -> str:
    """The subject of a digest with these lines, of the agency with this short name.

    ``[CCHC-1718] Nhắc việc: I.1 – hạn 31/3/2027 (còn 5 ngày làm việc) – Xã Vạn Ninh``. Raises
    ValueError when there is no line: such a digest is dropped, not sent (rule 29).
    """
    if not lines:
        raise ValueError("a digest without lines has no subject")
    ordered = by_urgency(lines)
    codes = [line.plan_code for line in ordered]
    words = _one(ordered[0]) if len(ordered) == 1 else _several(ordered)
    return subject_line(codes, words, short_name)


def _one(line: Line) -> str:
    kind = said_as(line)
    return _ONE[kind](line, shorten(line.item, _PART_LIMIT))


def _due(line: Line, item: str) -> str:
    return f"Nhắc việc: {item} – {date_label(line)} ({_left(line)})"


def _left(line: Line) -> str:
    last_day = line.days == 0 and not line.provisional
    return "hạn cuối hôm nay" if last_day else remaining(line.days)


def _overdue(line: Line, item: str) -> str:
    return f"Thông báo quá hạn: {item} – {_overdue_by(line)}"


def _overdue_by(line: Line) -> str:
    return f"{-line.days} ngày làm việc" if line.days < 0 else date_label(line)


def _period(line: Line) -> str:
    return shorten(line.period_label, _PART_LIMIT)


def _before(line: Line) -> str:
    return f"trước khi kết thúc ngày {vn_date(asked_by(line))}"


def _mended_by(line: Line) -> str:
    return f" – {_before(line)}" if line.dated else ""


_ONE: Final[Mapping[LineKind, Callable[[Line, str], str]]] = {
    LineKind.DUE: _due,
    LineKind.OVERDUE: _overdue,
    LineKind.PAST_PROVISIONAL: lambda line, item: (
        f"Nhắc việc: {item} – qua mốc dự kiến {vn_date(line.due_on)}"
    ),
    LineKind.FIX_DATE: lambda line, item: (
        f"Đề nghị ấn định hạn: {item} {_period(line)} – mốc dự kiến {vn_date(line.due_on)}"
    ),
    LineKind.RETURNED: lambda line, item: f"Đề nghị bổ sung kết quả: {item} – {_before(line)}",
    LineKind.REQUEST: lambda line, item: f"Đề nghị phối hợp: {item} – {_before(line)}",
    LineKind.CHECK_IN: lambda line, item: (
        f"Nhắc việc: {item} – cập nhật {_period(line)} {_before(line)}"
    ),
    LineKind.OPENED: lambda line, item: f"Nhiệm vụ {_period(line)}: {item} – {date_label(line)}",
    LineKind.DATE_CHANGED: lambda line, item: (
        f"Điều chỉnh {'mốc dự kiến' if line.provisional else 'hạn'}: {item} – "
        f"{'mốc mới' if line.provisional else 'hạn mới'} {vn_date(line.due_on)}"
    ),
    LineKind.EXTENSION_DECIDED: lambda line, item: (
        f"Kết quả xem xét gia hạn: {item} – hạn đang áp dụng {vn_date(line.due_on)}"
    ),
    LineKind.CONTRIBUTED: lambda line, item: (
        f"Đã có nội dung phối hợp: {item} {_period(line)} – {date_label(line)}"
    ),
    LineKind.OBSTACLE_ANSWERED: lambda line, item: f"Trả lời vướng mắc: {item} {_period(line)}",
    LineKind.FINDING: lambda line, item: f"{item}: {_period(line)}{_mended_by(line)}",
    LineKind.FINDING_DUE: lambda line, item: (
        f"Nhắc việc: {item}, {_period(line)}{_mended_by(line)}"
    ),
    LineKind.FINDING_LATE: lambda line, item: (
        f"{item} quá ngày khắc phục: {_period(line)} – {vn_date(line.due_on)}"
    ),
    LineKind.FINDING_RETURNED: lambda line, item: (
        f"{item}: bổ sung báo cáo khắc phục {_period(line)}{_mended_by(line)}"
    ),
    LineKind.FINDING_CLOSED: lambda line, item: (
        f"{item}: {_period(line)} – {line.status_word.lower()}"
    ),
    LineKind.CONFIRMED: lambda line, item: f"Đã xác nhận hoàn thành: {item} {_period(line)}",
    LineKind.LAPSED: lambda line, item: f"Thông báo: {item} {_period(line)} – chưa có cập nhật",
    LineKind.RECORD_INVITE: lambda line, item: (
        f"Đề nghị ghi nhận kết quả {_period(line)}: {item} – {_before(line)}"
    ),
    LineKind.RECORD_REMIND: lambda line, item: (
        f"Nhắc ghi nhận kết quả {_period(line)}: {item} – {_before(line)}"
    ),
}


def _several(ordered: Sequence[Line]) -> str:
    """More than one line: the gravest is named and dated, the rest counted."""
    kinds = {said_as(line) for line in ordered}
    count = _count(ordered)
    overdue = [line for line in ordered if said_as(line) is LineKind.OVERDUE]
    if overdue:
        rest = len(ordered) - len(overdue)
        more = f"; {rest} việc khác" if rest else ""
        longest = _overdue_by(overdue[0])
        told = f"{_count(overdue)}, lâu nhất {longest}"
        if len(overdue) == 1:
            told = f"{shorten(overdue[0].item, _PART_LIMIT)} – {longest}"
        return f"Thông báo quá hạn: {told}{more}"
    first = ordered[0]
    if kinds == {LineKind.OPENED}:
        return f"Nhiệm vụ {_periods(ordered)}: {count}, {_nearest(ordered)}"
    if kinds <= RECORD:
        verb = "Đề nghị" if LineKind.RECORD_INVITE in kinds else "Nhắc"
        return f"{verb} ghi nhận kết quả {_periods(ordered)}: {count}"
    if kinds == {LineKind.FIX_DATE}:
        return f"Đề nghị ấn định hạn: {count}, {_nearest(ordered)}"
    if kinds == {LineKind.PAST_PROVISIONAL}:
        return f"Nhắc việc: {count} đã qua mốc dự kiến"
    if kinds == {LineKind.CONFIRMED}:
        return f"Đã xác nhận hoàn thành: {count}"
    if kinds <= NEWS:
        return f"Thông báo: {count} có thông tin mới"
    if said_as(first) is LineKind.RETURNED:
        returned = sum(1 for line in ordered if said_as(line) is LineKind.RETURNED)
        rest = len(ordered) - returned
        more = f"; {rest} việc khác" if rest else ""
        return f"Đề nghị bổ sung kết quả: {_count(ordered[:returned])}, gần nhất {_by(first)}{more}"
    if not any(line.dated for line in ordered):
        return f"Nhắc việc: {count}"
    return f"Nhắc việc: {count}, {_nearest(ordered)}"


def _by(line: Line) -> str:
    return vn_date(asked_by(line))


def _count(lines: Sequence[Line]) -> str:
    """Distinct items are "nhiệm vụ"; the same item of several agencies counts as "việc"."""
    distinct = {(line.plan_code, line.item, line.period_key) for line in lines}
    return f"{len(lines)} {'nhiệm vụ' if len(distinct) == len(lines) else 'việc'}"


def _periods(lines: Sequence[Line]) -> str:
    labels = list(dict.fromkeys(line.period_label for line in lines))
    return shorten(labels[0], _PART_LIMIT) if len(labels) == 1 else "các kỳ"


def _nearest(ordered: Sequence[Line]) -> str:
    """The nearest date among the lines that ask for something, fixed dates before provisional."""
    asking = [line for line in ordered if said_as(line) not in _UNDATED and line.dated]
    asking = asking or list(ordered)
    fixed = [line for line in asking if not line.provisional]
    line = min(fixed or asking, key=asked_by)
    word = "mốc dự kiến" if line.provisional else "hạn"
    left = f" ({_left(line)})" if said_as(line) is LineKind.DUE else ""
    return f"{word} gần nhất {_by(line)}{left}"
