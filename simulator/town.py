"""The place where a life is lived: the real plan, a few of its agencies, mailboxes, policies.

The plan's items, calendars and ladders are those that ship; who takes part is cut down to the
agencies drawn, so that a life of years takes seconds.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from functools import cache

from sqlalchemy.orm import Session

from models.engine import Database
from models.migrate import upgrade
from models.tables import ContactKind
from operations.catalog import apply_catalog
from operations.contacts import ContactInput, store_contacts
from operations.stamp import Stamp
from operations.state import Facts, set_fact
from rules.actors import flow_actor
from rules.directory import Directory
from rules.values import Agency, Confirmation, Group, Item, Member, Plan
from tasks_catalog.loader import CATALOG, LoadedCatalog, load_plan

PLAN_FOLDER = CATALOG / "qd_1718_2023"
EVERYBODY = "all_units"
LEAST_AGENCIES = 8
"""The coordinator and those whom the plan's parties name."""
LETTERS_END = "tinh.example"
"""The reserved domain of the simulated mailboxes; none of them exists."""


@cache
def shipped() -> LoadedCatalog:
    """The catalog that ships, read once."""
    return load_plan(PLAN_FOLDER)


@cache
def _empty_database() -> sqlite3.Connection:
    """A migrated SQLite database in memory, to be copied."""
    database = Database("sqlite://", durable=False)
    upgrade(database)
    raw = database.engine.raw_connection().driver_connection
    if not isinstance(raw, sqlite3.Connection):
        raise AssertionError(raw)
    return raw


def prepare(database: Database) -> None:
    """Bring an empty database to the tables of this code; in memory by a copy."""
    if database.url != "sqlite+pysqlite://":
        upgrade(database)
        return
    target = database.engine.raw_connection().driver_connection
    if not isinstance(target, sqlite3.Connection):
        raise AssertionError(target)
    _empty_database().backup(target)


def draw_catalog(chance: random.Random, *, agencies: int) -> LoadedCatalog:
    """The plan among some agencies, with policies and confirmations drawn."""
    whole = shipped()
    chosen = _chosen(chance, whole, agencies)
    groups = [_cut(chance, group, chosen) for group in whole.directory.groups]
    directory = Directory(agencies=chosen, groups=groups)
    return LoadedCatalog(
        plan=_plan(chance, whole.plan),
        directory=directory,
        corrections=whole.corrections,
    )


def _chosen(chance: random.Random, whole: LoadedCatalog, count: int) -> list[Agency]:
    named = {
        ref
        for item in whole.plan.decided
        for span in (*item.parties.leads, *item.parties.partners)
        for ref in span.refs
        if not ref.startswith("@")
    }
    units = whole.directory.group(EVERYBODY)
    others = [
        key
        for key in dict.fromkeys(_keys(whole.directory, units))
        if key not in named and whole.directory.agency(key).letters
    ]
    drawn = named | set(chance.sample(others, max(0, count - len(named))))
    return [
        replace(one, valid_from=None, valid_to=None)
        for one in whole.directory.agencies
        if one.key in drawn
    ]


def _keys(directory: Directory, group: Group) -> Iterable[str]:
    for member in group.members:
        if member.ref.startswith("@"):
            yield from _keys(directory, directory.group(member.ref))
        else:
            yield member.ref


def _cut(chance: random.Random, group: Group, chosen: Sequence[Agency]) -> Group:
    keys = [one.key for one in chosen]
    if group.key == EVERYBODY:
        members = keys
    else:
        wanted = set(_keys(shipped().directory, group))
        members = [key for key in keys if key in wanted]
        if not members and group.letters:
            members = sorted(chance.sample(keys, 2))
    return replace(group, members=tuple(Member(ref=key) for key in members))


def _plan(chance: random.Random, plan: Plan) -> Plan:
    steps = ("extend", "waive", "reopen", "cancel")
    policies = replace(
        plan.policies,
        extension_cap=chance.choice((1, 1, 2)),
        blast_factor=chance.choice((1.5, 1.5, 0.6)),
        two_step=frozenset(one for one in steps if chance.random() < 0.3),
        sample_percent=chance.choice((10, 50)),
        link_days=chance.choice((30, 5)),
    )
    return replace(
        plan,
        effective_from=date(plan.first_year, 1, 1),
        items=tuple(_item(chance, one) for one in plan.items),
        beside=tuple(_item(chance, one) for one in plan.beside),
        policies=policies,
    )


def _item(chance: random.Random, item: Item) -> Item:
    confirmation = item.calendar.confirmation
    if chance.random() < 0.3:
        confirmation = chance.choice(list(Confirmation))
    return replace(item, calendar=replace(item.calendar, confirmation=confirmation))


def address(agency: str, kind: ContactKind, number: int = 0) -> str:
    """A mailbox of an agency; a higher ``number`` for one that came later."""
    label = agency.replace("_", "-")
    return f"{kind.value}{number or ''}@{label}.{LETTERS_END}"


def settle(
    session: Session, chance: random.Random, catalog: LoadedCatalog, *, start: date
) -> Stamp:
    """Apply the catalog and give the agencies their contacts; some lack one, or all."""
    at = datetime.combine(start, time(0, 30), UTC)
    stamp = Stamp(at=at, as_of=start, actor=flow_actor("cài đặt"))
    apply_catalog(session, stamp, catalog, tracking_start=start)
    set_fact(session, stamp, Facts.TRIAL, "false")
    wanted = []
    for one in catalog.directory.agencies:
        for kind, often in (
            (ContactKind.MAILBOX, 0.9),
            (ContactKind.FOCAL, 0.4),
            (ContactKind.HEAD, 0.2),
        ):
            if one.key == catalog.plan.coordinator or chance.random() < often:
                wanted.append(contact(one.key, kind))
    store_contacts(session, stamp, wanted)
    return stamp


def contact(agency: str, kind: ContactKind, number: int = 0) -> ContactInput:
    """A contact of an agency as it is typed."""
    named = kind is not ContactKind.MAILBOX
    return ContactInput(
        agency_key=agency,
        kind=kind,
        name=f"Cán bộ {number + 1}" if named else None,
        post="Chuyên viên" if named else None,
        email=address(agency, kind, number),
    )
