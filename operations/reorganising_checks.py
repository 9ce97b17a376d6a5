"""Whether a change of agencies can be, among the agencies and the open work of now (rules 9, 35)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.tables import AgencyRow, Assignment, Occurrence
from operations.errors import Refused
from operations.guards import clean_document, vn_date
from operations.stamp import Stamp
from operations.state import PlanState, load_directory, load_state, plan_keys
from rules.directory import Directory, parties_on
from rules.lifecycle import MOVABLE
from rules.reorganising import (
    ChangeKind,
    Problem,
    Reorganisation,
    default_groups,
    successions_of,
)
from rules.reorganising_checks import directory_problems, shape_problems
from rules.values import Agency, Member

KINDS = {
    "office": "Văn phòng",
    "inspectorate": "Thanh tra",
    "department": "Sở",
    "board": "Ban, ban quản lý",
    "district": "UBND cấp huyện",
    "ward": "UBND phường",
    "commune": "UBND xã",
    "special_zone": "Đặc khu",
    "vertical": "Cơ quan ngành dọc",
    "unit": "Đơn vị sự nghiệp",
}
"""What people read for each kind of agency that forms offer."""


def problems_of(session: Session, stamp: Stamp, one: Reorganisation) -> list[Problem]:
    """Everything that keeps a change from being recorded; empty when nothing does."""
    problems = [*_document_problems(stamp, one), *shape_problems(one)]
    directory = load_directory(session)
    states = [load_state(session, key) for key in plan_keys(session)]
    items = {item.key for state in states for item in state.plan.every_item}
    problems += directory_problems(one, directory, items)
    problems += _kind_problems(session, one)
    if problems:
        return problems
    problems += _work_problems(session, one)
    for state in states:
        problems += _party_problems(state, one, directory)
    return problems


def _document_problems(stamp: Stamp, one: Reorganisation) -> Iterator[Problem]:
    try:
        if clean_document(one.document_code) is None:
            text = "Đề nghị ghi số, ký hiệu văn bản sắp xếp, ví dụ 1667/NQ-UBTVQH15."
            yield Problem(field="document", text=text)
    except Refused as error:
        yield Problem(field="document", text=str(error))
    if one.document_issued_on is not None and one.document_issued_on > stamp.as_of:
        text = f"Ngày văn bản {vn_date(one.document_issued_on)} chưa đến; đề nghị kiểm tra lại."
        yield Problem(field="issued_on", text=text)


def _kind_problems(session: Session, one: Reorganisation) -> Iterator[Problem]:
    known = {*KINDS, *session.scalars(select(AgencyRow.kind).distinct())}
    for n, heir in enumerate(one.successors):
        if heir.new is not None and heir.new.kind is not None and heir.new.kind not in known:
            words = ", ".join(sorted(known))
            text = f"Không có loại cơ quan “{heir.new.kind}”; chọn một trong: {words}."
            yield Problem(field=f"successors.{n}.kind", text=text)


def _work_problems(session: Session, one: Reorganisation) -> Iterator[Problem]:
    movable = (
        select(Occurrence.item_key, Occurrence.period_key, Occurrence.opens_on)
        .join(Assignment, Assignment.occurrence_id == Occurrence.id)
        .where(
            Assignment.agency_key.in_(one.predecessors),
            Assignment.status.in_([status.value for status in MOVABLE]),
        )
    )
    if one.kind is ChangeKind.END and not (one.reason or "").strip():
        count = session.scalars(select(func.count()).select_from(movable.subquery())).one()
        if count:
            text = (
                f"Còn {count} phân công đang mở sẽ thôi theo dõi; đề nghị ghi lý do, hoặc chọn "
                "hợp nhất, chia tách và nêu cơ quan tiếp nhận."
            )
            yield Problem(field="reason", text=text)
    if one.late:
        return
    opened = session.execute(
        movable.where(Occurrence.opens_on >= one.effective_on)
        .order_by(Occurrence.opens_on.desc())
        .limit(1)
    ).one_or_none()
    if opened is not None:
        item, period, day = opened
        text = (
            f"Từ ngày {vn_date(one.effective_on)} đã mở việc theo cơ quan cũ (mới nhất: {item}, kỳ "
            f"{period}, mở {vn_date(day)}). Chọn ngày hiệu lực sau {vn_date(day)}, hoặc đánh dấu "
            "“chuyển cả việc đã mở sau ngày hiệu lực”."
        )
        yield Problem(field="effective_on", text=text)


def _party_problems(
    state: PlanState, one: Reorganisation, directory: Directory
) -> Iterator[Problem]:
    """No item loses its last lead, and the plan keeps its coordinator."""
    after = sketch(one, directory)
    day, place = one.effective_on, f"predecessors.{max(len(one.predecessors) - 1, 0)}"
    if directory.follow(state.plan.coordinator, day) and not after.follow(
        state.plan.coordinator, day
    ):
        text = "Đây là cơ quan điều phối của Đề án; đề nghị nêu cơ quan tiếp nhận."
        yield Problem(field=place, text=text)
        return
    alone = [
        item.key
        for item in state.plan.every_item
        if parties_on(item, directory, day)[0] and not parties_on(item, after, day)[0]
    ]
    if alone:
        text = (
            f"Nhiệm vụ {', '.join(alone)} sẽ không còn cơ quan chủ trì; đề nghị nêu cơ quan tiếp "
            "nhận, hoặc sửa chủ thể của nhiệm vụ trong danh mục trước."
        )
        yield Problem(field=place, text=text)


def sketch(one: Reorganisation, directory: Directory) -> Directory:
    """The directory after a change, without writing it: for asking who would lead what."""
    names = {n: heir.agency or f"moi_{n}" for n, heir in enumerate(one.successors)}
    new = [
        Agency(key=names[n], name=heir.new.name, kind="", valid_from=one.effective_on)
        for n, heir in enumerate(one.successors)
        if heir.new is not None
    ]
    old = [
        replace(agency, valid_to=one.last_day) if agency.key in one.predecessors else agency
        for agency in directory.agencies
    ]
    return Directory(
        agencies=[*old, *new],
        groups=[
            replace(
                group,
                members=(
                    *group.members,
                    *(
                        Member(ref=names[n], valid_from=one.effective_on)
                        for n, heir in enumerate(one.successors)
                        if group.key in default_groups(one, heir, directory)
                    ),
                ),
            )
            for group in directory.groups
        ],
        successions=[*directory.successions, *successions_of(one, list(names.values()))],
    )
