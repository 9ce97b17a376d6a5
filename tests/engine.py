"""The engine on a real catalog and a real database, driven by hand: for tests of operations.

Instants are made from the business date, so that nothing depends on the day of the test run.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path

from sqlalchemy import select

from models.engine import Database
from models.tables import Assignment, Event, Occurrence
from operations.act import ActRequest, ActResult, act
from operations.catalog import apply_catalog
from operations.opening import OpeningResult, open_due
from operations.results import Paper, Result
from operations.stamp import Stamp
from rules.actors import AccountRole, Actor, ActorKind, flow_actor
from rules.lifecycle import Action
from rules.values import Role
from tasks_catalog.loader import CATALOG, LoadedCatalog, load_plan

PROVINCE = CATALOG / "qd_1718_2023"
SMALL = Path(__file__).parent / "catalogs" / "huyen_mau"


def stamp(as_of: date, actor: Actor | None = None, *, run: str | None = None) -> Stamp:
    """A stamp at eight in the morning, local time, of ``as_of``."""
    at = datetime.combine(as_of, time(1), UTC)
    return Stamp(at=at, as_of=as_of, actor=actor or flow_actor("thử"), run=run)


def person(role: AccountRole, agency: str, name: str = "Nguyễn Văn A") -> Actor:
    """Somebody with an account, named after the name."""
    account = name.lower().replace(" ", ".")
    return Actor(kind=ActorKind.PERSON, name=name, account=account, role=role, agency=agency)


@cache
def loaded(folder: Path) -> LoadedCatalog:
    """A catalog, read once: it cannot be changed, and its files are not by any test."""
    return load_plan(folder)


class Engine:
    """One plan in one database. ``start`` is the day on which tracking began."""

    def __init__(self, url: str, *, folder: Path = SMALL, start: date = date(2026, 1, 1)) -> None:
        self.database = Database(url, durable=False)
        self.catalog = loaded(folder)
        self.plan = self.catalog.plan.key
        self.coordinator = self.catalog.plan.coordinator
        with self.database.write() as session:
            apply_catalog(session, stamp(start), self.catalog, tracking_start=start)

    def run(
        self, as_of: date, *, only_item: str | None = None, run: str | None = None
    ) -> OpeningResult:
        """What a flow does on ``as_of``."""
        with self.database.write() as session:
            return open_due(session, stamp(as_of, run=run), self.plan, only_item=only_item)

    def find(self, item: str, period: str, agency: str, role: Role = Role.LEAD) -> Assignment:
        """The assignment of an agency in an occurrence."""
        with self.database.read() as session:
            return session.scalars(
                select(Assignment)
                .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
                .where(
                    Occurrence.item_key == item,
                    Occurrence.period_key == period,
                    Assignment.agency_key == agency,
                    Assignment.role == role,
                )
            ).one()

    def act(
        self,
        row: Assignment,
        action: Action,
        actor: Actor,
        as_of: date,
        request: ActRequest | None = None,
    ) -> ActResult:
        """Take an action as somebody on a day."""
        with self.database.write() as session:
            return act(session, stamp(as_of, actor), row.id, action, request)

    def again(self, row: Assignment) -> Assignment:
        """The same row as it stands now."""
        with self.database.read() as session:
            return session.get_one(Assignment, row.id)

    def work(self) -> list[tuple[object, ...]]:
        """All occurrences and assignments by their natural keys, in order."""
        columns = (
            Occurrence.item_key,
            Occurrence.period_key,
            Occurrence.opens_on,
            Occurrence.mode,
            Occurrence.plan_version,
            Assignment.agency_key,
            Assignment.agency_name,
            Assignment.role,
            Assignment.status,
            Assignment.nominal_due_on,
            Assignment.original_due_on,
            Assignment.due_on,
            Assignment.round,
            Assignment.next_reminder_on,
        )
        with self.database.read() as session:
            rows = session.execute(
                select(*columns).join(Occurrence, Occurrence.id == Assignment.occurrence_id)
            )
            return sorted((tuple(row) for row in rows), key=str)

    def events(self, entity: str | None = None) -> list[Event]:
        """The history, oldest first."""
        query = select(Event).order_by(Event.id)
        if entity is not None:
            query = query.where(Event.entity == entity)
        with self.database.read() as session:
            return list(session.scalars(query))


@contextmanager
def engine(url: str, *, folder: Path = SMALL, start: date = date(2026, 1, 1)) -> Iterator[Engine]:
    """An engine that gives its connections back."""
    made = Engine(url, folder=folder, start=start)
    try:
        yield made
    finally:
        made.database.close()


def filed(code: str = "12/BC-UBND", issued_on: date | None = None, **figures: str) -> ActRequest:
    """A result as an agency would file it."""
    return ActRequest(
        result=Result(
            text="Đã hoàn thành",
            papers=(Paper(code=code, issued_on=issued_on),),
            figures=figures,
        )
    )
