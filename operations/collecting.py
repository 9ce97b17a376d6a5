"""What is owed to whom on a day: reading only, nothing is written (rules 5, 27, 28, 30)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from models.queries_due import due_assignments, queued_rungs
from models.queries_mail import pending_notices
from operations.address_book import AddressBook, address_book
from operations.loose_lines import collect_loose
from operations.open_plans import OpenPlans
from operations.parcels import Collected, NoticeLine
from operations.remembered import Before
from operations.restored import gap_of, said_before
from operations.rungs_owed import RungReader, collect_rungs
from operations.state import calendar_before_writing, plan_keys
from rules.digest import (
    AT_ONCE,
    RIDES_ALONG,
    NoticeKind,
    Recipient,
    rides_on,
    worth_saying,
)
from rules.lifecycle import Status
from rules.restore_gap import Gap
from rules.shards import Shard
from rules.values import Audience


def collect(
    session: Session,
    as_of: date,
    *,
    plan: str | None = None,
    item: str | None = None,
    shard: Shard | None = None,
    digests: bool = True,
    before: Before | None = None,
) -> Collected:
    """What every mailbox is owed on ``as_of``; only at-once letters when ``digests`` is off.

    Nothing but receipts is owed on a day off (rule 5). ``shard`` narrows to the agencies of a share.
    ``before`` is what :func:`operations.remembered.newest_before_writing` said to a sweep.
    """
    collected = Collected()
    climbs = digests and calendar_before_writing(session, before).is_working(as_of)
    due = due_assignments(session, as_of, plan=plan, item=item) if climbs else ()
    pending = pending_notices(session, plan=plan, item=item)
    if shard is not None:
        due = [row for row in due if shard.holds(row.kind.agency_key)]
        pending = [row for row in pending if shard.holds(row.agency_key)]
    if not (due or pending):
        return collected
    plans = OpenPlans(session, as_of, [plan] if plan else plan_keys(session), before)
    book = address_book(session)
    gap = gap_of(session)
    said = queued_rungs(session, due)
    collect_rungs(due, RungReader(plans, book, as_of=as_of, gap=gap), said, collected)
    _collect_notices(
        session, pending, plans, book, collected, as_of=as_of, gap=gap, digests=digests
    )
    return collected


def _collect_notices(
    session: Session,
    pending: Sequence[Any],
    plans: OpenPlans,
    book: AddressBook,
    collected: Collected,
    *,
    as_of: date,
    gap: Gap | None,
    digests: bool,
) -> None:
    back = _back_again(pending)
    if digests:
        loose = {row.id: row for row in pending if _is_loose(row)}
        _collect_loose(session, loose, as_of, book, collected, gap=gap)
    for row in pending:
        kind = NoticeKind(row.kind)
        state = None if _is_loose(row) else plans.state(row.plan_key)
        if state is None:
            continue
        said_in_vain = kind is NoticeKind.DATE_CHANGED and row.assignment_id in back
        if said_in_vain or not worth_saying(kind, Status(row.status)):
            collected.void.append(row.id)
            continue
        at_once = row.at_once and kind in AT_ONCE
        if not (digests or at_once):
            continue
        rides = rides_on(
            kind,
            at_once=at_once,
            created_on=row.created_on,
            as_of=as_of,
            calendar=state.calendar,
        )
        if not rides and kind not in RIDES_ALONG:
            continue
        found = _notice_recipient(row, book, plans.coordinator(row.plan_key))
        if found is None:
            collected.unreachable += 1
            continue
        if not rides and found.address not in collected.parcels:
            continue
        line = NoticeLine(
            notice_id=row.id,
            assignment_id=row.assignment_id,
            kind=kind,
            mailbox=found.address,
            maybe_said=gap is not None and said_before(session, gap, row),
        )
        if at_once:
            collected.at_once.append((found, line))
        else:
            collected.parcel(found).notices.append(line)


def _back_again(pending: Sequence[Any]) -> set[int]:
    """Assignments whose date moved and came back before anybody was told: nothing has changed."""
    since: dict[int, Any] = {}
    for row in pending:
        if row.kind == NoticeKind.DATE_CHANGED:
            since.setdefault(row.assignment_id, row)
    return {
        number
        for number, row in since.items()
        if json.loads(row.payload)["previous_due_on"] == row.due_on.isoformat()
    }


def _is_loose(row: Any) -> bool:
    return row.assignment_id is None


def _collect_loose(
    session: Session,
    rows: Mapping[int, Any],
    as_of: date,
    book: AddressBook,
    collected: Collected,
    *,
    gap: Gap | None,
) -> None:
    loose = collect_loose(session, rows.values(), as_of, book)
    collected.void += loose.void
    collected.unreachable += loose.unreachable
    for to, number, kind in loose.rides:
        line = NoticeLine(
            notice_id=number,
            assignment_id=None,
            kind=kind,
            mailbox=to.address,
            maybe_said=gap is not None and said_before(session, gap, rows[number]),
        )
        collected.parcel(to).notices.append(line)


def _notice_recipient(row: Any, book: AddressBook, coordinator: str) -> Recipient | None:
    if row.to_address:
        return Recipient(address=row.to_address, agency=row.agency_key, audience=Audience.MAILBOX)
    return book.to_whom(
        Audience(row.audience),
        row.agency_key,
        coordinator=coordinator,
        handler=row.handler_mailbox,
    )
