"""Whether work is in time: derived, never stored (rules 2, 17, 19, 21, 22)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from rules.lifecycle import OPEN, Status
from rules.values import ItemKind, TrackingMode
from rules.workdays import WorkCalendar


class Cell(StrEnum):
    """The four cells of state reports, and the word for a provisional date that has passed."""

    DONE_IN_TIME = "done_in_time"
    DONE_LATE = "done_late"
    OPEN_IN_TIME = "open_in_time"
    OPEN_OVERDUE = "open_overdue"
    PAST_PROVISIONAL = "past_provisional"
    """"Qua mốc dự kiến": counted with the open work that is in time (rule 17)."""


CELL_WORDS = {
    Cell.DONE_IN_TIME: "Hoàn thành đúng hạn",
    Cell.DONE_LATE: "Hoàn thành quá hạn",
    Cell.OPEN_IN_TIME: "Chưa hoàn thành, trong hạn",
    Cell.OPEN_OVERDUE: "Chưa hoàn thành, quá hạn",
    Cell.PAST_PROVISIONAL: "Qua mốc dự kiến",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The facts of a lead's assignment from which its cell follows.

    ``submitted_on`` and ``completed_on`` are those of the submission that counts; both None when
    nothing was submitted in this round.
    """

    status: Status
    status_before: Status | None
    kind: ItemKind
    mode: TrackingMode
    provisional: bool
    due_on: date
    completed_on: date | None
    respond_by: date | None
    suspended_on: date | None = None


def cell(work: Work, as_of: date) -> Cell | None:
    """The cell of ``work`` on ``as_of``; None for what stands outside the four cells.

    Outside stand check-ins (rule 16), work of a year that is only recorded (rule 19) and work
    that ended without a result. What is due today is not overdue (rule 2). Submitted work keeps
    the cell of the day that counts, however long the confirmer takes; returned work keeps it
    until its day to respond has passed (rules 21, 22).
    """
    if work.kind is ItemKind.CHECK_IN or work.mode is not TrackingMode.FULL:
        return None
    if work.status is Status.CONFIRMED:
        done = work.completed_on
        late = done is not None and done > work.due_on and not work.provisional
        return Cell.DONE_LATE if late else Cell.DONE_IN_TIME
    if work.status in OPEN or work.status in {Status.SUBMITTED, Status.SUSPENDED}:
        return _open_cell(work, as_of)
    return None


def cell_on(work: Work, cutoff: date) -> Cell | None:
    """The cell on a cut-off day that may have passed (rule 21).

    What was completed after it was not completed then.
    """
    finished = work.status in {Status.CONFIRMED, Status.SUBMITTED}
    if finished and work.completed_on is not None and work.completed_on > cutoff:
        work = replace(work, status=Status.IN_PROGRESS, completed_on=None, respond_by=None)
    return cell(work, cutoff)


def _open_cell(work: Work, as_of: date) -> Cell:
    day = as_of
    if work.status is Status.SUSPENDED and work.suspended_on is not None:
        day = work.suspended_on
    elif work.completed_on is not None and (
        work.status is Status.SUBMITTED
        or (work.respond_by is not None and as_of <= work.respond_by)
    ):
        day = work.completed_on
    if day <= work.due_on:
        return Cell.OPEN_IN_TIME
    return Cell.PAST_PROVISIONAL if work.provisional else Cell.OPEN_OVERDUE


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """The day that counts for a submission (rule 21); ``late_entry`` is "cập nhật chậm"."""

    completed_on: date
    late_entry: bool


class FutureDate(ValueError):
    """A stated date lies after the day on which it is entered (rule 21)."""

    def __init__(self, stated: date, entered: date) -> None:
        self.stated, self.entered = stated, entered
        super().__init__(
            f"Ngày văn bản {stated.day}/{stated.month}/{stated.year} sau ngày cập nhật "
            f"{entered.day}/{entered.month}/{entered.year}. "
            "Đề nghị nhập ngày ban hành đã có, không muộn hơn hôm nay."
        )


def refuse_future(document_dates: tuple[date, ...], entered_on: date) -> None:
    """Let only documents pass that are issued already (rule 21).

    Raises:
        FutureDate: a document is dated after ``entered_on``.
    """
    for stated in document_dates:
        if stated > entered_on:
            raise FutureDate(stated, entered_on)


def completion(
    document_dates: tuple[date, ...],
    entered_on: date,
    calendar: WorkCalendar,
    *,
    within_workdays: int,
    answers: Completion | None = None,
) -> Completion:
    """The day of completion of a submission entered on ``entered_on`` (rule 21).

    It is the latest document date when entered within ``within_workdays`` of it, else the day of
    entry. ``answers`` is the completion of a returned submission that this one supplements within
    its day to respond: its earlier day stays (rule 22).

    Raises:
        FutureDate: a document is dated after ``entered_on``.
    """
    refuse_future(document_dates, entered_on)
    if answers is not None:
        return answers
    if not document_dates:
        return Completion(completed_on=entered_on, late_entry=False)
    issued = max(document_dates)
    if calendar.between(issued, entered_on) <= within_workdays:
        return Completion(completed_on=issued, late_entry=False)
    return Completion(completed_on=entered_on, late_entry=True)


def confirmer_days(submitted_on: date, as_of: date, calendar: WorkCalendar, *, allowed: int) -> int:
    """Working days beyond ``allowed`` that the confirmer has taken; charged to the confirmer."""
    return max(0, calendar.between(submitted_on, as_of) - allowed)
