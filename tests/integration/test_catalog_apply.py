"""The catalog in the database (rules 3, 8, 19)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from models.tables import AgencyRow, DayRow, Occurrence, PlanRow, PlanVersion
from operations.catalog import CatalogResult, apply_catalog, preview_catalog, stored_catalog
from rules.values import Agency
from tasks_catalog.diff import diff_catalog
from tasks_catalog.export import export_plan
from tasks_catalog.loader import LoadedCatalog, load_plan
from tests.engine import PROVINCE, Engine, engine, stamp

TODAY = date(2026, 11, 23)


@pytest.fixture
def one(database_url: str) -> Iterator[Engine]:
    with engine(database_url, folder=PROVINCE, start=TODAY) as made:
        yield made


def _apply(one: Engine, catalog: LoadedCatalog, *, overwrite: bool = False) -> CatalogResult:
    with one.database.write() as session:
        return apply_catalog(
            session, stamp(TODAY), catalog, tracking_start=TODAY, overwrite=overwrite
        )


def _stored(one: Engine) -> LoadedCatalog:
    with one.database.read() as session:
        return stored_catalog(session, one.plan)


def test_what_the_database_gives_back_is_what_was_applied(one: Engine) -> None:
    """(8)"""
    stored = _stored(one)
    assert stored.plan == one.catalog.plan
    assert stored.directory == one.catalog.directory
    assert stored.corrections == one.catalog.corrections
    assert diff_catalog(stored, one.catalog) == []


def test_the_export_of_the_database_is_the_catalog_again(one: Engine, tmp_path: Path) -> None:
    """(8) `catalog export` writes the files back."""
    stored = _stored(one)
    folder = tmp_path / "plan"
    export_plan(
        stored.plan,
        stored.directory,
        folder,
        tmp_path / "agencies",
        corrections=stored.corrections,
    )
    assert load_plan(folder, tmp_path / "agencies").plan == one.catalog.plan


def test_applying_the_same_catalog_again_changes_nothing(one: Engine) -> None:
    """(8)"""
    before = len(one.events())
    result = _apply(one, one.catalog)
    assert (result.first, result.version, result.changes, result.kept) == (False, 1, (), ())
    assert len(one.events()) == before


def _renamed(catalog: LoadedCatalog, key: str, name: str) -> LoadedCatalog:
    agencies: list[Agency] = [
        replace(agency, name=name) if agency.key == key else agency
        for agency in catalog.directory.agencies
    ]
    directory = type(catalog.directory)(
        agencies=agencies,
        groups=catalog.directory.groups,
        successions=catalog.directory.successions,
    )
    return replace(catalog, directory=directory)


def test_a_changed_file_is_shown_first_and_then_applied(one: Engine) -> None:
    """(8)"""
    changed = _renamed(one.catalog, "xa_van_ninh", "Xã Vạn Ninh mới")
    with one.database.read() as session:
        shown = preview_catalog(session, changed)
    assert len(shown) == 1
    assert "Xã Vạn Ninh mới" in str(shown[0])
    _apply(one, changed)
    assert _stored(one).directory.agency("xa_van_ninh").name == "Xã Vạn Ninh mới"


def test_an_edit_made_in_the_system_is_never_overwritten_silently(one: Engine) -> None:
    """(8) It is kept and named, and gives way only when asked."""
    with one.database.write() as session:
        session.get_one(AgencyRow, "xa_van_ninh").letters = False
    changed = _renamed(one.catalog, "xa_van_ninh", "Xã Vạn Ninh mới")
    assert _apply(one, changed).kept == ("Xã Vạn Ninh mới",)
    assert _stored(one).directory.agency("xa_van_ninh").name == "Xã Vạn Ninh"
    _apply(one, changed, overwrite=True)
    found = _stored(one).directory.agency("xa_van_ninh")
    assert (found.name, found.letters) == ("Xã Vạn Ninh mới", True)


def test_a_new_version_leaves_open_work_under_the_old_one(one: Engine) -> None:
    """(8) An occurrence keeps the version under which it opened."""
    one.run(date(2027, 1, 4))
    policies = replace(one.catalog.plan.policies, extension_cap=2)
    changed = replace(one.catalog, plan=replace(one.catalog.plan, policies=policies))
    assert _apply(one, changed).version == 2
    one.run(date(2027, 3, 1))
    with one.database.read() as session:
        rows = session.execute(
            select(Occurrence.item_key, Occurrence.plan_version).where(
                Occurrence.period_key == "2027"
            )
        )
        versions = {item: version for item, version in rows}  # noqa: C416 - rows, not tuples
        assert session.get_one(PlanVersion, (one.plan, 1)).digest
    assert (versions["I.1"], versions["I.2"]) == (1, 2)


def test_the_start_of_tracking_is_stored_once(one: Engine) -> None:
    """(19)"""
    with one.database.write() as session:
        apply_catalog(
            session, stamp(date(2028, 1, 1)), one.catalog, tracking_start=date(2028, 1, 1)
        )
        assert session.get_one(PlanRow, one.plan).tracking_start == TODAY


def test_days_are_resolved_once_and_do_not_move(one: Engine) -> None:
    """(3) An upgrade of the library moves no old date; the shipped correction is in."""
    with one.database.write() as session:
        assert session.get_one(DayRow, date(2026, 1, 2)).working is False
        assert session.get_one(DayRow, date(2026, 1, 10)).working is True
        tet = session.get_one(DayRow, date(2027, 2, 8))
        session.delete(tet)
    _apply(one, one.catalog)
    with one.database.read() as session:
        assert session.get(DayRow, date(2027, 2, 8)) is None
