"""What was worked out from the database, kept in this process until anything is recorded.

Every change of state is an event in the same transaction (rule 37), so what pages show changes only
with the newest event. It is read from the database on each request: another process's act shows at
once, and no row is written that all writers would queue up for. Why this is enough, and where it is
not: ``docs/decisions/0006-what-pages-remember.md``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final, TypeVar

from sqlalchemy import text
from sqlalchemy.orm import Session

from models.engine import BEFORE_WRITING, SHARED, wrote_nothing
from models.seeing import CHECKED, SEEN

_T = TypeVar("_T")
Newest = tuple[int, bytes]
"""The id and the digest of the newest event."""

KEPT: Final = 64
"""Values kept at most; the one that was not asked for the longest goes first."""

_NEWEST: Final = text("SELECT id, digest FROM event ORDER BY id DESC LIMIT 1")
# Ids are drawn before they are committed, and the larger may be committed first. Whoever drew one
# holds this lock on the sequence until the transaction ends, so if nobody does, every event that
# is still to come has a larger id than any that was drawn. Asked after the newest event was read.
_LOCKS: Final = (
    "EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'relation'"
    " AND relation = 'event_id_seq'::regclass AND mode = 'RowExclusiveLock'"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
)
_DRAWN: Final = text(f"SELECT {_LOCKS}")
_QUIET: Final = f"pg_current_xact_id_if_assigned() IS NULL AND NOT {_LOCKS}"
# All in one: the locks are looked at while it runs, and so after the snapshot in which it reads.
_BEFORE: Final = text(
    "SELECT id, digest FROM (SELECT id, digest FROM event ORDER BY id DESC LIMIT 1) AS newest "  # noqa: S608 - our words
    f"WHERE {_QUIET}"
)
_SINCE: Final = "SELECT id, digest, entity FROM event WHERE id >= :known"
_FIRST: Final = " ORDER BY id LIMIT :most"
_AFTER: Final = text(_SINCE + _FIRST)
_AFTER_QUIETLY: Final = text(f"{_SINCE} AND {_QUIET}{_FIRST}")
_FEW: Final = 200
"""Events that are read to look for others among them."""


@dataclass(frozen=True, slots=True)
class Before:
    """The newest event before a transaction's first change, and what led to it.

    ``since`` are the events, as (id, digest, entity), from the last one that this process knew;
    empty where it knew none, or one long ago.
    """

    newest: Newest
    since: Sequence[tuple[int, bytes, str]] = ()


class Remembered:
    """Values by key, each with the newest event that it was made after. Threads may share it."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept, self._lock = kept, Lock()
        self._values: OrderedDict[Hashable, tuple[Newest, Any]] = OrderedDict()
        self.known: int | None = None
        """The newest event that somebody who was going to write saw here."""

    def __len__(self) -> int:
        """How many values are kept."""
        return len(self._values)

    def find(self, key: Hashable, newest: Newest) -> tuple[bool, Any]:
        """Whether there is a value of exactly this newest event, and the value."""
        with self._lock:
            found = self._values.get(key)
            if found is None or found[0] != newest:
                return False, None
            self._values.move_to_end(key)
            return True, found[1]

    def newest_of(self, key: Hashable) -> Newest | None:
        """After which event the value of ``key`` was made."""
        with self._lock:
            found = self._values.get(key)
            return None if found is None else found[0]

    def move_on(self, key: Hashable, kept: Newest, newest: Newest) -> None:
        """The value that was made after ``kept`` is as good after ``newest``."""
        with self._lock:
            found = self._values.get(key)
            if found is not None and found[0] == kept:
                self._values[key] = (newest, found[1])

    def keep(self, key: Hashable, newest: Newest, value: object) -> None:
        """Keep a value instead of the one that stood there."""
        with self._lock:
            self._values[key] = (newest, value)
            self._values.move_to_end(key)
            while len(self._values) > self._kept:
                self._values.popitem(last=False)


def remember(session: Session, key: Hashable, make: Callable[[], _T]) -> _T:
    """What ``make`` makes, or made since the newest event; ``key`` says all that it depends on.

    The value is shared between threads and requests: it holds no row of a session, and nobody
    changes it. Only a reading transaction of ``models.engine.Database`` remembers; one that writes
    does by :func:`remember_before_writing`.
    """
    shared = session.info.get(SHARED)
    newest = None if shared is None else _newest(session)
    return _recall(shared, newest, (session.info.get(SEEN), key), make)


def newest_before_writing(session: Session) -> Before | None:
    """The newest event, asked by a transaction that is going to write.

    None where it has written already, for its own changes are nobody else's yet, or where an older
    event may still come.
    """
    shared = session.info.get(BEFORE_WRITING)
    if shared is None or not wrote_nothing(session):
        return None
    memory = _memory(shared)
    found = _since(session, memory.known) or _anew(session)
    if found is not None:
        memory.known = found.newest[0]
    return found


def _since(session: Session, known: int | None) -> Before | None:
    """By what came after an event that is known, and one question for both."""
    if known is None:
        return None
    connection = session.connection()
    query = _AFTER if connection.dialect.name == "sqlite" else _AFTER_QUIETLY
    asked, free = {"known": known, "most": _FEW + 2}, {CHECKED: False}
    rows = connection.execute(query, asked, execution_options=free).all()
    if not 0 < len(rows) <= _FEW + 1:
        return None
    since = [(number, bytes(digest), entity) for number, digest, entity in rows]
    return Before(since[-1][:2], since)


def _anew(session: Session) -> Before | None:
    if session.get_bind().dialect.name == "sqlite":
        newest = _read_newest(session)
        return None if newest is None else Before(newest)
    row = session.connection().execute(_BEFORE, execution_options={CHECKED: False}).one_or_none()
    return None if row is None else Before((int(row[0]), bytes(row[1])))


def before_step(session: Session) -> Before | None:
    """The same for a step of a run, in a transaction that only reads or is going to write."""
    if SHARED not in session.info:
        return newest_before_writing(session)
    newest = _newest(session)
    return None if newest is None else Before(newest)


def remember_before_writing(
    session: Session, before: Before | None, key: Hashable, make: Callable[[], _T]
) -> _T:
    """As :func:`remember`, with what :func:`newest_before_writing` said.

    For values that acts on work, openings and letters leave as they are: one that was made before
    some of these is still good, and not made anew for each act of a busy day or plan of a run.
    """
    shared = session.info.get(BEFORE_WRITING, session.info.get(SHARED))
    if shared is None or before is None:
        return make()
    memory, newest, seen = _memory(shared), before.newest, (session.info.get(SEEN), key)
    kept = memory.newest_of(seen)
    if kept is not None and kept != newest and _only_acts(session, kept, before):
        memory.move_on(seen, kept, newest)
    return _recall(shared, newest, seen, make)


_ACTS: Final = ("assignment", "letter", "link_token", "occurrence", "submission")
"""What acts on work, openings and letters record: events that change no plan, agency or day."""
_BETWEEN: Final = text(
    "SELECT digest, EXISTS (SELECT 1 FROM event WHERE id > :kept AND id <= :newest"  # noqa: S608 - our words
    f" AND entity NOT IN {_ACTS}) FROM event WHERE id = :kept"
)
_MANY: Final = 2_000
"""Events that the database may look through; more of them cost as much as making the value."""


def _only_acts(session: Session, kept: Newest, before: Before) -> bool:
    """Whether ``kept`` is still there and nothing but acts on work came after it."""
    newest, rows = before.newest, before.since
    if not 0 < newest[0] - kept[0] <= _MANY:
        return False
    if not rows or rows[0][0] > kept[0]:
        asked, free = {"kept": kept[0], "newest": newest[0]}, {CHECKED: False}
        row = session.connection().execute(_BETWEEN, asked, execution_options=free).one_or_none()
        return row is not None and bytes(row[0]) == kept[1] and not row[1]
    since = [row for row in rows if row[0] >= kept[0]]
    same = bool(since) and min(since)[:2] == kept
    return same and all(entity in _ACTS for number, _, entity in since if number != kept[0])


def _memory(shared: dict[str, Any]) -> Remembered:
    found: Remembered = shared.setdefault(__name__, Remembered())
    return found


def _recall(
    shared: dict[str, Any] | None, newest: Newest | None, key: Hashable, make: Callable[[], _T]
) -> _T:
    if shared is None or newest is None:
        return make()
    memory = _memory(shared)
    known, value = memory.find(key, newest)
    if known:
        return value  # type: ignore[no-any-return]
    made = make()
    memory.keep(key, newest, made)
    return made


def _newest(session: Session) -> Newest | None:
    """The newest event as this transaction saw it first; None while one may come before it."""
    if __name__ not in session.info:
        session.info[__name__] = _read_newest(session)
    found: Newest | None = session.info[__name__]
    return found


def _read_newest(session: Session) -> Newest | None:
    # Whose event it is does not matter here, and nobody is told.
    row = session.execute(_NEWEST, execution_options={CHECKED: False}).one_or_none()
    if row is None:
        return None
    if session.get_bind().dialect.name != "sqlite" and session.scalar(_DRAWN):
        return None
    return int(row[0]), bytes(row[1])
