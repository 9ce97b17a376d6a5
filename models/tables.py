"""All tables in one place: import from here."""

from models.audit_tables import Finding
from models.base import Base
from models.catalog_tables import (
    AgencyRow,
    DatabaseFact,
    DayRow,
    GroupRow,
    MemberRow,
    PeriodDate,
    PlanRow,
    PlanVersion,
    SuccessionRow,
)
from models.history_tables import Checkpoint, Event, LogLeaf, LogPending, RunLog
from models.mail_tables import (
    AccessLog,
    CalendarFeed,
    Contact,
    ContactKind,
    Letter,
    LetterLine,
    LetterState,
    LinkToken,
    Mailbox,
    Notice,
    Reminder,
)
from models.people_tables import Account
from models.work_tables import (
    Assignment,
    Evidence,
    ExtensionRequest,
    Obstacle,
    Occurrence,
    Proposal,
    StoredFile,
    Submission,
)

__all__ = [
    "AccessLog",
    "Account",
    "AgencyRow",
    "Assignment",
    "Base",
    "CalendarFeed",
    "Checkpoint",
    "Contact",
    "ContactKind",
    "DatabaseFact",
    "DayRow",
    "Event",
    "Evidence",
    "ExtensionRequest",
    "Finding",
    "GroupRow",
    "Letter",
    "LetterLine",
    "LetterState",
    "LinkToken",
    "LogLeaf",
    "LogPending",
    "Mailbox",
    "MemberRow",
    "Notice",
    "Obstacle",
    "Occurrence",
    "PeriodDate",
    "PlanRow",
    "PlanVersion",
    "Proposal",
    "Reminder",
    "RunLog",
    "StoredFile",
    "Submission",
    "SuccessionRow",
]
