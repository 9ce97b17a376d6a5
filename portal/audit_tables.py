"""Exceptions, authorities, samples and the reading log as lists for pages and files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final

from models.tables import AccessLog, Finding
from operations.audit import Told
from operations.exceptions import EXCEPTION_WORDS, Exceptional, Found
from operations.findings import STATE_WORDS, is_overdue
from operations.sampling import Sample, SampledPaper
from portal.history_tables import who, work_of
from portal.history_words import act_word, value_words
from reports.tables import Column, Kind, Line, Table
from rules.periods import Period

AUTHORITY_ACTS: Final[tuple[tuple[str, str], ...]] = (
    ("period_date", "fix_date"),
    *(("assignment", one) for one in ("fix_date", "reschedule", "roll_day", "extend", "reopen")),
    *(("assignment", one) for one in ("waive", "suspend", "cancel", "cover")),
    *(("extension", one) for one in ("grant", "refuse")),
)
"""What sets or moves a date, extends, waives or stops following."""

_WORK = (
    Column(title="Nhiệm vụ", width=14),
    Column(title="Kỳ", width=12),
    Column(title="Cơ quan", width=28),
)


def exceptions_table(
    found: Iterable[Found],
    kind: Exceptional | None,
    notes: Sequence[str],
    people: Mapping[str, str],
) -> Table:
    """The exceptions of one kind, or of all; ``people`` has names by user name."""
    return Table(
        key="ngoai-le" if kind is None else f"ngoai-le-{kind.value.replace('_', '-')}",
        title="Báo cáo ngoại lệ" if kind is None else EXCEPTION_WORDS[kind],
        columns=(
            Column(title="Ngoại lệ", width=28),
            *_WORK,
            Column(title="Lúc", kind=Kind.MOMENT, width=18),
            Column(title="Ai", width=24),
            Column(title="Nội dung", width=60),
            Column(title="Văn bản", width=18),
        ),
        lines=tuple(
            Line(
                values=(
                    EXCEPTION_WORDS[one.kind],
                    one.item,
                    Period.parse(one.period).label,
                    one.agency_name,
                    one.at,
                    identity_words(one.who, people),
                    one.facts,
                    one.document,
                ),
                href=f"/viec/{one.assignment}",
            )
            for one in found
        ),
        notes=tuple(notes),
        empty="Không có trường hợp nào.",
        linked=1,
    )


def authority_table(
    events: Iterable[Told], agencies: Mapping[str, str], notes: Sequence[str] = ()
) -> Table:
    """Who decided on each date, extension and waiver, and by which document."""
    return Table(
        key="can-cu",
        title="Căn cứ của hạn, gia hạn, miễn",
        columns=(
            Column(title="Ghi lúc", kind=Kind.MOMENT, width=18),
            Column(title="Quyết định", width=26),
            *_WORK,
            Column(title="Hạn trước", width=14),
            Column(title="Hạn sau", width=14),
            Column(title="Người quyết định", width=26),
            Column(title="Lý do", width=40),
            Column(title="Văn bản", width=20),
        ),
        lines=tuple(_authority(told, agencies) for told in events),
        notes=tuple(notes),
        empty="Chưa có quyết định nào về hạn, gia hạn, miễn.",
        linked=1,
    )


def _authority(told: Told, agencies: Mapping[str, str]) -> Line:
    line = told.line
    dates = {one.field: one for one in told.differences}
    moved = dates.get("due_on") or dates.get("granted_due_on")
    after = told.snapshot.get("granted_due_on") or told.snapshot.get("due_on")
    before = moved.before if moved else after
    return Line(
        values=(
            line.at,
            act_word(line.entity, line.action),
            line.item,
            line.period and Period.parse(line.period).label,
            agencies.get(line.agency or "", line.agency),
            value_words("due_on", before, agencies) if before else None,
            value_words("due_on", after, agencies) if after else None,
            who(told),
            line.reason,
            line.document or told.snapshot.get("document_code") or "(không có văn bản)",
        ),
        href=work_of(told),
    )


def sample_table(sample: Sample, notes: Sequence[str], people: Mapping[str, str]) -> Table:
    """The sample with its papers, in the order of the draw; ``people`` has names by user name."""
    return Table(
        key=f"mau-{sample.seed}",
        title=f"Mẫu kiểm tra, hạt giống {sample.seed}",
        columns=(
            Column(title="Thứ tự", kind=Kind.NUMBER, width=8),
            *_WORK,
            Column(title="Hạn", kind=Kind.DATE, width=13),
            Column(title="Hoàn thành", kind=Kind.DATE, width=13),
            Column(title="Người xác nhận", width=24),
            Column(title="Tài liệu", width=60),
            Column(title="Chữ ký số của tệp", width=48),
        ),
        lines=tuple(
            Line(
                values=(
                    number,
                    row.item,
                    row.period_label,
                    row.agency_name,
                    row.due_on,
                    row.completed_on,
                    identity_words(row.confirmed_by, people),
                    "\n".join(paper_words(one) for one in sample.papers.get(row.id, ()))
                    or "(chưa có tài liệu)",
                    "\n".join(
                        check_words(one) for one in sample.papers.get(row.id, ()) if one.sha256
                    )
                    or None,
                ),
                href=f"/viec/{row.id}",
            )
            for number, row in enumerate(sample.rows, start=1)
        ),
        notes=tuple(notes),
        empty="Chưa có kết quả đã xác nhận nào khớp điều kiện.",
        linked=1,
    )


def paper_words(paper: SampledPaper) -> str:
    """A paper in one line."""
    parts = [paper.code or "", f"ngày {paper.issued_on}" if paper.issued_on else ""]
    if paper.sha256:
        parts.append(f"tệp {paper.file_name} (SHA-256 {paper.sha256[:16]}…)")
    return " ".join(part for part in parts if part)


def check_words(paper: SampledPaper) -> str:
    """What a file is as a paper, in one line."""
    if paper.check is None:
        return f"{paper.file_name}: không phải tệp PDF, không kiểm tra chữ ký số"
    return f"{paper.file_name}: {paper.check.line}"


def identity_words(identity: str | None, people: Mapping[str, str]) -> str | None:
    """Who stands behind a stored identity, as people read it; ``people`` has names by user name.

    The user name stays beside the name: two people may have the same name.
    """
    if identity == "accept":
        return "Hệ thống ghi nhận"
    kind, _, name = (identity or "").partition(":")
    if kind == "account" and name in people:
        return f"{people[name]} ({name})"
    word = {"account": "tài khoản", "mailbox": "hộp thư", "token": "mã API"}.get(kind)
    return f"{word} {name}" if word else identity


def reading_table(
    rows: Iterable[AccessLog], people: Mapping[str, str], notes: Sequence[str] = ()
) -> Table:
    """Who read or exported what; ``people`` has names by user name."""
    words = {"EXPORT": "Xuất tệp", "FILE": "Tải tài liệu", "GET": "Xem", "HEAD": "Xem"}
    return Table(
        key="nhat-ky-xem",
        title="Nhật ký xem và xuất dữ liệu",
        columns=(
            Column(title="Lúc", kind=Kind.MOMENT, width=18),
            Column(title="Ai", width=28),
            Column(title="Việc", width=14),
            Column(title="Trang, tài liệu", width=60),
            Column(title="Địa chỉ mạng", width=16),
        ),
        lines=tuple(
            Line(
                values=(
                    row.at,
                    identity_words(row.actor, people),
                    words.get(row.method, row.method),
                    row.path,
                    row.address,
                )
            )
            for row in rows
        ),
        notes=tuple(notes),
        empty="Chưa ghi nhận lượt xem nào.",
    )


def findings_table(rows: Iterable[Finding], agencies: Mapping[str, str], today: date) -> Table:
    """Findings of inspections, followed until they are mended (rule 45)."""
    return Table(
        key="kien-nghi",
        title="Kiến nghị kiểm tra",
        columns=(
            Column(title="Kết luận", width=18),
            Column(title="Ngày kết luận", kind=Kind.DATE, width=13),
            Column(title="Cơ quan phải khắc phục", width=34),
            Column(title="Nội dung kiến nghị", width=60),
            Column(title="Khắc phục trước", kind=Kind.DATE, width=13),
            *(Column(title="Tình trạng", width=22), Column(title="Lưu ý", width=12)),
            *(
                Column(title="Báo cáo khắc phục", width=50),
                Column(title="Văn bản báo cáo", width=18),
            ),
            Column(title="Kết thúc lúc", kind=Kind.MOMENT, width=18),
            *(Column(title="Căn cứ kết thúc", width=40), Column(title="Văn bản", width=18)),
        ),
        lines=tuple(
            Line(
                values=(
                    *(row.document_code, row.issued_on),
                    *(agencies.get(row.agency_key, row.agency_key), row.text, row.due_on),
                    *(STATE_WORDS[row.state], "quá hạn" if is_overdue(row, today) else None),
                    *(row.report, row.report_document, row.closed_at),
                    *(row.closing_reason, row.closing_document),
                )
            )
            for row in rows
        ),
    )
