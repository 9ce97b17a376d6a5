"""What changes of agencies moved: the tables before and after, compared (rule 35)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from hashlib import sha256

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.queries_mail import in_parts
from models.tables import (
    Account,
    Assignment,
    ContactKind,
    Event,
    Evidence,
    Letter,
    LetterLine,
    LetterState,
    LinkToken,
    Occurrence,
    Submission,
)
from operations.address_book import contact_gaps
from operations.contacts import CONTACT_WORDS
from operations.state import load_directory, load_state, plan_keys
from rules.directory import Directory, parties_on
from rules.lifecycle import MOVABLE, Status
from rules.reorganising import Reorganisation
from rules.values import Role

_UNSENT = (LetterState.QUEUED, LetterState.HELD, LetterState.RETRYING)


class Fate(StrEnum):
    """What becomes of one row."""

    CREATED = "created"
    """The successor gets a row with its date, results and reminders."""
    LINKED = "linked"
    """The successor takes part already; the row leads to its row."""
    REVIEW = "review"
    """The same, but that row has ended: people decide on reopening it."""
    ENDED = "ended"
    """Nobody takes over."""
    DROPPED = "dropped"
    """A successor that becomes a lead stops partnering (rule 14)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One row that would move; ``due_on`` stays what it is, and so does the evidence."""

    plan: str
    item: str
    period: str
    role: Role
    agency: str
    to: str | None
    fate: Fate
    status: Status
    due_on: date
    evidence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyChange:
    """Who would lead and partner what opens on the day, before and after; names."""

    plan: str
    item: str
    leads_before: tuple[str, ...]
    leads: tuple[str, ...]
    gone: tuple[str, ...]
    """Partners that would no longer be."""
    come: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """All that changes would do. ``until`` is the day it was looked at for."""

    until: date
    moves: tuple[Move, ...]
    parties: tuple[PartyChange, ...]
    letters: tuple[tuple[str, int], ...]
    """Mailbox and how many unsent letters speak of what moves: they go without those lines."""
    accounts: tuple[tuple[str, str | None], ...]
    """User name, and the agency where it goes on; None where it is closed."""
    links: int
    """Links of letters that end."""
    contacts: tuple[tuple[str, str], ...]
    """Agency and kind of each contact that is taken over."""
    groups: tuple[tuple[str, str], ...]
    """Agency and the group that it enters."""
    silent: tuple[str, ...]
    """Successors without a working mailbox afterwards (rule 36)."""

    @property
    def seal(self) -> str:
        """The look in short: the same only while nothing has changed."""
        return sha256(repr(self).encode()).hexdigest()

    def count(self, fate: Fate) -> int:
        """How many rows would have this fate."""
        return sum(1 for one in self.moves if one.fate is fate)


class Before:
    """What stood before, to be compared with what stands after."""

    def __init__(self, session: Session) -> None:
        """Read what may move, and what may follow it."""
        self.directory = load_directory(session)
        rows = session.execute(
            select(Assignment.id, Assignment.status).where(
                Assignment.status.in_([status.value for status in MOVABLE])
            )
        )
        self.open = {number: Status(status) for number, status in rows}
        self.last = session.scalars(select(func.max(Assignment.id))).one() or 0
        self.event = session.scalars(select(func.max(Event.id))).one() or 0
        active = select(Account.id, Account.agency_key).where(Account.active)
        self.accounts = dict(session.execute(active).tuples().all())
        self.links = _links(session)

    def look(self, session: Session, until: date, asked: Sequence[Reorganisation]) -> Look:
        """What has become of it, after ``asked`` was done as on ``until``."""
        after = load_directory(session)
        olds = frozenset(key for one in asked for key in one.predecessors)
        moved = self._moved(session)
        return Look(
            until=until,
            moves=tuple(sorted(self._moves(session, moved, olds), key=repr)),
            parties=tuple(_parties(session, self.directory, after, until)),
            letters=_letters(session, [row.id for row, _ in moved]),
            accounts=self._accounts(session, after),
            links=self.links - _links(session),
            contacts=self._contacts(session, after),
            groups=tuple(_entered(self.directory, after)),
            silent=_silent(session, until, _heirs(asked, self.directory, after)),
        )

    def _moved(self, session: Session) -> list[tuple[Assignment, Occurrence]]:
        query = (
            select(Assignment, Occurrence)
            .join(Occurrence, Occurrence.id == Assignment.occurrence_id)
            .where(Assignment.status.in_([Status.TRANSFERRED.value, Status.CANCELLED.value]))
            .order_by(Assignment.id)
        )
        return [(row, kept) for row, kept in session.execute(query) if row.id in self.open]

    def _moves(
        self,
        session: Session,
        moved: Sequence[tuple[Assignment, Occurrence]],
        olds: frozenset[str],
    ) -> Iterator[Move]:
        papers = dict(
            session.execute(
                select(Submission.assignment_id, func.count(Evidence.id))
                .join(Evidence, Evidence.submission_id == Submission.id)
                .group_by(Submission.assignment_id)
            )
            .tuples()
            .all()
        )
        for row, occurrence in moved:
            heir = last_heir(session, row)
            nobody = Fate.ENDED if row.agency_key in olds else Fate.DROPPED
            yield Move(
                plan=occurrence.plan_key,
                item=occurrence.item_key,
                period=occurrence.period_key,
                role=Role(row.role),
                agency=row.agency_name,
                to=None if heir is None else heir.agency_name,
                fate=nobody if heir is None else self._fate(heir),
                status=self.open[row.id],
                due_on=row.due_on,
                evidence=papers.get(row.id, 0),
            )

    def _fate(self, heir: Assignment) -> Fate:
        if heir.id > self.last:
            return Fate.CREATED
        return Fate.LINKED if Status(heir.status) in MOVABLE else Fate.REVIEW

    def _accounts(self, session: Session, after: Directory) -> tuple[tuple[str, str | None], ...]:
        rows = session.scalars(select(Account).order_by(Account.username))
        return tuple(
            (row.username, after.agency(row.agency_key).name if row.active else None)
            for row in rows
            if row.id in self.accounts
            and row.agency_key is not None
            and (not row.active or row.agency_key != self.accounts[row.id])
        )

    def _contacts(self, session: Session, after: Directory) -> tuple[tuple[str, str], ...]:
        given = session.scalars(
            select(Event)
            .where(Event.id > self.event, Event.entity == "contact", Event.action == "set")
            .order_by(Event.id)
        )
        kinds = [(one.agency_key or "", json.loads(one.snapshot)["kind"]) for one in given]
        return tuple(
            (after.agency(key).name, CONTACT_WORDS[ContactKind(kind)]) for key, kind in kinds
        )


def last_heir(session: Session, row: Assignment) -> Assignment | None:
    """The row that a moved one led to in the end; None when it led nowhere."""
    heir = None
    while row.status == Status.TRANSFERRED and row.successor_id:
        heir = row = session.get_one(Assignment, row.successor_id)
    return heir


def _heirs(asked: Sequence[Reorganisation], before: Directory, after: Directory) -> frozenset[str]:
    known = {one.key for one in before.agencies}
    named = {heir.agency for one in asked for heir in one.successors if heir.agency}
    return frozenset(named | {one.key for one in after.agencies if one.key not in known})


def _silent(session: Session, until: date, heirs: frozenset[str]) -> tuple[str, ...]:
    gaps = contact_gaps(session, until)
    return tuple(
        sorted(gap.agency_name for gap in gaps if not gap.mailbox and gap.agency_key in heirs)
    )


def _links(session: Session) -> int:
    query = select(func.count()).select_from(LinkToken).where(LinkToken.revoked_at.is_(None))
    return session.scalars(query).one()


def _letters(session: Session, moved: Sequence[int]) -> tuple[tuple[str, int], ...]:
    """Unsent letters that speak of rows that move; they are rendered when they are claimed (29)."""
    found: dict[str, set[int]] = {}
    for part in in_parts(moved):
        query = (
            select(Letter.mailbox, Letter.id)
            .join(LetterLine, LetterLine.letter_id == Letter.id)
            .where(
                LetterLine.assignment_id.in_(part),
                Letter.state.in_([state.value for state in _UNSENT]),
            )
        )
        for mailbox, number in session.execute(query):
            found.setdefault(mailbox, set()).add(number)
    return tuple(sorted((mailbox, len(letters)) for mailbox, letters in found.items()))


def _parties(
    session: Session, before: Directory, after: Directory, day: date
) -> Iterator[PartyChange]:
    for key in plan_keys(session):
        for item in load_state(session, key).plan.decided:
            old_leads, old_partners = parties_on(item, before, day)
            leads, partners = parties_on(item, after, day)
            if (old_leads, old_partners) != (leads, partners):
                yield PartyChange(
                    plan=key,
                    item=item.key,
                    leads_before=_names(before, old_leads),
                    leads=_names(after, leads),
                    gone=_names(before, [one for one in old_partners if one not in partners]),
                    come=_names(after, [one for one in partners if one not in old_partners]),
                )


def _names(directory: Directory, keys: Sequence[str]) -> tuple[str, ...]:
    return tuple(directory.agency(key).name for key in keys)


def _entered(before: Directory, after: Directory) -> Iterator[tuple[str, str]]:
    known = {group.key: {member.ref for member in group.members} for group in before.groups}
    for group in after.groups:
        for member in group.members:
            if member.ref not in known[group.key]:
                yield after.agency(member.ref).name, group.name
