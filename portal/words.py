"""The words of pages: how a piece of work stands, how its date came about, what history says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from notifications.formats import vn_date
from operations.queries import WorkRow
from rules.lifecycle import ACTION_WORDS, STATUS_WORDS, Action, Status
from rules.periods import Period
from rules.timeliness import CELL_WORDS, Cell
from rules.values import DateAuthority, Item, ItemKind, Plan, Role, TrackingMode
from rules.workdays import OutsideHorizon, WorkCalendar

SOON_WORKDAYS: Final = 5


@dataclass(frozen=True, slots=True)
class Pill:
    """How work stands in a few words: never by colour alone. ``tone`` names the colour."""

    tone: str
    sign: str
    text: str


def workdays(calendar: WorkCalendar, start: date, end: date) -> int | None:
    """Working days from ``start`` to ``end``; None outside the years that are known."""
    try:
        return calendar.between(start, end)
    except OutsideHorizon:
        return None


def pill(row: WorkRow, as_of: date, calendar: WorkCalendar) -> Pill:
    """How ``row`` stands on ``as_of``."""
    if row.mode is TrackingMode.IMPORTED and row.status in _RECORDED_AFTERWARDS:
        done = row.status is Status.CONFIRMED
        return Pill("done" if done else "calm", "√" if done else "○", row.status_word)
    if row.status is Status.CONFIRMED:
        late = row.timeliness is Cell.DONE_LATE
        return Pill("warn" if late else "done", "√", _done_word(row))
    if row.status is Status.SUBMITTED:
        return Pill("calm", "●", STATUS_WORDS[row.status])
    if row.status not in _WAITING:
        return Pill("calm", "○", STATUS_WORDS[row.status])
    if row.overdue:
        return Pill("grave", "▲", overdue_word(row, as_of, calendar))
    if row.returned:
        return Pill("warn", "◄", row.status_word)
    if row.timeliness is Cell.PAST_PROVISIONAL:
        return Pill("warn", "○", CELL_WORDS[Cell.PAST_PROVISIONAL])
    return _coming(row, workdays(calendar, as_of, row.asked_by), as_of)


def overdue_word(row: WorkRow, as_of: date, calendar: WorkCalendar) -> str:
    """For how long work is overdue, in working days."""
    days = workdays(calendar, row.due_on, as_of)
    return f"Quá hạn {days} ngày làm việc" if days else "Quá hạn"


_WAITING: Final = frozenset(
    {Status.NOT_STARTED, Status.IN_PROGRESS, Status.AWAITING_ISSUANCE, Status.REQUESTED}
)

_RECORDED_AFTERWARDS: Final = frozenset(
    {Status.CONFIRMED, Status.NOT_APPLICABLE, Status.NOT_STARTED}
)


def _done_word(row: WorkRow) -> str:
    if row.timeliness in {Cell.DONE_IN_TIME, Cell.DONE_LATE}:
        return CELL_WORDS[row.timeliness]
    return STATUS_WORDS[row.status]


def _coming(row: WorkRow, days: int | None, as_of: date) -> Pill:
    if row.asked_by < as_of:
        if row.role is Role.PARTNER:
            return Pill("warn", "○", "Đã qua ngày đề nghị trả lời")
        return Pill("calm", "○", f"Đã qua ngày {vn_date(row.asked_by)}")
    if row.asked_by == as_of:
        word = "Mốc dự kiến là hôm nay" if row.provisional else "Hết hạn trong hôm nay"
        return Pill("warn", "●", word)
    if days is None:
        return Pill("calm", "○", "Trong hạn")
    left = f"Còn {days} ngày làm việc"
    return Pill("warn" if days <= SOON_WORKDAYS else "calm", "●", left)


def date_word(row: WorkRow) -> str:
    """``Hạn``, ``Mốc dự kiến``, or what check-ins and recorded years ask for."""
    if row.kind is ItemKind.CHECK_IN:
        return "Cập nhật trước khi kết thúc ngày"
    if row.mode is TrackingMode.RECORD:
        return "Ghi nhận trước khi kết thúc ngày"
    return "Mốc dự kiến" if row.provisional else "Hạn"


_FIXED_BY: Final[Mapping[DateAuthority, str]] = {
    DateAuthority.PROVINCE: "UBND tỉnh ấn định",
    DateAuthority.MINISTRY: "Bộ, cơ quan trung ương ấn định",
}


def date_story(row: WorkRow, item: Item, plan: Plan, coordinator: str) -> list[str]:
    """How the date came about, a sentence each (rules 4, 17, 19, 23)."""
    found = []
    if row.kind is ItemKind.CHECK_IN:
        found.append("Nhiệm vụ thường xuyên, cập nhật theo kỳ; không tính quá hạn.")
    elif row.mode is TrackingMode.IMPORTED:
        found.append(
            "Kỳ trước khi bắt đầu theo dõi: ghi nhận sau, từ tệp nhập; không nhắc việc, không tính "
            "quá hạn."
        )
    elif row.mode is TrackingMode.RECORD:
        found.append("Năm bắt đầu theo dõi: chỉ ghi nhận kết quả, không tính quá hạn.")
    elif row.provisional:
        awaited = item.calendar.fixed_by or coordinator
        found.append(
            f"Mốc dự kiến, chưa có văn bản của {awaited} ấn định; qua mốc này không tính là quá hạn."
        )
    else:
        who = _FIXED_BY.get(row.authority, f"{coordinator} ấn định")
        by = f" theo văn bản {row.document_code}" if row.document_code else ""
        found.append(f"Hạn do {who}{by}.")
    if row.original_due_on != row.nominal_due_on:
        found.append(
            f"Lịch ghi ngày {vn_date(row.nominal_due_on)} là ngày nghỉ nên tính đến "
            f"ngày làm việc {vn_date(row.original_due_on)}."
        )
    if row.due_on != row.original_due_on:
        times = f" (đã gia hạn {row.extensions} lần)" if row.extensions else ""
        found.append(f"Ngày ban đầu là {vn_date(row.original_due_on)}{times}.")
    if row.returned and row.respond_by:
        found.append(
            f"Đề nghị bổ sung trước khi kết thúc ngày {vn_date(row.respond_by)}; "
            "ngày này không làm thay đổi hạn."
        )
    found.append(f"Cột thời gian của {plan.decision.code}: “{item.text.timing}”.")
    return found


OUTCOME_WORDS: Final[Mapping[str | None, str]] = {
    None: "Đang chờ xem xét",
    "withdrawn": "Đã rút lại",
    "returned": "Đã đề nghị bổ sung",
    "confirmed": "Đã xác nhận",
}
EXTENSION_WORDS: Final[Mapping[str, str]] = {
    "asked": "Đang chờ quyết định",
    "proposed": "Đang chờ lãnh đạo duyệt",
    "granted": "Đồng ý",
    "refused": "Không đồng ý",
    "withdrawn": "Đã rút",
}
OBSTACLE_WORDS: Final[Mapping[str, str]] = {
    "raised": "Đang chờ trả lời",
    "answered": "Đã trả lời",
    "consolidated": "Đã tổng hợp, báo cáo UBND tỉnh",
    "closed": "Đã kết thúc",
}
MILESTONE_WORDS: Final[Mapping[str, str]] = {"so_ket": "Sơ kết", "tong_ket": "Tổng kết"}

_EVENT_WORDS: Final[Mapping[tuple[str, str], str]] = {
    ("assignment", "assign"): "Mở và giao nhiệm vụ",
    ("assignment", "add"): "Bổ sung cơ quan",
    ("assignment", "roll_day"): "Dời ngày do ngày nghỉ",
    ("assignment", "take_over"): "Tiếp nhận nhiệm vụ",
    ("assignment", "extend"): "Hạn mới có hiệu lực",
    ("assignment", "reschedule"): "Điều chỉnh ngày",
    ("assignment", "fix_date"): "Ấn định hạn",
    ("assignment", "follow_calendar"): "Đổi hạn theo lịch nhiệm vụ mới",
    ("assignment", "hand"): "Giao người thực hiện",
    ("urging", "record"): "Đôn đốc bằng văn bản",
    ("urging", "withdraw"): "Bỏ ghi nhận văn bản đôn đốc",
    ("submission", "file"): "Ghi kết quả và tài liệu kiểm chứng",
    ("extension", "ask"): "Đề nghị gia hạn",
    ("extension", "withdraw"): "Rút đề nghị gia hạn",
    ("extension", "propose"): "Đề xuất gia hạn",
    ("extension", "grant"): "Đồng ý gia hạn",
    ("extension", "refuse"): "Không đồng ý gia hạn",
    ("extension", "expire"): "Đề nghị gia hạn hết hiệu lực",
    ("proposal", "propose"): "Đề xuất, chờ duyệt",
    ("proposal", "approve"): "Duyệt đề xuất",
    ("proposal", "refuse"): "Không duyệt đề xuất",
    ("obstacle", "raise"): "Phản ánh vướng mắc",
    ("obstacle", "answer"): "Trả lời vướng mắc",
    ("obstacle", "consolidate"): "Tổng hợp, báo cáo UBND tỉnh",
    ("obstacle", "close"): "Kết thúc vướng mắc",
}


def history_word(entity: str, action: str) -> str:
    """What people read for an event."""
    known = _EVENT_WORDS.get((entity, action))
    if known is not None:
        return known
    if entity == "assignment" and action in set(Action):
        return ACTION_WORDS[Action(action)]
    return {"open": "Mở", "ask": "Đề nghị", "close": "Kết thúc"}.get(action, "Cập nhật")


def period_word(period: str) -> str:
    """How people read a period: ``năm 2027``."""
    return Period.parse(period).label


def actor_words(kind: str, name: str, post: str | None, mailbox: str | None) -> str:
    """Who did it, as the history names people."""
    if kind == "flow":
        return "Hệ thống"
    named = f"{name}, {post}" if post else name
    if kind == "token":
        return f"{named} (bằng mã API)"
    return f"{named} (qua hộp thư {mailbox})" if kind == "mailbox" and mailbox else named
