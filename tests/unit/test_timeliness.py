"""The four cells and the day that counts (rules 2, 16, 17, 19, 21, 22)."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.lifecycle import Status
from rules.timeliness import (
    CELL_WORDS,
    Cell,
    Completion,
    FutureDate,
    Work,
    cell,
    cell_on,
    completion,
    confirmer_days,
)
from rules.values import ItemKind, TrackingMode
from rules.workdays import WorkCalendar

CALENDAR = WorkCalendar(
    days_off=[date(2027, 1, 1)], worked=[], first=date(2026, 1, 1), last=date(2028, 12, 31)
)
DUE = date(2027, 3, 31)
WORK = Work(
    status=Status.NOT_STARTED,
    status_before=None,
    kind=ItemKind.TASK,
    mode=TrackingMode.FULL,
    provisional=False,
    due_on=DUE,
    completed_on=None,
    respond_by=None,
)


def test_what_is_due_today_is_not_overdue() -> None:
    """(2) Overdue begins the day after."""
    assert cell(WORK, DUE) is Cell.OPEN_IN_TIME
    assert cell(WORK, DUE + timedelta(days=1)) is Cell.OPEN_OVERDUE


def test_a_provisional_date_passes_without_being_overdue() -> None:
    """(17) "Qua mốc dự kiến"."""
    provisional = replace(WORK, provisional=True)
    assert cell(provisional, DUE + timedelta(days=200)) is Cell.PAST_PROVISIONAL


def test_check_ins_and_recorded_years_stand_outside_the_cells() -> None:
    """(16, 19) Regulation 42/2014/QĐ-TTg leaves them out."""
    after = DUE + timedelta(days=30)
    assert cell(replace(WORK, kind=ItemKind.CHECK_IN), after) is None
    assert cell(replace(WORK, mode=TrackingMode.RECORD), after) is None


def test_work_that_waits_for_confirmation_keeps_the_cell_of_its_submission_day() -> None:
    """(21) However long the confirmer takes."""
    waiting = replace(WORK, status=Status.SUBMITTED, completed_on=DUE)
    assert cell(waiting, DUE + timedelta(days=90)) is Cell.OPEN_IN_TIME
    late = replace(waiting, completed_on=DUE + timedelta(days=1))
    assert cell(late, DUE + timedelta(days=90)) is Cell.OPEN_OVERDUE


def test_confirmed_work_is_judged_by_the_day_that_counts() -> None:
    """(21)"""
    done = replace(WORK, status=Status.CONFIRMED, completed_on=DUE)
    assert cell(done, DUE + timedelta(days=90)) is Cell.DONE_IN_TIME
    assert cell(replace(done, completed_on=DUE + timedelta(days=1)), DUE) is Cell.DONE_LATE


def test_returned_work_keeps_its_cell_until_its_day_to_respond_has_passed() -> None:
    """(22) The return moves reminders only."""
    respond_by = DUE + timedelta(days=12)
    returned = replace(WORK, status=Status.IN_PROGRESS, completed_on=DUE, respond_by=respond_by)
    assert cell(returned, respond_by) is Cell.OPEN_IN_TIME
    assert cell(returned, respond_by + timedelta(days=1)) is Cell.OPEN_OVERDUE


def test_suspended_work_stands_still() -> None:
    """(20) The clock stops on the day of the suspension."""
    stopped = replace(WORK, status=Status.SUSPENDED, suspended_on=DUE - timedelta(days=3))
    assert cell(stopped, DUE + timedelta(days=90)) is Cell.OPEN_IN_TIME


@pytest.mark.parametrize(
    "status", [Status.NOT_APPLICABLE, Status.COVERED, Status.TRANSFERRED, Status.CANCELLED]
)
def test_work_that_ended_without_a_result_of_its_own_is_in_no_cell(status: Status) -> None:
    assert cell(replace(WORK, status=status), DUE) is None


@given(st.sampled_from(Status), st.integers(-400, 400), st.booleans())
def test_a_cell_never_turns_back_into_time(status: Status, days: int, provisional: bool) -> None:
    """(2) For untouched work a later day is never better than an earlier one."""
    work = replace(WORK, status=status, provisional=provisional)
    today, tomorrow = DUE + timedelta(days=days), DUE + timedelta(days=days + 1)
    if cell(work, today) in {Cell.OPEN_OVERDUE, Cell.PAST_PROVISIONAL}:
        assert cell(work, tomorrow) is cell(work, today)


def test_the_documents_date_counts_when_entered_within_five_working_days() -> None:
    """(21) Wednesday 31/3 entered on Wednesday 7/4 is five working days later."""
    found = completion((DUE,), date(2027, 4, 7), CALENDAR, within_workdays=5)
    assert found == Completion(completed_on=DUE, late_entry=False)


def test_a_document_entered_later_counts_from_the_day_of_entry() -> None:
    """(21) "Cập nhật chậm"."""
    found = completion((DUE,), date(2027, 4, 8), CALENDAR, within_workdays=5)
    assert found == Completion(completed_on=date(2027, 4, 8), late_entry=True)


def test_a_date_in_the_future_is_refused_with_both_dates() -> None:
    """(21)"""
    with pytest.raises(FutureDate, match=r"1/4/2027.*31/3/2027"):
        completion((date(2027, 4, 1),), DUE, CALENDAR, within_workdays=5)


def test_a_supplement_in_time_keeps_the_day_of_what_it_supplements() -> None:
    """(22)"""
    first = Completion(completed_on=DUE, late_entry=False)
    found = completion(
        (date(2027, 4, 6),), date(2027, 4, 6), CALENDAR, within_workdays=5, answers=first
    )
    assert found == first


def test_the_confirmers_days_are_those_beyond_five() -> None:
    """(21) Charged to the confirmer and not to the agency."""
    assert confirmer_days(DUE, date(2027, 4, 7), CALENDAR, allowed=5) == 0
    assert confirmer_days(DUE, date(2027, 4, 9), CALENDAR, allowed=5) == 2


def test_every_cell_has_words() -> None:
    assert set(CELL_WORDS) == set(Cell)


def test_what_was_completed_after_a_cut_off_was_not_completed_then() -> None:
    """(21) A report for a day that has passed."""
    done = replace(WORK, status=Status.CONFIRMED, completed_on=DUE + timedelta(days=3))
    assert cell_on(done, DUE) is Cell.OPEN_IN_TIME
    assert cell_on(done, DUE + timedelta(days=1)) is Cell.OPEN_OVERDUE
    assert cell_on(done, DUE + timedelta(days=3)) is Cell.DONE_LATE
