"""Open data: what the coordinator has opened to everybody, and what of it may be told.

Nobody's open standing, no extension, no text, file or name of a person ever leaves by here (rules
40, 46): confirmed results by their document, and dates that a document fixed for all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.bulk import allocate_ids
from models.tables import (
    Assignment,
    Evidence,
    Occurrence,
    OpenDataSwitch,
    PeriodDate,
    StoredFile,
    Submission,
)
from operations.errors import Checks, Conflict, Refused
from operations.guards import need_coordinator, need_text
from operations.history import Change, record, snapshot_of
from operations.stamp import Stamp
from operations.state import load_plan, plan_keys
from rules.added import is_added
from rules.lifecycle import Status
from rules.values import DateAuthority, Plan, Role


class OpenKind(StrEnum):
    """A kind of data that can be opened, and its word in addresses."""

    RESULTS = "results"
    """Documents of confirmed results."""
    DATES = "dates"
    """Due dates that a document fixed."""
    MATERIALS = "materials"
    """Documents of confirmed results of the items that make materials."""


_KEYS: Final = re.compile(r"[\s,;]+")
_PERSONAL: Final = re.compile(r"\S+@\S+|(?:\+?\d[\s.-]?){9,}")
"""An e-mail address or a telephone number inside a title."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """Whether a kind is open, for which items (none named: all), on what basis, by whom."""

    kind: OpenKind
    is_open: bool = False
    items: tuple[str, ...] = ()
    basis: str = ""
    since: date | None = None
    by: str = ""
    number: int = 0
    """The row's number, 0 where there is none: what a form was prepared on (rule 26)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPaper:
    """A document of a confirmed result. ``id`` only grows, and names it for good."""

    id: int
    plan: str
    item: str
    task: str
    period: str
    agency: str
    document: str
    issued_on: date | None
    title: str | None
    confirmed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDate:
    """A due date that a document fixed for an item in a period."""

    id: int
    plan: str
    item: str
    task: str
    period: str
    due_on: date
    document: str
    issued_on: date | None
    set_at: datetime


def switches(session: Session) -> dict[OpenKind, Switch]:
    """Every kind as it is now."""
    found = {kind: Switch(kind=kind) for kind in OpenKind}
    for row in session.scalars(select(OpenDataSwitch).order_by(OpenDataSwitch.id)):
        kind = OpenKind(row.kind)
        found[kind] = Switch(
            kind=kind,
            is_open=row.is_open,
            items=tuple(row.items.split()),
            basis=row.basis,
            since=row.set_on,
            by=row.set_by,
            number=row.id,
        )
    return found


def set_switch(
    session: Session,
    stamp: Stamp,
    kind: OpenKind,
    *,
    is_open: bool,
    items: str = "",
    basis: str,
    expected: int | None = None,
) -> Switch:
    """Open a kind of data to everybody, or close it; ``items`` are keys, however separated.

    Raises:
        NotPermitted: not the coordinator.
        Refused: the basis is missing, an item is unknown, or nothing would change.
        Conflict: somebody else was first (rule 26).
    """
    need_coordinator(stamp)
    before = switches(session)[kind]
    if expected is not None and expected != before.number:
        msg = f"Dữ liệu này vừa được {before.by} thay đổi; đề nghị xem lại."
        raise Conflict(msg)
    checks, word = Checks(), "Đề nghị ghi căn cứ: số, ký hiệu văn bản."
    keys = before.items
    if is_open:
        keys = checks.run(lambda: _known_items(session, kind, items), ())
    cited = checks.run(lambda: need_text(basis, word, field="basis"), "")
    checks.done()
    if (is_open, keys) == (before.is_open, before.items):
        raise Refused("Đang như vậy; không có gì thay đổi.", field="items")
    row = OpenDataSwitch(
        id=allocate_ids(session, OpenDataSwitch.__tablename__, 1)[0],
        kind=kind.value,
        is_open=is_open,
        items=" ".join(keys),
        basis=cited,
        set_on=stamp.as_of,
        set_at=stamp.at,
        set_by=stamp.actor.name,
    )
    session.add(row)
    session.flush()
    change = Change(
        entity="open_data",
        entity_id=kind.value,
        action="open" if is_open else "close",
        snapshot=snapshot_of(row),
        document=cited[:400],
    )
    record(session, stamp, [change])
    return switches(session)[kind]


def _known_items(session: Session, kind: OpenKind, text: str) -> tuple[str, ...]:
    keys = tuple(dict.fromkeys(one for one in _KEYS.split(text) if one))
    if not keys and kind is OpenKind.MATERIALS:
        msg = "Đề nghị ghi mã các nhiệm vụ có tài liệu được công khai, ví dụ II.1, II.4, III.1."
        raise Refused(msg, field="items")
    known = {item.key for plan in _plans(session) for item in plan.items if not is_added(item.key)}
    wrong = [one for one in keys if one not in known]
    if wrong:
        msg = f"Không có nhiệm vụ “{wrong[0][:40]}” trong Phụ lục; ví dụ đúng: II.1, II.4, III.1."
        raise Refused(msg, field="items")
    return keys


def _plans(session: Session) -> list[Plan]:
    return [load_plan(session, key) for key in plan_keys(session)]


def open_papers(
    session: Session, switch: Switch, *, after: int = 0, limit: int, newest: bool = False
) -> list[OpenPaper]:
    """At most ``limit`` documents of confirmed results by number, or the newest first.

    Only what is confirmed now: work that was reopened leaves the list until it is confirmed again.
    """
    order = (Assignment.confirmed_at.desc(), Evidence.id.desc()) if newest else (Evidence.id,)
    query = (
        select(Evidence, Assignment, Occurrence)
        .join(Submission, Submission.id == Evidence.submission_id)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
        .outerjoin(StoredFile, StoredFile.sha256 == Evidence.sha256)
        .where(
            Evidence.id > after,
            Evidence.document_code.is_not(None),
            or_(Evidence.sha256.is_(None), StoredFile.quarantined_at.is_(None)),
            Submission.outcome == "confirmed",
            Submission.round == Assignment.round,
            Assignment.role == Role.LEAD.value,
            Assignment.status == Status.CONFIRMED.value,
            Occurrence.plan_key.in_(plan_keys(session)),
            Occurrence.item_key.in_(_items(session, switch)),
        )
        .order_by(*order)
        .limit(limit)
    )
    tasks = _tasks(session)
    return [
        OpenPaper(
            id=paper.id,
            plan=above.plan_key,
            item=above.item_key,
            task=tasks.get((above.plan_key, above.item_key), ""),
            period=above.period_key,
            agency=row.agency_name,
            document=paper.document_code or "",
            issued_on=paper.issued_on,
            title=None if _PERSONAL.search(paper.title or "") else paper.title or None,
            confirmed_at=row.confirmed_at or row.updated_at,
        )
        for paper, row, above in session.execute(query)
    ]


def open_dates(
    session: Session, switch: Switch, *, after: int = 0, limit: int, newest: bool = False
) -> list[OpenDate]:
    """At most ``limit`` dates that a document fixed, by number, or the newest first."""
    order = (PeriodDate.set_at.desc(), PeriodDate.id.desc()) if newest else (PeriodDate.id,)
    query = (
        select(PeriodDate)
        .where(
            PeriodDate.id > after,
            PeriodDate.authority != DateAuthority.PROVISIONAL.value,
            PeriodDate.document_code != "",
            PeriodDate.plan_key.in_(plan_keys(session)),
            PeriodDate.item_key.in_(_items(session, switch)),
        )
        .order_by(*order)
        .limit(limit)
    )
    tasks = _tasks(session)
    return [
        OpenDate(
            id=row.id,
            plan=row.plan_key,
            item=row.item_key,
            task=tasks.get((row.plan_key, row.item_key), ""),
            period=row.period_key,
            due_on=row.due_on,
            document=row.document_code,
            issued_on=row.document_issued_on,
            set_at=row.set_at,
        )
        for row in session.scalars(query)
    ]


def _items(session: Session, switch: Switch) -> list[str]:
    """The items that are open: those named, or all of the appendix; never work added to it."""
    if switch.items:
        return list(switch.items)
    return sorted(
        {one.key for plan in _plans(session) for one in plan.items if not is_added(one.key)}
    )


def _tasks(session: Session) -> Mapping[tuple[str, str], str]:
    return {(plan.key, one.key): one.text.task for plan in _plans(session) for one in plan.items}
