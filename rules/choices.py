"""The choices that values and catalogs are made of, each explained.

Their texts stand in the catalog's files and in the database. Import them from ``rules.values``.
"""

from __future__ import annotations

from enum import StrEnum


class Certainty(StrEnum):
    """How well a fact is known; it stays on the fact wherever the fact is shown."""

    SEEN = "SEEN"
    """Read in a source."""
    GENERAL = "GENERAL"
    """General knowledge, for the coordinator to confirm."""
    UNSURE = "UNSURE"
    """A guess, for the coordinator to confirm or mend."""


class PeriodKind(StrEnum):
    """The length of a period of an item."""

    YEAR = "year"
    QUARTER = "quarter"
    MONTH = "month"


class Roll(StrEnum):
    """Where a date goes that falls on a day off (rule 4)."""

    NEXT = "next"
    PREVIOUS = "previous"
    NONE = "none"


class LeadMode(StrEnum):
    """How the leads of one occurrence share the work (rule 13)."""

    EACH = "each"
    """Every agency leads its own; the partner belongs to the occurrence."""
    SINGLE = "single"
    """One agency leads."""
    JOINT = "joint"
    """All leads must finish."""
    JOINT_OR_SEPARATE = "joint_or_separate"
    """One plan together or one each: a lead may declare that it is covered by another's."""


class ItemKind(StrEnum):
    """What an occurrence of the item asks for."""

    TASK = "task"
    """A result by a due date, counted in the four cells (rule 21)."""
    CHECK_IN = "check_in"
    """A "thường xuyên" item: a text each period, no confirmation, lapses (rule 16)."""


class Confirmation(StrEnum):
    """What happens after a submission (rule 20)."""

    REQUIRED = "required"
    """The coordinator confirms each one."""
    ACCEPT = "accept"
    """Accepted at once; a sample is checked afterwards."""


class TrackingMode(StrEnum):
    """How an occurrence is followed (rule 19)."""

    FULL = "full"
    """With its whole ladder."""
    RECORD = "record"
    """ "Ghi nhận": one invitation, one reminder, never overdue."""
    IMPORTED = "imported"
    """ "Ghi nhận sau": came by import, never reminds."""


class Role(StrEnum):
    """The part of an agency in an occurrence."""

    LEAD = "lead"
    PARTNER = "partner"


class DateAuthority(StrEnum):
    """Who fixed a due date (rule 17)."""

    PROVISIONAL = "provisional"
    """Nobody yet: "mốc dự kiến"."""
    COORDINATOR = "coordinator"
    """The coordinator's document ("Ấn định lịch năm")."""
    PROVINCE = "province"
    """UBND tỉnh: moves only by a document of its own."""
    MINISTRY = "ministry"
    """The ministry: moves only by a document of its own."""


class Audience(StrEnum):
    """Who at an agency a rung speaks to (rule 27)."""

    MAILBOX = "mailbox"
    """The agency's own mailbox."""
    FOCAL = "focal"
    """The focal point."""
    HEAD = "head"
    """The head in charge."""
    COORDINATOR = "coordinator"
    """The coordinator's mailbox, about somebody's work or about a date to fix."""
