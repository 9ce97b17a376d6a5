"""What is exported reads back as what it was, and differences are told field by field (rule 8)."""

import tempfile
import unicodedata
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.directory import Directory
from rules.values import Agency
from tasks_catalog.diff import diff_catalog
from tasks_catalog.export import export_plan
from tasks_catalog.loader import CATALOG, LoadedCatalog, load_plan

FOLDERS = (CATALOG / "qd_1718_2023", Path(__file__).parents[1] / "catalogs" / "huyen_mau")
SMALL = load_plan(FOLDERS[1])
WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Co", "Cn", "Zl", "Zp")),
    max_size=200,
).map(str.strip)


def exported(catalog: LoadedCatalog, folder: Path) -> LoadedCatalog:
    export_plan(catalog.plan, catalog.directory, folder / "plan", corrections=catalog.corrections)
    return load_plan(folder / "plan")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_export_reads_back_the_same(folder: Path, tmp_path: Path) -> None:
    catalog = load_plan(folder)
    again = exported(catalog, tmp_path)
    assert again.plan == catalog.plan
    assert again.directory == catalog.directory
    assert again.corrections == catalog.corrections
    assert again.digest == catalog.digest


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_files_that_ship_are_what_export_writes(folder: Path, tmp_path: Path) -> None:
    """So that an export from the database differs from them in what was changed, and only there."""
    catalog = load_plan(folder)
    written = export_plan(
        catalog.plan, catalog.directory, tmp_path / folder.name, corrections=catalog.corrections
    )
    for path in written:
        shipped = folder.parent / path.relative_to(tmp_path)
        assert path.read_bytes() == shipped.read_bytes(), path.name
    assert not list(tmp_path.rglob("*.unfinished"))


@settings(deadline=None)
@given(WORDS.filter(lambda text: text == text.strip() and bool(text)))
def test_any_words_survive_the_file(text: str) -> None:
    words = unicodedata.normalize("NFC", text)
    plan = replace(SMALL.plan, title=words, issued_by=f"{words}: {words} # {words}")
    with tempfile.TemporaryDirectory() as folder:
        again = exported(replace(SMALL, plan=plan), Path(folder))
    assert again.plan == plan


def test_agencies_may_stand_in_another_folder(tmp_path: Path) -> None:
    place = tmp_path / "elsewhere"
    export_plan(
        SMALL.plan, SMALL.directory, tmp_path / "plan", place, corrections=SMALL.corrections
    )
    assert load_plan(tmp_path / "plan", place).directory == SMALL.directory


def test_the_digest_changes_with_a_byte(tmp_path: Path) -> None:
    exported(SMALL, tmp_path)
    file = tmp_path / "plan" / "parties.yaml"
    file.write_text(file.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert load_plan(tmp_path / "plan").digest != SMALL.digest


def test_catalogs_that_say_the_same_do_not_differ() -> None:
    assert diff_catalog(SMALL, replace(SMALL, digest="")) == []


def test_a_change_names_file_field_and_both_values() -> None:
    item = SMALL.plan.item("A.2")
    changed = replace(item, calendar=replace(item.calendar, due="0 17 15 7 *"))
    plan = replace(SMALL.plan, items=(SMALL.plan.items[0], changed))
    changes = diff_catalog(SMALL, replace(SMALL, plan=plan))
    assert [str(change) for change in changes] == [
        "calendar.yaml: items > A.2 > due: 0 17 30 6 * → 0 17 15 7 *"
    ]


def test_a_new_agency_is_told_and_moves_no_other_line() -> None:
    new = Agency(key="xa_bac", name="Xã Bắc", kind="commune", valid_from=date(2027, 1, 1))
    directory = Directory(
        agencies=(new, *SMALL.directory.agencies),
        groups=SMALL.directory.groups,
        successions=SMALL.directory.successions,
    )
    changes = diff_catalog(SMALL, replace(SMALL, directory=directory))
    assert {change.field for change in changes} == {
        f"agencies > xa_bac > {field}" for field in ("key", "name", "kind", "valid_from")
    }
    assert all(change.before is None for change in changes)
    assert "agencies: agencies > xa_bac > valid_from: (không có) → 01/01/2027" in map(str, changes)


def test_what_is_taken_away_is_told() -> None:
    changes = diff_catalog(SMALL, replace(SMALL, corrections=()))
    assert [change.field.split(" > ")[-1] for change in changes] == [
        "day",
        "working",
        "name",
        "document",
    ]
    assert str(changes[3]).endswith("document: 12/TB-UBND → (không có)")
