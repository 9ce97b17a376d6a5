"""The named queries of plans, agencies and days, by Core and made once: every run begins with them.

Rows are plain tuples, so that whoever builds values of them can tell that nothing has changed.
"""

from __future__ import annotations

import sqlite3
from typing import Any
from weakref import ref

from sqlalchemy import Connection, Select, bindparam, func, select
from sqlalchemy.orm import Session

from models.base import Base
from models.seeing import CHECKED, SEEN, Seen
from models.tables import (
    AddedWork,
    AgencyRow,
    DatabaseFact,
    DayRow,
    GroupRow,
    MemberRow,
    PlanRow,
    PlanVersion,
    PolicySetting,
    SuccessionRow,
)

Rows = tuple[tuple[Any, ...], ...]

_PLAN = Base.metadata.tables[PlanRow.__tablename__]
_VERSION = Base.metadata.tables[PlanVersion.__tablename__]
_ADDED = Base.metadata.tables[AddedWork.__tablename__]
_POLICY = Base.metadata.tables[PolicySetting.__tablename__]
_AGENCY = Base.metadata.tables[AgencyRow.__tablename__]
_GROUP = Base.metadata.tables[GroupRow.__tablename__]
_MEMBER = Base.metadata.tables[MemberRow.__tablename__]
_SUCCESSION = Base.metadata.tables[SuccessionRow.__tablename__]
_DAY = Base.metadata.tables[DayRow.__tablename__]
_FACT = Base.metadata.tables[DatabaseFact.__tablename__]

ACTIVE_PLANS = select(_PLAN.c.key).where(_PLAN.c.active).order_by(_PLAN.c.key)
"""(key)"""
APPLIED_PLAN = (
    select(_VERSION.c.content, _PLAN.c.tracking_start)
    .join(_PLAN, _PLAN.c.key == _VERSION.c.plan_key)
    .where(
        _PLAN.c.key == bindparam("plan"),
        _VERSION.c.version == func.coalesce(bindparam("version"), _PLAN.c.current_version),
    )
)
"""(content, tracking start) of ``plan`` in ``version``, None being the current one."""
ADDED_ITEMS = (
    select(_ADDED.c.content)
    .where(_ADDED.c.plan_key == bindparam("plan"))
    .order_by(_ADDED.c.year, _ADDED.c.number)
)
"""(content) of the work outside the appendix of ``plan``."""
POLICIES_SET = (
    select(_POLICY.c.name, _POLICY.c.value)
    .where(
        _POLICY.c.id.in_(
            select(func.max(_POLICY.c.id))
            .where(_POLICY.c.plan_key == bindparam("plan"))
            .group_by(_POLICY.c.name)
        ),
        _POLICY.c.value.is_not(None),
    )
    .order_by(_POLICY.c.name)
)
"""(name, value) of the policies in force that were set for ``plan``."""
AGENCIES = select(
    _AGENCY.c.key,
    _AGENCY.c.name,
    _AGENCY.c.formal_name,
    _AGENCY.c.kind,
    _AGENCY.c.code,
    _AGENCY.c.valid_from,
    _AGENCY.c.valid_to,
    _AGENCY.c.letters,
    _AGENCY.c.certainty,
    _AGENCY.c.note,
).order_by(_AGENCY.c.position, _AGENCY.c.key)
GROUPS = select(
    _GROUP.c.key, _GROUP.c.name, _GROUP.c.letters, _GROUP.c.certainty, _GROUP.c.note
).order_by(_GROUP.c.position, _GROUP.c.key)
MEMBERS = select(
    _MEMBER.c.group_key, _MEMBER.c.ref, _MEMBER.c.valid_from, _MEMBER.c.valid_to
).order_by(_MEMBER.c.group_key, _MEMBER.c.position)
SUCCESSIONS = select(
    _SUCCESSION.c.predecessor,
    _SUCCESSION.c.successor,
    _SUCCESSION.c.effective_on,
    _SUCCESSION.c.document,
    _SUCCESSION.c["items"],
    _SUCCESSION.c.certainty,
    _SUCCESSION.c.note,
).order_by(_SUCCESSION.c.id)
DAYS = select(_DAY.c.day, _DAY.c.working)
FACTS = select(_FACT.c.key, _FACT.c.value)


def rows_of(session: Session, query: Select[Any], **values: Any) -> Rows:
    """The rows of one of these queries; what the session holds back is written first.

    These go past what narrows a session to the plans that it sees, so they are narrowed here.
    """
    session.flush()
    seen: Seen | None = session.info.get(SEEN)
    if seen is not None and "plan" in values and values["plan"] not in seen.shown:
        return ()
    rows = _known_rows(session, query, values)
    if seen is not None and query is ACTIVE_PLANS:
        return tuple(row for row in rows if row[0] in seen.shown)
    return rows


def _known_rows(session: Session, query: Select[Any], values: dict[str, Any]) -> Rows:
    """Read now, or earlier in this transaction, where nothing can have changed since.

    Within a transaction of SQLite only its own writes change what a query finds, and the connection
    counts those. On PostgreSQL others may have committed meanwhile.
    """
    connection = session.connection()
    raw: Any = connection.connection.dbapi_connection
    if not isinstance(raw, sqlite3.Connection):
        return _rows(connection, query, values)
    # Kept weakly: a transaction knows its session, and in a circle with it these rows would outlive
    # both until the garbage collector's last round, which in a process of many transactions is late.
    now: Any = session.get_nested_transaction() or session.get_transaction()
    written = ref(now), raw.total_changes
    known: dict[Any, Rows]
    before, known = session.info.get(__name__, (None, {}))
    if before != written:
        known = {}
        session.info[__name__] = written, known
    key = query, *values.items()
    if key not in known:
        known[key] = _rows(connection, query, values)
    return known[key]


def _rows(connection: Connection, query: Select[Any], values: dict[str, Any]) -> Rows:
    found = connection.execute(query, values, execution_options={CHECKED: False})
    return tuple(map(tuple, found))
