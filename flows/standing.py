"""How an item stands, read from the database as the values that ``rules.run_state`` judges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from sqlalchemy import RowMapping, bindparam, select
from sqlalchemy.orm import Session

from models.tables import Assignment, Occurrence
from operations.opening import OpeningResult
from operations.reminding import RemindResult
from rules.lifecycle import Status
from rules.run_state import PeriodWork, RunState, current, figures
from rules.timeliness import CELL_WORDS, Work
from rules.values import DateAuthority, ItemKind, Role, TrackingMode

OUTSIDE = "Ngoài bốn nhóm (thường xuyên, ghi nhận, đã chuyển, thôi theo dõi)"


_PERIODS = (
    select(
        Occurrence.id,
        Occurrence.period_key,
        Occurrence.period_last,
        Occurrence.due_on.label("occurrence_due_on"),
        Occurrence.kind,
        Occurrence.mode,
        Assignment.status,
        Assignment.status_before,
        Assignment.authority,
        Assignment.due_on,
        Assignment.completed_on,
        Assignment.respond_by,
        Assignment.suspended_on,
    )
    .outerjoin(
        Assignment,
        (Assignment.occurrence_id == Occurrence.id) & (Assignment.role == Role.LEAD.value),
    )
    .where(Occurrence.plan_key == bindparam("plan"), Occurrence.item_key == bindparam("item"))
    .order_by(Occurrence.period_first, Assignment.id)
)


def item_periods(session: Session, plan: str, item: str) -> list[PeriodWork]:
    """All periods of the item with the work of its leads."""
    rows = session.execute(_PERIODS, {"plan": plan, "item": item}).mappings()
    heads: dict[int, tuple[str, date, date]] = {}
    works: dict[int, list[Work]] = {}
    for row in rows:
        number = row["id"]
        heads[number] = (row["period_key"], row["period_last"], row["occurrence_due_on"])
        found = works.setdefault(number, [])
        if row["status"] is not None:
            found.append(_work(row))
    return [
        PeriodWork(period_key=key, period_last=last, due_on=due, works=tuple(works[number]))
        for number, (key, last, due) in heads.items()
    ]


def _work(row: RowMapping) -> Work:
    return Work(
        status=Status(row["status"]),
        status_before=None if row["status_before"] is None else Status(row["status_before"]),
        kind=ItemKind(row["kind"]),
        mode=TrackingMode(row["mode"]),
        provisional=row["authority"] == DateAuthority.PROVISIONAL.value,
        due_on=row["due_on"],
        completed_on=row["completed_on"],
        respond_by=row["respond_by"],
        suspended_on=row["suspended_on"],
    )


def item_figures(
    periods: Iterable[PeriodWork], as_of: date, opened: OpeningResult, reminded: RemindResult
) -> dict[str, int]:
    """The figures of a run, by their Vietnamese labels, in the order people read them."""
    periods = list(periods)
    counts = figures(periods, as_of)
    return {
        "Kỳ mở trong lần chạy này": len(opened.occurrences),
        "Phân công mở trong lần chạy này": opened.assignments,
        "Phân công chuyển cơ quan tiếp nhận": opened.moved.total,
        "Kỳ đang theo dõi": len(current(periods, as_of)),
        "Kỳ đã hoàn thành": sum(one.complete for one in periods),
        **{word: counts.get(one, 0) for one, word in CELL_WORDS.items()},
        OUTSIDE: counts.get(None, 0),
        "Dòng nhắc đưa vào thư": reminded.rungs + reminded.notices,
        "Thư lập mới": reminded.letters + reminded.at_once,
        "Thư tạm giữ": reminded.held,
    }


def item_message(state: RunState, found: Mapping[str, int]) -> str:
    """One sentence for people: the state, then the figures that are not zero."""
    told = "; ".join(f"{label}: {count}" for label, count in found.items() if count)
    return f"{state}. {told or 'Không có việc phát sinh'}."
