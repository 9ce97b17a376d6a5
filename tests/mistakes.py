"""docs/mistakes.md: what people are told about files that are wrong, from the files themselves.

``python -m tests.mistakes`` writes it; a test asks that it is current.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from models.engine import Database
from models.migrate import upgrade
from operations.contact_files import FileError, FileRefused
from rules.actors import Actor, ActorKind
from tasks_catalog.errors import CatalogErrors
from tasks_catalog.loader import load_plan
from tests import import_mistakes, late_start
from tests.engine import PROVINCE, SMALL, Engine, engine, stamp
from tests.unit.catalog_mistakes import MISTAKES as CATALOG_MISTAKES

DOCUMENT = Path(__file__).parents[1] / "docs" / "mistakes.md"
START = date(2027, 1, 1)
OPERATOR = Actor(kind=ActorKind.OPERATOR, name="Người vận hành")
FILES = {
    "plan": "plan.yaml",
    "calendar": "calendar.yaml",
    "parties": "parties.yaml",
    "agencies": "agencies.yaml",
    "days_off": "days_off.yaml",
}
_HEAD = """# What people are told about files that are wrong

Made by `python -m tests.mistakes` from the files themselves; a test keeps it current. Each file is
refused whole, and nothing of it is written (rule 9; rule 19 for workbooks). A workbook's errors name
the sheet and the cell, a catalog's the line and the field.
"""


def told(one: Engine, change: import_mistakes.Change) -> Sequence[FileError]:
    """The errors that a workbook gets after ``change``; none when it is taken."""
    book = import_mistakes.right()
    content = change(book) or late_start.packed(book)
    by = stamp(import_mistakes.TODAY, OPERATOR)
    try:
        late_start.take(one, by, content)
    except FileRefused as refused:
        return refused.errors
    return ()


def catalog_told(folder: Path, file: str, old: str, new: str) -> str:
    """The first error that a catalog gets after ``new`` stands where ``old`` stood."""
    catalogs = Path(shutil.copytree(SMALL.parent, folder / "catalogs"))
    places = {"agencies": "agencies/huyen_mau.yaml", "days_off": "days_off.yaml"}
    path = catalogs / places.get(file, f"huyen_mau/{file}.yaml")
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    try:
        load_plan(catalogs / "huyen_mau")
    except CatalogErrors as refused:
        return str(refused).splitlines()[0].rpartition(f"{path.name}")[2]
    return ""


def _workbooks(one: Engine) -> Iterator[str]:
    yield f"\n## Workbooks (`tiendo import`, Danh mục › Nhập dữ liệu): {len(import_mistakes.MISTAKES)}\n"
    yield "| mistake | place | what is said | remedy |\n|---|---|---|---|"
    for name, change in import_mistakes.MISTAKES:
        error = told(one, change)[0]
        place = ", ".join(part for part in (error.sheet, error.cell) if part) or "cả tệp"
        yield f"| {name} | {place} | {_cell(error.problem)} | {_cell(error.remedy)} |"


def _catalogs() -> Iterator[str]:
    yield f"\n## Catalogs (`tiendo catalog check`): {len(CATALOG_MISTAKES)}\n"
    yield "| mistake | file | what is said, and the remedy |\n|---|---|---|"
    for name, file, old, new, _ in CATALOG_MISTAKES:
        with tempfile.TemporaryDirectory() as folder:
            text = catalog_told(Path(folder), file, old, new)
        yield f"| {name} | {FILES[file]} | {_cell(text.lstrip(':'))} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def document(one: Engine) -> str:
    """The whole document."""
    return "\n".join((_HEAD, *_workbooks(one), *_catalogs())) + "\n"


def main() -> None:
    """Write the document."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/a.sqlite"
        database = Database(url, durable=False)
        upgrade(database)
        database.close()
        with engine(url, folder=PROVINCE, start=START) as one:
            DOCUMENT.write_text(document(one), encoding="utf-8")


if __name__ == "__main__":
    main()
