"""The figures that group chats are told: the week's, and the number overdue when it changes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Outlet, OutwardMessage
from notifications.formats import vn_date, vn_number
from operations.outlets import Topic, put
from operations.queries import WorkRow, cell_counts, work_list
from operations.stamp import Stamp
from operations.state import load_calendar, plan_keys
from rules.added import is_added
from rules.restore_gap import Gap
from rules.timeliness import Cell
from rules.values import Role


def of_figures(
    session: Session, stamp: Stamp, row: Outlet, portal_url: str, gap: Gap | None
) -> int:
    """Queue the week's figures and a changed number overdue for a chat; how many messages.

    What may have been said in ``gap``, before a restore, is held.
    """
    calendar = load_calendar(session)
    if not calendar.is_working(stamp.as_of):
        return 0
    topics, made = row.topics.split(), 0
    rows = _counted(session, stamp, row)
    cells = cell_counts(rows)
    late, end = cells[Cell.OPEN_OVERDUE], f"Xem tại {portal_url.rstrip('/')}/"
    whose = "Của cơ quan" if row.agency_key else "Tất cả cơ quan"
    if Topic.WEEK in topics:
        monday = stamp.as_of - timedelta(days=stamp.as_of.weekday())
        text = (
            f"Kính gửi Anh/Chị, số liệu đến ngày {vn_date(stamp.as_of)}. {whose}: hoàn thành đúng "
            f"hạn {vn_number(cells[Cell.DONE_IN_TIME])}, hoàn thành quá hạn "
            f"{vn_number(cells[Cell.DONE_LATE])}, đang thực hiện trong hạn "
            f"{vn_number(cells[Cell.OPEN_IN_TIME])}, quá hạn {vn_number(late)}. {end}"
        )
        gone = gap is not None and gap.day_may_have_gone(calendar.first_working_of_week(monday))
        key = f"week-{monday}"
        made += put(session, stamp, row, key=key, topic=Topic.WEEK, body=text, held=gone)
    if Topic.OVERDUE in topics and late != _last_count(session, row):
        text = (
            f"Kính gửi Anh/Chị, đến ngày {vn_date(stamp.as_of)} {whose.lower()} có "
            f"{vn_number(late)} việc quá hạn. Trân trọng đề nghị quan tâm cập nhật. {end}"
            if late
            else f"Đến ngày {vn_date(stamp.as_of)} {whose.lower()} không còn việc quá hạn. "
            f"Trân trọng cảm ơn. {end}"
        )
        key = f"overdue-{stamp.as_of}-{late}"
        gone = gap is not None and gap.day_may_have_gone(stamp.as_of)
        made += put(session, stamp, row, key=key, topic=Topic.OVERDUE, body=text, held=gone)
    return made


def _counted(session: Session, stamp: Stamp, row: Outlet) -> Iterable[WorkRow]:
    """Leads of the appendix in this year, of one agency where the group is that agency's."""
    return [
        one
        for plan in plan_keys(session)
        for one in work_list(
            session,
            as_of=stamp.as_of,
            plan=plan,
            year=stamp.as_of.year,
            agency=row.agency_key,
            roles=[Role.LEAD],
        )
        if not is_added(one.item)
    ]


def _last_count(session: Session, row: Outlet) -> int:
    """The number that was told last; 0 before the first time, so that nothing is said of none."""
    key = session.scalar(
        select(OutwardMessage.key)
        .where(OutwardMessage.outlet_id == row.id, OutwardMessage.topic == Topic.OVERDUE.value)
        .order_by(OutwardMessage.id.desc())
        .limit(1)
    )
    return int(key.rpartition("-")[2]) if key else 0
