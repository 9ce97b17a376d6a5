"""Bringing a database to where work can begin: tables, catalog, and contacts of a trial."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy.exc import IntegrityError

from operations.stamp import Stamp
from operations.state import Facts, fact, is_trial, plan_keys, set_fact
from rules.actors import Actor, ActorKind
from runtime.wiring import Runtime

_INSTALLER = Actor(kind=ActorKind.OPERATOR, name="Khởi tạo hệ thống")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What :func:`prepare` found and did."""

    migrated: bool
    plans: tuple[str, ...]
    """Keys of the plans that were loaded just now."""
    trial: bool
    contacts: int
    """How many sample contacts were made up."""


def today(runtime: Runtime) -> date:
    """The business date of schedules that belong to no plan."""
    return runtime.clock.today(runtime.settings.time_zone)


def operator_stamp(runtime: Runtime, actor: Actor = _INSTALLER) -> Stamp:
    """The circumstances of an act at the command line, now."""
    return Stamp(at=runtime.clock.now(), as_of=today(runtime), actor=actor)


def prepare(runtime: Runtime) -> Prepared:
    """Migrate the database; load the catalog into an empty one and mark it as a trial.

    Level-triggered: a database that is ready stays as it is. A database stays a trial until an
    operator marks it as live.

    Raises:
        models.revision.NewerDatabase, OlderDatabase: it does not fit and may not be changed.
        tasks_catalog.errors.CatalogErrors: the catalog is wrong; nothing of it was written.
    """
    from models.migrate import upgrade

    migrated = upgrade(runtime.database)
    with runtime.database.read() as session:
        if plan_keys(session):
            return Prepared(migrated=migrated, plans=(), trial=is_trial(session), contacts=0)
    try:
        return _fill(runtime, migrated=migrated)
    except IntegrityError:
        # Several portals start on the same empty database: one of them fills it.
        with runtime.database.read() as session:
            if not plan_keys(session):
                raise
            return Prepared(migrated=migrated, plans=(), trial=is_trial(session), contacts=0)


def _fill(runtime: Runtime, *, migrated: bool) -> Prepared:
    from operations.catalog import apply_catalog
    from operations.sample_contacts import seed_sample_contacts
    from tasks_catalog.loader import load_plan, plan_folders

    loaded = [load_plan(one) for one in runtime.settings.plan_folders or plan_folders()]
    stamp = operator_stamp(runtime)
    with runtime.database.write() as session:
        if plan_keys(session):  # another process was first
            return Prepared(migrated=migrated, plans=(), trial=is_trial(session), contacts=0)
        if fact(session, Facts.TRIAL) is None:
            set_fact(session, stamp, Facts.TRIAL, "true")
        for one in loaded:
            apply_catalog(session, stamp, one, tracking_start=stamp.as_of)
        trial, contacts = is_trial(session), 0
        for name in dict.fromkeys(one.plan.agencies_file for one in loaded) if trial else ():
            contacts += seed_sample_contacts(session, stamp, agencies_file=name)
    return Prepared(
        migrated=migrated,
        plans=tuple(one.plan.key for one in loaded),
        trial=trial,
        contacts=contacts,
    )


def first_link(runtime: Runtime) -> str | None:
    """The address where the first account is opened; None when there is one already.

    Each call ends the link of the one before: only what was printed last opens anything.
    """
    from operations.account_links import issue_first_link

    with runtime.database.write() as session:
        path = issue_first_link(session, operator_stamp(runtime), secret=runtime.link_secret)
    return None if path is None else f"{runtime.settings.portal_url}{path}"
