"""Writing history: one event for each change, in the same transaction (rules 37, 38)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.orm import Session

from models.bulk import allocate_ids, insert_rows
from models.tables import Base, Event, LogPending
from operations.stamp import Stamp
from rules.events import (
    CANONICAL_VERSION,
    CanonicalText,
    canonical_frame,
    canonical_json,
    leaf_digest,
)

_OWN = (
    "action",
    "agency_key",
    "document",
    "effective_on",
    "entity",
    "entity_id",
    "item_key",
    "period_key",
    "plan_key",
    "reason",
    "snapshot",
)
"""What every event says for itself, as :func:`_values` gives it."""
_DIFFER = ("agency_key", "entity_id", "snapshot")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What changed, before it is an event. ``snapshot`` is the whole entity after it.

    ``effective_on`` None means the business date of the act."""

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
    names, held = _names(type(row)), row.__dict__
    found: dict[str, object] = {
        name: held[name] if name in held else getattr(row, name) for name in names
    }
    for name in _SECRET & found.keys():
        found[name] = found[name] is not None
    return found


@cache
def _names(kind: type[Base]) -> tuple[str, ...]:
    return tuple(attribute.key for attribute in inspect(kind).column_attrs)


def record(session: Session, stamp: Stamp, changes: Sequence[Change]) -> Sequence[int]:
    """Write ``changes`` as events, each with its leaf digest and its row in ``log_pending``.

    Returns the ids of the events. Constant memory for each change, the driver's bulk path.
    """
    return _insert(session, stamp, {}, _OWN, [_values(one, stamp) for one in changes])


def record_alike(
    session: Session,
    stamp: Stamp,
    shared: Change,
    rows: Sequence[tuple[str | None, str, CanonicalText]],
) -> Sequence[int]:
    """Write one event a row, each like ``shared`` but for (agency, entity id, snapshot).

    The same events as :func:`record` writes, at a third of the cost.
    """
    common = dict(zip(_OWN, _values(shared, stamp), strict=True))
    return _insert(
        session, stamp, {n: v for n, v in common.items() if n not in _DIFFER}, _DIFFER, rows
    )


def _values(one: Change, stamp: Stamp) -> tuple[Any, ...]:
    return (
        one.action,
        one.agency,
        one.document,
        one.effective_on or stamp.as_of,
        one.entity,
        one.entity_id,
        one.item,
        one.period,
        one.plan,
        one.reason,
        canonical_json(one.snapshot),
    )


def _insert(
    session: Session,
    stamp: Stamp,
    shared: Mapping[str, object],
    columns: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
) -> Sequence[int]:
    ids = allocate_ids(session, "event", len(rows))
    if not rows:
        return ids
    common = {**_said_by(stamp), **shared}
    write = _writer(common, (*columns, "id"), len(rows))

    def complete() -> Iterator[tuple[Any, ...]]:
        for number, row in zip(ids, rows, strict=True):
            whole = (*row, number)
            yield (*whole, leaf_digest(write(whole).encode()))

    table = Base.metadata.tables[Event.__tablename__]
    insert_rows(session, table, (*columns, "id", "digest"), complete(), shared=common)
    pending = Base.metadata.tables[LogPending.__tablename__]
    insert_rows(session, pending, ("event_id",), ((number,) for number in ids))
    return ids


_FRAMED = 8
"""Events from which a frame of what they have in common is worth being made."""


def _writer(
    common: Mapping[str, object], own: Sequence[str], count: int
) -> Callable[[Sequence[object]], str]:
    """Writes the canonical text of ``count`` events from their own values."""
    if count >= _FRAMED:
        return canonical_frame(common, own)
    return lambda values: canonical_json({**common, **dict(zip(own, values, strict=True))})


def _said_by(stamp: Stamp) -> dict[str, object]:
    actor = stamp.actor
    return {
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
