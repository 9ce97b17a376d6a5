"""Rehearsals (rule 31), on a small invented plan and on a part of the province."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from functools import cache

import pytest

from models.tables import ContactKind
from operations.contacts import ContactInput
from rules.workdays import WorkCalendar
from runtime.rehearsal import Assume, Dates, Rehearsal, RehearsedLetter, rehearse
from tasks_catalog.daysoff import resolve_days
from tasks_catalog.loader import CATALOG, load_plan
from tests.engine import SMALL

FROM, TO = date(2027, 1, 1), date(2027, 12, 31)
HOW = [(assume, dates) for assume in Assume for dates in Dates]


@cache
def small(assume: Assume, dates: Dates) -> tuple[RehearsedLetter, ...]:
    asked = Rehearsal(
        catalogs=[load_plan(SMALL)], date_from=FROM, date_to=TO, assume=assume, dates=dates
    )
    return tuple(rehearse(asked))


@cache
def calendar() -> WorkCalendar:
    catalog = load_plan(SMALL)
    first, last = date(2026, 1, 1), date(2028, 12, 31)
    found = resolve_days(first, last, catalog.corrections)
    return WorkCalendar.from_days(found, first=first, last=last)


def rungs(letters: Sequence[RehearsedLetter]) -> Counter[tuple[object, ...]]:
    return Counter(
        (letter.to, line.item, line.period, line.agency, line.role, line.due_on, line.rung)
        for letter in letters
        for line in letter.lines
        if line.rung is not None
    )


@pytest.mark.parametrize(("assume", "dates"), HOW)
def test_no_letter_on_a_day_off_none_twice_a_day_and_no_rung_twice(
    assume: Assume, dates: Dates
) -> None:
    """Rules 5, 28, 30."""
    letters = small(assume, dates)
    assert letters
    assert all(calendar().is_working(letter.day) for letter in letters)
    assert max(Counter((letter.day, letter.to) for letter in letters).values()) == 1
    assert max(rungs(letters).values()) == 1
    assert all(FROM <= letter.day <= TO for letter in letters)


def test_whoever_acts_in_time_is_never_overdue() -> None:
    """Rule 31."""
    letters = small(Assume.ON_TIME, Dates.FIXED)
    late = [one for letter in letters for one in letter.lines if one.rung and one.rung > 0]
    assert not late
    silent = small(Assume.SILENT, Dates.FIXED)
    assert len(silent) > len(letters)


def test_fixed_dates_are_not_provisional_and_unfixed_ones_are() -> None:
    """Rules 17, 31."""
    fixed = [line for letter in small(Assume.SILENT, Dates.FIXED) for line in letter.lines]
    assert not [line for line in fixed if line.provisional and line.period.startswith("2027")]
    loose = [line for letter in small(Assume.SILENT, Dates.PROVISIONAL) for line in letter.lines]
    assert [line for line in loose if line.provisional and line.item == "A.2"]


def test_a_letter_is_told_as_documented() -> None:
    """Rule 31: the contract of the command line."""
    letter = small(Assume.SILENT, Dates.FIXED)[0].as_json()
    assert list(letter) == ["date", "to", "subject", "lines"]
    lines = letter["lines"]
    assert isinstance(lines, list)
    assert list(lines[0]) == ["item", "period", "agency", "role", "rung", "due_on", "provisional"]


def test_it_goes_to_the_contacts_that_are_given() -> None:
    """Rule 30: who has none is reached through the coordinator."""
    contacts = [
        ContactInput(agency_key="phong_mot", kind=ContactKind.MAILBOX, email="mot@that.test")
    ]
    asked = Rehearsal(
        catalogs=[load_plan(SMALL)],
        date_from=date(2027, 3, 1),
        date_to=date(2027, 3, 31),
        contacts=contacts,
    )
    assert {letter.to for letter in rehearse(asked)} == {"mot@that.test"}


def test_it_tells_how_far_it_is() -> None:
    days: list[date] = []
    asked = Rehearsal(
        catalogs=[load_plan(SMALL)],
        date_from=date(2027, 3, 1),
        date_to=date(2027, 3, 7),
        tracking_start=date(2027, 3, 1),
    )
    list(rehearse(asked, progress=lambda day, _: days.append(day)))
    assert days == [date(2027, 3, day) for day in range(1, 6)]


def test_a_commune_in_time_gets_few_letters_in_the_province() -> None:
    """Rule 27: at most about two a month, at each of its mailboxes."""
    asked = Rehearsal(
        catalogs=[load_plan(CATALOG / "qd_1718_2023")],
        date_from=date(2027, 1, 1),
        date_to=date(2027, 7, 31),
        assume=Assume.ON_TIME,
        tracking_start=date(2027, 1, 1),
    )
    letters = [one for one in rehearse(asked) if "xa-van-ninh@" in one.to]
    months = Counter((letter.to, letter.day.month) for letter in letters)
    assert letters
    assert max(months.values()) <= 3
    assert sum(months.values()) <= 2 * 2 * 7
