"""``tiendo work``: which work there is, and one piece of it with all that happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.app import Command, group
from cli.output import ABSENT, Output, shown, shown_instant
from cli.params import AgencyKey, AsOf, PlanKey, number, one_of, period
from cli.words import CELLS, ROLES, STATUSES

if TYPE_CHECKING:
    from operations.queries import HistoryLine, WorkRow

work = group("work", "Công việc: danh sách và chi tiết.")


@work.command("list", cls=Command)
def list_(
    ctx: typer.Context,
    *,
    item: Annotated[
        list[str] | None,
        typer.Option("--item", metavar="MÃ", help="Nhiệm vụ, ví dụ II.3; lặp lại được."),
    ] = None,
    agency: AgencyKey = None,
    status: Annotated[
        list[str] | None,
        typer.Option(
            "--status",
            parser=one_of(STATUSES, "trạng thái"),
            metavar="TỪ",
            help=f"Trạng thái, lặp lại được: {', '.join(STATUSES)}.",
        ),
    ] = None,
    periods: Annotated[
        list[str] | None,
        typer.Option(
            "--period", parser=period, metavar="KỲ", help="Kỳ 2027, 2027-Q4 hoặc 2027-03."
        ),
    ] = None,
    role: Annotated[
        str | None,
        typer.Option(
            "--role", parser=one_of(ROLES, "vai trò"), metavar="TỪ", help="lead hoặc partner."
        ),
    ] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Chỉ việc quá hạn.")] = False,
    plan: PlanKey = None,
    as_of: AsOf = None,
) -> None:
    """Liệt kê phân công: mã, kỳ, cơ quan, trạng thái, hạn."""
    from cli.edge import reading
    from cli.lookups import known_agency, known_item
    from operations.queries import work_list
    from rules.lifecycle import Status
    from rules.timeliness import Cell
    from rules.values import Role

    with reading(ctx) as (here, session):
        here.plans(plan)
        known_agency(session, agency)
        for one in item or ():
            known_item(here, one, plan)
        rows = work_list(
            session,
            as_of=as_of or here.today(plan),
            plan=plan,
            items=item or None,
            periods=periods or None,
            agency=agency,
            roles=[Role(role)] if role else None,
            statuses=[Status(one) for one in status] if status else None,
            cells=[Cell.OPEN_OVERDUE] if overdue else None,
        )
        for row in rows:
            here.out.record(row.as_json())
        if rows:
            here.out.table(_COLUMNS, [_line(row) for row in rows], keep=(0, 1, 2, 6))
        here.out.say(f"{len(rows)} phân công.")


_COLUMNS = ("Số", "Mã", "Kỳ", "Cơ quan", "Vai trò", "Trạng thái", "Hạn", "Đánh giá")


def _line(row: WorkRow) -> tuple[object, ...]:
    return (
        row.id,
        row.item,
        row.period,
        row.agency_name,
        ROLES[row.role],
        row.status_word,
        f"{shown(row.due_on)}{' (dự kiến)' if row.provisional else ''}",
        CELLS[row.timeliness] if row.timeliness else ABSENT,
    )


@work.command("show", cls=Command)
def show(
    ctx: typer.Context,
    assignment: Annotated[
        int, typer.Argument(parser=number, metavar="ID", help="Số của phân công.")
    ],
    as_of: AsOf = None,
) -> None:
    """Một phân công: nguyên văn nhiệm vụ, ngày tháng, kết quả, lịch sử."""
    from cli.edge import reading
    from operations.errors import NotFound
    from operations.queries import history_of, work_one
    from operations.state import load_plan

    with reading(ctx) as (here, session):
        row = work_one(session, assignment, as_of=as_of or here.today())
        if row is None:
            msg = f"Không có phân công số {assignment}. Xem “tiendo work list” để lấy đúng số."
            raise NotFound(msg, field="assignment")
        item = load_plan(session, row.plan, row.plan_version).item(row.item)
        events = history_of(session, assignment)
        here.out.record(
            {
                **row.as_json(),
                "task": item.text.task,
                "expected": item.calendar.expected,
                "kind": row.kind,
                "mode": row.mode,
                "lead_mode": row.lead_mode,
                "milestone": row.milestone,
                "document": row.document_code,
                "respond_by": row.respond_by,
                "submitted_on": row.submitted_on,
                "completed_on": row.completed_on,
                "late_entry": row.late_entry,
                "self_confirmed": row.self_confirmed,
                "returns": row.returns,
                "version": row.version,
                "history": [one.as_json() for one in events],
            }
        )
        zone = here.time_zone(row.plan)
        here.out.fields(_facts(row, item.text.task, zone), title=f"Phân công số {row.id}")
        _show_history(here.out, events, zone)


def _facts(row: WorkRow, task: str, zone: str) -> list[tuple[str, object]]:
    """What people are shown of one assignment, empty lines left out."""
    pairs: list[tuple[str, object]] = [
        ("Nhiệm vụ", f"{row.item} · {task}"),
        ("Kỳ", row.period_label),
        ("Cơ quan", f"{row.agency_name} ({row.agency}), {ROLES[row.role].lower()}"),
        ("Trạng thái", row.status_word),
        ("Đánh giá", CELLS[row.timeliness] if row.timeliness else ABSENT),
        ("Hạn", f"{shown(row.due_on)}{' (mốc dự kiến)' if row.provisional else ''}"),
        ("Hạn ban đầu", shown(row.original_due_on)),
        ("Ngày mở", shown(row.opens_on)),
    ]
    rest: list[tuple[str, object]] = [
        ("Văn bản ấn định hạn", row.document_code),
        ("Bổ sung trước ngày", row.respond_by and shown(row.respond_by)),
        ("Nội dung đề nghị phối hợp", row.request_text),
        ("Cập nhật kết quả lúc", row.submitted_at and shown_instant(row.submitted_at, zone)),
        ("Ngày hoàn thành", row.completed_on and shown(row.completed_on)),
        ("Cập nhật chậm", "có" if row.late_entry else None),
        ("Xác nhận lúc", row.confirmed_at and shown_instant(row.confirmed_at, zone)),
        ("Số lần gia hạn", row.extensions or None),
        ("Lần thực hiện", row.round if row.round > 1 else None),
        ("Phiên bản dòng", row.version),
    ]
    return pairs + [(name, value) for name, value in rest if value]


def _show_history(out: Output, events: list[HistoryLine], zone: str) -> None:
    out.table(
        ("Lúc", "Việc", "Người thực hiện", "Văn bản", "Lý do"),
        [
            (
                shown_instant(one.at, zone),
                f"{one.entity} · {one.action}",
                one.actor_name,
                one.document or ABSENT,
                one.reason or ABSENT,
            )
            for one in events
        ],
        title="Lịch sử",
    )
