"""Which rung is owed (rules 5, 27, 28)."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rules.ladder import NO_RUNG, at_end, next_step, owed, steps
from rules.values import Audience, Ladder, Rung
from tasks_catalog.daysoff import work_calendar

CALENDAR = work_calendar(date(2023, 1, 1), date(2032, 12, 31))
OFFSETS = (-15, -5, -1, 2, 6, 15, 30)
LADDER = Ladder(
    key="standard",
    rungs=tuple(Rung(offset=offset, audience=(Audience.FOCAL,)) for offset in OFFSETS),
    basis="test",
)
DUE = date(2027, 3, 31)
due_dates = st.dates(date(2023, 7, 21), date(2030, 12, 31))


def test_the_rungs_fall_on_working_days_counted_from_the_due_date() -> None:
    """(5, 27) 31/3/2027 is a Wednesday: −1 is Tuesday, +2 is Friday."""
    days = {step.rung.offset: step.day for step in steps(LADDER, DUE, CALENDAR)}
    assert days[-1] == date(2027, 3, 30)
    assert days[-5] == date(2027, 3, 24)
    assert days[2] == date(2027, 4, 2)


@given(due_dates)
def test_every_rung_of_every_due_date_is_on_a_working_day(due: date) -> None:
    """(5) Nothing is ever sent on a day off."""
    due = CALENDAR.next_working(due)
    days = [step.day for step in steps(LADDER, due, CALENDAR)]
    assert all(CALENDAR.is_working(day) for day in days)
    assert days == sorted(set(days))


@given(due_dates, st.sets(st.integers(-30, 60)))
def test_no_rung_twice_whatever_the_days_of_the_runs(due: date, runs: set[int]) -> None:
    """(28) And never one that is earlier than the one before it."""
    due = CALENDAR.next_working(due)
    last, sent = NO_RUNG, []
    for offset in sorted(runs):
        rung = owed(LADDER, due, CALENDAR, last_rung=last, as_of=due + timedelta(days=offset))
        if rung is not None:
            last = rung.offset
            sent.append(last)
    assert sent == sorted(set(sent))


@given(due_dates, st.integers(-30, 60))
def test_after_an_outage_only_the_latest_owed_rung_is_left(due: date, days: int) -> None:
    """(28)"""
    due = CALENDAR.next_working(due)
    as_of = due + timedelta(days=days)
    rung = owed(LADDER, due, CALENDAR, last_rung=NO_RUNG, as_of=as_of)
    come = [step.rung.offset for step in steps(LADDER, due, CALENDAR) if step.day <= as_of]
    assert (rung.offset if rung else None) == (max(come) if come else None)


@given(due_dates)
def test_a_run_every_day_sends_the_whole_ladder_and_stops(due: date) -> None:
    """(27) After +30 it stops, and the work stands under "Cần văn bản đôn đốc"."""
    due = CALENDAR.next_working(due)
    last, sent = NO_RUNG, []
    for offset in range(-40, 80):
        as_of = due + timedelta(days=offset)
        rung = owed(LADDER, due, CALENDAR, last_rung=last, as_of=as_of)
        if CALENDAR.is_working(as_of) and rung is not None:
            last = rung.offset
            sent.append(last)
    assert tuple(sent) == OFFSETS
    assert at_end(LADDER, last)
    assert next_step(LADDER, due, CALENDAR, last_rung=last) is None


@given(due_dates, st.sampled_from((NO_RUNG, *OFFSETS)), st.integers(-40, 80))
def test_the_next_step_says_from_which_day_something_is_owed(
    due: date, last: int, days: int
) -> None:
    """The index that the due query reads is never later than the first owed rung."""
    due = CALENDAR.next_working(due)
    as_of = due + timedelta(days=days)
    step = next_step(LADDER, due, CALENDAR, last_rung=last)
    is_owed = owed(LADDER, due, CALENDAR, last_rung=last, as_of=as_of) is not None
    assert is_owed == (step is not None and step.day <= as_of)
