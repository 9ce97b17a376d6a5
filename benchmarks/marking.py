"""``python -m benchmarks.marking``: marking work complete beside raw commits of the same rows.

Each act is a transaction of its own: the agency files its result (``submit``), the coordinator
confirms it (``confirm``). The limit writes the same rows with the same digests into a copy of the
same database, one commit an act, by the bare driver with the same pragmas; it checks nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from typing import Any

import psycopg
from sqlalchemy import text

from benchmarks.asked import size_and_stores
from benchmarks.race import Entry, race, whole
from benchmarks.ratios import Aim, Ratio, Store, machine, stores, write_table
from benchmarks.work_fill import found, open_work
from models.engine import BUSY_TIMEOUT_MS, Database
from models.tables import Base
from operations.act import ActRequest, act
from operations.results import Paper, Result
from operations.stamp import Stamp
from rules.actors import AccountRole, Actor, ActorKind
from rules.events import canonical_v1, leaf_digest
from rules.lifecycle import Action

AGENCIES, TODAY = 40, date(2027, 3, 10)
NOW = datetime(2027, 3, 10, 2, tzinfo=UTC)
ACTS = (Action.SUBMIT, Action.CONFIRM)
TURN = 100
"""Acts of one kind a turn."""
INSERTED = ("submission", "evidence", "event", "log_pending", "notice")
CHANGED = {
    Action.SUBMIT: (
        "status",
        "submitted_at",
        "submitted_on",
        "submitted_by",
        "completed_on",
        "next_reminder_on",
        "updated_at",
        "updated_by",
        "version",
    ),
    Action.CONFIRM: (
        "status",
        "confirmed_at",
        "confirmed_on",
        "confirmed_by",
        "updated_at",
        "updated_by",
        "version",
    ),
}
"""The columns of ``assignment`` that an act changes."""
AFTER: dict[Action, dict[str, Any]] = {
    Action.SUBMIT: {"status": "submitted", "version": 2, "updated_by": "Nguyễn Thị Hoa"},
    Action.CONFIRM: {},
}
"""What stands there after it, where a later act changes it again."""
NOTICES = {Action.SUBMIT: "receipt", Action.CONFIRM: "confirmed"}
AIM = Aim(at_least=0.25)
_Statement = tuple[str, list[Any], dict[str, Any] | None]
"""SQL, its values, and of an event the fields that its digest is computed from."""


def _stamp(action: Action, agency: str) -> Stamp:
    filing = action is Action.SUBMIT
    name = "Nguyễn Thị Hoa" if filing else "Trần Văn Bình"
    actor = Actor(
        kind=ActorKind.PERSON,
        name=name,
        post="Chuyên viên",
        account="hoa.nt" if filing else "binh.tv",
        role=AccountRole.AGENCY if filing else AccountRole.COORDINATOR,
        agency=agency if filing else "so_noi_vu",
        address="10.0.0.7",
    )
    return Stamp(at=NOW, as_of=TODAY, actor=actor)


def _asked(number: int) -> ActRequest:
    paper = Paper(code=f"{number}/KH-UBND", issued_on=TODAY, title="Kế hoạch")
    said = "Đã ban hành kế hoạch, phân công người theo dõi và báo cáo theo quy định."
    return ActRequest(result=Result(text=said, papers=(paper,)))


def ours(url: str, acts: int) -> Iterator[None]:
    """The engine: every turn ``TURN`` results are filed, or those of the turn before confirmed."""
    database = Database(url)
    with database.read() as session:
        query = text("SELECT id, agency_key FROM assignment ORDER BY id LIMIT :n")
        rows = [(row.id, row.agency_key) for row in session.execute(query, {"n": acts})]
    yield
    for action, part in _turns(rows):
        for number, agency in part:
            with database.write() as session:
                asked = _asked(number) if action is Action.SUBMIT else ActRequest()
                act(session, _stamp(action, agency), number, action, asked)
        yield


def _turns(rows: Sequence[Any]) -> Iterator[tuple[Action, Sequence[Any]]]:
    for first in range(0, len(rows), TURN):
        for action in ACTS:
            yield action, rows[first : first + TURN]


def raw(url: str, statements: Sequence[Sequence[_Statement]]) -> Iterator[None]:
    """The limit: the statements of each act, its event's digest computed anew, one commit each."""
    write, commit = _driver(url)
    yield
    for first in range(0, len(statements), TURN):
        for one in statements[first : first + TURN]:
            for words, values, fields in one:
                if fields is not None:
                    values[_DIGEST] = leaf_digest(canonical_v1(fields))
                write(words, values)
            commit()
        yield


def _driver(url: str) -> tuple[Callable[[str, Sequence[Any]], object], Callable[[], object]]:
    if not url.startswith("sqlite"):
        connection = psycopg.connect(url.replace("+psycopg", ""))
        return connection.cursor().execute, connection.commit
    bare = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "recursive_triggers = ON",
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
    ):
        bare.execute(f"PRAGMA {pragma}")

    def write(words: str, values: Sequence[Any]) -> None:
        if not bare.in_transaction:
            bare.execute("BEGIN IMMEDIATE")
        bare.execute(words, values)

    return write, lambda: bare.execute("COMMIT")


_EVENT = [column.name for column in Base.metadata.tables["event"].columns]
_DIGEST = _EVENT.index("digest")


class Replay:
    """What each act wrote, read back and put into plain statements."""

    def __init__(self, url: str) -> None:
        self._mark = "?" if url.startswith("sqlite") else "%s"
        self.rows: dict[str, list[dict[str, Any]]] = {}
        database = Database(url)
        with database.read() as session:
            for name in (*INSERTED, "assignment"):
                table = Base.metadata.tables[name]
                query = table.select().order_by(*table.primary_key.columns)
                self.rows[name] = [dict(row) for row in session.execute(query).mappings()]
            self._dialect = session.get_bind().dialect
        database.close()

    def statements(self, known: int) -> list[list[_Statement]]:
        """The statements of each act, in the order of the acts, after the event ``known``."""
        filed = {row["assignment_id"]: row for row in self.rows["submission"]}
        papers = {row["submission_id"]: row for row in self.rows["evidence"]}
        told = {(row["assignment_id"], row["kind"]): row for row in self.rows["notice"]}
        rows = {row["id"]: row for row in self.rows["assignment"]}
        found = []
        for events in self._acts(known):
            number, action = int(events[0]["entity_id"]), Action(events[0]["action"])
            result = filed[number]
            made = [self._update("assignment", CHANGED[action], rows[number] | AFTER[action])]
            if action is Action.SUBMIT:
                made.append(self._insert("submission", result | {"outcome": None}))
                made.append(self._insert("evidence", papers[result["id"]]))
            else:
                made.append(self._update("submission", ("outcome",), result))
            for event in events:
                made.append(self._insert("event", event))
                made.append(self._insert("log_pending", {"event_id": event["id"]}))
            made.append(self._insert("notice", told[number, NOTICES[action]]))
            found.append(made)
        return found

    def _acts(self, known: int) -> list[list[dict[str, Any]]]:
        """The events of each act: one of the assignment, with those that came after it."""
        found: list[list[dict[str, Any]]] = []
        for event in self.rows["event"]:
            if event["id"] > known:
                if event["entity"] == "assignment":
                    found.append([])
                found[-1].append(event)
        return found

    def _insert(self, table: str, row: dict[str, Any]) -> _Statement:
        marks = ", ".join([self._mark] * len(row))
        words = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})"  # noqa: S608 - our names
        fields = None
        if table == "event":
            fields = {name: value for name, value in row.items() if name != "digest"}
        return words, self._values(table, row), fields

    def _update(self, table: str, columns: Sequence[str], row: dict[str, Any]) -> _Statement:
        names = ", ".join(f"{name} = {self._mark}" for name in columns)
        words = f"UPDATE {table} SET {names} WHERE id = {self._mark}"  # noqa: S608 - our names
        return words, self._values(table, {name: row[name] for name in (*columns, "id")}), None

    def _values(self, table: str, row: dict[str, Any]) -> list[Any]:
        """The values as the driver takes them."""
        columns, found = Base.metadata.tables[table].c, []
        for name, value in row.items():
            bind = columns[name].type.dialect_impl(self._dialect).bind_processor(self._dialect)
            made = value if bind is None else bind(value)
            found.append(bytes(made) if isinstance(made, memoryview) else made)
        return found


@contextmanager
def filled(store: Store, acts: int) -> Iterator[tuple[list[str], int]]:
    """Three like databases with the work to mark, and the number of their last event."""
    with ExitStack() as stack:
        urls = [stack.enter_context(store.one()) for _ in range(3)]
        known = 0
        for url in urls:
            database = Database(url, durable=False)
            catalog, agencies = found(database, AGENCIES)
            with database.write() as session:
                open_work(session, catalog, agencies, acts, lambda _: {})
            with database.read() as session:
                known = session.execute(text("SELECT max(id) FROM event")).scalar_one()
            database.close()
        yield urls, known


def same(one: str, other: str) -> None:
    """See that both databases hold the same rows. Raises AssertionError where they do not."""
    if Replay(one).rows != Replay(other).rows:
        raise AssertionError("the limit wrote other rows than the engine")


def measure(store: Store, acts: int) -> Iterator[Ratio]:
    """The lines of the table for one database."""
    turns = 2 * acts // TURN
    with filled(store, acts) as (urls, known):
        tried, first, second = urls
        dry = ours(tried, acts)
        for _ in range(1 + turns):
            next(dry)
        statements = Replay(tried).statements(known)
        ways: dict[str, Entry] = {
            "limit": (raw, (second, statements)),
            "ours": (ours, (first, acts)),
        }
        taken = race(ways, turns)
        same(first, second)
        for place, action in enumerate(ACTS):
            limit, engine = (whole(taken[name][place::2]) for name in ("limit", "ours"))
            job = f"mark complete: {action.value}"
            size = f"{acts:,} acts, {acts / engine.seconds:,.0f} and {acts / limit.seconds:,.0f} a second, "
            size += f"by processor time {limit.cpu / engine.cpu:.2f}"
            yield Ratio(job=job, store=store.name, size=size, limit=limit, ours=engine, aim=AIM)


def main(acts: int, wanted: Sequence[str]) -> None:
    """Measure and print the table."""
    print(machine())
    with stores(wanted=wanted) as each:
        print("; ".join(f"{one.name}: {one.durability}" for one in each) + ".\n")
        write_table(line for store in each for line in measure(store, acts))


if __name__ == "__main__":
    main(*size_and_stores(__doc__, "acts", 1_000))
