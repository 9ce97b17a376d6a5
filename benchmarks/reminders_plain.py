"""The whole reminder job as a plain script does it, on the engine's own tables."""

from __future__ import annotations

import json
import smtplib
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from secrets import token_urlsafe
from typing import Any

import psycopg

from benchmarks import mail_plain as plain
from models.base import INSTANT_FORMAT
from models.engine import BUSY_TIMEOUT_MS
from rules.events import CANONICAL_VERSION, canonical_json, canonical_v1, leaf_digest

LINK = f"{plain.SENDER.portal_url}/lien-ket/{'x' * 66}"


@dataclass(slots=True)
class Bare:
    """A driver's connection with the engine's pragmas; ``?`` marks a value."""

    url: str
    each: bool
    """Whether every step is committed, or all at once at the end of a turn."""
    run: Callable[..., Any] = field(init=False)
    many: Callable[..., Any] = field(init=False)
    commit: Callable[[], object] = field(init=False)
    sqlite: bool = field(init=False)

    def __post_init__(self) -> None:
        self.sqlite = self.url.startswith("sqlite")
        if self.sqlite:
            bare = sqlite3.connect(self.url.removeprefix("sqlite:///"))
            for pragma in (
                "journal_mode = WAL",
                "synchronous = FULL",
                "foreign_keys = ON",
                "recursive_triggers = ON",
                f"busy_timeout = {BUSY_TIMEOUT_MS}",
            ):
                bare.execute(f"PRAGMA {pragma}")
            self.run, self.many, self.commit = bare.execute, bare.executemany, bare.commit
            return
        connection = psycopg.connect(self.url.replace("+psycopg", ""))
        cursor = connection.cursor()
        self.run = lambda words, values=(): cursor.execute(words.replace("?", "%s"), values)
        self.many = lambda words, rows: cursor.executemany(words.replace("?", "%s"), rows)
        self.commit = connection.commit

    def step(self) -> None:
        """The end of a step."""
        if self.each:
            self.commit()

    def ids(self, table: str, count: int) -> range:
        """The next ids of a table; alone here, so that the largest says them."""
        last = self.run(f"SELECT COALESCE(MAX(id), 0) FROM {table}").fetchone()[0]  # noqa: S608 - our names
        return range(last + 1, last + 1 + count)

    def instant(self, moment: datetime) -> Any:
        """An instant as the database keeps it."""
        return moment.strftime(INSTANT_FORMAT) if self.sqlite else moment

    def day(self, day: date) -> Any:
        """A date as the database keeps it."""
        return day.isoformat() if self.sqlite else day


def script(url: str, port: int, turns: Sequence[date], commits: str) -> Iterator[None]:
    """The limit: queue what is due, then render, send and record letter by letter.

    ``commits`` is ``each`` step, or ``once`` at the end of a turn.
    """
    bare = Bare(url, commits == "each")
    content = bare.run("SELECT content FROM plan_version").fetchone()[0]
    items = {one["key"]: one for one in json.loads(content)["items"]}
    bare.commit()
    yield
    for day in turns:
        letters = _queue(bare, day)
        bare.step()
        with plain.session(port) as session:
            for number, (box, rows) in letters.items():
                _send(bare, session, items, Digest(number, box, rows, day))
        bare.commit()
        yield


_DUE = """
SELECT a.id, a.round, a.due_on, a.agency_key, a.agency_name, o.item_key, o.period_key, c.email
FROM assignment a JOIN occurrence o ON o.id = a.occurrence_id
JOIN contact c ON c.agency_key = a.agency_key AND c.kind = 'mailbox' AND c.active
WHERE a.next_reminder_on <= ? ORDER BY a.id
"""


def _queue(bare: Bare, day: date) -> dict[int, tuple[str, list[Any]]]:
    by_box: defaultdict[str, list[Any]] = defaultdict(list)
    for row in bare.run(_DUE, (bare.day(day),)).fetchall():
        by_box[row[7]].append(row)
    letters = dict(zip(bare.ids("letter", len(by_box)), by_box.items(), strict=True))
    at, today = bare.instant(datetime.combine(day, time(1), UTC)), bare.day(day)
    bare.many(
        "INSERT INTO letter (id, key, kind, mailbox, agency_key, day, state, payload, queued_at,"
        " attempts, message_id) VALUES (?, ?, 'digest', ?, ?, ?, 'queued', '{}', ?, 0, '')",
        [
            (number, f"digest:{day}:{box}", box, rows[0][3], today, at)
            for number, (box, rows) in letters.items()
        ],
    )
    lines = [(number, row) for number, (_, rows) in letters.items() for row in rows]
    bare.many(
        "INSERT INTO letter_line (id, letter_id, assignment_id, kind, rung)"
        " VALUES (?, ?, ?, 'due', -15)",
        [
            (line, number, row[0])
            for line, (number, row) in zip(bare.ids("letter_line", len(lines)), lines, strict=True)
        ],
    )
    bare.many(
        "INSERT INTO reminder (id, assignment_id, round, due_on, rung, mailbox, letter_id)"
        " VALUES (?, ?, ?, ?, -15, ?, ?)",
        [
            (line, row[0], row[1], row[2], row[7], number)
            for line, (number, row) in zip(bare.ids("reminder", len(lines)), lines, strict=True)
        ],
    )
    later = bare.day(day + timedelta(days=14))
    bare.many(
        "UPDATE assignment SET last_rung = -15, next_reminder_on = ? WHERE id = ?",
        [(later, row[0]) for _, row in lines],
    )
    return letters


@dataclass(frozen=True, slots=True)
class Digest:
    """A queued letter with the rows it speaks of."""

    number: int
    box: str
    rows: Sequence[Any]
    day: date

    @property
    def at(self) -> datetime:
        """When it goes."""
        return datetime.combine(self.day, time(1), UTC)

    @property
    def agency(self) -> str:
        """Whose mailbox it goes to."""
        return str(self.rows[0][3])


def _send(bare: Bare, session: smtplib.SMTP, items: Mapping[str, Any], one: Digest) -> None:
    now, later = bare.instant(one.at), bare.instant(one.at + timedelta(days=30))
    token = token_urlsafe(16)
    subject, words, page = plain.render(
        one.rows[0][4], LINK, [_line(items, row, one.day) for row in one.rows]
    )
    bare.run(
        "INSERT INTO link_token (id, mailbox, agency_key, purpose, letter_id, issued_at,"
        " expires_at) VALUES (?, ?, ?, 'work', ?, ?, ?)",
        (token, one.box, one.agency, one.number, now, later),
    )
    bare.run(
        "UPDATE letter SET state = 'sending', claimed_by = 'script', claimed_at = ?,"
        " sending_at = ?, message_id = ?, subject = ?, body_text = ?, body_html = ? WHERE id = ?",
        (now, now, f"<{token}@tiendo>", subject, words, page, one.number),
    )
    bare.step()
    session.send_message(plain.message(one.box, subject, words, page))
    bare.run(
        "UPDATE letter SET state = 'sent', sent_at = ?, answer = '250 taken', attempts = 1"
        " WHERE id = ?",
        (now, one.number),
    )
    _record(bare, one, subject)
    bare.step()


def _line(items: Mapping[str, Any], row: Any, day: date) -> dict[str, Any]:
    due = row[2] if isinstance(row[2], date) else date.fromisoformat(row[2])
    item = items[row[5]]
    return {
        "item": row[5],
        "period": row[6],
        "due": plain.shown(due),
        "days": (due - day).days,
        "task": item["text"]["task"],
        "expected": item["calendar"]["expected"],
        "status": "Đang thực hiện",
    }


_NOBODY = (
    "plan_key",
    "item_key",
    "period_key",
    "reason",
    "document",
    "run",
    "address",
    "actor_post",
    "actor_account",
    "actor_mailbox",
    "actor_agency",
    "on_behalf_of",
)
"""Fields of an event that a letter's leaves empty."""


def _record(bare: Bare, one: Digest, subject: str) -> None:
    snapshot = {
        "id": one.number,
        "key": f"digest:{one.day}:{one.box}",
        "kind": "digest",
        "mailbox": one.box,
        "agency_key": one.agency,
        "day": one.day,
        "state": "sent",
        "subject": subject,
        **dict.fromkeys(("queued_at", "claimed_at", "sending_at", "sent_at"), one.at),
        "answer": "250 taken",
        "attempts": 1,
    }
    fields = dict.fromkeys(_NOBODY) | {
        "id": bare.ids("event", 1)[0],
        "at": one.at,
        "effective_on": one.day,
        "actor_kind": "flow",
        "actor_name": "gửi thư",
        "entity": "letter",
        "entity_id": str(one.number),
        "action": "sent",
        "agency_key": one.agency,
        "snapshot": canonical_json(snapshot),
        "canonical_version": CANONICAL_VERSION,
    }
    stored = fields | {
        "digest": leaf_digest(canonical_v1(fields)),
        "at": bare.instant(one.at),
        "effective_on": bare.day(one.day),
    }
    marks = ", ".join("?" * len(stored))
    bare.run(
        f"INSERT INTO event ({', '.join(stored)}) VALUES ({marks})",  # noqa: S608 - our names
        tuple(stored.values()),
    )
    bare.run("INSERT INTO log_pending (event_id) VALUES (?)", (fields["id"],))
