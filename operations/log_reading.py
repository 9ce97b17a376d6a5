"""Reading a span of the log beside its events, in a stream (rule 38).

One span is read by one process: leaves by ranges of their index, each with its event, by the
driver's own tuples. What comes back is small, and whoever asked puts the spans together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import lt
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import INSTANT_FORMAT
from models.tables import Checkpoint, LogSubtree
from operations.log_faults import Fault, Remark, Wrong
from operations.log_rows import COLUMNS, column_texts, digest_of, rows_as
from rules.merkle import WIDTH, LogTree
from rules.notes import BadNote, VerifyingKey, parse_note

OUTSIDE: Final = b"outside"
"""In place of a root: whoever asked has it."""
UNKNOWN: Final = b"unknown"
"""In place of a root: the checkpoint is not to be believed."""
SPAN: Final = WIDTH**2
"""Leaves of one span: a whole subtree of tier 2."""
_PART: Final = 1_024
"""Leaves read at a time."""
NAMED: Final = 20
"""Faults of one span that are named; the others are counted."""
_AT: Final = COLUMNS.index("at")
_VALUES: Final = len(COLUMNS)
_SLACK: Final = timedelta(hours=1)
"""How much older than the checkpoint before it an honest event may be: a long transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A size at which somebody claims a root: a checkpoint of the database, or one from outside.

    ``peaks`` are those of the span alone up to that size; None where leaves are missing.
    """

    size: int
    root: bytes
    peaks: tuple[bytes, ...] | None


@dataclass(slots=True)
class Span:
    """What a span of leaves came to."""

    start: int
    end: int
    peaks: tuple[bytes, ...] = ()
    marks: list[Mark] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    remarks: list[Fault] = field(default_factory=list)
    wrong: int = 0
    subtrees: list[tuple[int, int]] = field(default_factory=list)
    """Ranges of leaves whose kept subtree is another than theirs."""
    checkpoints: int = 0
    broken: bool = False
    """Leaves are missing, so that nothing can be said of roots from here on."""

    def find(self, fault: Fault) -> None:
        """Count a fault, and name it while there are few."""
        self.wrong += 1
        if len(self.faults) < NAMED:
            self.faults.append(fault)

    def remark(self, fault: Fault) -> None:
        """Keep a remark while there are few."""
        if len(self.remarks) < NAMED:
            self.remarks.append(fault)


def read_span(
    session: Session,
    start: int,
    end: int,
    keys: Sequence[VerifyingKey],
    sizes: Sequence[int] = (),
) -> Span:
    """Compare leaves ``start`` to ``end`` (exclusive, at most :data:`SPAN`) with their events.

    ``start`` is a multiple of :data:`SPAN`. ``sizes`` are further sizes whose peaks are wanted.
    Without ``keys`` no signature is looked at.
    """
    span = Span(start, end)
    found = _checkpoints(session, span, keys)
    wanted: dict[int, list[bytes]] = {}
    for size in sizes:
        if start < size <= end:
            wanted.setdefault(size, []).append(OUTSIDE)
    for one, root in found:
        wanted.setdefault(one.size, []).append(root)
    tree = _Reader(session, span, [one for one, _ in found], wanted).read()
    _compare_subtrees(session, span, tree)
    return span


def _checkpoints(
    session: Session, span: Span, keys: Sequence[VerifyingKey]
) -> list[tuple[Checkpoint, bytes]]:
    """The checkpoints within the span, each looked at by itself, with the roots that were signed."""
    before = session.scalar(
        select(Checkpoint)
        .where(Checkpoint.size <= span.start)
        .order_by(Checkpoint.size.desc())
        .limit(1)
    )
    query = select(Checkpoint).where(Checkpoint.size > span.start, Checkpoint.size <= span.end)
    found = []
    for one in session.scalars(query.order_by(Checkpoint.size)):
        found.append((one, _look_at(one, before, span, keys)))
        before = one
    span.checkpoints = len(found)
    return found


def _look_at(
    one: Checkpoint, before: Checkpoint | None, span: Span, keys: Sequence[VerifyingKey]
) -> bytes:
    try:
        note = parse_note(one.note)
    except BadNote:
        note = None
    if note is None or note.head.size != one.size or (keys and note.signer(keys) is None):
        span.find(Fault(kind=Wrong.FORGED, size=one.size, index=one.size))
        return UNKNOWN
    head = note.head
    if (head.root, head.at) != (bytes(one.root), one.at):
        span.find(Fault(kind=Wrong.FORGED, size=one.size, index=one.size))
    elif head.after != (0 if before is None else before.size):
        span.find(Fault(kind=Wrong.REMOVED, size=head.after, index=head.after))
    if before is not None and one.at < before.at:
        span.remark(Fault(kind=Remark.CHECKPOINT_CLOCK, size=one.size, index=one.size))
    return head.root


class _Reader:
    """Goes through the leaves of one span."""

    def __init__(
        self,
        session: Session,
        span: Span,
        checkpoints: Sequence[Checkpoint],
        wanted: dict[int, list[bytes]],
    ) -> None:
        self._session, self._span, self._wanted = session, span, wanted
        self._tree = LogTree()
        self._batches = [(one.size, _floor(one.at)) for one in reversed(checkpoints)]
        last = session.scalar(
            select(Checkpoint.at)
            .where(Checkpoint.size <= span.start)
            .order_by(Checkpoint.size.desc())
            .limit(1)
        )
        self._floor = "" if last is None else _floor(last)
        self._before = 0
        dialect = session.get_bind().dialect.name
        self._statement = (
            f'SELECT {column_texts(dialect)}, l."index", l.event_id, l.digest, e.digest '  # noqa: S608 - our own columns
            "FROM log_leaf l LEFT JOIN event e ON e.id = l.event_id "
            'WHERE l."index" >= ? AND l."index" < ? ORDER BY l."index"'
        )

    def read(self) -> LogTree:
        """Read all of the span; gives back its tree."""
        span = self._span
        for first in range(span.start, span.end, _PART):
            past = min(first + _PART, span.end)
            found = rows_as(_digested, self._session, self._statement, first, past)
            self._part(found, first, past)
        span.peaks = tuple(self._tree.peaks)
        return self._tree

    def _part(self, found: Sequence[tuple[Any, ...]], first: int, past: int) -> None:
        """Take what is whole from mark to mark; from where it is not, look at each leaf."""
        begin = 0
        ends = sorted(size - first for size in self._wanted if first < size < past)
        for end in (*ends, past - first):
            if not self._whole(found[begin:end], first + begin, first + end):
                self._carefully(found[begin:], first + begin, past)
                return
            begin = end
            if first + end in self._wanted:
                self._mark(first + end)

    def _whole(self, found: Sequence[tuple[Any, ...]], first: int, past: int) -> bool:
        """Take these leaves if nothing at all is to be said of them."""
        if len(found) != past - first:
            return False
        digests, instants, indexes, events, leaves, stored = zip(*found, strict=True)
        if not (
            digests == leaves == stored
            and indexes == tuple(range(first, past))
            and events[0] > self._before
            and all(map(lt, events, events[1:]))
            and min(instants) >= self._floor
        ):
            return False
        self._before = events[-1]
        self._tree.add_all(digests)
        return True

    def _carefully(self, found: Sequence[tuple[Any, ...]], first: int, past: int) -> None:
        span, tree, wanted = self._span, self._tree, self._wanted
        expected = first
        for digest, at, index, event, leaf, stored in found:
            if index != expected:
                self._missing(expected, index)
            expected = index + 1
            if digest != leaf or stored != leaf:
                self._differs(index, event, leaf, stored, digest)
                leaf = leaf if isinstance(leaf, bytes) else b""  # noqa: PLW2901
            elif event <= self._before:
                span.find(Fault(kind=Wrong.REORDERED, index=index, event=event))
            elif at < self._floor:
                span.remark(Fault(kind=Remark.CLOCK, index=index, event=event))
            self._before = event
            tree.add(leaf)
            if expected in wanted:
                self._mark(expected)
        if expected != past:
            self._missing(expected, past)

    def _mark(self, size: int) -> None:
        peaks = None if self._span.broken else tuple(self._tree.peaks)
        for root in self._wanted.pop(size):
            self._span.marks.append(Mark(size=size, root=root, peaks=peaks))
        if self._batches and self._batches[-1][0] == size:
            self._floor = self._batches.pop()[1]
            self._before = 0

    def _missing(self, first: int, past: int) -> None:
        span = self._span
        span.broken = True
        span.wrong += past - first - 1
        last = span.faults[-1] if span.faults else None
        if last is not None and last.kind is Wrong.GAP and last.last == first - 1:
            span.wrong += 1
            span.faults[-1] = Fault(kind=Wrong.GAP, index=last.index, last=past - 1)
        else:
            span.find(Fault(kind=Wrong.GAP, index=first, last=past - 1))
        for size in sorted(one for one in self._wanted if first < one <= past):
            self._mark(size)

    def _differs(
        self, index: int, event: int, leaf: bytes, stored: bytes | None, digest: bytes
    ) -> None:
        if stored is None:
            kind = Wrong.DELETED
        elif digest == leaf:
            kind = Wrong.DIGEST
        elif digest == stored:
            kind = Wrong.REPLACED
        else:
            kind = Wrong.EDITED
        self._span.find(Fault(kind=kind, index=index, event=event))


def _digested(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Digest, instant, index, number, leaf, stored digest."""
    return digest_of(row), row[_AT], *row[_VALUES:]


def _floor(at: datetime) -> str:
    return (at.astimezone(UTC) - _SLACK).strftime(INSTANT_FORMAT)


def _compare_subtrees(session: Session, span: Span, tree: LogTree) -> None:
    """Where the kept subtrees are not those of the leaves."""
    if span.broken:
        return
    made = {(tier, span.start // WIDTH**tier + index): root for tier, index, root in tree.completed}
    for tier in (1, 2):
        width = WIDTH**tier
        first, past = span.start // width, span.end // width
        query = select(LogSubtree.index, LogSubtree.root).where(
            LogSubtree.tier == tier, LogSubtree.index >= first, LogSubtree.index < past
        )
        kept = {index: bytes(root) for index, root in session.execute(query)}
        for index in range(first, past):
            if kept.get(index) != made[tier, index]:
                span.subtrees.append((index * width, (index + 1) * width))


def parts(size: int) -> Iterator[tuple[int, int]]:
    """The spans of a log of ``size`` leaves."""
    for start in range(0, size, SPAN):
        yield start, min(start + SPAN, size)
