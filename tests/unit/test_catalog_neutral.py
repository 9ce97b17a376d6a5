"""The engine knows no province, agency or item by name: they are data.

The number of a document may stand in a hint as an example of how to write one.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks_catalog.loader import CATALOG, load_plan

HOUSE = Path(__file__).parents[2]
SHIPPED = load_plan(CATALOG / "qd_1718_2023")
NAMES = {
    *(item.key for item in SHIPPED.plan.items),
    *(agency.key for agency in SHIPPED.directory.agencies),
    *(group.key for group in SHIPPED.directory.groups),
}
WORDS = {
    "Khánh Hòa",
    *(agency.name for agency in SHIPPED.directory.agencies),
}
MODULES = sorted(
    path for room in ("rules", "tasks_catalog") for path in (HOUSE / room).glob("*.py")
)


def texts(path: Path) -> Iterator[str]:
    """Every text of the code but its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    notes = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in notes:
            yield node.value


@pytest.mark.parametrize("path", MODULES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_code_names_no_agency_or_item(path: Path) -> None:
    found = list(texts(path))
    assert not NAMES & set(found)
    assert not [text for text in found for word in WORDS if word in text]
