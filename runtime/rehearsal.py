"""Diễn tập: who would get what between two dates, without sending (rule 31).

The same operations as in earnest, with another clock, in a scratch database that is thrown away.
Only digests are told: receipts and letters at once answer what people do, and are not rehearsed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.engine import Database
from models.migrate import upgrade
from models.queries_mail import in_parts
from models.tables import AgencyRow, Letter, LetterState
from notifications.lines import Line
from notifications.subjects import digest_subject
from operations.added_records import AddedRecord, copy_added
from operations.catalog import apply_catalog
from operations.contacts import ContactInput, checked, store_contacts
from operations.dates import fix_year_dates
from operations.digest_lines import LineReader
from operations.opening import open_due
from operations.outbox import LetterKind
from operations.releasing import release_lines
from operations.reminding import remind
from operations.sample_contacts import seed_sample_contacts
from operations.stamp import Stamp
from operations.state import load_state
from rules.actors import flow_actor
from rules.recurrence import expand
from rules.values import DateAuthority, Document, Plan
from runtime.rehearsal_cast import act_on_time, acting, clerk
from tasks_catalog.loader import LoadedCatalog

Progress = Callable[[date, int], None]
"""Called after each day with the day and the letters told so far."""


class Assume(StrEnum):
    """How the agencies act."""

    SILENT = "silent"
    """Nobody does anything."""
    ON_TIME = "on-time"
    """Every lead files a few working days before its date, and it is confirmed the same day."""


class Dates(StrEnum):
    """Whether the coordinator fixes each year's dates."""

    FIXED = "fixed"
    """By a document on the first working day of January."""
    PROVISIONAL = "provisional"


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsedLine:
    """One line of a digest; ``rung`` None for what is said once, such as an opening."""

    item: str
    period: str
    agency: str
    role: str
    rung: int | None
    due_on: date
    provisional: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsedLetter:
    """One digest that would go out."""

    day: date
    to: str
    subject: str
    lines: tuple[RehearsedLine, ...]

    def as_json(self) -> dict[str, object]:
        """``{"date", "to": […], "subject", "lines": […]}``; dates as ``YYYY-MM-DD``."""
        return {
            "date": self.day.isoformat(),
            "to": [self.to],
            "subject": self.subject,
            "lines": [
                {
                    "item": line.item,
                    "period": line.period,
                    "agency": line.agency,
                    "role": line.role,
                    "rung": line.rung,
                    "due_on": line.due_on.isoformat(),
                    "provisional": line.provisional,
                }
                for line in self.lines
            ],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What to rehearse.

    ``tracking_start`` None means the first day of the year before ``date_from``, so that what an
    earlier year left over is there. ``contacts`` None makes up a mailbox for every agency.
    """

    catalogs: Sequence[LoadedCatalog]
    date_from: date
    date_to: date
    assume: Assume = Assume.SILENT
    dates: Dates = Dates.FIXED
    tracking_start: date | None = None
    contacts: Sequence[ContactInput] | None = None
    added: Sequence[AddedRecord] = ()
    """Work outside the appendix that is there already (rule 44)."""


def rehearse(asked: Rehearsal, *, progress: Progress | None = None) -> Iterator[RehearsedLetter]:
    """The digests from ``date_from`` to ``date_to``, both inclusive, day by day.

    Days off are passed over: nothing is sent on them, and what would open then is opened on the
    next working day as of its own date.
    """
    database = Database("sqlite://", durable=False)
    try:
        upgrade(database)
        yield from _Stage(database, asked).play(progress)
    finally:
        database.close()


class _Stage:
    """The scratch database and the people in it."""

    def __init__(self, database: Database, asked: Rehearsal) -> None:
        self._database, self._asked = database, asked
        plans = [one.plan for one in asked.catalogs]
        self._plans = [plan.key for plan in plans]
        earliest = min(plan.effective_from for plan in plans)
        self._start = asked.tracking_start or max(date(asked.date_from.year - 1, 1, 1), earliest)
        self._told = 0
        self._fixed: set[int] = set()

    def play(self, progress: Progress | None) -> Iterator[RehearsedLetter]:
        self._set_up()
        with self._database.read() as session:
            calendar = load_state(session, self._plans[0]).calendar
        day = min(self._start, self._asked.date_from)
        while day <= self._asked.date_to:
            if calendar.is_working(day):
                letters = self._day(day)
                if day >= self._asked.date_from:
                    self._told += len(letters)
                    yield from letters
                if progress is not None:
                    progress(day, self._told)
            day += timedelta(days=1)

    def _set_up(self) -> None:
        stamp = acting(self._start, flow_actor("diễn tập"))
        with self._database.write() as session:
            for one in self._asked.catalogs:
                apply_catalog(session, stamp, one, tracking_start=self._start)
            copy_added(session, stamp, self._asked.added)
            if self._asked.contacts is not None:
                store_contacts(session, stamp, [checked(one) for one in self._asked.contacts])
                return
            for name in dict.fromkeys(one.plan.agencies_file for one in self._asked.catalogs):
                seed_sample_contacts(session, stamp, agencies_file=name)

    def _day(self, day: date) -> list[RehearsedLetter]:
        """Everything that happens on one working day, in one transaction."""
        stamp = acting(day, flow_actor("diễn tập"))
        with self._database.write() as session:
            for key in self._plans:
                if self._asked.dates is Dates.FIXED:
                    self._fix_dates(session, key, day)
                open_due(session, stamp, key)
                if self._asked.assume is Assume.ON_TIME:
                    act_on_time(session, load_state(session, key), day)
            remind(session, stamp)
            return _send(session, stamp)

    def _fix_dates(self, session: Session, key: str, day: date) -> None:
        if day.month != 1 or day.year in self._fixed:
            return
        if key == self._plans[-1]:
            self._fixed.add(day.year)
        state = load_state(session, key)
        dates = _year_dates(state.plan, day.year)
        if dates:
            document = Document(code="01/KH-SNV", issued_on=day)
            stamp = acting(day, clerk(state.coordinator(day)))
            fix_year_dates(session, stamp, key, day.year, dates, document=document)


def _year_dates(plan: Plan, year: int) -> dict[tuple[str, str], date]:
    """The dates that the calendar asks for in a year, but for those of a higher authority."""
    above = {DateAuthority.PROVINCE, DateAuthority.MINISTRY}
    return {
        (item.key, one.period.key): one.nominal_due_on
        for item in plan.decided
        if item.calendar.authority not in above
        for one in expand(item.calendar, plan.first_year, plan.last_year)
        if one.period.year == year
    }


def _send(session: Session, stamp: Stamp) -> list[RehearsedLetter]:
    """Mark the day's letters as sent and tell its digests."""
    rows = session.execute(
        select(Letter.id, Letter.kind, Letter.mailbox, AgencyRow.name)
        .join(AgencyRow, AgencyRow.key == Letter.agency_key)
        .where(Letter.day == stamp.as_of, Letter.state == LetterState.QUEUED.value)
        .order_by(Letter.mailbox, Letter.id)
    ).all()
    digests = [row for row in rows if row.kind == LetterKind.DIGEST]
    found = LineReader(session).read([row.id for row in digests], stamp.as_of)
    letters: list[RehearsedLetter] = []
    empty: list[int] = []
    for row in digests:
        lines = found[row.id].lines if row.id in found else ()
        if not lines:
            empty.append(row.id)
            continue
        letters.append(
            RehearsedLetter(
                day=stamp.as_of,
                to=row.mailbox,
                subject=digest_subject(lines, short_name=row.name),
                lines=tuple(_told(line) for line in lines),
            )
        )
    if empty:
        release_lines(session, stamp, empty)
    _mark(session, stamp, sorted({row.id for row in rows} - set(empty)), LetterState.SENT)
    _mark(session, stamp, empty, LetterState.DROPPED)
    return letters


def _mark(session: Session, stamp: Stamp, ids: Sequence[int], state: LetterState) -> None:
    for part in in_parts(ids):
        session.execute(
            update(Letter)
            .where(Letter.id.in_(part))
            .values(state=state.value, sent_at=stamp.at if state is LetterState.SENT else None)
        )


def _told(line: Line) -> RehearsedLine:
    return RehearsedLine(
        item=line.item,
        period=line.period_key,
        agency=line.agency,
        role=line.role.value,
        rung=line.rung,
        due_on=line.due_on,
        provisional=line.provisional,
    )
