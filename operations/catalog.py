"""The catalog in the database: applied from files once, master from then on (rule 8).

A later :func:`apply_catalog` compares three things: what was applied last, what the database holds
now, and what the files say. What the files changed is taken over as a new version; what was edited
in the system since is kept and shown, never overwritten silently.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.bulk import allocate_ids
from models.tables import DayRow, PlanRow, PolicySetting
from operations.agencies import directory_from_json, directory_to_json, store_directory, union
from operations.history import Change, record, snapshot_of
from operations.plan_versions import keep_edited, remember_calendars, store_version
from operations.policy_values import policies_set, with_policies
from operations.stamp import Stamp
from operations.state import (
    Facts,
    fact,
    load_applied,
    load_directory,
    set_fact,
)
from rules.directory import Directory
from rules.values import Plan
from rules.workdays import DaySource
from tasks_catalog.daysoff import Correction, resolve_days
from tasks_catalog.diff import Change as FieldChange
from tasks_catalog.diff import diff_catalog
from tasks_catalog.loader import LoadedCatalog


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogResult:
    """What an application did. ``kept`` names what was edited in the system and stayed."""

    first: bool
    version: int
    changes: tuple[FieldChange, ...]
    kept: tuple[str, ...] = ()


def stored_catalog(session: Session, plan_key: str) -> LoadedCatalog:
    """The catalog as the database holds it now, for export and comparison.

    Raises:
        NotFound: there is no such plan.
    """
    return LoadedCatalog(
        plan=with_policies(load_applied(session, plan_key), policies_set(session, plan_key)),
        directory=load_directory(session),
        corrections=tuple(_corrections(session)),
    )


def _corrections(session: Session) -> Iterable[Correction]:
    rows = session.scalars(
        select(DayRow).where(DayRow.source == DaySource.CORRECTION).order_by(DayRow.day)
    )
    for row in rows:
        yield Correction(
            day=row.day, working=row.working, name=row.name, document=row.document or ""
        )


def preview_catalog(session: Session, loaded: LoadedCatalog) -> list[FieldChange]:
    """What applying ``loaded`` would change; everything is new when the plan is not there yet."""
    if session.get(PlanRow, loaded.plan.key) is None:
        return []
    stored = stored_catalog(session, loaded.plan.key)
    wanted = replace(
        loaded,
        plan=replace(loaded.plan, version=stored.plan.version),
        directory=union(stored.directory, loaded.directory),
        digest="",
    )
    return diff_catalog(stored, wanted)


def apply_catalog(
    session: Session,
    stamp: Stamp,
    loaded: LoadedCatalog,
    *,
    tracking_start: date,
    overwrite: bool = False,
) -> CatalogResult:
    """Write the catalog into the database, as a new version where anything differs.

    ``tracking_start`` is stored with the plan once, at its first application (rule 19). With
    ``overwrite``, what was edited in the system since the last application gives way to the files.
    """
    plan_row = session.get(PlanRow, loaded.plan.key)
    changes = preview_catalog(session, loaded)
    _store_days(session, stamp, loaded)
    kept = store_directory(
        session,
        stamp,
        loaded.directory,
        last_applied=_last_applied(session, loaded.plan),
        overwrite=overwrite,
    )
    _remember(session, stamp, loaded)
    if plan_row is None:
        session.add(
            PlanRow(
                key=loaded.plan.key,
                current_version=loaded.plan.version,
                tracking_start=max(tracking_start, loaded.plan.effective_from),
                active=True,
            )
        )
        session.flush()
        version = store_version(session, stamp, loaded.plan)
        remember_calendars(session, stamp, loaded.plan)
        return CatalogResult(first=True, version=version, changes=())
    version = plan_row.current_version
    current = load_applied(session, loaded.plan.key)
    plan, calendars = keep_edited(session, current, loaded.plan, overwrite=overwrite)
    if replace(current, version=0) != replace(plan, version=0):
        version = max(version + 1, plan.version)
        store_version(session, stamp, replace(plan, version=version))
        plan_row.current_version = version
    remember_calendars(session, stamp, loaded.plan)
    kept += [f"lịch {one}" for one in calendars]
    kept += _policies_kept(session, stamp, loaded.plan, overwrite=overwrite)
    return CatalogResult(first=False, version=version, changes=tuple(changes), kept=tuple(kept))


def _policies_kept(session: Session, stamp: Stamp, files: Plan, *, overwrite: bool) -> list[str]:
    """The policies set in the system that differ from the files; with ``overwrite`` they yield."""
    settings = policies_set(session, files.key)
    kept = [name for name, row in settings.items() if with_policies(files, {name: row}) != files]
    if not overwrite:
        return [f"chính sách {name}" for name in kept]
    for name in kept:
        row = PolicySetting(
            id=allocate_ids(session, "policy_setting", 1)[0],
            plan_key=files.key,
            name=name,
            value=None,
            basis=files.policies.basis,
            reason="Nạp danh mục, chọn ghi đè",
            set_on=stamp.as_of,
            set_at=stamp.at,
            set_by=stamp.actor.name,
        )
        session.add(row)
        session.flush()
        change = Change(
            entity="policy",
            entity_id=f"{files.key}/{name}",
            action="give_back",
            snapshot=snapshot_of(row),
            plan=files.key,
            reason=row.reason,
        )
        record(session, stamp, [change])
    return []


def _store_days(session: Session, stamp: Stamp, loaded: LoadedCatalog) -> None:
    """Resolve the days that are not resolved yet; what is stored never moves (rule 3)."""
    first = date(loaded.plan.first_year - 1, 1, 1)
    last = date(loaded.plan.last_year + 2, 12, 31)
    known_first, known_last = fact(session, Facts.FIRST_DAY), fact(session, Facts.LAST_DAY)
    have = (
        (date.fromisoformat(known_first), date.fromisoformat(known_last))
        if known_first and known_last
        else None
    )
    for day in resolve_days(first, last, loaded.corrections):
        if have is None or not have[0] <= day.day <= have[1]:
            session.add(
                DayRow(
                    day=day.day,
                    working=day.working,
                    name=day.name,
                    source=day.source.value,
                    document=day.document,
                )
            )
    bounds = {
        Facts.FIRST_DAY: min(first, have[0]) if have else first,
        Facts.LAST_DAY: max(last, have[1]) if have else last,
    }
    for key, value in bounds.items():
        set_fact(session, stamp, key, value.isoformat())


def _applied_key(plan: Plan) -> str:
    return f"applied.{plan.agencies_file}"


def _last_applied(session: Session, plan: Plan) -> Directory | None:
    stored = fact(session, _applied_key(plan))
    return None if stored is None else directory_from_json(stored)


def _remember(session: Session, stamp: Stamp, loaded: LoadedCatalog) -> None:
    value = directory_to_json(loaded.directory)
    if fact(session, _applied_key(loaded.plan)) != value:
        set_fact(session, stamp, _applied_key(loaded.plan), value)
