"""The history, and the work as known at an instant, as lists for pages and files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from operations.audit import Told
from operations.queries import WorkRow
from portal.history_words import act_word, told_lines
from portal.words import actor_words
from reports.tables import Column, Kind, Line, Table
from rules.timeliness import CELL_WORDS
from rules.values import Role

_HISTORY = (
    Column(title="Ghi lúc", kind=Kind.MOMENT, width=18),
    Column(title="Ngày hiệu lực", kind=Kind.DATE, width=13),
    Column(title="Việc", width=26),
    Column(title="Đề án", width=16),
    Column(title="Nhiệm vụ", width=10),
    Column(title="Kỳ", width=10),
    Column(title="Cơ quan", width=24),
    Column(title="Người thực hiện", width=28),
    Column(title="Thay cho", width=20),
    Column(title="Trước và sau", width=60),
    Column(title="Lý do", width=36),
    Column(title="Văn bản", width=18),
    Column(title="Lượt chạy", width=20),
    Column(title="Địa chỉ mạng", width=16),
    Column(title="Số sự kiện", kind=Kind.NUMBER, width=11),
    Column(title="Mã băm sự kiện", width=66),
)


def who(told: Told) -> str:
    """Who did it."""
    line = told.line
    return actor_words(line.actor_kind, line.actor_name, line.actor_post, line.actor_mailbox)


def work_of(told: Told) -> str | None:
    """The address of the piece of work that an event speaks of; None for other events."""
    number = told.snapshot.get("assignment_id")
    if told.line.entity == "assignment":
        number = told.line.entity_id
    return None if number is None else f"/viec/{number}"


def history_table(
    events: Iterable[Told], agencies: Mapping[str, str], notes: Sequence[str] = ()
) -> Table:
    """The events found, the newest first."""
    return Table(
        key="lich-su",
        title="Lịch sử",
        columns=_HISTORY,
        lines=tuple(_event_line(told, agencies) for told in events),
        notes=tuple(notes),
        empty="Không có sự kiện nào khớp điều kiện tìm.",
        linked=2,
    )


def _event_line(told: Told, agencies: Mapping[str, str]) -> Line:
    line = told.line
    changes = [
        f"{name}: {after}" if told.first else f"{name}: {before} → {after}"
        for name, before, after in told_lines(told, agencies)
    ]
    return Line(
        values=(
            line.at,
            line.effective_on,
            act_word(line.entity, line.action),
            line.plan,
            line.item,
            line.period,
            agencies.get(line.agency or "", line.agency),
            who(told),
            agencies.get(line.on_behalf_of or "", line.on_behalf_of),
            "\n".join(changes),
            line.reason,
            line.document,
            line.run,
            line.address,
            line.id,
            line.digest,
        ),
        href=work_of(told),
    )


_WORK = (
    Column(title="Nhiệm vụ", width=10),
    Column(title="Kỳ", width=12),
    Column(title="Cơ quan", width=28),
    Column(title="Vai trò", width=10),
    Column(title="Tình trạng", width=26),
    Column(title="Ô theo dõi", width=26),
    Column(title="Hạn ban đầu", kind=Kind.DATE, width=13),
    Column(title="Hạn", kind=Kind.DATE, width=13),
    Column(title="Loại hạn", width=14),
    Column(title="Văn bản ấn định", width=18),
    Column(title="Gửi ngày", kind=Kind.DATE, width=13),
    Column(title="Hoàn thành", kind=Kind.DATE, width=13),
    Column(title="Gia hạn", kind=Kind.NUMBER, width=9),
    Column(title="Ghi chú", width=30),
)


def work_table(rows: Iterable[WorkRow], notes: Sequence[str]) -> Table:
    """The work list as known at an instant."""
    return Table(
        key="nhu-da-biet",
        title="Danh sách nhiệm vụ như đã biết",
        columns=_WORK,
        lines=tuple(_work_line(row) for row in rows),
        notes=tuple(notes),
        empty="Đến lúc đó chưa có phân công nào khớp điều kiện tìm.",
    )


def _work_line(row: WorkRow) -> Line:
    return Line(
        values=(
            row.item,
            row.period_label,
            row.agency_name,
            "Chủ trì" if row.role is Role.LEAD else "Phối hợp",
            row.status_word,
            None if row.timeliness is None else CELL_WORDS[row.timeliness],
            row.original_due_on,
            row.due_on,
            "mốc dự kiến" if row.provisional else "đã ấn định",
            row.document_code,
            row.submitted_on,
            row.completed_on,
            row.extensions,
            "; ".join(_remarks(row)) or None,
        ),
        href=f"/viec/{row.id}",
    )


def _remarks(row: WorkRow) -> list[str]:
    said = {
        "cập nhật chậm": row.late_entry,
        "cơ quan điều phối tự xác nhận": row.self_confirmed,
        f"lần thực hiện thứ {row.round}": row.round > 1,
        f"đề nghị bổ sung {row.returns} lần": row.returns > 0,
    }
    return [word for word, true in said.items() if true]
