"""The form of a change of agencies: how many lines it has, and what it says as a value (rule 35)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Final

from portal.forms import Posted
from portal.reading import Reading
from rules.reorganising import Accounts, ChangeKind, NewAgency, Reorganisation, Successor
from rules.reorganising_checks import shape_problems

MOST: Final = 12
"""Agencies on either side of one form; a file takes more."""
_FIRST: Final[Mapping[ChangeKind, tuple[int, int]]] = {
    ChangeKind.MERGE: (2, 1),
    ChangeKind.SPLIT: (1, 2),
    ChangeKind.RENAME: (1, 1),
    ChangeKind.END: (1, 0),
    ChangeKind.FOUND: (0, 1),
}
"""How many lines a form begins with: agencies before, and after."""


def sizes_of(kind: ChangeKind, values: Mapping[str, str]) -> tuple[int, int]:
    """How many lines the form has, one more on a side that was asked for another."""
    first = _FIRST[kind]
    found = []
    for name, more, least in (("olds", "them-cu", first[0]), ("heirs", "them-moi", first[1])):
        typed = values.get(name, "")
        count = int(typed) if typed.isdecimal() and len(typed) < 3 else least
        found.append(min(max(count + bool(values.get(more)), least), MOST))
    return found[0], found[1]


def read_change(form: Posted, kind: ChangeKind) -> Reorganisation:
    """The form as a value; lines that nobody filled in are left out.

    Raises:
        FormErrors: a date cannot be read.
    """
    reading = Reading(form)
    olds, heirs = sizes_of(kind, form.fields)
    one = Reorganisation(
        kind=kind,
        effective_on=reading.needed_day("effective_on", "Đề nghị ghi ngày có hiệu lực."),
        document_code=reading.line("document"),
        document_issued_on=reading.day("issued_on"),
        predecessors=tuple(key for n in range(olds) if (key := reading.line(f"predecessors.{n}"))),
        successors=tuple(
            heir for n in range(heirs) if (heir := _successor(reading, n)) is not None
        ),
        reason=reading.text("reason").strip() or None,
        accounts=Accounts.CLOSE if reading.line("accounts") == "close" else Accounts.MOVE,
        contacts=form.ticked("contacts"),
        late=form.ticked("late"),
    )
    if reading.errors:
        _say_the_rest(reading, one)
    reading.done()
    return one


def _say_the_rest(reading: Reading, one: Reorganisation) -> None:
    """Beside what cannot be read, what else is wrong with it whatever the agencies are."""
    reading.needed("document", "Đề nghị ghi số, ký hiệu văn bản sắp xếp, ví dụ 1667/NQ-UBTVQH15.")
    for problem in shape_problems(replace(one, effective_on=date.max)):
        reading.errors.setdefault(problem.field, problem.text)


def _successor(reading: Reading, n: int) -> Successor | None:
    def line(name: str) -> str | None:
        return reading.line(f"successors.{n}.{name}") or None

    agency, name = line("agency"), line("name")
    if agency is None and name is None:
        return None
    start = f"successors.{n}.group."
    groups = tuple(
        field.removeprefix(start) for field in reading.posted.fields if field.startswith(start)
    )
    new = None
    if name is not None:
        new = NewAgency(
            name=name, formal_name=line("formal_name"), kind=line("kind"), code=line("code")
        )
    items = (line("items") or "").replace(",", " ").replace(";", " ").split()
    return Successor(agency=agency, new=new, items=tuple(items), groups=groups or None)
