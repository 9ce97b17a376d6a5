"""Reading a plan's folder into values, or refusing it whole (rule 9)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rules.directory import Directory
from rules.values import Plan
from tasks_catalog import schema
from tasks_catalog.build import build_agencies, build_corrections, build_plan
from tasks_catalog.checks_agencies import check_agencies
from tasks_catalog.checks_plan import PlanSources, check_meaning, check_structure
from tasks_catalog.daysoff import Correction
from tasks_catalog.errors import CatalogError, CatalogErrors
from tasks_catalog.wording import parse
from tasks_catalog.yaml_source import YamlSource, read_yaml

CATALOG = Path(__file__).parent
"""The folder of the catalogs that ship; each plan is a folder in it with a ``plan.yaml``."""

AGENCIES = "agencies"
DAYS_OFF = "days_off.yaml"
OBLIGATIONS = "obligations.yaml"
"""What a decision asks for outside its appendix; a plan may do without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedCatalog:
    """A plan with the agencies it speaks of and the corrections of the days off.

    ``digest`` is the SHA-256 (hex) of the files as read; empty when it did not come from files.
    """

    plan: Plan
    directory: Directory
    corrections: tuple[Correction, ...] = ()
    digest: str = ""


def plan_folders(catalog: Path = CATALOG) -> tuple[Path, ...]:
    """The plan folders of a catalog, by name."""
    return tuple(sorted(path.parent for path in catalog.glob("*/plan.yaml")))


def load_plan(folder: Path, agencies_dir: Path | None = None) -> LoadedCatalog:
    """Read and check ``plan.yaml``, ``calendar.yaml``, ``parties.yaml`` and what they refer to.

    Agencies are read from ``agencies_dir``, by default ``agencies`` beside the plan's folder;
    ``days_off.yaml`` stands beside it as well. Raises ``CatalogErrors`` with all mistakes.
    """
    sources = PlanSources(
        plan=read_yaml(folder / "plan.yaml"),
        calendar=read_yaml(folder / "calendar.yaml"),
        parties=read_yaml(folder / "parties.yaml"),
        obligations=_if_there(folder / OBLIGATIONS),
    )
    plan_file = parse(schema.PlanFile, sources.plan)
    calendar_file = parse(schema.CalendarFile, sources.calendar)
    parties_file = parse(schema.PartiesFile, sources.parties)
    days_source = read_yaml(folder.parent / DAYS_OFF)
    corrections = _corrections(days_source)
    read = [sources.plan, sources.calendar, sources.parties, days_source]
    outside = None
    if sources.obligations is not None:
        read.append(sources.obligations)
        outside = parse(schema.ObligationsFile, sources.obligations)

    directory = None
    if (name := _agencies_file(sources.plan)) is not None:
        place = agencies_dir if agencies_dir is not None else folder.parent / AGENCIES
        agencies = read_yaml(place / f"{name}.yaml")
        read.append(agencies)
        directory = _directory(agencies)
    if plan_file is not None and calendar_file is not None and parties_file is not None:
        check_structure(sources, plan_file, calendar_file, parties_file, outside)
        if directory is not None and not any(source.errors for source in read):
            plan = build_plan(plan_file, calendar_file, parties_file, outside)
            check_meaning(sources, plan, directory)
            _refuse(read)
            return LoadedCatalog(
                plan=plan, directory=directory, corrections=corrections, digest=_digest(read)
            )
    raise CatalogErrors(_errors(read))


def _if_there(path: Path) -> YamlSource | None:
    return read_yaml(path) if path.exists() else None


def _agencies_file(source: YamlSource) -> str | None:
    """The name that the plan gives, read even where the rest of the plan is wrong."""
    name = source.data.get("agencies_file") if isinstance(source.data, dict) else None
    return name if isinstance(name, str) and name.isidentifier() else None


def _directory(source: YamlSource) -> Directory | None:
    file = parse(schema.AgenciesFile, source)
    if file is None:
        return None
    agencies, groups, successions = build_agencies(file)
    check_agencies(source, agencies, groups, successions)
    if source.errors:
        return None
    return Directory(agencies=agencies, groups=groups, successions=successions)


def _corrections(source: YamlSource) -> tuple[Correction, ...]:
    file = parse(schema.DaysOffFile, source)
    if file is None:
        return ()
    days = [correction.day for correction in file.corrections]
    for n, day in enumerate(days):
        if day in days[:n]:
            problem, remedy = f"trùng ngày {day}", "mỗi ngày chỉ ghi một lần"
            source.refuse(("corrections", n, "day"), problem, remedy)
    return build_corrections(file)


def _errors(read: Sequence[YamlSource]) -> list[CatalogError]:
    return [error for source in read for error in source.errors]


def _refuse(read: Sequence[YamlSource]) -> None:
    if errors := _errors(read):
        raise CatalogErrors(errors)


def _digest(read: Sequence[YamlSource]) -> str:
    digest = hashlib.sha256()
    for source in read:
        digest.update(f"{source.path.name}\0{len(source.raw)}\0".encode())
        digest.update(source.raw)
    return digest.hexdigest()
