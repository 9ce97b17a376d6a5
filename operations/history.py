"""Writing history: one event for each change, in the same transaction (rules 37, 38)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.orm import Session

from models.bulk import allocate_ids, insert_rows
from models.tables import Base, Event, LogPending
from operations.stamp import Stamp
from rules.events import CANONICAL_VERSION, canonical_json, canonical_v1, leaf_digest

_COLUMNS = tuple(column.name for column in Event.__table__.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What changed, before it is an event. ``snapshot`` is the whole entity after it.

    ``effective_on`` None means the business date of the act.
    """

    entity: str
    entity_id: str
    action: str
    snapshot: Mapping[str, object]
    effective_on: date | None = None
    plan: str | None = None
    item: str | None = None
    period: str | None = None
    agency: str | None = None
    reason: str | None = None
    document: str | None = None


_SECRET = frozenset(
    {
        "password_hash",
        "totp_secret",
        "totp_pending",
        "secret_hash",
        "address_sealed",
        "secret_sealed",
    }
)


def snapshot_of(row: Base) -> dict[str, object]:
    """All columns of ``row`` by name; secrets are said only to be set or not."""
    found: dict[str, object] = {}
    for attribute in inspect(row).mapper.column_attrs:
        value: Any = getattr(row, attribute.key)
        found[attribute.key] = (value is not None) if attribute.key in _SECRET else value
    return found


def record(session: Session, stamp: Stamp, changes: Sequence[Change]) -> Sequence[int]:
    """Write ``changes`` as events, each with its leaf digest and its row in ``log_pending``.

    Returns the ids of the events. Constant memory for each change, the driver's bulk path.
    """
    ids = allocate_ids(session, "event", len(changes))
    if not changes:
        return ids
    actor = stamp.actor
    common: dict[str, object] = {
        "at": stamp.at,
        "actor_kind": actor.kind.value,
        "actor_name": actor.name,
        "actor_post": actor.post,
        "actor_account": actor.account,
        "actor_mailbox": actor.mailbox,
        "actor_agency": actor.agency,
        "on_behalf_of": actor.on_behalf_of,
        "run": stamp.run,
        "address": actor.address,
        "canonical_version": CANONICAL_VERSION,
    }
    insert_rows(
        session,
        Base.metadata.tables["event"],
        _COLUMNS,
        (_row(common, stamp, number, one) for number, one in zip(ids, changes, strict=True)),
    )
    insert_rows(
        session, Base.metadata.tables[LogPending.__tablename__], ("event_id",), ((n,) for n in ids)
    )
    return ids


def _row(common: dict[str, object], stamp: Stamp, number: int, one: Change) -> tuple[Any, ...]:
    fields = common | {
        "id": number,
        "effective_on": one.effective_on or stamp.as_of,
        "entity": one.entity,
        "entity_id": one.entity_id,
        "action": one.action,
        "plan_key": one.plan,
        "item_key": one.item,
        "period_key": one.period,
        "agency_key": one.agency,
        "reason": one.reason,
        "document": one.document,
        "snapshot": canonical_json(one.snapshot),
    }
    fields["digest"] = leaf_digest(canonical_v1(fields))
    return tuple(fields[name] for name in _COLUMNS)
