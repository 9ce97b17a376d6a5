"""The delivery loop: claim, commit, SMTP, record, commit (rules 29, 33).

One session with the mail server a run. Two deliveries side by side never send a letter twice: each
commits that a letter is on its way just before DATA, and only while it still owns it.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Protocol

from models.engine import Database
from models.tables import LetterState
from notifications.addresses import AddressError
from notifications.answers import (
    NotConnected,
    Outcome,
    PermanentFailure,
    SessionRefused,
)
from notifications.compose import fill_link
from notifications.message import build_message, message_bytes
from notifications.values import Sender
from operations.claiming import Desk, Ready
from operations.delivery import begin_sending, declared_off, recover
from operations.links import Secret
from operations.outcomes import abandon, record_outcome
from operations.releasing import supersede_and_record
from operations.reminding import queue_at_once
from operations.stamp import Stamp
from rules.actors import flow_actor
from runtime.claiming import claim
from runtime.clock import Clock


class LetterTaken(Exception):
    """The letter is no longer this delivery's; it must not be sent."""


class DayOver(Exception):
    """The day ended, or was declared a day off; what was claimed is looked at anew."""


class MailSender(Protocol):
    """What ``notifications.smtp.MailSession`` does, and a scripted one in tests."""

    def send(
        self,
        message: bytes,
        *,
        sender: str,
        to: str,
        before_data: Callable[[], None] | None = None,
    ) -> Outcome:
        """Offer one letter; ``before_data`` is called just before it is on its way."""
        ...

    def close(self) -> None:
        """End the session."""
        ...


@dataclass(slots=True)
class DeliveryResult:
    """What a delivery did, in numbers."""

    sent: int = 0
    retrying: int = 0
    undeliverable: int = 0
    unknown: int = 0
    dropped: int = 0
    superseded: int = 0
    requeued: int = 0
    at_once: int = 0
    taken: int = 0
    """Letters that somebody else had taken over; not sent here."""
    trouble: str | None = None
    """Why the session with the mail server ended early; letters stay queued."""

    @property
    def figures(self) -> dict[str, int]:
        """The numbers by name, for the run log."""
        names = [name for name in self.__dataclass_fields__ if name != "trouble"]
        return {name: int(getattr(self, name)) for name in names}


@dataclass(frozen=True, slots=True, kw_only=True)
class PostOffice:
    """Where letters leave from: the database, the mail server, the clock and who writes."""

    database: Database
    open_mail: Callable[[], MailSender]
    clock: Clock
    sender: Sender
    secret: Secret = field(repr=False)
    time_zone: str = "Asia/Ho_Chi_Minh"
    """Where a day ends (an IANA name)."""
    real_server: bool = True
    """Off for the local mailbox, which takes sample addresses as well."""
    run: str | None = None
    """The flow run, for the history."""
    owner: str | None = None
    """Who claims; None means this process."""
    alive: Callable[[str], bool | None] | None = None
    """Whether an owner still runs; None asks the kernel (:func:`is_alive`)."""

    def today(self) -> date:
        """The calendar date, now."""
        return self.clock.today(self.time_zone)

    def stamp(self, as_of: date) -> Stamp:
        """The circumstances of one step, now."""
        return Stamp(at=self.clock.now(), as_of=as_of, actor=flow_actor("gửi thư"), run=self.run)


def deliver(
    office: PostOffice, *, as_of: date, batch: int = 20, limit: int | None = None
) -> DeliveryResult:
    """Deliver what is due on the business date ``as_of``, at most ``limit`` letters.

    First what a dead delivery left behind is sorted out, digests of earlier days are superseded,
    and what goes at once is queued. The caller sees to it that no past date comes here (rule 1).
    A delivery that lasts until midnight ends there, whether a mail server or the machine held it up:
    the next day may be a day off (rule 5), and its digests tell of that day (30). Where somebody
    declares this very day off meanwhile, no letter but those of any day begins its way any more.
    ``batch`` letters are claimed and rendered at once, and stored within one transaction, for
    which SQLite's other writers wait.
    """
    round_ = _Round(office, as_of, office.owner or owner_id(), office.today())
    result = round_.result
    _prepare(office, as_of, result)
    left = limit
    try:
        while result.trouble is None and not round_.over and (left is None or left > 0):
            taken, ready = round_.claim(batch if left is None else min(batch, left))
            if not taken:
                break
            left = None if left is None else left - taken
            round_.send(ready)
    finally:
        round_.close()
    return result


def _prepare(office: PostOffice, as_of: date, result: DeliveryResult) -> None:
    with office.database.write() as session:
        found = recover(session, office.stamp(as_of), alive=office.alive or is_alive)
    result.requeued, result.unknown = found
    with office.database.write() as session:
        result.superseded = supersede_and_record(session, office.stamp(as_of))
    with office.database.write() as session:
        result.at_once = queue_at_once(session, office.stamp(as_of)).at_once


@dataclass(slots=True)
class _Round:
    """One delivery: its owner, its session with the mail server, what it did so far."""

    office: PostOffice
    as_of: date
    owner: str
    began: date
    result: DeliveryResult = field(default_factory=DeliveryResult)
    mail: MailSender | None = None

    @property
    def over(self) -> bool:
        """Whether the day on which this delivery began has ended."""
        return self.office.today() != self.began

    def claim(self, size: int) -> tuple[int, list[Ready]]:
        """Claim letters; how many were taken, those that fell away too, and those to be sent."""
        office = self.office
        desk = Desk(
            owner=self.owner,
            sender=office.sender,
            secret=office.secret,
            real_server=office.real_server,
        )
        taken, claimed = claim(office.database, office.stamp(self.as_of), desk, limit=size)
        self.result.dropped += claimed.dropped
        self.result.undeliverable += taken.refused + claimed.refused
        return len(taken.ids) + taken.refused, claimed.ready

    def send(self, letters: list[Ready]) -> None:
        """Send the letters of one claim; what is left when session or day ends is queued again."""
        waiting = list(letters)
        try:
            while waiting and self.result.trouble is None and not self.over:
                try:
                    self._one(waiting[0])
                except LetterTaken:
                    self.result.taken += 1
                except DayOver:
                    break
                waiting.pop(0)
        finally:
            if waiting:
                with self.office.database.write() as session:
                    abandon(
                        session,
                        self.office.stamp(self.as_of),
                        [one.letter_id for one in waiting],
                        owner=self.owner,
                    )

    def close(self) -> None:
        if self.mail is not None:
            self.mail.close()

    def _one(self, letter: Ready) -> None:
        outcome = self._offer(letter)
        with self.office.database.write() as session:
            stamp = self.office.stamp(self.as_of)
            state = record_outcome(session, stamp, letter.letter_id, outcome, owner=self.owner)
        if state in _COUNTED:
            name = _COUNTED[state]
            setattr(self.result, name, getattr(self.result, name) + 1)
        match outcome:
            case NotConnected(error=error):
                self.result.trouble = error
            case SessionRefused(code=code, answer=answer):
                self.result.trouble = f"{code} {answer}"
            case _:
                pass

    def _offer(self, letter: Ready) -> Outcome:
        office = self.office

        def before_data() -> None:
            if self.over:
                raise DayOver
            with office.database.write() as session:
                stamp = office.stamp(self.as_of)
                if begin_sending(session, stamp, letter.letter_id, owner=self.owner):
                    return
                off = declared_off(session, stamp)
            raise DayOver if off else LetterTaken

        rendered = letter.rendered
        if letter.link is not None:
            rendered = fill_link(rendered, letter.link)
        try:
            message = build_message(
                rendered,
                sender=office.sender,
                to_address=letter.mailbox,
                to_name=letter.to_name,
                key=letter.key,
                date=office.clock.now(),
            )
        except AddressError as error:
            return PermanentFailure(code=0, answer=str(error))
        if self.mail is None:
            self.mail = office.open_mail()
        return self.mail.send(
            message_bytes(message),
            sender=office.sender.from_address,
            to=letter.mailbox,
            before_data=before_data,
        )


_COUNTED: Mapping[LetterState | None, str] = {
    LetterState.SENT: "sent",
    LetterState.RETRYING: "retrying",
    LetterState.UNDELIVERABLE: "undeliverable",
    LetterState.UNKNOWN: "unknown",
}


def owner_id() -> str:
    """Who claims: ``host:pid:start``, so that a process id that is used again is another owner."""
    return f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"


def is_alive(owner: str) -> bool | None:
    """Whether the owner still runs; None for another machine, of which nothing is known here."""
    host, _, rest = owner.rpartition(":")[0].rpartition(":")
    start = owner.rpartition(":")[2]
    if not host or not rest.isdigit():
        return False
    if host != socket.gethostname():
        return None
    return _started(int(rest)) == start


def _started(pid: int) -> str:
    """When a process began, in the kernel's ticks; "gone" when there is none."""
    if Path("/proc").exists():
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return "gone"
        fields = stat.rpartition(")")[2].split()
        # Dead, and nobody waited for it yet: in a container perhaps nobody ever does.
        return "gone" if fields[0] in {"Z", "X"} else fields[19]
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return "gone"
    except PermissionError:
        pass
    return "there"
