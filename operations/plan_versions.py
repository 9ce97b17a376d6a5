"""Storing a version of a plan, and which calendars the files said last (rule 8).

A catalog that is applied again must tell an entry that the files changed from one that was edited
in the system, so what the files said of each calendar is kept as a digest.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import date

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from models.tables import PlanVersion
from operations.history import Change, record
from operations.stamp import Stamp
from operations.state import PLAN_ADAPTER, fact, set_fact
from rules.values import Item, ItemCalendar, Plan

_CALENDAR: TypeAdapter[ItemCalendar] = TypeAdapter(ItemCalendar)


def store_version(
    session: Session,
    stamp: Stamp,
    plan: Plan,
    *,
    effective_from: date | None = None,
    action: str = "apply",
    item: str | None = None,
    reason: str | None = None,
    document: str | None = None,
) -> int:
    """Write ``plan`` under its version, with the event that says why; returns the version."""
    content = plan_text(plan)
    row = PlanVersion(
        plan_key=plan.key,
        version=plan.version,
        effective_from=effective_from or plan.effective_from,
        content=content,
        digest=hashlib.sha256(content.encode()).hexdigest(),
        applied_at=stamp.at,
        applied_by=stamp.actor.name,
    )
    session.add(row)
    session.flush()
    change = Change(
        entity="plan",
        entity_id=plan.key,
        action=action,
        snapshot={"version": plan.version, "digest": row.digest, "content": content},
        effective_on=effective_from,
        plan=plan.key,
        item=item,
        reason=reason,
        document=document or plan.decision.code,
    )
    record(session, stamp, [change])
    return plan.version


def plan_text(plan: Plan) -> str:
    """``plan`` as it is stored: the same text for the same plan, in whatever process."""
    found = PLAN_ADAPTER.dump_python(plan, mode="json", exclude={"added"})
    found["policies"]["two_step"].sort()  # of a set, whose order is each process's own
    return json.dumps(found, ensure_ascii=False, sort_keys=True)


def with_calendar(plan: Plan, key: str, calendar: ItemCalendar) -> Plan:
    """``plan`` with another calendar for one item of the decision."""

    def one(item: Item) -> Item:
        return replace(item, calendar=calendar) if item.key == key else item

    return replace(
        plan,
        items=tuple(one(item) for item in plan.items),
        beside=tuple(one(item) for item in plan.beside),
    )


def _fact_key(plan: Plan) -> str:
    return f"calendars.{plan.key}"


def _digests(plan: Plan) -> dict[str, str]:
    return {
        item.key: hashlib.sha256(_CALENDAR.dump_json(item.calendar)).hexdigest()
        for item in plan.decided
    }


def remember_calendars(session: Session, stamp: Stamp, files: Plan) -> None:
    """Keep what the files said of each calendar at this application."""
    value = json.dumps(_digests(files), sort_keys=True)
    if fact(session, _fact_key(files)) != value:
        set_fact(session, stamp, _fact_key(files), value)


def need_remembered(session: Session, stamp: Stamp, current: Plan) -> None:
    """Before the first edit: all that stands there came from the files."""
    if fact(session, _fact_key(current)) is None:
        remember_calendars(session, stamp, current)


def keep_edited(
    session: Session, current: Plan, files: Plan, *, overwrite: bool
) -> tuple[Plan, tuple[str, ...]]:
    """``files`` with the calendars that were edited in the system since, and the keys of those."""
    stored = fact(session, _fact_key(files))
    if stored is None or overwrite:
        return files, ()
    said, merged, kept = json.loads(stored), files, []
    now = {item.key: item.calendar for item in current.decided}
    digests = _digests(current)
    for item in files.decided:
        edited = item.key in digests and digests[item.key] != said.get(item.key)
        if edited and item.calendar != now[item.key]:
            merged = with_calendar(merged, item.key, now[item.key])
            kept.append(item.key)
    return merged, tuple(kept)
