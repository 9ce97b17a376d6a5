"""What the database says of a plan, as the values that the rules decide with."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache, partial
from typing import Any, Protocol, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from models.queries_catalog import (
    ACTIVE_PLANS,
    ADDED_ITEMS,
    AGENCIES,
    APPLIED_PLAN,
    DAYS,
    FACTS,
    GROUPS,
    MEMBERS,
    POLICIES_SET,
    SUCCESSIONS,
    Rows,
    rows_of,
)
from models.tables import Assignment, DatabaseFact, Occurrence, PeriodDate
from operations.errors import NotFound
from operations.policy_values import laid_over
from operations.remembered import Before, remember, remember_before_writing
from operations.stamp import Stamp
from operations.stored_values import calendar_of, directory_of
from rules.directory import Directory
from rules.planning import FixedDate, OccurrenceKey, ladder_key
from rules.values import (
    DateAuthority,
    Document,
    Item,
    ItemKind,
    Ladder,
    Plan,
    Role,
    TrackingMode,
)
from rules.workdays import WorkCalendar

_T = TypeVar("_T")
PLAN_ADAPTER: TypeAdapter[Plan] = TypeAdapter(Plan)


class Facts:
    """Keys of ``database_fact``."""

    TRIAL = "trial"
    FIRST_DAY = "days.first"
    LAST_DAY = "days.last"
    LOG_KEY = "log.key"


def fact(session: Session, key: str) -> str | None:
    """A fact about the database, None when it was never set."""
    row = session.get(DatabaseFact, key)
    return None if row is None else row.value


def set_fact(session: Session, stamp: Stamp, key: str, value: str) -> None:
    """Set a fact about the database."""
    row = session.get(DatabaseFact, key)
    if row is None:
        session.add(DatabaseFact(key=key, value=value, updated_at=stamp.at))
    else:
        row.value, row.updated_at = value, stamp.at
    session.flush()


def is_trial(session: Session) -> bool:
    """Whether the database is marked as a trial (rule 1)."""
    return fact(session, Facts.TRIAL) != "false"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanState:
    """A plan in its current version, with the agencies and the days it lives among."""

    plan: Plan
    directory: Directory
    calendar: WorkCalendar
    tracking_start: date

    def coordinator(self, on: date) -> str:
        """The key of the coordinating agency on ``on``; its successor, where it has one."""
        found = self.directory.follow(self.plan.coordinator, on)
        return found[0] if found else self.plan.coordinator

    def ladder(self, occurrence: Occurrence, assignment: Assignment) -> Ladder | None:
        """The ladder that ``assignment`` follows now; None when it is never reminded."""
        key = ladder_key(
            occurrence.ladder,
            kind=ItemKind(occurrence.kind),
            mode=TrackingMode(occurrence.mode),
            role=Role(assignment.role),
            provisional=assignment.authority == DateAuthority.PROVISIONAL,
        )
        return None if key is None else self.plan.ladders.get(key)


ITEM_ADAPTER: TypeAdapter[Item] = TypeAdapter(Item)


@lru_cache(maxsize=128)
def _parse(content: str) -> Plan:
    return PLAN_ADAPTER.validate_json(content)


@lru_cache(maxsize=1024)
def _parse_item(content: str) -> Item:
    return ITEM_ADAPTER.validate_json(content)


@lru_cache(maxsize=128)
def _plan(content: str, settings: Rows, added: Rows) -> Plan:
    items = tuple(_parse_item(one) for (one,) in added)
    return replace(laid_over(_parse(content), dict(settings)), added=items)


def plan_keys(session: Session) -> list[str]:
    """The keys of the active plans."""
    return [key for (key,) in rows_of(session, ACTIVE_PLANS)]


def load_plan(session: Session, key: str, version: int | None = None) -> Plan:
    """A plan in one version, the current one by default, with what was set and added since.

    Policies that were set in the system lie over the version (rule 8), and work outside the
    appendix stands beside its items (rule 44).

    Raises:
        NotFound: there is no such plan or version.
    """
    return _with_all(session, key, _applied(session, key, version)[0])


def load_applied(session: Session, key: str, version: int | None = None) -> Plan:
    """A plan as a version of the catalog says it, without what was set or added in the system.

    Raises:
        NotFound: there is no such plan or version.
    """
    return _parse(_applied(session, key, version)[0])


def _with_all(session: Session, key: str, content: str) -> Plan:
    settings = rows_of(session, POLICIES_SET, plan=key)
    return _plan(content, settings, rows_of(session, ADDED_ITEMS, plan=key))


def _applied(session: Session, key: str, version: int | None) -> tuple[str, date | None]:
    """The text of a version, and since when the plan is tracked."""
    found = rows_of(session, APPLIED_PLAN, plan=key, version=version or None)
    if not found:
        msg = f"Không có đề án “{key}”. Các đề án hiện có: {', '.join(plan_keys(session)) or '(chưa có)'}."
        raise NotFound(msg, field="plan")
    content, tracking_start = found[0]
    return content, tracking_start


def load_state(session: Session, key: str) -> PlanState:
    """The plan ``key`` with agencies and days, as the database holds them now."""
    return _state(session, key, lambda _, make: make())


class _Recall(Protocol):
    """What is kept under a key, made when it is not."""

    def __call__(self, key: Hashable, make: Callable[[], _T], /) -> _T: ...


def _state(session: Session, key: str, recall: _Recall) -> PlanState:
    """A plan with agencies and days, which are the same for all plans, from where they are kept."""
    content, tracking_start = _applied(session, key, None)
    plan = _with_all(session, key, content)
    return PlanState(
        plan=plan,
        directory=recall("directory", lambda: load_directory(session)),
        calendar=recall("calendar", lambda: load_calendar(session)),
        tracking_start=tracking_start or plan.effective_from,
    )


def states_of(session: Session, before: Before | None = None) -> Callable[[str], PlanState]:
    """Reads the plans of one run by their keys: agencies and days once for all of them.

    ``before`` as for :func:`state_before_writing`. For a run that changes none of it.
    """
    read: dict[Hashable, Any] = {}

    def once(key: Hashable, make: Callable[[], _T]) -> _T:
        if key not in read:
            read[key] = remember_before_writing(session, before, key, make)
        return read[key]  # type: ignore[no-any-return]

    return lambda key: once(("state", key), lambda: _state(session, key, once))


def coordinators(session: Session, on: date) -> dict[str, str]:
    """The coordinating agencies of all plans on ``on``: key to name."""
    states = list(map(states_of(session), plan_keys(session)))
    keys = dict.fromkeys(one.coordinator(on) for one in states)
    return {key: states[0].directory.agency(key).name for key in keys}


def known_state(session: Session, key: str) -> PlanState:
    """The same for pages, as it was read since the newest event."""
    recall: _Recall = partial(remember, session)
    return recall(("state", key), lambda: _state(session, key, recall))


def state_before_writing(session: Session, before: Before | None, key: str) -> PlanState:
    """The same for a transaction that writes, which asked for ``before`` first of all."""
    recall: _Recall = partial(remember_before_writing, session, before)
    return recall(("state", key), lambda: _state(session, key, recall))


def calendar_before_writing(session: Session, before: Before | None) -> WorkCalendar:
    """The working days for a transaction that writes."""
    return remember_before_writing(session, before, "calendar", lambda: load_calendar(session))


def known_plan(session: Session, key: str, version: int) -> Plan:
    """A version of a plan for pages, as it was read since the newest event."""
    return remember(session, ("plan", key, version), lambda: load_plan(session, key, version))


def known_plans(session: Session) -> tuple[Plan, ...]:
    """The active plans in their current versions for pages, by key."""

    def read() -> tuple[Plan, ...]:
        return tuple(load_plan(session, key) for key in plan_keys(session))

    return remember(session, "plans", read)


def known_directory(session: Session) -> Directory:
    """All agencies, groups and successions for pages."""
    return remember(session, "directory", lambda: load_directory(session))


def load_calendar(session: Session) -> WorkCalendar:
    """The working days that the database holds (rule 3)."""
    known: dict[str, str] = dict(rows_of(session, FACTS))
    first, last = known.get(Facts.FIRST_DAY), known.get(Facts.LAST_DAY)
    return calendar_of(rows_of(session, DAYS), first or "2020-01-01", last or "2035-12-31")


def load_directory(session: Session) -> Directory:
    """All agencies, groups and successions that the database holds."""
    return directory_of(
        rows_of(session, AGENCIES),
        rows_of(session, GROUPS),
        rows_of(session, MEMBERS),
        rows_of(session, SUCCESSIONS),
    )


_FIXED = select(PeriodDate).where(PeriodDate.plan_key == bindparam("plan"))


def fixed_dates(session: Session, plan: str) -> Mapping[OccurrenceKey, FixedDate]:
    """The dates of ``plan`` that documents fixed, by item and period (rule 17)."""
    rows = session.scalars(_FIXED, {"plan": plan})
    return {
        (row.item_key, row.period_key): FixedDate(
            due_on=row.due_on,
            opens_on=row.opens_on,
            authority=DateAuthority(row.authority),
            document=Document(code=row.document_code, issued_on=row.document_issued_on),
        )
        for row in rows
    }
