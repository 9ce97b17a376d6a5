"""The lines of a digest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from notifications.clean import CleanText
from rules.values import Role


class LineKind(StrEnum):
    """Why a line stands in a digest."""

    OPENED = "opened"
    """Work has opened."""
    REQUEST = "request"
    """A lead asks its partner for a contribution (rule 14)."""
    DUE = "due"
    """A fixed or provisional date comes near."""
    OVERDUE = "overdue"
    """A fixed date has passed; never said of a provisional one (rule 17)."""
    PAST_PROVISIONAL = "past_provisional"
    """A provisional date has passed: "qua mốc dự kiến"."""
    FIX_DATE = "fix_date"
    """For the coordinator: a date waits for the document that fixes it."""
    RETURNED = "returned"
    """The result was returned and waits for a supplement (rule 22)."""
    CONFIRMED = "confirmed"
    """The completion was confirmed."""
    EXTENSION_DECIDED = "extension_decided"
    """An extension was granted or not."""
    DATE_CHANGED = "date_changed"
    """The date in force is another one."""
    RECORD_INVITE = "record_invite"
    """"Ghi nhận": the one invitation (rule 19)."""
    RECORD_REMIND = "record_remind"
    """"Ghi nhận": the one reminder."""
    CHECK_IN = "check_in"
    """A "thường xuyên" item asks for a text (rule 16)."""
    LAPSED = "lapsed"
    """A check-in ended without an answer."""
    CONTRIBUTED = "contributed"
    """A partner sent the lead its contribution."""
    OBSTACLE_ANSWERED = "obstacle_answered"
    """An obstacle was answered."""
    FINDING = "finding"
    """An inspection found something to mend (rule 45)."""
    FINDING_DUE = "finding_due"
    """The day by which a finding has to be mended comes near."""
    FINDING_LATE = "finding_late"
    """That day has passed."""
    FINDING_RETURNED = "finding_returned"
    """A report on mending a finding came back."""
    FINDING_CLOSED = "finding_closed"
    """A finding is mended, or followed no longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line(CleanText):
    """One assignment in a digest, or what belongs to none, such as a finding of an inspection.

    ``days`` counts signed working days from the day of the letter to ``due_on``, or to
    ``respond_by`` where that is set: positive remaining, negative past. ``note`` holds the reason
    of a return, the content of a request, the words of a decision.
    """

    kind: LineKind
    plan_code: str
    item: str
    item_task: str
    """The decision's words."""
    period_key: str
    period_label: str
    """For people, in the middle of a sentence: "năm 2027", "quý IV/2027"."""
    agency: str
    agency_name: str
    """Short: "Xã Vạn Ninh"."""
    role: Role
    due_on: date
    days: int
    assignment_id: str
    provisional: bool = False
    rung: int | None = None
    status_word: str = ""
    expected: tuple[str, ...] = ()
    note: str | None = None
    respond_by: date | None = None
    previous_due_on: date | None = None
    """The date that ``due_on`` took the place of, of a line that tells of the change."""
    document: str | None = None
    """The document by which it did, where there was one."""
    dated: bool = True
    """Off where no day is set; ``due_on`` then only sorts."""
