"""Several plans in one database, each seen by its own people: the rows a session may read.

A session that sees some plans only adds its condition to every statement over rows that belong to
a plan, wherever the statement was written; one that a condition could not be added to is refused
before it runs. The edge that knows who asks says what is seen (``SIGHT``); whoever has to read
everything for somebody who sees less says so by :func:`everything`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Engine, Select, Table, and_, event, not_, or_, select
from sqlalchemy.orm import LoaderCriteriaOption, ORMExecuteState, Session
from sqlalchemy.sql import visitors

from models.base import Base
from models.tables import (
    AddedWork,
    Assignment,
    Contact,
    Event,
    Evidence,
    ExtensionRequest,
    Finding,
    FindingFile,
    FindingReport,
    Letter,
    LetterLine,
    Money,
    Notice,
    Obstacle,
    Occurrence,
    PeriodDate,
    PlanRow,
    PlanVersion,
    PolicySetting,
    Proposal,
    Reminder,
    RunLog,
    Submission,
    Urging,
)

SEEN: Final = "seen"
"""Where a session keeps what it sees, in its ``info``."""
_MARK: Final = "seen_for_"
CHECKED: Final = "tiendo_seen"
"""The execution option of statements that are refused unless they carry their condition."""
_OF_NO_PLAN: Final = (
    *("agency", "contact", "day", "group", "mailbox", "reorganisation", "succession"),
)
"""What the history tells of agencies and days, which all plans share."""


class UnseenRead(Exception):
    """A statement over rows of plans would have read those of every plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The plans that are shown, and those that may be: None for every plan there is."""

    shown: frozenset[str]
    allowed: frozenset[str] | None = None


@dataclass(slots=True)
class Sight:
    """What sessions see that are opened while it holds; None is everything."""

    reading: Seen | None = None
    writing: Seen | None = None


SIGHT: Final[ContextVar[Sight | None]] = ContextVar("tiendo_sight", default=None)


class SeeingSession(Session):
    """A session that adds the condition of what it sees to what it reads."""


@contextmanager
def everything(session: Session) -> Iterator[Session]:
    """Let ``session`` read every plan's rows for a while."""
    seen = session.info.pop(SEEN, None)
    try:
        yield session
    finally:
        if seen is not None:
            session.info[SEEN] = seen


def session_class(seen: Seen | None) -> type[Session]:
    """The class of a session that sees ``seen``: one that sees everything costs nothing more."""
    return Session if seen is None else SeeingSession


@event.listens_for(SeeingSession, "do_orm_execute")
def _narrow(state: ORMExecuteState) -> None:
    seen: Seen | None = state.session.info.get(SEEN)
    if seen is None:
        state.update_execution_options(**{CHECKED: False})
        return
    if not (state.is_select or state.is_update or state.is_delete):
        return
    every = _criteria(seen)
    # Each option is a part of the statement's key in the cache: only what is needed is added.
    needed = [every[name] for name in _tables_of(state.statement) if name in every]
    if needed:
        state.statement = state.statement.options(*needed)


def _tables_of(statement: Any) -> list[str]:
    """The tables that a statement names, wherever in it."""
    found = (one.name for one in visitors.iterate(statement) if isinstance(one, Table))
    return sorted(set(found))


def watch(engine: Engine) -> None:
    """Refuse on ``engine`` what a session that sees some plans only could not narrow."""
    event.listen(engine, "before_cursor_execute", _refuse_unseen)


def _refuse_unseen(
    _connection: Any, _cursor: Any, statement: str, _values: Any, context: Any, *_: Any
) -> None:
    if context is not None and context.execution_options.get(CHECKED) and _reads(statement):
        missing = _unmarked(statement)
        if missing:
            msg = f"rows of every plan would be read from {', '.join(missing)}: {statement}"
            raise UnseenRead(msg)


def _reads(statement: str) -> bool:
    """What is written by its number was read by this session before."""
    return statement.startswith(("SELECT", "WITH", "("))


_READS = re.compile(r'\b(?:FROM|JOIN)\s+"?(\w+)"?(?:\s+AS\s+(\w+))?|,\s+"?(\w+)"?\s+AS\s+\w+_1\b')
_MARKS = re.compile(rf"\b{_MARK}(\w+)")


@lru_cache(maxsize=512)
def _unmarked(statement: str) -> tuple[str, ...]:
    """The tables of plans that a statement reads without the condition."""
    read = {
        name or listed
        for name, alias, listed in _READS.findall(statement)
        if not alias.startswith(_MARK)
    }
    return tuple(sorted((read & _CONDITIONS.keys()) - set(_MARKS.findall(statement))))


class _Criterion(LoaderCriteriaOption):
    """``with_loader_criteria`` that also speaks of the alias where an alias is joined to.

    SQLAlchemy 2.0 leaves the table's own name there unless the condition is a lambda, whose
    caching does not see what the lambda calls.
    """

    _traverse_internals = LoaderCriteriaOption._traverse_internals  # noqa: SLF001 - no public way

    def _resolve_where_criteria(self, ext_info: Any) -> ColumnElement[bool]:
        found = super()._resolve_where_criteria(ext_info)
        if not ext_info.is_aliased_class:
            return found
        spoken: ColumnElement[bool] = ext_info._adapter.traverse(found)  # noqa: SLF001 - as above
        return spoken


@lru_cache(maxsize=64)
def _criteria(seen: Seen) -> Mapping[str, LoaderCriteriaOption]:
    return {
        entity.__tablename__: _Criterion(entity, make(seen), include_aliases=True)
        for entity, make in _ENTITIES.items()
    }


def _table(entity: type[Base], mark: str) -> Any:
    return entity.__table__.alias(f"{_MARK}{mark}")


def _plans(entity: type[Base], *, of: Any = None) -> Callable[[Seen], ColumnElement[bool]]:
    """Rows that name their plan."""
    name = entity.__tablename__

    def make(seen: Seen) -> ColumnElement[bool]:
        plan = _table(PlanRow, name)
        keys = select(plan.c.key).where(plan.c.key.in_(sorted(seen.shown)))
        column: ColumnElement[Any] = entity.plan_key if of is None else of  # type: ignore[attr-defined]
        return column.in_(keys)

    return make


def _assignments(seen: Seen, mark: str, *, others: bool = False) -> Select[Any]:
    """The numbers of the assignments of the plans that are seen, or of all others."""
    work, above = _table(Assignment, mark), _table(Occurrence, f"{mark}_above")
    shown = above.c.plan_key.in_(sorted(seen.shown))
    joined = work.join(above, above.c.id == work.c.occurrence_id)
    return select(work.c.id).select_from(joined).where(not_(shown) if others else shown)


def elsewhere_only(agency: Any, seen: Seen, mark: str) -> ColumnElement[bool]:
    """Whether an agency works for other plans, and for none of those that are seen."""

    def agencies(*, others: bool) -> Select[Any]:
        part = f"{mark}_other" if others else mark
        work = _table(Assignment, part)
        above = _table(Occurrence, f"{part}_above")
        shown = above.c.plan_key.in_(sorted(seen.shown))
        joined = work.join(above, above.c.id == work.c.occurrence_id)
        return select(work.c.agency_key).select_from(joined).where(not_(shown) if others else shown)

    return and_(agency.in_(agencies(others=True)), agency.not_in(agencies(others=False)))


def _of_work(entity: type[Base], *, loose: bool = False) -> Callable[[Seen], ColumnElement[bool]]:
    """Rows that hang on an assignment; ``loose`` ones may name an agency or nobody instead."""
    name = entity.__tablename__
    column: Any = getattr(entity, "assignment_id", None)

    def make(seen: Seen) -> ColumnElement[bool]:
        own = column.in_(_assignments(seen, name))
        if not loose:
            return own  # type: ignore[no-any-return]
        agency: Any = getattr(entity, "agency_key", None)
        if agency is None:
            return or_(column.is_(None), own)
        hidden = elsewhere_only(agency, seen, name)
        return or_(own, and_(column.is_(None), or_(agency.is_(None), not_(hidden))))

    return make


def _assignment(seen: Seen) -> ColumnElement[bool]:
    above = _table(Occurrence, "assignment")
    found = select(above.c.id).where(above.c.plan_key.in_(sorted(seen.shown)))
    return Assignment.occurrence_id.in_(found)


def _evidence(seen: Seen) -> ColumnElement[bool]:
    result = _table(Submission, "evidence")
    own = result.c.assignment_id.in_(_assignments(seen, "evidence_work"))
    return Evidence.submission_id.in_(select(result.c.id).where(own))


def _reports(seen: Seen, mark: str) -> Select[Any]:
    finding = _table(Finding, mark)
    own = finding.c.assignment_id.in_(_assignments(seen, f"{mark}_work"))
    hidden = elsewhere_only(finding.c.agency_key, seen, f"{mark}_agency")
    return select(finding.c.id).where(
        or_(own, and_(finding.c.assignment_id.is_(None), not_(hidden)))
    )


def _finding_file(seen: Seen) -> ColumnElement[bool]:
    report = _table(FindingReport, "finding_file")
    return FindingFile.report_id.in_(
        select(report.c.id).where(report.c.finding_id.in_(_reports(seen, "finding_file_finding")))
    )


def _letter(seen: Seen) -> ColumnElement[bool]:
    """Letters about what is shown; one that also tells of what may not be seen is not."""
    line = _table(LetterLine, "letter")
    about = select(line.c.letter_id).where(
        line.c.assignment_id.in_(_assignments(seen, "letter_work"))
    )
    if seen.allowed is None:
        return Letter.id.in_(about)
    other = _table(LetterLine, "letter_other")
    allowed = Seen(shown=seen.allowed)
    beyond = select(other.c.letter_id).where(
        other.c.assignment_id.in_(_assignments(allowed, "letter_beyond", others=True))
    )
    return and_(Letter.id.in_(about), Letter.id.not_in(beyond))


def _event(seen: Seen) -> ColumnElement[bool]:
    shared = and_(
        Event.plan_key.is_(None),
        Event.entity.in_(_OF_NO_PLAN),
        or_(Event.agency_key.is_(None), not_(elsewhere_only(Event.agency_key, seen, "event_of"))),
    )
    return or_(_plans(Event)(seen), shared)


def _run(seen: Seen) -> ColumnElement[bool]:
    return or_(RunLog.plan_key.is_(None), _plans(RunLog)(seen))


def _contact(seen: Seen) -> ColumnElement[bool]:
    return not_(elsewhere_only(Contact.agency_key, seen, "contact"))


_ENTITIES: Final[Mapping[type[Base], Callable[[Seen], ColumnElement[bool]]]] = {
    PlanRow: _plans(PlanRow, of=PlanRow.key),
    PlanVersion: _plans(PlanVersion),
    PolicySetting: _plans(PolicySetting),
    PeriodDate: _plans(PeriodDate),
    AddedWork: _plans(AddedWork),
    Occurrence: _plans(Occurrence),
    Assignment: _assignment,
    Submission: _of_work(Submission),
    Evidence: _evidence,
    ExtensionRequest: _of_work(ExtensionRequest),
    Proposal: _of_work(Proposal),
    Money: _of_work(Money),
    Urging: _of_work(Urging),
    Reminder: _of_work(Reminder),
    Obstacle: _of_work(Obstacle, loose=True),
    Finding: _of_work(Finding, loose=True),
    FindingReport: lambda seen: FindingReport.finding_id.in_(_reports(seen, "finding_report")),
    FindingFile: _finding_file,
    Notice: _of_work(Notice, loose=True),
    LetterLine: _of_work(LetterLine, loose=True),
    Letter: _letter,
    Event: _event,
    RunLog: _run,
    Contact: _contact,
}
"""Every table whose rows belong to a plan, and which of its rows are seen."""
_CONDITIONS: Final = {entity.__tablename__: make for entity, make in _ENTITIES.items()}
