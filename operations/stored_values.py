"""Values of stored rows that every run reads and hardly anybody changes: built once for equal rows.

What is kept depends on the rows alone, never on when or where they were read, so nothing has to be
told when they change. Few are kept: the rows of thousands of agencies are megabytes.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from models.queries_catalog import Rows
from rules.directory import Directory
from rules.values import Agency, Certainty, Group, Member, Succession
from rules.workdays import WorkCalendar


@lru_cache(maxsize=4)
def calendar_of(days: Rows, first: str, last: str) -> WorkCalendar:
    """The working days from ``first`` to ``last`` (ISO dates); ``days`` are (day, working)."""
    return WorkCalendar(
        days_off=(day for day, working in days if not working),
        worked=(day for day, working in days if working),
        first=date.fromisoformat(first),
        last=date.fromisoformat(last),
    )


@lru_cache(maxsize=2)
def directory_of(agencies: Rows, groups: Rows, members: Rows, successions: Rows) -> Directory:
    """The directory of these rows, with the columns of ``models.queries_catalog``."""
    found: dict[str, list[Member]] = {}
    for group, ref, valid_from, valid_to in members:
        found.setdefault(group, []).append(
            Member(ref=ref, valid_from=valid_from, valid_to=valid_to)
        )
    return Directory(
        agencies=[
            Agency(
                key=key,
                name=name,
                formal_name=formal_name,
                kind=kind,
                code=code,
                valid_from=valid_from,
                valid_to=valid_to,
                letters=letters,
                certainty=Certainty(certainty),
                note=note,
            )
            for (
                key,
                name,
                formal_name,
                kind,
                code,
                valid_from,
                valid_to,
                letters,
                certainty,
                note,
            ) in agencies
        ],
        groups=[
            Group(
                key=key,
                name=name,
                members=tuple(found.get(key, ())),
                letters=letters,
                certainty=Certainty(certainty),
                note=note,
            )
            for key, name, letters, certainty, note in groups
        ],
        successions=[
            Succession(
                predecessor=predecessor,
                successor=successor,
                effective_on=effective_on,
                document=document,
                items=tuple(items.split()),
                certainty=Certainty(certainty),
                note=note,
            )
            for predecessor, successor, effective_on, document, items, certainty, note in successions
        ],
    )
