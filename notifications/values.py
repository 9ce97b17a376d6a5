"""What letters are made of: values in, messages out.

Every text is cleaned as the value is made (NFC, no control or invisible characters, one line
unless the field holds a reason), so that no template and no header has to think of it again.
Dates are calendar dates in Asia/Ho_Chi_Minh; instants are aware datetimes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from notifications.calendar_values import Calendar, DueEvent, SubscribedCalendar
from notifications.clean import CleanText
from notifications.formats import LINK_PLACEHOLDER
from notifications.lines import Line, LineKind
from rules.values import Audience, Role

__all__ = [
    "Audience",
    "Calendar",
    "CheckpointLetter",
    "DigestLetter",
    "DueEvent",
    "ExtensionLetter",
    "Fact",
    "FourCells",
    "HandoverLetter",
    "ItemRef",
    "Letter",
    "Line",
    "LineKind",
    "LinkLetter",
    "MondaySummary",
    "OperatorNotice",
    "PlanRef",
    "ReceiptLetter",
    "Rendered",
    "ReturnedLetter",
    "Role",
    "Sender",
    "SubscribedCalendar",
    "SummaryRow",
    "SummarySection",
    "SummaryTopic",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender(CleanText):
    """Who writes: the coordinator's office and its contact.

    ``uid_domain`` ends Message-IDs and calendar UIDs; it stays when the address changes.
    """

    office_name: str
    contact_line: str
    """Name and post of the focal point at the coordinator's."""
    phone: str
    from_name: str
    from_address: str
    portal_url: str
    uid_domain: str
    reply_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRef(CleanText):
    """A plan as letters name it."""

    code: str
    """What stands in subjects: "CCHC-1718"."""
    decision_line: str
    """E.g. "Quyết định số 1718/QĐ-UBND ngày 21/7/2023 của UBND tỉnh"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRef(CleanText):
    """An item in a period, as a letter about it alone names it."""

    item: str
    item_task: str
    period_label: str
    due_on: date
    provisional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter(CleanText):
    """What every letter to an agency has.

    ``link`` is the placeholder, or a plain page of the portal for people who sign in.
    """

    to_address: str
    formal_name: str
    """E.g. "Ủy ban nhân dân xã Vạn Ninh"."""
    short_name: str
    """E.g. "Xã Vạn Ninh"."""
    sender: Sender
    plans: tuple[PlanRef, ...]
    day: date
    hour: int = 8
    link: str = LINK_PLACEHOLDER
    link_expires_on: date | None = None
    calendar: Calendar | None = None

    @property
    def own(self) -> bool:
        """Whether the coordinator writes to itself."""
        return self.formal_name == self.sender.office_name


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestLetter(Letter):
    """One mailbox's letter of the day (rule 30)."""

    agency: str
    lines: tuple[Line, ...]
    audience: Audience = Audience.MAILBOX


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnedLetter(Letter):
    """A result came back for a supplement, at once (rules 22, 27)."""

    item: ItemRef
    reason: str
    respond_by: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionLetter(Letter):
    """The decision on an extension, at once (rules 23, 27).

    ``item.due_on`` is the date in force after the decision.
    """

    item: ItemRef
    granted: bool
    asked_for: date
    previous_due_on: date
    reason: str
    document: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptLetter(Letter):
    """What was received, from whom, when: the sender's proof.

    ``channel`` is set when the coordinator entered it for the agency ("Nhập thay", rule 20).
    """

    item: ItemRef
    received_at: datetime
    receipt_code: str
    submitted_by: str
    summary: str
    status_word: str
    documents: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    channel: str | None = None
    timeliness_word: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkLetter(Letter):
    """A fresh link that somebody at this mailbox asked for (rule 34)."""

    requested_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverLetter(Letter):
    """An agency has another focal point (rule 36); ``receiving`` is said to the new one."""

    new_name: str
    new_post: str | None
    previous_name: str | None
    since: date
    receiving: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FourCells:
    """Counts of assignments in the four cells of state reports (rule 21)."""

    on_time: int
    late: int
    open_in_time: int
    open_overdue: int


class SummaryTopic(StrEnum):
    """What a section of the Monday summary is about."""

    CONFIRM = "confirm"
    """Results that wait for confirmation."""
    EXTENSIONS = "extensions"
    """Extensions that wait for a decision."""
    OBSTACLES = "obstacles"
    """Obstacles that wait for an answer."""
    URGE = "urge"
    """The ladder has ended: an official letter by people is needed (rule 27)."""
    OVERDUE = "overdue"
    """Overdue assignments."""
    FIX_DATES = "fix_dates"
    """Provisional dates to be fixed by a document (rule 17)."""
    SAMPLE = "sample"
    """Accepted results drawn for a check (rule 20)."""
    NO_CONTACT = "no_contact"
    """Agencies without a working mailbox or focal point (rule 36)."""
    UNDELIVERABLE = "undeliverable"
    """Addresses that refuse letters (rule 33)."""
    UNKNOWN_MAIL = "unknown_mail"
    """Letters of which it is not known whether they arrived (rule 33)."""
    HELD = "held"
    """Letters held by the blast cap (rule 32)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryRow(CleanText):
    """One line of a section of the Monday summary."""

    agency_name: str
    item: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SummarySection:
    """``total`` counts all; ``rows`` are those worth showing, the rest is said as a number."""

    topic: SummaryTopic
    total: int
    rows: tuple[SummaryRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MondaySummary(Letter):
    """The coordinator's week (rule 30)."""

    year: int
    cells: FourCells
    beside: FourCells | None = None
    """What the plan asks for outside its appendix, counted apart (rule 41)."""
    added: FourCells | None = None
    """Work outside the appendix, counted apart (rule 44); None where there is none."""
    closed_last_week: int
    sections: tuple[SummarySection, ...] = ()

    @property
    def waiting(self) -> int:
        """What waits for the coordinator itself; overdue work of others is counted apart."""
        return sum(
            section.total for section in self.sections if section.topic is not SummaryTopic.OVERDUE
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact(CleanText):
    """A label and its value: the run, the table, the count."""

    label: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorNotice(CleanText):
    """Something failed that operators must see. Never holds a letter's body or a secret."""

    to_address: str
    sender: Sender
    title: str
    happened_at: datetime
    summary: str
    facts: tuple[Fact, ...] = ()
    steps: tuple[str, ...] = ()
    """What to do, in order."""
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointLetter(CleanText):
    """A checkpoint of the history for whoever checks, to be kept outside this system (rule 38).

    ``note`` is the signed checkpoint, word for word. ``summary`` says what the last verification
    found wrong, empty when nothing.
    """

    to_address: str
    sender: Sender
    at: datetime
    size: int
    pending: int
    note: str
    link: str
    verified_at: datetime | None = None
    wrong: int = 0
    summary: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A letter as stored: the link is still a placeholder. ``ics`` has CRLF line ends."""

    subject: str
    text: str
    html: str
    ics: str | None = None
