"""The rooms of the house are installed, watched and checked: none is forgotten in a list."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PRINT_WHERE = (
    "import importlib, sys\nfor name in sys.argv[1:]: print(importlib.import_module(name).__file__)"
)
HOUSE = Path(__file__).parents[2]
CONFIGURATION = tomllib.loads((HOUSE / "pyproject.toml").read_text())
TOOLS = CONFIGURATION["tool"]
BESIDE = {"tests", "benchmarks"}
"""Checked like the rooms, and never installed."""
PACKAGES = TOOLS["hatch"]["build"]["targets"]["wheel"]["packages"]


def test_every_package_is_installed() -> None:
    folders = {file.parent.name for file in HOUSE.glob("*/__init__.py")} - BESIDE
    assert set(PACKAGES) == folders


def test_every_package_is_under_the_import_contract() -> None:
    assert set(TOOLS["importlinter"]["root_packages"]) == set(PACKAGES)


def test_every_package_is_type_checked() -> None:
    assert set(TOOLS["mypy"]["packages"]) == {*PACKAGES, *BESIDE}


@pytest.mark.parametrize("package", PACKAGES)
def test_package_says_what_it_holds(package: str) -> None:
    first = (HOUSE / package / "__init__.py").read_text().lstrip()
    assert first.startswith('"""')


def test_child_process_in_another_folder_loads_our_packages(tmp_path: Path) -> None:
    # As Prefect's children do: the same interpreter, any folder. `-P` and the empty folder keep
    # the current directory out of it, so only the installation can answer.
    found = subprocess.run(
        [sys.executable, "-P", "-c", PRINT_WHERE, *PACKAGES],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PATH": ""},
    )
    assert found.stdout.split() == [str(HOUSE / name / "__init__.py") for name in PACKAGES]
