"""``tiendo history``: what was done, by whom, when, on which paper."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.app import Command, app
from cli.output import ABSENT, shown_instant
from cli.params import AgencyKey, ItemKey, PlanKey, instant, number

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from operations.queries import HistoryFilter, HistoryLine

SHOWN = 50
"""How many events people are shown when they name no number."""


@app.command("history", cls=Command)
def history_(
    ctx: typer.Context,
    *,
    assignment: Annotated[
        int | None,
        typer.Option(
            "--assignment", parser=number, metavar="SỐ", help="Chỉ phân công này và kết quả của nó."
        ),
    ] = None,
    item: ItemKey = None,
    agency: AgencyKey = None,
    action: Annotated[
        str | None,
        typer.Option("--action", metavar="TỪ", help="Chỉ việc này, ví dụ submit, confirm, assign."),
    ] = None,
    plan: PlanKey = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--since", parser=instant, metavar="LÚC", help="Từ ngày hoặc thời điểm này (UTC)."
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            parser=number,
            metavar="SỐ",
            help=f"Chỉ chừng này sự kiện mới nhất; mặc định {SHOWN}, với --json là tất cả.",
        ),
    ] = None,
) -> None:
    """Lịch sử, cũ trước mới sau; mỗi sự kiện có mã băm của nó."""
    from cli.edge import reading
    from cli.lookups import known_agency, known_item
    from operations.queries import HistoryFilter

    with reading(ctx) as (here, session):
        here.plans(plan)
        known_agency(session, agency)
        known_item(here, item, plan)
        asked = HistoryFilter(plan=plan, item=item, agency=agency, action=action, since=since)
        most = limit or (None if here.out.as_json else SHOWN)
        rows = (
            _newest(session, asked, most)
            if assignment is None
            else _of_assignment(session, assignment, asked, most)
        )
        zone = here.time_zone(plan)
        for one in rows:
            here.out.record(one.as_json())
        if rows:
            here.out.table(
                ("Số", "Lúc", "Việc", "Nội dung", "Cơ quan", "Người thực hiện", "Lý do", "Mã băm"),
                [_line(one, zone) for one in rows],
                keep=(0, 1, 7),
            )
        here.out.say(f"{len(rows)} sự kiện.")


def _line(one: HistoryLine, zone: str) -> tuple[object, ...]:
    about = " · ".join(part for part in (one.item, one.period) if part)
    return (
        one.id,
        shown_instant(one.at, zone),
        one.action,
        f"{one.entity} {one.entity_id}{f' ({about})' if about else ''}",
        one.agency or ABSENT,
        one.actor_name,
        one.reason or ABSENT,
        one.digest[:12],
    )


def _newest(session: Session, asked: HistoryFilter, most: int | None) -> list[HistoryLine]:
    """The last ``most`` events that fit, oldest first.

    Ids grow with time, so a window from the end is widened until it holds enough: the whole
    history is never read for its last page.
    """
    from sqlalchemy import func, select

    from models.tables import Event
    from operations.queries import history

    if most is None:
        return history(session, asked)
    last = session.scalar(select(func.max(Event.id))) or 0
    width = max(most, 500)
    while True:
        found = history(session, replace(asked, after_id=last - width))
        if len(found) >= most or width >= last:
            return found[-most:]
        width *= 8


def _of_assignment(
    session: Session, assignment: int, asked: HistoryFilter, most: int | None
) -> list[HistoryLine]:
    from models.tables import Assignment
    from operations.errors import NotFound
    from operations.queries import history_of

    if session.get(Assignment, assignment) is None:
        msg = f"Không có phân công số {assignment}. Xem “tiendo work list” để lấy đúng số."
        raise NotFound(msg, field="assignment")
    found = [
        one
        for one in history_of(session, assignment)
        if (asked.action is None or one.action == asked.action)
        and (asked.item is None or one.item == asked.item)
        and (asked.plan is None or one.plan == asked.plan)
        and (asked.agency is None or one.agency == asked.agency)
        and (asked.since is None or one.at >= asked.since)
    ]
    return found if most is None else found[-most:]
