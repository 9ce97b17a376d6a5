"""The values that every other room speaks about: agencies, plans, items and their policies.

They are immutable and know no storage. The catalog fills them in from files, ``models`` stores
them, and the other modules of ``rules`` decide with them. Dates are calendar dates in the time
zone of the plan (rule 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from rules.asked import Budget, Figure, RequiredOutcome
from rules.choices import (
    Audience,
    Certainty,
    Confirmation,
    DateAuthority,
    ItemKind,
    LeadMode,
    PeriodKind,
    Role,
    Roll,
    TrackingMode,
)

__all__ = [
    "ADDED_GROUP",
    "BESIDE_GROUP",
    "Agency",
    "Audience",
    "Budget",
    "Certainty",
    "Confirmation",
    "DateAuthority",
    "Document",
    "Figure",
    "Group",
    "Item",
    "ItemCalendar",
    "ItemKind",
    "ItemParties",
    "ItemText",
    "Ladder",
    "LeadMode",
    "Member",
    "PartySpan",
    "PeriodKind",
    "Plan",
    "Policies",
    "RequiredOutcome",
    "Role",
    "Roll",
    "Rung",
    "Succession",
    "TaskGroup",
    "TrackingMode",
]


ADDED_GROUP = "BS"
"""The group of work outside the appendix (rule 44); no catalog file may use it."""
BESIDE_GROUP = "NPL"
"""The group of work that a decision asks for outside its appendix (rule 41)."""
BESIDE_TITLE = "Việc nêu tại Đề án, ngoài Phụ lục"


def _within(day: date, first: date | None, last: date | None) -> bool:
    """Whether ``day`` lies between two days, inclusive; None leaves that side open."""
    return (first is None or first <= day) and (last is None or day <= last)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document by its number and code (``1718/QĐ-UBND``) and its date of issue."""

    code: str
    issued_on: date | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency:
    """An agency with its days of validity.

    ``valid_to`` is its last day, inclusive; None on either side means open. ``code`` is the
    official code of an administrative unit, where it has one. ``letters`` off means that the
    agency is followed by hand and gets no automatic letters (rule 36).
    """

    key: str
    name: str
    kind: str
    formal_name: str | None = None
    """The name of the "Kính gửi:" line where it is longer than ``name``: a commune is listed as
    "Xã …" and addressed as "Ủy ban nhân dân xã …". See ``addressed_as``."""
    code: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    letters: bool = True
    certainty: Certainty = Certainty.SEEN
    note: str | None = None

    @property
    def addressed_as(self) -> str:
        """The name that a letter to the agency begins with."""
        return self.formal_name or self.name

    def valid_on(self, day: date) -> bool:
        """Whether the agency exists on ``day``."""
        return _within(day, self.valid_from, self.valid_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Membership of a group: an agency key, or ``@group``, with its days of validity."""

    ref: str
    valid_from: date | None = None
    valid_to: date | None = None

    def valid_on(self, day: date) -> bool:
        """Whether the membership holds on ``day``."""
        return _within(day, self.valid_from, self.valid_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A named set of agencies and groups. ``letters`` off switches off all its members' letters."""

    key: str
    name: str
    members: tuple[Member, ...] = ()
    letters: bool = True
    certainty: Certainty = Certainty.SEEN
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """On ``effective_on`` the successor takes over from the predecessor (rule 35).

    A predecessor with several successors (a split) has one entry for each; ``items`` names the
    item keys that this successor takes, empty meaning everything that no other entry names. A
    predecessor that ends without a successor has ``successor`` None.
    """

    predecessor: str
    successor: str | None
    effective_on: date
    document: str | None = None
    items: tuple[str, ...] = ()
    certainty: Certainty = Certainty.SEEN
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemText:
    """A row of the appendix, word for word (rule 6)."""

    number: str | None
    """The cell "Stt" as printed; None where the cell is empty."""
    task: str
    activity_intro: str | None
    activity_bullets: tuple[str, ...]
    lead: tuple[str, ...]
    """The lines of the lead cell: one, or one for each dash of the cell."""
    partners: tuple[str, ...]
    """The same for the partner cell; empty where the cell is empty."""
    timing: str
    oddities: tuple[str, ...] = ()
    section: str | None = None
    """Where a decision asks for work outside its appendix; ``task`` is then our short name for it
    and the bullets are the decision's words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemCalendar:
    """When an item opens and is due (rules 4, 7, 16-18).

    ``opens`` and ``due`` are cron expressions of five fields in the plan's time zone. The opening
    is the first fire within the period; the due date is the first fire within the period that
    lies ``due_in_next`` periods later. ``every`` is the step in periods (2 = every second one),
    counted from ``first_period``. ``milestones`` labels some periods (``{"2025": "so_ket"}``).
    """

    kind: ItemKind = ItemKind.TASK
    period: PeriodKind = PeriodKind.YEAR
    every: int = 1
    first_period: str | None = None
    last_period: str | None = None
    opens: str
    due: str
    due_in_next: int = 0
    roll: Roll = Roll.NEXT
    authority: DateAuthority = DateAuthority.PROVISIONAL
    fixed_by: str | None = None
    """Who is awaited to fix the date ("Bộ Nội vụ"), where the decision says so."""
    confirmation: Confirmation = Confirmation.ACCEPT
    ladder: str = "standard"
    milestones: Mapping[str, str] = field(default_factory=dict, hash=False)
    expected: tuple[str, ...] = ()
    """What the agency is asked to file, in words for people."""
    figures: tuple[Figure, ...] = ()
    cutoff: str | None = None
    """The day of the year up to which figures count (``11-30``)."""
    outcomes: tuple[RequiredOutcome, ...] = ()
    asks_contact: bool = False
    """Whether a result may name the agency's focal point anew (rule 36)."""
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartySpan:
    """Whom a phrase of the decision means between two days (inclusive, None = open)."""

    refs: tuple[str, ...]
    valid_from: date | None = None
    valid_to: date | None = None

    def valid_on(self, day: date) -> bool:
        """Whether the phrase means these agencies on ``day``."""
        return _within(day, self.valid_from, self.valid_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemParties:
    """Who leads and who partners an item (rules 12-14)."""

    lead_mode: LeadMode
    leads: tuple[PartySpan, ...]
    partners: tuple[PartySpan, ...] = ()
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An item of a plan: its verbatim text beside its interpretation."""

    key: str
    group: str
    position: int
    text: ItemText
    calendar: ItemCalendar
    parties: ItemParties

    @property
    def is_added(self) -> bool:
        """Whether it stands outside the appendix ("Giao bổ sung", rule 44)."""
        return self.group == ADDED_GROUP

    @property
    def is_beside(self) -> bool:
        """Whether the decision asks for it outside its appendix (rule 41)."""
        return self.group == BESIDE_GROUP


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskGroup:
    """A numbered heading of the appendix."""

    key: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One step of a ladder: ``offset`` working days from the due date, negative before it."""

    offset: int
    audience: tuple[Audience, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """The reminder rungs of a kind of work, in the order of their offsets."""

    key: str
    rungs: tuple[Rung, ...]
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """Numbers that the coordinator may change; each a default with its basis in the catalog.

    Units: ``*_workdays`` are working days; ``sample_percent`` is 0-100; ``blast_factor``
    multiplies the count of active mailboxes.
    """

    extension_cap: int = 1
    respond_workdays: int = 5
    late_entry_workdays: int = 5
    confirm_workdays: int = 5
    sample_percent: int = 10
    blast_factor: float = 1.5
    full_tracking_cutoff: str = "04-01"
    """A start before this day of the year tracks that year in full (rule 19)."""
    link_days: int = 30
    two_step: frozenset[str] = frozenset()
    """Actions that one proposes and another approves: extend, waive, reopen, cancel."""
    own_work_confirmer: str = "leadership"
    basis: str = "mặc định, chờ cơ quan điều phối quyết định"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A decision with an appendix of items, in one version (rule 8)."""

    key: str
    short_code: str
    """What stands in the subject of letters, e.g. ``CCHC-1718``."""
    title: str
    decision: Document
    issued_by: str
    time_zone: str
    first_year: int
    last_year: int
    effective_from: date
    version: int
    coordinator: str
    """The key of the agency that coordinates; its successors follow (rule 35)."""
    coordinator_basis: str = ""
    groups: tuple[TaskGroup, ...]
    items: tuple[Item, ...]
    ladders: Mapping[str, Ladder] = field(hash=False)
    policies: Policies
    agencies_file: str
    """The agencies that the plan speaks of, by the name of their file, without ending."""
    beside: tuple[Item, ...] = ()
    """What the decision asks for outside its appendix (rule 41), counted apart."""
    cost_lines: tuple[Budget, ...] = ()
    cost_sources: tuple[Budget, ...] = ()
    added: tuple[Item, ...] = ()
    """Work outside the appendix (rule 44): in the database only, in no version and no file."""

    @property
    def decided(self) -> tuple[Item, ...]:
        """What the decision itself asks for: its appendix, then what stands outside it."""
        return (*self.items, *self.beside)

    @property
    def every_item(self) -> tuple[Item, ...]:
        """The items of the decision, then the work added outside it."""
        return (*self.decided, *self.added)

    def group_title(self, item: Item) -> str:
        """The heading under which ``item`` stands; empty for work that was added."""
        if item.is_beside:
            return BESIDE_TITLE
        return next((one.title for one in self.groups if one.key == item.group), "")

    def item(self, key: str) -> Item:
        """The item with this key; KeyError names the key when there is none."""
        for item in self.every_item:
            if item.key == key:
                return item
        raise KeyError(key)
