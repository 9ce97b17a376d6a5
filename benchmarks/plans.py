"""``python -m benchmarks.plans [PLANS]``: the heat map of several plans beside that of one.

Two databases of the same shape, 12 items x 80 agencies x 8 years a plan, every plan with agencies
of its own; one worker each, asked in turns over one kept connection. The figures that count are
the ratios. The last row is an account of one plan in the database of them all.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path

from sqlalchemy import insert, text

from benchmarks.__main__ import stores
from benchmarks.portal_drive import Asked, Worker, drive, worker
from benchmarks.portal_fill import AGENCIES, PASSWORD, TODAY, fill_work
from benchmarks.ratios import machine
from models.engine import Database
from models.tables import AgencyRow, PlanRow, PlanVersion
from operations.accounts import NewAccount, add_account
from operations.catalog import apply_catalog
from operations.stamp import Stamp
from operations.state import PLAN_ADAPTER
from rules.actors import AccountRole, Actor, ActorKind
from tasks_catalog.loader import load_plan
from tests.engine import PROVINCE, stamp

AIM = 5.0
"""The heat map of ten provinces at most so many times that of one."""
BEGAN = date(2023, 1, 1)
HEAD = "| database | page | bytes | p50 ms | p99 ms | worker CPU ms | of one plan | aim |"


def fill(database: Database, plans: int) -> str:
    """Fill a migrated database with so many plans and two accounts; the key of the first plan."""
    catalog = load_plan(PROVINCE)
    first, known = catalog.plan, catalog.directory.agencies[:AGENCIES]
    at = datetime.combine(TODAY, time(1), UTC)
    with database.write() as session:
        apply_catalog(session, stamp(BEGAN), catalog, tracking_start=BEGAN)
        taken = fill_work(session, first, known)
        for number in range(1, plans):
            agencies = [
                replace(one, key=f"t{number}_{one.key}", name=f"{one.name} ({number})")
                for one in known
            ]
            named = (
                {"key": one.key, "name": one.name, "kind": one.kind, "certainty": "SEEN"}
                for one in agencies
            )
            session.execute(insert(AgencyRow), list(named))
            plan = replace(first, key=f"tinh_{number}", short_code=f"TINH-{number}")
            session.add(PlanRow(key=plan.key, current_version=1, tracking_start=BEGAN))
            session.flush()
            session.add(
                PlanVersion(
                    plan_key=plan.key,
                    version=1,
                    effective_from=plan.effective_from,
                    content=PLAN_ADAPTER.dump_json(plan).decode(),
                    digest="0" * 64,
                    applied_at=at,
                    applied_by="đo",
                )
            )
            session.flush()
            taken = fill_work(session, plan, agencies, after=taken)
        for name, seen in (("tat-ca", ()), ("mot-de-an", (first.key,))):
            new = NewAccount(
                username=name,
                name="Nguyễn Văn Đo",
                role=AccountRole.COORDINATOR,
                password=PASSWORD,
                agency=first.coordinator,
                plans=seen,
            )
            add_account(session, Stamp(at=at, as_of=TODAY, actor=_OPERATOR), new)
    if not database.is_sqlite:
        with database.write() as session:
            session.execute(text("ANALYZE"))
    return first.key


_OPERATOR = Actor(kind=ActorKind.OPERATOR, name="Người vận hành")


def measure(store: str, one: Worker, many: Worker, plans: int, first: str) -> None:
    """Print the rows of one database."""
    sees_all, sees_one = many.sign_in("tat-ca"), many.sign_in("mot-de-an")
    asked = [
        Asked("heat map, one plan", one, "/ban-do", one.sign_in("tat-ca")),
        Asked(f"heat map, {plans} plans", many, "/ban-do", sees_all),
        Asked(
            f"heat map, one of {plans} chosen by filter", many, f"/ban-do?de-an={first}", sees_all
        ),
        Asked(f"heat map, account of one of {plans}", many, "/ban-do", sees_one),
        Asked("overview, one plan", one, "/", one.sign_in("tat-ca")),
        Asked(f"overview, {plans} plans", many, "/", sees_all),
    ]
    drive(asked, 1)
    beside = asked[0]
    for page in asked:
        beside = page if page.name.endswith(", one plan") else beside
        ratio = page.cpu_each / beside.cpu_each
        aim = ""
        if page.name == f"heat map, {plans} plans":
            aim = f"≤ {AIM:g}: {'met' if ratio <= AIM else 'missed'}"
        print(
            f"| {store} | {page.name} | {page.size:,} | {page.at(0.5):.1f} | {page.at(0.99):.1f} "
            f"| {page.cpu_each:.1f} | {page.at(0.5) / beside.at(0.5):.2f} (CPU {ratio:.2f}) | {aim} |",
            flush=True,
        )


def main(plans: int, only: str | None) -> None:
    """Fill both databases, measure and print."""
    print(machine(), "\n")
    print(HEAD, "|---|---|---|---|---|---|---|---|", sep="\n")
    with stores() as each:
        for store, copies, folder in each:
            if only and store.lower() != only:
                continue
            with (
                copies.one(_folder(folder, "one"), migrated=True) as one_url,
                copies.one(_folder(folder, "many"), migrated=True) as many_url,
            ):
                first = _filled(one_url, 1)
                _filled(many_url, plans)
                with (
                    worker("portal", one_url, _folder(folder, "one")) as one,
                    worker("portal", many_url, _folder(folder, "many")) as many,
                ):
                    measure(store, one, many, plans, first)


def _filled(url: str, plans: int) -> str:
    database = Database(url, durable=False)
    try:
        return fill(database, plans)
    finally:
        database.close()


def _folder(folder: Path, name: str) -> Path:
    found = folder / name
    found.mkdir(exist_ok=True)
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("plans", nargs="?", type=int, default=10)
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    given = parser.parse_args()
    main(given.plans, given.only)
