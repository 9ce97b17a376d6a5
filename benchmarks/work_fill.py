"""Open work by the hundred thousand, written raw: what the benchmarks of a day stand on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from benchmarks.__main__ import widened
from models.bulk import insert_rows
from models.engine import Database
from models.tables import Base, ContactKind
from operations.catalog import apply_catalog
from operations.contacts import ContactInput, store_contacts
from operations.results import asks_for_this_year
from rules.values import Agency
from tasks_catalog.loader import LoadedCatalog
from tests.engine import stamp

START = date(2027, 1, 4)
OPENED = datetime(2027, 1, 4, 1, tzinfo=UTC)
Row = Callable[[int], Mapping[str, Any]]
"""What is special of the assignment with this place, from 0."""


def found(database: Database, agencies: int) -> tuple[LoadedCatalog, list[Agency]]:
    """Store the shipped plan with ``agencies`` more agencies, each with a mailbox; gives those."""
    catalog = widened(agencies)
    more = [one for one in catalog.directory.agencies if one.key.startswith("them_")]
    with database.write() as session:
        apply_catalog(session, stamp(START), catalog, tracking_start=START)
        wanted = [
            ContactInput(agency_key=one.key, kind=ContactKind.MAILBOX, email=address(one.key))
            for one in more
        ]
        store_contacts(session, stamp(START), wanted)
    return catalog, more


def address(agency: str) -> str:
    """The mailbox of an agency of the benchmark."""
    return f"{agency.replace('_', '-')}@co-quan.test"


def open_work(
    session: Session, catalog: LoadedCatalog, agencies: Sequence[Agency], count: int, row: Row
) -> None:
    """Open ``count`` tasks, agency by agency within an item and a month, as ``row`` says.

    Items that ask for figures or outcomes of their own are left out.
    """
    items = [item.key for item in catalog.plan.items if not asks_for_this_year(item)]
    occurrences: list[dict[str, Any]] = []
    assignments: list[dict[str, Any]] = []
    places = ((n, agency) for n in range(1, count + 1) for agency in agencies)
    for place, (number, agency) in enumerate(islice(places, count)):
        if number > len(occurrences):
            occurrences.append(_occurrence(catalog, number, items))
        assignments.append(_assignment(place + 1, number, agency) | dict(row(place)))
    for name, rows in (("occurrence", occurrences), ("assignment", assignments)):
        table = Base.metadata.tables[name]
        insert_rows(session, table, list(rows[0]), (tuple(one.values()) for one in rows))
        if session.get_bind().dialect.name != "sqlite":
            session.execute(text(f"SELECT setval('{name}_id_seq', {len(rows)})"))


def _occurrence(catalog: LoadedCatalog, number: int, items: Sequence[str]) -> dict[str, Any]:
    months = (number - 1) // len(items)
    year, month = 2027 + months // 12, months % 12 + 1
    day = date(year, month, 1)
    return {
        "id": number,
        "plan_key": catalog.plan.key,
        "plan_version": 1,
        "item_key": items[(number - 1) % len(items)],
        "period_key": f"{year}-{month:02}",
        "period_first": day,
        "period_last": day,
        "opens_on": START,
        "nominal_due_on": date(2035, 12, 31),
        "original_due_on": date(2035, 12, 31),
        "due_on": date(2035, 12, 31),
        "mode": "full",
        "kind": "task",
        "lead_mode": "each",
        "confirmation": "required",
        "ladder": "standard",
        "touched": True,
        "opened_at": OPENED,
        "version": 1,
    }


def _assignment(number: int, occurrence: int, agency: Agency) -> dict[str, Any]:
    due = date(2027, 12, 31)
    return {
        "id": number,
        "occurrence_id": occurrence,
        "agency_key": agency.key,
        "agency_name": agency.name,
        "role": "lead",
        "round": 1,
        "status": "in_progress",
        "nominal_due_on": due,
        "original_due_on": due,
        "due_on": due,
        "authority": "coordinator",
        "document_code": "12/SNV-CCHC",
        "late_entry": False,
        "self_confirmed": False,
        "sampled": False,
        "extensions": 0,
        "returns": 0,
        "last_rung": None,
        "next_reminder_on": date(2027, 12, 1),
        "updated_at": OPENED,
        "updated_by": "Nguyễn Văn Đo",
        "version": 1,
    }
