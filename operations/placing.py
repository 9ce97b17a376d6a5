"""Writing what was collected into the outbox: digests, letters at once, reminders (rules 28, 32)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from models.bulk import allocate_ids, insert_rows
from models.queries_mail import in_parts, letters_by_key
from models.tables import Base, Letter, LetterState, Notice, Reminder
from operations.history import Change
from operations.outbox import (
    HeldReason,
    Holding,
    LetterKind,
    LineRow,
    NewLetter,
    digest_key,
    insert_letters,
    insert_lines,
)
from operations.parcels import Collected, NoticeLine, Parcel
from operations.stamp import Stamp
from rules.digest import NoticeKind, Recipient

_REMINDER = Base.metadata.tables[Reminder.__tablename__]
_OWN_LETTERS = {
    NoticeKind.RETURNED: LetterKind.RETURNED,
    NoticeKind.EXTENSION_DECIDED: LetterKind.EXTENSION,
    NoticeKind.RECEIPT: LetterKind.RECEIPT,
}
_TAKES_LINES = frozenset(
    {LetterState.QUEUED, LetterState.HELD, LetterState.RETRYING, LetterState.DROPPED}
)
"""Digests that are rendered yet, and so take more lines; any other is closed for its day."""


@dataclass(slots=True)
class RemindResult:
    """What a sweep did, in numbers."""

    day_off: bool = False
    letters: int = 0
    """Digests that are new."""
    at_once: int = 0
    rungs: int = 0
    notices: int = 0
    held: int = 0
    superseded: int = 0
    postponed: int = 0
    """Rungs left for tomorrow, because today's digest of their mailbox had gone."""
    unreachable: int = 0

    @property
    def figures(self) -> dict[str, int]:
        """The numbers by name, for the run log."""
        return {name: int(getattr(self, name)) for name in self.__dataclass_fields__}


@dataclass(slots=True)
class Run:
    """What one transaction gathers: history is written at its end, see ``operations.outbox``."""

    session: Session
    stamp: Stamp
    holding: Holding
    result: RemindResult
    changes: list[Change] = field(default_factory=list)
    held_ids: list[int] = field(default_factory=list)


def place_digests(run: Run, collected: Collected) -> set[int]:
    """Write the parcels as digests; returns the assignments that must wait for tomorrow."""
    session, stamp = run.session, run.stamp
    keys = {address: digest_key(stamp.as_of, address) for address in collected.parcels}
    there = letters_by_key(session, keys.values(), lock=True)
    closed = {
        address
        for address, key in keys.items()
        if key in there and LetterState(there[key][1]) not in _TAKES_LINES
    }
    fresh = [
        parcel
        for address, parcel in collected.parcels.items()
        if keys[address] not in there and (parcel.rungs or parcel.notices)
    ]
    ids = _insert_digests(run, fresh)
    open_ids = {
        address: there[keys[address]][0]
        for address in collected.parcels
        if address not in closed and keys[address] in there
    } | {parcel.recipient.address: number for parcel, number in zip(fresh, ids, strict=True)}
    _revive(session, [open_ids[a] for a in open_ids if _was_dropped(there, keys[a])])
    _write_lines(run, collected, open_ids)
    waiting = {line.assignment_id for a in closed for line in collected.parcels[a].rungs}
    run.result.postponed = sum(len(collected.parcels[a].rungs) for a in closed)
    return waiting


def _was_dropped(there: dict[str, tuple[int, str]], key: str) -> bool:
    return key in there and there[key][1] == LetterState.DROPPED.value


def _revive(session: Session, ids: Sequence[int]) -> None:
    """A digest of today that was dropped as empty takes lines again."""
    for part in in_parts(ids):
        session.execute(
            update(Letter)
            .where(Letter.id.in_(part))
            .values(state=LetterState.QUEUED.value, claimed_by=None)
        )


def _insert_digests(run: Run, fresh: Sequence[Parcel]) -> list[int]:
    kept = [
        run.holding.pilot(parcel.recipient.agency)
        or (HeldReason.RESTORED if parcel.maybe_said else None)
        for parcel in fresh
    ]
    blast = run.holding.blast(sum(1 for held in kept if held is None))
    letters = [
        NewLetter(
            key=digest_key(run.stamp.as_of, parcel.recipient.address),
            kind=LetterKind.DIGEST,
            recipient=parcel.recipient,
            held=held or blast,
        )
        for parcel, held in zip(fresh, kept, strict=True)
    ]
    ids = insert_letters(run.session, run.stamp, letters)
    run.held_ids += [number for number, one in zip(ids, letters, strict=True) if one.held]
    run.result.letters += len(ids)
    return ids


def _write_lines(run: Run, collected: Collected, letters: dict[str, int]) -> None:
    session = run.session
    lines: list[LineRow] = []
    notices: list[dict[str, int]] = []
    rungs = [
        (letter_id, rung)
        for address, letter_id in letters.items()
        for rung in collected.parcels[address].rungs
    ]
    for letter_id, rung in rungs:
        lines.append((letter_id, rung.assignment_id, rung.kind.value, rung.rung, None))
    for address, letter_id in letters.items():
        for one in collected.parcels[address].notices:
            lines.append((letter_id, one.assignment_id, one.kind.value, None, one.notice_id))
            notices.append({"notice": one.notice_id, "letter": letter_id})
    insert_lines(session, lines)
    numbers = allocate_ids(session, Reminder.__tablename__, len(rungs))
    insert_rows(
        session,
        _REMINDER,
        ("id", "assignment_id", "round", "due_on", "rung", "mailbox", "letter_id"),
        (
            (number, one.assignment_id, one.round, one.anchor, one.rung, one.mailbox, letter_id)
            for number, (letter_id, one) in zip(numbers, rungs, strict=True)
        ),
    )
    _take_notices(session, notices)
    run.result.rungs += len(rungs)
    run.result.notices += len(notices)


_NOTICE = Base.metadata.tables[Notice.__tablename__]
_TAKEN = (
    update(_NOTICE).where(_NOTICE.c.id == bindparam("notice")).values(letter_id=bindparam("letter"))
)


def _take_notices(session: Session, rows: Sequence[dict[str, int]]) -> None:
    if rows:
        session.connection().execute(_TAKEN, list(rows))


def send_at_once(run: Run, collected: Collected) -> None:
    blast = run.holding.blast(
        sum(1 for _, line in collected.at_once if line.kind is not NoticeKind.RECEIPT)
    )
    letters = [_own_letter(run, to, line, blast) for to, line in collected.at_once]
    ids = insert_letters(run.session, run.stamp, letters)
    insert_lines(run.session, list(_own_lines(ids, collected.at_once)))
    _take_notices(
        run.session,
        [
            {"notice": line.notice_id, "letter": number}
            for number, (_, line) in zip(ids, collected.at_once, strict=True)
        ],
    )
    run.held_ids += [number for number, one in zip(ids, letters, strict=True) if one.held]
    run.result.at_once += len(ids)


def _own_letter(run: Run, to: Recipient, line: NoticeLine, blast: HeldReason | None) -> NewLetter:
    kind = _OWN_LETTERS[line.kind]
    answer = kind is LetterKind.RECEIPT
    held = None if answer else run.holding.pilot(to.agency) or blast
    return NewLetter(
        key=f"{kind}:{line.notice_id}",
        kind=kind,
        recipient=to,
        held=HeldReason.RESTORED if line.maybe_said and held is not HeldReason.PILOT else held,
    )


def _own_lines(
    ids: Sequence[int], letters: Sequence[tuple[Recipient, NoticeLine]]
) -> Iterator[LineRow]:
    for number, (_, line) in zip(ids, letters, strict=True):
        yield number, line.assignment_id, line.kind.value, None, line.notice_id
