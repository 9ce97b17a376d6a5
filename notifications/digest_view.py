"""What the templates of a digest show: each line worded once, for both parts of the letter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Final

from notifications.formats import TIME_ZONE, clean_line, shorten, vn_date, vn_datetime, vn_list
from notifications.values import DigestLetter, Line, LineKind
from notifications.wording import (
    NEWS,
    RECORD,
    SECTIONS,
    also,
    badge,
    by_urgency,
    item_order,
    said_as,
    title,
    when,
)
from rules.values import Audience

LARGE: Final = 3
"""How many lines stand large at the top (rule 30)."""

_TASK_LIMIT: Final = 90
_NOTE_LIMIT: Final = 160
_GRAVE: Final = frozenset(
    {LineKind.OVERDUE, LineKind.RETURNED, LineKind.FINDING_LATE, LineKind.FINDING_RETURNED}
)

_STATUS_SAID: Final = frozenset({LineKind.RETURNED, LineKind.FINDING_RETURNED})

_NOTE_LABELS: Final = {
    LineKind.RETURNED: "Nội dung đề nghị bổ sung",
    LineKind.REQUEST: "Nội dung đề nghị phối hợp",
    LineKind.EXTENSION_DECIDED: "Ý kiến",
    LineKind.DATE_CHANGED: "Lý do",
    LineKind.CONTRIBUTED: "Nội dung phối hợp",
    LineKind.OBSTACLE_ANSWERED: "Nội dung trả lời",
    LineKind.FINDING_RETURNED: "Nội dung cần bổ sung",
    LineKind.FINDING_CLOSED: "Căn cứ",
}


_RECORDED: Final = frozenset({LineKind.RECORD_INVITE, LineKind.RECORD_REMIND})
"""Lines of a year that is only recorded: they speak of no due date (rule 19)."""


@dataclass(frozen=True, slots=True)
class LineView:
    """A line as shown; ``grave`` asks for the strong colour beside its word."""

    title: str
    badge: str
    grave: bool
    task: str
    when: str
    also: str
    status: str
    expected: tuple[str, ...]
    note_label: str
    note: str


@dataclass(frozen=True, slots=True)
class SectionView:
    """Lines of one kind under their heading."""

    heading: str
    lines: list[LineView]


@dataclass(frozen=True, slots=True)
class DigestView:
    """A digest ready to be shown."""

    greeting: str
    intro: list[str]
    large: list[LineView]
    sections: list[SectionView]
    provisional: bool
    button: str


def digest_view(letter: DigestLetter) -> DigestView:
    """Words a digest's lines, the most urgent first. Raises ValueError when there is no line."""
    if not letter.lines:
        raise ValueError("a digest without lines is not sent")
    ordered = by_urgency(letter.lines)
    several = len({line.plan_code for line in ordered}) > 1
    sections: dict[str, list[LineView]] = {}
    for line in ordered[LARGE:]:
        heading = SECTIONS[said_as(line)]
        sections.setdefault(heading, []).append(_compact(line, letter.agency, several=several))
    return DigestView(
        greeting=greeting(letter),
        intro=intro(letter, ordered),
        large=[_view(line, letter.agency, several=several) for line in ordered[:LARGE]],
        sections=[SectionView(heading, lines) for heading, lines in sections.items()],
        provisional=any(line.provisional and line.kind not in _RECORDED for line in ordered),
        button=_button(letter, ordered),
    )


def greeting(letter: DigestLetter) -> str:
    """Who is greeted: the agency, its focal point or its head."""
    match letter.audience:
        case Audience.FOCAL:
            return f"Đầu mối theo dõi của {letter.formal_name}"
        case Audience.HEAD:
            return f"Lãnh đạo {letter.formal_name}"
        case Audience.MAILBOX | Audience.COORDINATOR:
            return letter.formal_name


def _button(letter: DigestLetter, ordered: Sequence[Line]) -> str:
    if letter.audience is Audience.COORDINATOR:
        return "Mở trang theo dõi tiến độ"
    if all(said_as(line) in NEWS for line in ordered):
        return "Mở trang nhiệm vụ của cơ quan"
    return "Mở trang cập nhật kết quả"


def _view(line: Line, agency: str, *, several: bool) -> LineView:
    kind = said_as(line)
    return LineView(
        title=title(line, agency=agency, several_plans=several),
        badge=badge(line),
        grave=kind in _GRAVE,
        task=line.item_task,
        when=_capital(when(line)),
        also=_capital(also(line)),
        status="" if kind in NEWS or kind in _STATUS_SAID else line.status_word,
        expected=() if kind in NEWS else line.expected,
        note_label=_NOTE_LABELS.get(kind, "Ghi chú"),
        note=line.note or "",
    )


def _compact(line: Line, agency: str, *, several: bool) -> LineView:
    note = shorten(clean_line(line.note), _NOTE_LIMIT) if line.note else ""
    kind = said_as(line)
    return LineView(
        title=title(line, agency=agency, several_plans=several),
        badge="",
        grave=kind in _GRAVE,
        task=shorten(line.item_task, _TASK_LIMIT),
        when=when(line),
        also=also(line),
        status="" if kind in NEWS or kind in _STATUS_SAID else line.status_word,
        expected=(),
        note_label=_NOTE_LABELS.get(kind, "Ghi chú"),
        note=note,
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def intro(letter: DigestLetter, ordered: Sequence[Line]) -> list[str]:
    """The opening paragraphs, by whom they address and what the lines ask."""
    overdue = [line for line in ordered if said_as(line) is LineKind.OVERDUE]
    rest = [line for line in ordered if said_as(line) is not LineKind.OVERDUE]
    paragraphs = []
    if letter.audience is Audience.HEAD:
        paragraphs.append(
            f"{letter.sender.office_name} trân trọng thông báo để Lãnh đạo quan tâm, "
            "chỉ đạo thực hiện."
        )
    if overdue:
        paragraphs.append(_overdue(letter, overdue))
    if rest and (letter.own or letter.audience is Audience.COORDINATOR):
        paragraphs.append(
            f"{_basis(letter)}, hệ thống gửi {letter.sender.office_name} các việc cần theo dõi, "
            "xử lý dưới đây."
        )
    elif rest:
        paragraphs.append(_ask(letter, rest, others=bool(overdue)))
    return paragraphs


def _basis(letter: DigestLetter) -> str:
    return f"Thực hiện {vn_list([plan.decision_line for plan in letter.plans])}"


def _overdue(letter: DigestLetter, overdue: Sequence[Line]) -> str:
    moment = datetime.combine(letter.day, time(letter.hour), tzinfo=TIME_ZONE)
    items = sorted({line.item for line in overdue}, key=item_order)
    what = f"nhiệm vụ {items[0]}"
    if len(overdue) > 1:
        named = f": {vn_list(items)}" if len(items) <= 5 else ""
        what = f"{len(overdue)} việc đã quá hạn{named}" if named else f"{len(overdue)} việc"
    told = f"Đến {vn_datetime(moment)}, hệ thống chưa ghi nhận kết quả {what}."
    if letter.own or letter.audience is Audience.COORDINATOR:
        return told
    return (
        f"{told} Trường hợp đã ban hành văn bản, đề nghị Quý cơ quan cập nhật số, ngày văn bản; "
        "nếu có vướng mắc, đề nghị phản ánh để được xem xét."
    )


def _ask(letter: DigestLetter, rest: Sequence[Line], *, others: bool) -> str:
    office = letter.sender.office_name
    kinds = {said_as(line) for line in rest}
    periods = list(dict.fromkeys(line.period_label for line in rest))
    period = f" {periods[0]}" if len(periods) == 1 else ""
    if kinds <= NEWS:
        return f"{office} thông báo đến Quý cơ quan thông tin mới về các việc dưới đây."
    if kinds == {LineKind.OPENED}:
        return (
            f"{_basis(letter)}, {office} gửi Quý cơ quan các nhiệm vụ{period} để chủ động "
            "thực hiện và cập nhật kết quả."
        )
    if kinds <= RECORD:
        return (
            f"{_basis(letter)}, {office} đề nghị Quý cơ quan ghi nhận kết quả đã thực hiện"
            f"{period}. Kỳ này chỉ ghi nhận để làm cơ sở theo dõi, không tính quá hạn."
        )
    if len(rest) == 1 and kinds == {LineKind.DUE}:
        line = rest[0]
        until = "mốc dự kiến" if line.provisional else "hạn hết ngày"
        return (
            f"{_basis(letter)}, {office} đề nghị Quý cơ quan cập nhật kết quả nhiệm vụ "
            f"{line.item}, {until} {vn_date(line.due_on)}."
        )
    where = "các việc khác dưới đây" if others else "các việc dưới đây"
    if kinds <= {LineKind.DUE, LineKind.CHECK_IN}:
        return f"{_basis(letter)}, {office} đề nghị Quý cơ quan cập nhật kết quả {where}."
    return f"{_basis(letter)}, {office} đề nghị Quý cơ quan xem và xử lý {where}."
