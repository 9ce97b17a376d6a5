"""A small world that sends letters: ``tests.world`` with mailboxes, sweeps and a scripted server.

Addresses are ``<agency>@co-quan.test`` and ``dau-moi.<agency>@co-quan.test``. Every step is a
transaction of its own, as in earnest.
"""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from email.message import EmailMessage

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.engine import Database
from models.tables import Assignment, ContactKind, Letter, LetterLine, LetterState, Reminder
from notifications.answers import Outcome, Sent
from notifications.values import Sender
from operations.claiming import Desk, Ready, draft, settle, take
from operations.contacts import ContactInput, store_contacts
from operations.outbox import LetterKind
from operations.placing import RemindResult
from operations.reminding import remind
from operations.stamp import Stamp
from rules.values import Plan, Role
from runtime.clock import FixedClock
from runtime.delivery import DeliveryResult, PostOffice, deliver
from tests import world
from tests.world import COORDINATOR, A, B, C

SECRET = "một bí mật đủ dài để ký các liên kết trong kiểm thử"
SENDER = Sender(
    office_name="Sở Nội vụ",
    contact_line="Phòng Cải cách hành chính",
    phone="0258 3 000 000",
    from_name="Sở Nội vụ",
    from_address="nhacviec@sonoivu.test",
    portal_url="https://tiendo.sonoivu.test",
    uid_domain="tiendo.sonoivu.test",
)


def mailbox(agency: str) -> str:
    """The agency's own mailbox."""
    return f"{agency.replace('_', '-')}@co-quan.test"


def focal(agency: str) -> str:
    """The mailbox of the agency's focal point."""
    return f"dau-moi.{mailbox(agency)}"


def head(agency: str) -> str:
    """The mailbox of the agency's head."""
    return f"lanh-dao.{mailbox(agency)}"


def give_contacts(session: Session, stamp: Stamp, agencies: Sequence[str]) -> None:
    """A mailbox, a focal point and a head for each of these agencies."""
    wanted = []
    for key in agencies:
        wanted.append(ContactInput(agency_key=key, kind=ContactKind.MAILBOX, email=mailbox(key)))
        for kind, address in ((ContactKind.FOCAL, focal(key)), (ContactKind.HEAD, head(key))):
            wanted.append(ContactInput(agency_key=key, kind=kind, name="Người nhận", email=address))
    store_contacts(session, stamp, wanted)


def text_of(message: EmailMessage) -> str:
    """The plain text of a letter."""
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def claimed(session: Session, stamp: Stamp, desk: Desk, *, limit: int) -> list[Ready]:
    """Letters claimed and rendered as by a delivery, all within the test's own transaction."""
    taken = take(session, stamp, desk, limit=limit)
    return settle(session, stamp, desk, taken, draft(session, stamp, desk, taken)).ready


@dataclass
class ScriptedMail:
    """A mail server that answers by script and remembers what it took.

    ``answers`` maps an address to what becomes of a letter to it: an outcome, or an exception.
    An outcome in ``early`` comes before the letter is under way.
    """

    answers: Mapping[str, Outcome | BaseException] = field(default_factory=dict)
    early: frozenset[str] = frozenset()
    taken: list[tuple[str, EmailMessage]] = field(default_factory=list)
    on_data: Callable[[str], None] | None = None

    def send(
        self,
        message: bytes,
        *,
        sender: str,
        to: str,
        before_data: Callable[[], None] | None = None,
    ) -> Outcome:
        """Answer for one letter."""
        answer = self.answers.get(to, Sent(code=250, answer="OK"))
        if to in self.early and not isinstance(answer, BaseException):
            return answer
        if before_data is not None:
            before_data()
        if self.on_data is not None:
            self.on_data(to)
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, Sent):
            parsed = email.message_from_bytes(message, policy=email.policy.default)
            assert isinstance(parsed, EmailMessage)
            self.taken.append((to, parsed))
        return answer

    def close(self) -> None:
        """Nothing to end."""

    @property
    def addresses(self) -> list[str]:
        """To whom it took letters, in order."""
        return [to for to, _ in self.taken]


@dataclass
class Town:
    """The small world in a database."""

    database: Database

    def sweep(self, day: date, *, item: str | None = None) -> RemindResult:
        """The flow of reminders on a day."""
        with self.database.write() as session:
            return remind(session, world.flow(day), item=item)

    def send(self, day: date, mail: ScriptedMail | None = None, **options: bool) -> DeliveryResult:
        """The flow of delivery on a day; without a script every letter is taken."""
        return deliver(self.office(day, mail or ScriptedMail(), **options), as_of=day)

    def office(self, day: date, mail: ScriptedMail, *, real_server: bool = False) -> PostOffice:
        """Where letters leave from."""
        return PostOffice(
            database=self.database,
            open_mail=lambda: mail,
            clock=FixedClock(world.at(day)),
            sender=SENDER,
            secret=SECRET,
            real_server=real_server,
        )

    def run(self, day: date, mail: ScriptedMail | None = None) -> list[str]:
        """Sweep and deliver on a day; to whom letters went."""
        post = mail or ScriptedMail()
        self.sweep(day)
        self.send(day, post)
        return post.addresses

    def letters(self, day: date | None = None, kind: LetterKind | None = None) -> list[Letter]:
        """Letters in the order they were queued."""
        query = select(Letter).order_by(Letter.id)
        if day is not None:
            query = query.where(Letter.day == day)
        if kind is not None:
            query = query.where(Letter.kind == kind.value)
        with self.database.read() as session:
            return list(session.scalars(query))

    def states(self, day: date | None = None) -> dict[str, str]:
        """Mailbox to the state of its newest letter."""
        return {one.mailbox: one.state for one in self.letters(day)}

    def rungs(self, *, sent_only: bool = False) -> list[tuple[date, str, int, int]]:
        """(day, mailbox, assignment, rung) of every rung in a digest, oldest first."""
        query = (
            select(Letter.day, Letter.mailbox, LetterLine.assignment_id, LetterLine.rung)
            .join(Letter, Letter.id == LetterLine.letter_id)
            .where(LetterLine.rung.is_not(None))
            .order_by(LetterLine.id)
        )
        if sent_only:
            query = query.where(Letter.state == LetterState.SENT.value)
        with self.database.read() as session:
            return [
                (day, box, number or 0, rung or 0)
                for day, box, number, rung in session.execute(query)
            ]

    def reminders(self) -> list[Reminder]:
        """Every reminder row."""
        with self.database.read() as session:
            return list(session.scalars(select(Reminder).order_by(Reminder.id)))

    def row(self, agency: str = A, role: Role = Role.LEAD) -> Assignment:
        """The only row of an agency in this role."""
        with self.database.read() as session:
            return session.scalars(
                select(Assignment).where(
                    Assignment.agency_key == agency, Assignment.role == role.value
                )
            ).one()

    @contextmanager
    def changing(self) -> Iterator[Session]:
        """A transaction of a test's own."""
        with self.database.write() as session:
            yield session


@contextmanager
def town(
    url: str,
    *,
    plan: Plan | None = None,
    work: Callable[[Session], object] | None = None,
    contacts: Sequence[str] = (COORDINATOR, A, B, C),
) -> Iterator[Town]:
    """The small world, committed: contacts for these agencies, I.1 of 2027 open unless told."""
    database = Database(url, durable=False)
    try:
        with database.write() as session:
            world.found(session, plan)
            give_contacts(session, world.flow(date(2027, 1, 4)), contacts)
            (work or world.open_work)(session)
        yield Town(database)
    finally:
        database.close()


__all__ = [
    "SECRET",
    "SENDER",
    "ScriptedMail",
    "Town",
    "focal",
    "give_contacts",
    "head",
    "mailbox",
    "text_of",
    "town",
]
