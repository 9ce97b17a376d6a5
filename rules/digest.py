"""What rides in whose letter, and when: the pure half of reminding (rules 5, 19, 27-30, 32, 33)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache

from rules.ladder import NO_RUNG, Step, next_step, owed
from rules.lifecycle import REMINDED, Status
from rules.values import Audience, Ladder, Rung
from rules.workdays import WorkCalendar


class NoticeKind(StrEnum):
    """Something that is said once (rule 27)."""

    OPENED = "opened"
    """Work has opened."""
    RECORD_INVITE = "record_invite"
    """"Ghi nhận": the one invitation of a year that is only recorded (rule 19)."""
    REQUEST = "request"
    """A lead asks a partner for a contribution (rule 14)."""
    CONFIRMED = "confirmed"
    """The completion was confirmed."""
    LAPSED = "lapsed"
    """A check-in ended without an answer (rule 16)."""
    DATE_CHANGED = "date_changed"
    """The date in force is another one."""
    RETURNED = "returned"
    """The result came back for a supplement (rule 22); at once."""
    EXTENSION_DECIDED = "extension_decided"
    """An extension was granted or not (rule 23); at once."""
    CONTRIBUTED = "contributed"
    """A partner answered: its lead learns of it (rule 14)."""
    OBSTACLE_ANSWERED = "obstacle_answered"
    """An obstacle that the agency raised was answered (rule 42)."""
    FINDING = "finding"
    """An inspection found something to mend (rule 45)."""
    FINDING_DUE = "finding_due"
    """A rung of a finding's ladder; said by the day that the conclusion names."""
    FINDING_RETURNED = "finding_returned"
    """A report on mending a finding came back."""
    FINDING_CLOSED = "finding_closed"
    """A finding is mended, or followed no longer."""
    RECEIPT = "receipt"
    """What was received, to whoever sent it; at once, on any day."""


AT_ONCE = frozenset({NoticeKind.RETURNED, NoticeKind.EXTENSION_DECIDED, NoticeKind.RECEIPT})
"""Letters of their own; everything else rides in the Monday digest (rule 27)."""
ANY_DAY = frozenset({NoticeKind.RECEIPT})
"""An answer to somebody who has just acted; all else waits for a working day (rule 5)."""
RIDES_ALONG = frozenset({NoticeKind.DATE_CHANGED})
"""Rides in a digest that goes anyway before Monday: nobody should be reminded of a date and not
told that it is another one. No digest is made for it alone."""
FINDING_KINDS = frozenset(
    {
        NoticeKind.FINDING,
        NoticeKind.FINDING_DUE,
        NoticeKind.FINDING_RETURNED,
        NoticeKind.FINDING_CLOSED,
    }
)
"""Notices about a finding of an inspection, which belong to no assignment."""
DAILY = frozenset({NoticeKind.FINDING_DUE, NoticeKind.FINDING_RETURNED})
"""They ride in the next digest, as rungs do; all else that rides waits for Monday."""
WHILE_OPEN = frozenset(
    {
        NoticeKind.OPENED,
        NoticeKind.RECORD_INVITE,
        NoticeKind.REQUEST,
        NoticeKind.CONTRIBUTED,
        NoticeKind.DATE_CHANGED,
        NoticeKind.RETURNED,
    }
)
"""No longer worth saying once the work has ended or was handed in."""


def worth_saying(kind: NoticeKind, status: Status) -> bool:
    """Whether a notice still means something for work in this status."""
    if kind is NoticeKind.CONFIRMED:
        return status is Status.CONFIRMED
    return kind not in WHILE_OPEN or status in REMINDED


def finding_worth_saying(kind: NoticeKind, state: str) -> bool:
    """Whether a notice about a finding still means something in this state of it (rule 45)."""
    if kind is NoticeKind.FINDING_CLOSED:
        return state in {"fixed", "dropped"}
    return state == "open"


def rides_on(
    kind: NoticeKind, *, at_once: bool, created_on: date, as_of: date, calendar: WorkCalendar
) -> bool:
    """Whether a pending notice goes out on ``as_of`` (rules 5, 27).

    The Monday digest goes on the first working day of the week. A Monday that was missed is made
    up for on the days after it, for what had been written before it.
    """
    if at_once:
        return kind in ANY_DAY or calendar.is_working(as_of)
    if not calendar.is_working(as_of):
        return False
    if kind in DAILY:
        return created_on <= as_of
    monday = calendar.first_working_of_week(as_of)
    return created_on <= as_of if as_of == monday else monday < as_of and created_on < monday


@dataclass(frozen=True, slots=True)
class Owed:
    """What an assignment's ladder says on a day: the rung owed, and the step after it.

    ``rung`` None means that nothing is owed yet; ``then`` None that the ladder ends.
    """

    rung: Rung | None
    then: Step | None


class LadderReader:
    """Reads one plan's ladders for many assignments on one day.

    Each (ladder, date, last rung) is computed once, for there are few of them and many rows.
    """

    def __init__(self, calendar: WorkCalendar, as_of: date) -> None:
        self._calendar, self._as_of = calendar, as_of
        self._known: dict[tuple[str, date, int], Owed] = {}

    def read(self, ladder: Ladder, anchor: date, last_rung: int | None) -> Owed:
        """The rung owed (rule 28) to work with this anchor and last rung queued."""
        last = NO_RUNG if last_rung is None else last_rung
        key = (ladder.key, anchor, last)
        found = self._known.get(key)
        if found is None:
            rung = owed(ladder, anchor, self._calendar, last_rung=last, as_of=self._as_of)
            said = last if rung is None else rung.offset
            found = Owed(rung, next_step(ladder, anchor, self._calendar, last_rung=said))
            self._known[key] = found
        return found


def stepped_back(sent: Iterable[int], withdrawn: Iterable[int]) -> int | None:
    """The last rung that counts after some were withdrawn unsent (rule 29).

    ``sent`` are the rungs of the round and date that were sent or are in flight. None means: none
    before the first that was withdrawn, so that this one is owed again.
    """
    lowest = min(withdrawn, default=NO_RUNG)
    highest = max(sent, default=NO_RUNG)
    if highest > lowest:
        return highest
    return max((rung for rung in sent if rung < lowest), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """A mailbox that gets a letter, and whose it is."""

    address: str
    agency: str
    """The agency that the mailbox belongs to; another than the work's when it fell back."""
    audience: Audience
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """The working addresses of one agency by audience: those that exist and take letters."""

    boxes: Mapping[Audience, Recipient] = field(default_factory=dict)


def recipient(
    audience: Audience, agency: Reach | None, coordinator: Reach | None
) -> Recipient | None:
    """Who gets a letter for ``audience`` (rule 30); None when nobody can be reached.

    A missing contact falls back to the agency's mailbox, a missing mailbox to the coordinator's.
    """
    if audience is not Audience.COORDINATOR and agency is not None:
        found = agency.boxes.get(audience) or agency.boxes.get(Audience.MAILBOX)
        if found is not None:
            return found
    if coordinator is None:
        return None
    return coordinator.boxes.get(Audience.MAILBOX) or coordinator.boxes.get(Audience.FOCAL)


def above_cap(*, letters: int, mailboxes: int, factor: float) -> bool:
    """Whether a day's letters are more than the blast cap allows (rule 32)."""
    return letters > factor * mailboxes


@lru_cache(maxsize=64)
def _back_off(attempts: int) -> timedelta:
    minutes = (5, 15, 60, 180, 360)
    return timedelta(minutes=minutes[min(max(attempts, 1), len(minutes)) - 1])


def back_off(attempts: int) -> timedelta:
    """How long to wait after the ``attempts``-th try failed for now (rule 33)."""
    return _back_off(attempts)
