"""A database of the size asked for: 12 items x 80 agencies x 8 years, and events without end.

Rows go in raw, with the foreign keys, triggers, canonical forms and digests that the engine's own
would have; only the indexes over the history are made after it, or the filling takes hours.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateIndex, DropIndex

from models.bulk import insert_rows
from models.engine import Database
from models.tables import Assignment, Base, Event
from operations.accounts import NewAccount, add_account
from operations.catalog import apply_catalog
from operations.history import snapshot_of
from operations.sample_contacts import seed_sample_contacts
from operations.stamp import Stamp
from rules.actors import AccountRole, Actor, ActorKind
from rules.events import CANONICAL_VERSION, canonical_json, canonical_v1, leaf_digest
from rules.lifecycle import Status
from rules.values import Agency, Plan
from tasks_catalog.loader import load_plan
from tests.engine import PROVINCE, stamp

AGENCIES, FIRST_YEAR, LAST_YEAR = 80, 2023, 2030
TODAY = date(2030, 6, 14)
PASSWORD = "mat-khau-rat-dai-2030"  # noqa: S105 - of a database that is thrown away
AGENCY = "so_tai_chinh"
PEOPLE = (
    ("theo-doi", AccountRole.COORDINATOR, "so_noi_vu"),
    ("co-quan", AccountRole.AGENCY, AGENCY),
)
_NOW = datetime.combine(TODAY, time(1), UTC)
_BEGIN = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
_OPERATOR = Actor(kind=ActorKind.OPERATOR, name="Người vận hành")
_MACHINE = 3
"""One event in so many is about a letter, which the page of the history leaves out."""
_DRAFT = ("\x01", "\x02", "\x03", "\x04")


def fill(database: Database, events: int) -> int:
    """Fill a migrated database with the plan, its work and ``events`` events.

    Returns how many assignments there are.
    """
    catalog = load_plan(PROVINCE)
    with database.write() as session:
        start = stamp(date(FIRST_YEAR, 1, 1))
        apply_catalog(session, start, catalog, tracking_start=date(FIRST_YEAR, 1, 1))
        seed_sample_contacts(session, start, agencies_file=catalog.plan.agencies_file)
        for name, role, agency in PEOPLE:
            add_account(
                session, Stamp(at=_NOW, as_of=TODAY, actor=_OPERATOR), _account(name, role, agency)
            )
        agencies = sorted(catalog.directory.agencies, key=lambda one: one.key != AGENCY)[:AGENCIES]
        fill_work(session, catalog.plan, agencies)
    with database.write() as session:
        _history(session, events)
    with database.write() as session:
        if not database.is_sqlite:
            session.execute(text("ANALYZE"))  # as the server does by itself; SQLite does not
        return len(session.scalars(select(Assignment.id)).all())


def _account(name: str, role: AccountRole, agency: str) -> NewAccount:
    return NewAccount(
        username=name,
        name="Nguyễn Văn Đo",
        role=role,
        password=PASSWORD,
        agency=agency,
        basis="Đo hiệu năng",
        valid_to=date(2031, 12, 31),
    )


def fill_work(
    session: Session, plan: Plan, agencies: Sequence[Agency], *, after: tuple[int, int] = (0, 0)
) -> tuple[int, int]:
    """Every year's work of a plan, each agency leading each item.

    ``after`` are the last numbers of an occurrence and an assignment that are taken; returns those
    that then are.
    """
    metadata = Base.metadata.tables
    occurrences: list[dict[str, Any]] = []
    assignments: list[dict[str, Any]] = []
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        for place, item in enumerate(plan.items):
            due = date(year, place + 1, 28)
            dates = {"nominal_due_on": due, "original_due_on": due, "due_on": due}
            number = after[0] + len(occurrences) + 1
            occurrences.append(
                {
                    "id": number,
                    "plan_key": plan.key,
                    "plan_version": 1,
                    "item_key": item.key,
                    "period_key": str(year),
                    "period_first": date(year, 1, 1),
                    "period_last": date(year, 12, 31),
                    "opens_on": date(year, 1, 1),
                    **dates,
                    "mode": "full",
                    "kind": item.calendar.kind.value,
                    "lead_mode": "each",
                    "confirmation": "required",
                    "ladder": "standard",
                    "touched": True,
                    "opened_at": datetime(year, 1, 1, tzinfo=UTC),
                    "version": 1,
                }
            )
            for order, agency in enumerate(agencies):
                assignments.append(
                    {
                        **_assignment(after[1] + len(assignments) + 1, due, order),
                        "occurrence_id": number,
                        "agency_key": agency.key,
                        **dates,
                        "agency_name": agency.name,
                    }
                )
    for name, rows in (("occurrence", occurrences), ("assignment", assignments)):
        insert_rows(session, metadata[name], list(rows[0]), (tuple(row.values()) for row in rows))
        if session.get_bind().dialect.name != "sqlite":
            session.execute(text(f"SELECT setval('{name}_id_seq', {rows[-1]['id']})"))
    return after[0] + len(occurrences), after[1] + len(assignments)


def _assignment(number: int, due: date, order: int) -> dict[str, Any]:
    """Nearly all that is past is done; some of it late, some never; a tenth of the rest waits."""
    past, turn = due < TODAY - timedelta(days=60), (number * 7919) % 100
    done = past and turn < 97
    waits = not past and due < TODAY + timedelta(days=90) and turn < 10
    status = Status.CONFIRMED if done else Status.SUBMITTED if waits else Status.IN_PROGRESS
    finished = due + timedelta(days=5 - turn // 4) if done else TODAY - timedelta(days=turn)
    said = done or waits
    at = datetime.combine(finished, time(3), UTC)
    return {
        "id": number,
        "role": "lead",
        "round": 1,
        "status": status.value,
        "version": 3,
        "authority": "coordinator",
        "document_code": "12/SNV-CCHC",
        "late_entry": turn % 20 == 0,
        "submitted_at": at if said else None,
        "submitted_on": finished if said else None,
        "submitted_by": "account:ai-do" if said else None,
        "completed_on": finished if said else None,
        "confirmed_at": at if done else None,
        "confirmed_on": finished if done else None,
        "confirmed_by": "account:theo-doi" if done else None,
        "self_confirmed": False,
        "sampled": False,
        "extensions": order % 2,
        "returns": 0,
        "updated_at": at if said else _NOW,
        "updated_by": "Nguyễn Văn Đo",
    }


def _history(session: Session, events: int) -> None:
    table = Base.metadata.tables["event"]
    indexes = sorted(table.indexes, key=lambda one: str(one.name))
    for one in indexes:
        session.execute(DropIndex(one))
    known = session.execute(text("SELECT max(id) FROM event")).scalar_one()
    columns = [column.name for column in table.columns]
    insert_rows(session, table, columns, _events(session, columns, known, events - known))
    pending = Base.metadata.tables["log_pending"]
    insert_rows(session, pending, ["event_id"], ((n,) for n in range(known + 1, events + 1)))
    for one in indexes:
        session.execute(CreateIndex(one))
    if session.get_bind().dialect.name != "sqlite":
        session.execute(text(f"SELECT setval('event_id_seq', {events})"))


def _events(
    session: Session, columns: list[str], known: int, count: int
) -> Iterator[tuple[Any, ...]]:
    """Events that walk through all assignments again and again, evenly through the years.

    The canonical form of each kind is made once, by ``rules.events``, with marks where the four
    values stand that differ; the rest is putting text together.
    """
    rows = session.scalars(select(Assignment).order_by(Assignment.id)).all()
    periods = {
        row.id: (row.plan_key, row.item_key, row.period_key)
        for row in session.execute(
            text("SELECT id, plan_key, item_key, period_key FROM occurrence")
        )
    }
    drafts = [_Draft(row, periods[row.occurrence_id]) for row in rows]
    step, first = (_NOW - _BEGIN) / max(count, 1), True
    for turn in range(count):
        number, at = known + 1 + turn, _BEGIN + step * turn
        draft = drafts[(turn * 3571) % len(drafts)]
        made = draft.event(number, at, turn // len(drafts), machine=turn % _MACHINE == 0)
        if first:
            fields = {name: value for name, value in made.items() if name != "digest"}
            if leaf_digest(canonical_v1(fields)) != made["digest"]:
                raise AssertionError("the events filled in have other digests than the engine's")
            first = False
        yield tuple(made[name] for name in columns)


class _Draft:
    """The events of one assignment, put together from text that was made once."""

    def __init__(self, row: Assignment, about: tuple[str, str, str]) -> None:
        whole = snapshot_of(row) | {"version": 0, "request_text": "\x03"}
        self._snapshot = canonical_json(whole).split(json.dumps("\x03")[1:-1])
        self._fields: dict[str, Any] = {
            "effective_on": TODAY,
            "plan_key": about[0],
            "item_key": about[1],
            "period_key": about[2],
            "agency_key": row.agency_key,
            "actor_kind": "person",
            "actor_name": "Nguyễn Thị Hoa",
            "actor_post": "Chuyên viên",
            "actor_account": "hoa.nt",
            "actor_mailbox": None,
            "actor_agency": row.agency_key,
            "on_behalf_of": None,
            "reason": None,
            "document": "125/QĐ-UBND",
            "run": None,
            "address": "10.0.0.7",
            "canonical_version": CANONICAL_VERSION,
        }
        self._id = str(row.id)
        self._forms: dict[bool, list[str]] = {}

    def event(self, number: int, at: datetime, turn: int, *, machine: bool) -> dict[str, Any]:
        """The event with this id, at this instant."""
        entity, action = ("letter", "send") if machine else ("assignment", "update")
        snapshot = f"lần {turn}".join(self._snapshot)
        made = self._fields | {
            "id": number,
            "at": at,
            "entity": entity,
            "action": action,
            "entity_id": self._id,
            "snapshot": snapshot,
        }
        if machine not in self._forms:
            marked = made | {"id": "\x01", "at": "\x02", "snapshot": "\x04"}
            self._forms[machine] = _split(canonical_json(marked))
        pieces = self._forms[machine]
        told = json.dumps(snapshot, ensure_ascii=False)
        moment = at.strftime('"%Y-%m-%dT%H:%M:%S.%fZ"')
        form = f"{pieces[0]}{moment}{pieces[1]}{number}{pieces[2]}{told}{pieces[3]}"
        made["digest"] = hashlib.sha256(b"\x00" + form.encode()).digest()
        return made


def _split(form: str) -> list[str]:
    """The pieces around instant, id and snapshot, in the order of the sorted keys."""
    before, rest = form.split(json.dumps("\x02"))
    middle, rest = rest.split(json.dumps("\x01"))
    after, end = rest.split(json.dumps("\x04"))
    return [before, middle, after, end]


__all__ = ["AGENCY", "PASSWORD", "PEOPLE", "TODAY", "Event", "fill"]
