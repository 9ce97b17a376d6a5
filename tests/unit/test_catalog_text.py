"""The plan holds the decision's words, letter for letter (rule 6)."""

import unicodedata
from datetime import date
from pathlib import Path

import pytest

from rules.values import ItemText
from tasks_catalog.loader import CATALOG, load_plan

DECISION = (Path(__file__).parents[1] / "data" / "decision-1718.txt").read_text(encoding="utf-8")
PLAN = load_plan(CATALOG / "qd_1718_2023").plan
ROMAN = ("I", "II", "III", "IV", "V")

Cell = tuple[str, ...]
"""A cell of the table: its text, or its text before the dashes and then one for each dash."""


def joined(lines: list[str]) -> str:
    return unicodedata.normalize("NFC", " ".join(" ".join(lines).split()))


def read_cell(lines: list[str]) -> Cell:
    """Join the broken lines of a cell; a line that begins with a dash begins a part of its own."""
    parts: list[list[str]] = [[]]
    for line in lines:
        if line.startswith("- "):
            parts.append(["-", line.removeprefix("- ")])
        else:
            parts[-1].append(line)
    return tuple(text for part in parts if (text := joined(part)))


def read_table() -> tuple[dict[str, str], dict[str, tuple[Cell, ...]]]:
    """The headings of the groups and the six cells of each row, from the decision's own text."""
    appendix = DECISION[DECISION.index("\nPHỤ LỤC\n") :]
    cells: list[list[str]] = [[]]
    for line in appendix.splitlines():
        if line.strip() == "|":
            cells.append([])
        else:
            cells[-1].append(line.strip())
    read = [read_cell(cell) for cell in cells][6:]
    titles: dict[str, str] = {}
    rows: dict[str, tuple[Cell, ...]] = {}
    while len(read) > 1:
        if read[0] and read[0][0] in ROMAN:
            titles[read[0][0]] = read[1][0]
            read = read[2:]
        else:
            group = list(titles)[-1]
            number = 1 + sum(key.startswith(f"{group}.") for key in rows)
            rows[f"{group}.{number}"] = tuple(read[:6])
            read = read[6:]
    return titles, rows


TITLES, ROWS = read_table()


def as_cells(text: ItemText) -> tuple[Cell, ...]:
    """A row of the plan as the decision's table would print it."""
    dashes = tuple(f"- {bullet}" for bullet in text.activity_bullets)
    lead = text.lead if len(text.lead) == 1 else tuple(f"- {line}" for line in text.lead)
    return (
        (text.number,) if text.number else (),
        (text.task,),
        (*((text.activity_intro,) if text.activity_intro else ()), *dashes),
        lead,
        text.partners,
        (text.timing,),
    )


def test_the_decision_has_twelve_rows_in_five_groups() -> None:
    assert len(ROWS) == 12
    assert tuple(TITLES) == ROMAN


def test_the_plan_has_the_decisions_rows_in_their_order() -> None:
    assert [item.key for item in PLAN.items] == list(ROWS)
    assert [item.position for item in PLAN.items] == list(range(1, 13))


@pytest.mark.parametrize("group", ROMAN)
def test_group_heading_is_verbatim(group: str) -> None:
    assert {one.key: one.title for one in PLAN.groups}[group] == TITLES[group]


@pytest.mark.parametrize(
    "column", range(6), ids=("stt", "task", "activity", "lead", "partner", "time")
)
@pytest.mark.parametrize("key", ROWS)
def test_cell_is_verbatim(key: str, column: int) -> None:
    assert as_cells(PLAN.item(key).text)[column] == ROWS[key][column]


def test_the_decision_is_named_as_it_names_itself() -> None:
    heading = joined(DECISION.splitlines()[:24]).casefold()
    assert f"số: {PLAN.decision.code}".casefold() in heading
    assert f"“{PLAN.title}”".casefold() in heading
    assert PLAN.issued_by.casefold() in heading
    assert PLAN.decision.issued_on == date(2023, 7, 21)
    assert "21 tháng 7 năm 2023" in heading


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("I.2", "công tác cải cách hành tại đơn vị"),
        ("II.1", "cán bộ, công chức viên chức"),
        ("III.2", "các nhóm zalo"),
    ],
)
def test_oddities_are_kept_and_noted(key: str, words: str) -> None:
    """Rule 6: oddities included; each has a note beside it."""
    text = PLAN.item(key).text
    assert words in " ".join((text.task, *text.activity_bullets))
    assert text.oddities


def test_empty_cells_stay_empty() -> None:
    assert PLAN.item("V.1").text.number is None
    assert PLAN.item("II.4").text.partners == ()


@pytest.mark.parametrize("path", sorted(CATALOG.rglob("*.yaml")), ids=lambda path: path.name)
def test_catalog_files_are_nfc(path: Path) -> None:
    assert unicodedata.is_normalized("NFC", path.read_text(encoding="utf-8"))
