"""A database and a mailbox as they are, by natural keys: for comparing two runs row by row."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from models.engine import Database
from models.tables import (
    Assignment,
    Event,
    Letter,
    LetterLine,
    LetterState,
    LinkToken,
    Notice,
    Occurrence,
    Reminder,
)
from notifications.mailbox import list_messages, read_message

Picture = Mapping[str, Counter[str]]
"""For each table the rows by their natural keys; a row that is there twice counts twice."""

_OCCURRENCE = (
    "plan_key",
    "plan_version",
    "item_key",
    "period_key",
    "opens_on",
    "due_on",
    "original_due_on",
    "nominal_due_on",
    "mode",
    "touched",
    "version",
)
_ASSIGNMENT = (
    "agency_name",
    "round",
    "status",
    "due_on",
    "original_due_on",
    "nominal_due_on",
    "authority",
    "respond_by",
    "last_rung",
    "next_reminder_on",
    "version",
)
_LETTER = ("key", "kind", "mailbox", "agency_key", "day", "attempts", "message_id", "subject")
_OWN_TO_A_RUN = re.compile(r"^(id|.*_id|claimed_by)$")
"""Fields of a snapshot that two runs number differently."""
_LINK = re.compile(r"/lien-ket/[^\s\"<>]+")
_UID = re.compile(r"(?<=UID:)(\d+)(?=-\d+@)")


@dataclass(frozen=True, slots=True)
class _Names:
    """Natural keys by row number."""

    occurrences: Mapping[int, str]
    assignments: Mapping[int, str]
    letters: Mapping[int, str]

    def entity(self, event: Event) -> str:
        """What an event speaks of, without the number that a run happened to give it."""
        known = {
            "occurrence": self.occurrences,
            "assignment": self.assignments,
            "letter": self.letters,
        }.get(event.entity)
        return event.entity_id if known is None else known[int(event.entity_id)]


def unknown_keys(database: Database) -> frozenset[str]:
    """The letters of which nobody knows whether they arrived ("không rõ")."""
    with database.read() as session:
        query = select(Letter.key).where(Letter.state == LetterState.UNKNOWN.value)
        return frozenset(session.scalars(query))


def picture(database: Database, *, without: Collection[str] = ()) -> Picture:
    """All rows that a run writes; what became of the letters ``without`` is left out."""
    with database.read() as session:
        names = _names(session)
        tables: dict[str, Iterator[str]] = {
            "occurrence": _rows(session, Occurrence, _OCCURRENCE),
            "assignment": _assignments(session, names),
            "reminder": _reminders(session, names),
            "notice": _notices(session, names),
            "letter": _letters(session, without),
            "letter_line": _lines(session, names),
            "link_token": _tokens(session, names),
            "event": _events(session, names, without),
        }
        return {table: Counter(rows) for table, rows in tables.items()}


def differences(wanted: Picture, found: Picture) -> list[str]:
    """What is missing and what is too much, a line each."""
    told = []
    for table, rows in wanted.items():
        told += [f"{table} lost: {row}" for row in (rows - found[table]).elements()]
        told += [f"{table} too much: {row}" for row in (found[table] - rows).elements()]
    return told


def received(folder: Path, database: Database) -> Counter[str]:
    """The letters in a local mailbox: Message-ID and address, with all that they say.

    Live links differ from run to run and are blotted out. Calendar entries are called by the
    number of their assignment, of which a transaction that was rolled back leaves a gap on
    PostgreSQL: they are named after the assignment instead.
    """
    with database.read() as session:
        names = _names(session).assignments
    found: Counter[str] = Counter()
    for head in list_messages(folder, limit=1_000_000):
        letter = read_message(folder, head.id)
        raw = (folder / f"{head.id}.eml").read_bytes()
        number = re.search(rb"^Message-ID: (\S+)", raw, re.MULTILINE | re.IGNORECASE)
        files = sorted(one.content.decode() for one in letter.attachments)
        text = _LINK.sub("/lien-ket/…", "\n".join((head.subject, letter.text, letter.html, *files)))
        text = _UID.sub(lambda uid: names[int(uid[1])], text)
        found[f"{number and number[1].decode()} to {head.to}\n{text}"] += 1
    return found


def _names(session: Session) -> _Names:
    occurrences = {
        row.id: f"{row.plan_key} {row.item_key} {row.period_key}"
        for row in session.scalars(select(Occurrence))
    }
    assignments = {
        row.id: f"{occurrences[row.occurrence_id]} {row.agency_key} {row.role}"
        for row in session.scalars(select(Assignment))
    }
    letters = {row.id: row.key for row in session.scalars(select(Letter))}
    return _Names(occurrences, assignments, letters)


def _said(row: Any, columns: tuple[str, ...]) -> str:
    values = {name: getattr(row, name) for name in columns}
    return " ".join(
        f"{name}={value.isoformat() if isinstance(value, date) else value}"
        for name, value in values.items()
    )


def _rows(session: Session, table: Any, columns: tuple[str, ...]) -> Iterator[str]:
    for row in session.scalars(select(table)):
        yield _said(row, columns)


def _assignments(session: Session, names: _Names) -> Iterator[str]:
    for row in session.scalars(select(Assignment)):
        yield f"{names.assignments[row.id]} {_said(row, _ASSIGNMENT)}"


def _reminders(session: Session, names: _Names) -> Iterator[str]:
    for row in session.scalars(select(Reminder)):
        what = names.assignments[row.assignment_id]
        where = names.letters.get(row.letter_id)
        yield f"{what} {_said(row, ('round', 'due_on', 'rung', 'mailbox'))} in {where}"


def _notices(session: Session, names: _Names) -> Iterator[str]:
    for row in session.scalars(select(Notice)):
        what = names.assignments.get(row.assignment_id or 0)
        where = names.letters.get(row.letter_id or 0)
        yield f"{what} {_said(row, ('kind', 'agency_key', 'audience', 'void'))} in {where}"


def _letters(session: Session, without: Collection[str]) -> Iterator[str]:
    for row in session.scalars(select(Letter)):
        if row.key not in without:
            yield f"{_said(row, _LETTER)} {row.state}"


def _lines(session: Session, names: _Names) -> Iterator[str]:
    for row in session.scalars(select(LetterLine)):
        what = names.assignments.get(row.assignment_id or 0)
        yield f"{names.letters[row.letter_id]}: {what} {row.kind} {row.rung}"


def _tokens(session: Session, names: _Names) -> Iterator[str]:
    query = select(LinkToken.letter_id, func.count()).group_by(LinkToken.letter_id)
    rows: list[Row[tuple[int | None, int]]] = list(session.execute(query))
    for letter, count in rows:
        yield f"{names.letters.get(letter or 0)}: {count}"


def _events(session: Session, names: _Names, without: Collection[str]) -> Iterator[str]:
    for row in session.scalars(select(Event)):
        what = names.entity(row)
        if row.entity == "letter" and what in without:
            continue
        snapshot = {
            name: value
            for name, value in json.loads(row.snapshot).items()
            if not _OWN_TO_A_RUN.match(name)
        }
        told = json.dumps(snapshot, sort_keys=True, ensure_ascii=False)
        yield f"{row.entity} {what} {_said(row, ('action', 'at', 'effective_on', 'reason'))} {told}"
