"""The queues of those who decide and the list of one agency, as files hold them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from sqlalchemy.orm import Session

from operations.queries import WorkRow
from operations.queries_detail import work_detail
from operations.queries_views import ExtensionView, ObstacleView
from operations.queues import ProposalView
from portal.views import AgencyList, Card, Reader
from portal.words import EXTENSION_WORDS, OBSTACLE_WORDS, date_word, workdays
from reports.tables import Column, Kind, Line, Table, Value
from rules.lifecycle import ACTION_WORDS
from rules.timeliness import confirmer_days
from rules.values import Role

_AGENCY = Column(title="Cơ quan", width=34)
_ITEM = (Column(title="Nhiệm vụ", width=14), Column(title="Kỳ", width=14))


def _day(title: str) -> Column:
    return Column(title=title, kind=Kind.DATE, width=13)


def _moment(title: str) -> Column:
    return Column(title=title, kind=Kind.MOMENT, width=18)


def _count(title: str) -> Column:
    return Column(title=title, kind=Kind.NUMBER, width=12)


def _said(reader: Reader, row: WorkRow) -> tuple[Value, ...]:
    return (row.agency_name, _code(reader, row), row.period_label)


def _code(reader: Reader, row: WorkRow) -> str:
    return f"{reader.state(row.plan).plan.short_code} · {row.item}"


def results_table(session: Session, rows: Iterable[WorkRow], as_of: date) -> Table:
    """Results that wait for confirmation, with what was filed last."""
    reader = Reader(session, as_of)
    lines = []
    for row in rows:
        detail = work_detail(session, row.id, as_of=as_of)
        calendar, policies = detail.state.calendar, detail.plan.policies
        since, filed = row.submitted_on or as_of, detail.results[:1]
        over = confirmer_days(since, as_of, calendar, allowed=policies.confirm_workdays)
        papers = [one for result in filed for one in result.papers]
        values = (
            *_said(reader, row),
            *(row.due_on, row.submitted_on, workdays(calendar, since, as_of) or 0, over or None),
            row.returns or None,
            "; ".join(one.code or one.file_name or "" for one in papers) or None,
            filed[0].text if filed else None,
            "cơ quan điều phối tự xác nhận" if detail.own else None,
        )
        lines.append(Line(values=values, href=f"/viec/{row.id}"))
    return Table(
        key="cho-xac-nhan",
        title="Kết quả chờ xác nhận",
        columns=(
            *(_AGENCY, *_ITEM, _day("Hạn"), _day("Gửi ngày"), _count("Đã chờ (ngày làm việc)")),
            *(_count("Quá quy định (ngày làm việc)"), _count("Số lần đề nghị bổ sung")),
            *(Column(title="Tài liệu", width=36), Column(title="Nội dung", width=60)),
            Column(title="Ghi chú", width=28),
        ),
        lines=tuple(lines),
    )


def extensions_table(
    session: Session, asked: Iterable[tuple[WorkRow, ExtensionView]], as_of: date
) -> Table:
    """Requests for another date that wait for a decision."""
    reader = Reader(session, as_of)
    return Table(
        key="gia-han",
        title="Đề nghị gia hạn đang chờ",
        columns=(
            *(_AGENCY, *_ITEM, _day("Hạn ban đầu"), _day("Hạn hiện nay"), _day("Đề nghị đến")),
            *(_day("Đề nghị ngày"), Column(title="Người đề nghị", width=24)),
            *(Column(title="Lý do", width=50), Column(title="Giải trình", width=40)),
            *(_count("Đã gia hạn (lần)"), Column(title="Ghi chú", width=26)),
        ),
        lines=tuple(
            Line(
                values=(
                    *_said(reader, row),
                    *(row.original_due_on, row.due_on, one.requested_due_on, one.asked_on),
                    *(one.asked_name, one.reason, one.explanation, row.extensions),
                    "đề nghị khi đã quá hạn" if one.asked_overdue else None,
                ),
                href=f"/viec/{row.id}",
            )
            for row, one in asked
        ),
    )


def obstacles_table(
    session: Session, found: Iterable[tuple[str, WorkRow | None, ObstacleView]], as_of: date
) -> Table:
    """Obstacles that wait for an answer, and those answered that nobody has closed."""
    reader = Reader(session, as_of)
    return Table(
        key="vuong-mac",
        title="Vướng mắc, kiến nghị",
        columns=(
            *(_AGENCY, *_ITEM, _moment("Phản ánh lúc"), Column(title="Nội dung", width=60)),
            *(Column(title="Tình trạng", width=30), Column(title="Văn bản báo cáo", width=20)),
            *(_moment("Trả lời lúc"), Column(title="Nội dung trả lời", width=60)),
            Column(title="Văn bản trả lời", width=20),
        ),
        lines=tuple(
            Line(
                values=(
                    *(_said(reader, row) if row else (name, None, None)),
                    *(one.raised_at, one.text, OBSTACLE_WORDS[one.state], one.document_code),
                    *(one.answered_at, one.answer, one.answer_document),
                ),
                href=f"/viec/{row.id}" if row else None,
            )
            for name, row, one in found
        ),
    )


def steps_table(
    session: Session,
    steps: Iterable[tuple[WorkRow, ProposalView | None, ExtensionView | None]],
    as_of: date,
) -> Table:
    """First steps that wait for a leader's (rule 20)."""
    reader = Reader(session, as_of)
    lines = []
    for row, proposal, extension in steps:
        said: tuple[Value, ...] = ()
        if proposal is not None:
            word = ACTION_WORDS[proposal.action]
            said = (word, proposal.due_on, proposal.reason, proposal.proposed_by)
            said += (proposal.proposed_at, None)
        elif extension is not None:
            due = extension.granted_due_on or extension.requested_due_on
            said = (EXTENSION_WORDS[extension.state], due, extension.reason, extension.asked_name)
            said += (extension.asked_at, extension.decision_reason)
        lines.append(Line(values=(*_said(reader, row), row.due_on, *said), href=f"/viec/{row.id}"))
    return Table(
        key="de-xuat",
        title="Đề xuất chờ lãnh đạo duyệt",
        columns=(
            *(_AGENCY, *_ITEM, _day("Hạn hiện nay"), Column(title="Đề xuất", width=30)),
            *(
                _day("Hạn mới"),
                Column(title="Lý do", width=50),
                Column(title="Người nêu", width=24),
            ),
            *(_moment("Nêu lúc"), Column(title="Ý kiến chuyên viên", width=40)),
        ),
        lines=tuple(lines),
    )


_OWN = (
    *_ITEM,
    *(Column(title="Nội dung nhiệm vụ", width=60), Column(title="Vai trò", width=11)),
    *(Column(title="Phần", width=22), Column(title="Tình trạng", width=26)),
    *(Column(title="Loại hạn", width=14), _day("Hạn"), _day("Trả lời, bổ sung trước")),
    *(_day("Gửi ngày"), _day("Ngày hoàn thành"), Column(title="Lưu ý", width=30)),
)


def own_table(agency_name: str, found: AgencyList) -> Table:
    """One agency's work, as its own list shows it and nobody else's (rule 46)."""
    parts: Mapping[str, Sequence[Card]] = {
        "Đang mở": found.asks,
        "Đã gửi, đang chờ": found.waits,
        "Đã hoàn thành, kết thúc": found.closed,
    }
    return Table(
        key="nhiem-vu-co-quan",
        title=f"Nhiệm vụ của {agency_name}",
        columns=_OWN,
        lines=tuple(_own_line(part, card) for part, cards in parts.items() for card in cards),
    )


def _own_line(part: str, card: Card) -> Line:
    row = card.row
    lead = row.role is Role.LEAD
    return Line(
        values=(
            *(f"{card.plan.short_code} · {row.item}", row.period_label, card.item.text.task),
            *("Chủ trì" if lead else "Phối hợp", part, row.status_word),
            *(date_word(row) if lead else None, row.due_on if lead else None, row.respond_by),
            *(row.submitted_on, row.completed_on, card.pill.text),
        )
    )
