"""The outbox: letters as rows, queued, held, superseded, released (rules 19, 28, 29, 32, 33).

Locks are always taken in one order, letters before assignments, and history is written last, so
that a sweep and a delivery never wait for each other in a circle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.bulk import allocate_ids, insert_rows
from models.queries_mail import active_mailboxes, in_parts, letters_of_day
from models.tables import AgencyRow, Base, Letter, LetterLine, LetterState
from operations.errors import Refused
from operations.history import Change, record, snapshot_of
from operations.stamp import Stamp
from operations.state import load_plan, plan_keys, states_of
from rules.digest import Recipient, above_cap
from rules.events import canonical_json


class LetterKind(StrEnum):
    """What a letter is; each is composed by ``operations.composing``."""

    DIGEST = "digest"
    PREVIEW = "preview"
    """"Bản xem trước": the next working day's digest, in a trial database only."""
    RETURNED = "returned"
    EXTENSION = "extension_decision"
    RECEIPT = "receipt"
    MONDAY = "monday_summary"
    LINK = "link"
    HANDOVER = "handover"
    """An agency has another focal point: to both mailboxes, once (rule 36)."""
    OPERATOR = "operator_notice"
    CHECKPOINT = "checkpoint"
    """A checkpoint of the history to those who check, daily (rule 38)."""


DAY_BOUND = (LetterKind.DIGEST.value, LetterKind.PREVIEW.value, LetterKind.MONDAY.value)
"""Letters that go on their own day or not at all: superseded when it has passed (rule 29)."""
ANY_DAY_LETTERS = (
    LetterKind.RECEIPT.value,
    LetterKind.LINK.value,
    LetterKind.OPERATOR.value,
    LetterKind.CHECKPOINT.value,
    LetterKind.PREVIEW.value,
)
"""Letters that go on a day off as well: answers to a person, and words to operators."""


class HeldReason(StrEnum):
    """Why a letter is kept back."""

    PILOT = "pilot"
    BLAST = "blast"
    RESTORED = "restored"
    """It may have gone before the database was restored from a backup (``operations.restored``)."""


HELD_WORDS: Mapping[HeldReason, str] = {
    HeldReason.PILOT: "Đang thí điểm: chỉ gửi thư đến cơ quan thí điểm",
    HeldReason.BLAST: "Vượt ngưỡng số thư trong ngày, chờ cơ quan điều phối cho phép gửi",
    HeldReason.RESTORED: (
        "Có thể đã gửi trước khi khôi phục từ bản sao lưu, chờ cơ quan điều phối cho gửi hoặc đóng"
    ),
}
"""What people read for each reason."""

_LETTER = Base.metadata.tables[Letter.__tablename__]
_LETTER_COLUMNS = (
    "id",
    "key",
    "kind",
    "mailbox",
    "agency_key",
    "state",
    "held_reason",
    "payload",
)
_LINE = Base.metadata.tables[LetterLine.__tablename__]
BODIES = frozenset({"body_text", "body_html", "ics"})
"""What the events about a letter leave out: the row itself keeps it."""


def digest_key(day: date, mailbox: str) -> str:
    """What makes a digest this digest: one a mailbox a day (rule 28)."""
    return f"{LetterKind.DIGEST}:{day}:{mailbox}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLetter:
    """A letter to be queued."""

    key: str
    kind: LetterKind
    recipient: Recipient
    held: HeldReason | None = None
    payload: Mapping[str, object] | None = None


def insert_letters(session: Session, stamp: Stamp, letters: Sequence[NewLetter]) -> list[int]:
    """Queue letters in bulk and return their ids, in the order given.

    The caller has seen to it that no key is there already.
    """
    ids = allocate_ids(session, Letter.__tablename__, len(letters))
    shared = {
        "day": stamp.as_of,
        "queued_at": stamp.at,
        "attempts": 0,
        "message_id": "",
        "run": stamp.run,
    }
    rows = (_letter_row(number, one) for number, one in zip(ids, letters, strict=True))
    insert_rows(session, _LETTER, _LETTER_COLUMNS, rows, shared=shared)
    return list(ids)


def _letter_row(number: int, one: NewLetter) -> tuple[Any, ...]:
    to = one.recipient
    said = {"audience": to.audience.value, "name": to.name, **(one.payload or {})}
    return (
        number,
        one.key,
        one.kind.value,
        to.address,
        to.agency,
        (LetterState.HELD if one.held else LetterState.QUEUED).value,
        None if one.held is None else one.held.value,
        canonical_json(said),
    )


LineRow = tuple[int, int | None, str, int | None, int | None]
"""(letter id, assignment id, kind, rung, notice id)."""


def insert_lines(session: Session, lines: Sequence[LineRow]) -> None:
    """Write the lines of letters in bulk."""
    ids = allocate_ids(session, LetterLine.__tablename__, len(lines))
    insert_rows(
        session,
        _LINE,
        ("id", "letter_id", "assignment_id", "kind", "rung", "notice_id"),
        ((number, *line) for number, line in zip(ids, lines, strict=True)),
    )


def letter_change(row: Letter, action: str, *, reason: str | None = None) -> Change:
    """An event about a letter: everything but its body, which the row itself keeps."""
    snapshot = {name: value for name, value in snapshot_of(row).items() if name not in BODIES}
    return Change(
        entity="letter",
        entity_id=str(row.id),
        action=action,
        snapshot=snapshot,
        agency=row.agency_key,
        reason=reason,
    )


def held_changes(session: Session, letter_ids: Iterable[int]) -> list[Change]:
    """The events of new letters that are held, with what holds them."""
    changes: list[Change] = []
    for part in in_parts(letter_ids):
        for row in session.scalars(select(Letter).where(Letter.id.in_(part)).order_by(Letter.id)):
            reason = HELD_WORDS[HeldReason(row.held_reason or HeldReason.BLAST)]
            changes.append(letter_change(row, "hold", reason=reason))
    return changes


_PILOTS = select(AgencyRow.key).where(AgencyRow.pilot)


class Holding:
    """Decides which of a run's letters are kept back (rules 19, 32)."""

    def __init__(self, session: Session, stamp: Stamp) -> None:
        self._session, self._day = session, stamp.as_of

    @cached_property
    def _pilots(self) -> set[str]:
        return set(self._session.scalars(_PILOTS))

    @cached_property
    def _coordinators(self) -> set[str]:
        keys = plan_keys(self._session)
        return {one.coordinator(self._day) for one in map(states_of(self._session), keys)}

    @cached_property
    def _factor(self) -> float:
        plans = (load_plan(self._session, key) for key in plan_keys(self._session))
        return min((plan.policies.blast_factor for plan in plans), default=1.5)

    def pilot(self, agency: str) -> HeldReason | None:
        """Held because others are pilots; the coordinator always reads its own letters."""
        if not self._pilots or agency in self._pilots or agency in self._coordinators:
            return None
        return HeldReason.PILOT

    def blast(self, new: int) -> HeldReason | None:
        """Held because ``new`` letters more today would pass the cap."""
        if new == 0:
            return None
        letters = letters_of_day(self._session, self._day) + new
        over = above_cap(
            letters=letters, mailboxes=active_mailboxes(self._session), factor=self._factor
        )
        return HeldReason.BLAST if over else None


def queue_operator_notice(
    session: Session,
    stamp: Stamp,
    *,
    key: str,
    recipient: Recipient,
    title: str,
    summary: str,
    facts: Sequence[tuple[str, str]] = (),
    steps: Sequence[str] = (),
) -> bool:
    """Queue word to whoever runs the system, once for each ``key``; False when it was queued.

    ``facts`` are (label, value); nothing secret and no letter's body goes in.
    """
    whole = f"{LetterKind.OPERATOR}:{key}"
    if session.scalar(select(Letter.id).where(Letter.key == whole)) is not None:
        return False
    payload = {
        "title": title,
        "summary": summary,
        "facts": [list(one) for one in facts],
        "steps": list(steps),
    }
    insert_letters(
        session,
        stamp,
        [NewLetter(key=whole, kind=LetterKind.OPERATOR, recipient=recipient, payload=payload)],
    )
    return True


def release_held(
    session: Session,
    stamp: Stamp,
    *,
    letter_ids: Iterable[int] | None = None,
    reason: HeldReason = HeldReason.BLAST,
) -> int:
    """Let held letters of today go: these, or all that are held for ``reason`` (rule 32).

    Returns how many were released. What a pilot holds is released by ending the pilot, unless
    its letter is named.

    Raises:
        Refused: a named letter is not held, or its day has passed.
    """
    query = select(Letter).where(Letter.state == LetterState.HELD.value)
    if letter_ids is None:
        query = query.where(
            Letter.held_reason == reason.value,
            Letter.kind.not_in(DAY_BOUND) | (Letter.day == stamp.as_of),
        )
        rows = list(session.scalars(query.order_by(Letter.id).with_for_update()))
    else:
        wanted = set(letter_ids)
        rows = []
        for part in in_parts(sorted(wanted)):
            rows += session.scalars(query.where(Letter.id.in_(part)).with_for_update())
        missing = wanted - {row.id for row in rows}
        if missing or any(row.kind in DAY_BOUND and row.day != stamp.as_of for row in rows):
            msg = "Có thư không còn ở trạng thái tạm giữ, hoặc đã qua ngày gửi; đề nghị tải lại trang."
            raise Refused(msg, field="letters")
    for row in rows:
        row.state, row.held_reason = LetterState.QUEUED.value, None
    session.flush()
    record(session, stamp, [letter_change(row, "release") for row in rows])
    return len(rows)
