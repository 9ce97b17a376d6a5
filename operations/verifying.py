"""Putting the spans of the log together: what is sealed, pending and wrong (rule 38).

Verification trusts nothing but the events, the keys that it is given and the checkpoints kept
outside. Every digest is made again from what its event says now, every root from the digests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.tables import Checkpoint, Event, LogLeaf, LogSubtree
from operations.log_faults import Fault, Wrong
from operations.log_found import Outside, Verified
from operations.log_reading import NAMED, OUTSIDE, SPAN, UNKNOWN, Span
from operations.log_rows import column_texts, digest_of, rows
from rules.merkle import EMPTY_ROOT, LogTree, fold
from rules.notes import VerifyingKey

_PART: Final = 4_096


def extent(session: Session) -> int:
    """How many leaves to look at: those that are there, and those that a checkpoint speaks of."""
    leaves = session.scalar(select(func.max(LogLeaf.index)))
    signed = session.scalar(select(func.max(Checkpoint.size)))
    return max(-1 if leaves is None else leaves, (signed or 0) - 1) + 1


@dataclass(slots=True)
class Verifier:
    """Takes the spans in their order, then looks at what stands beside the log."""

    keys: Sequence[VerifyingKey]
    outside: Sequence[Outside] = ()
    faults: list[Fault] = field(default_factory=list)
    remarks: list[Fault] = field(default_factory=list)
    wrong: int = 0
    size: int = 0
    checkpoints: int = 0
    _tree: LogTree = field(default_factory=LogTree)
    _peaks: tuple[bytes, ...] = ()
    _good: int = 0
    """The last size whose root was that of its checkpoint."""
    _signed: int = 0
    _bad: tuple[int, int] | None = None
    _broken: bool = False
    _subtrees: list[tuple[int, int]] = field(default_factory=list)

    @property
    def sizes(self) -> list[int]:
        """The sizes of the checkpoints kept outside, for :func:`log_reading.read_span`."""
        return sorted({one.note.head.size for one in self.outside})

    def take(self, span: Span) -> None:
        """The next span."""
        self.wrong += span.wrong
        self.faults += span.faults[: NAMED - len(self.faults)]
        self.remarks += span.remarks[: NAMED - len(self.remarks)]
        self.checkpoints += span.checkpoints
        self._subtrees += span.subtrees
        prefix = self._tree.peaks
        for mark in span.marks:
            root = None
            if mark.peaks is not None and not self._broken:
                root = fold([*prefix, *mark.peaks])
            if mark.root == OUTSIDE:
                self._compare_outside(mark.size, root)
            else:
                self._compare(mark.size, mark.root, root)
        self._broken = self._broken or span.broken
        self.size = span.end
        if span.end - span.start == SPAN and len(span.peaks) == 1:
            self._tree.add_subtree(2, span.peaks[0])
        self._peaks = (*prefix, *span.peaks)

    def _compare(self, size: int, signed: bytes, root: bytes | None) -> None:
        self._signed = max(self._signed, size)
        if root == signed:
            self._good = size
        elif root is not None and signed != UNKNOWN and self._bad is None:
            self._bad = (self._good, size)

    def _compare_outside(self, size: int, root: bytes | None) -> None:
        for one in self.outside:
            head = one.note.head
            if head.size == size and root is not None and head.root != root:
                self._find(Fault(kind=Wrong.OUTSIDE, source=one.source, size=size))

    def _find(self, fault: Fault) -> None:
        self.wrong += 1
        self.faults.append(fault)

    def finish(self, session: Session) -> Verified:
        """Look at what is no leaf: the end of the log, pending events, events in no log."""
        self._roots(session)
        self._end(session)
        self._strangers()
        gone = any(one.kind is Wrong.DELETED for one in self.faults)
        pending, since = self._pending(session)
        self._unlogged(session, sure=not gone and not self._broken)
        self.faults = _told_apart(session, self.faults, self._bad)
        self.faults.sort(key=lambda one: one.place)
        return Verified(
            sealed=self._signed,
            pending=pending,
            wrong=self.wrong,
            faults=tuple(self.faults[:NAMED]),
            remarks=tuple(self.remarks),
            checkpoints=self.checkpoints,
            outside=len(self.outside),
            signatures=bool(self.keys),
            root=None if self._broken else fold(self._peaks) if self._peaks else EMPTY_ROOT,
            pending_since=since,
        )

    def _roots(self, session: Session) -> None:
        for tier, index, root in self._tree.completed:
            kept = session.get(LogSubtree, (tier, index))
            if kept is None or bytes(kept.root) != root:
                width = 256**tier
                self._subtrees.append((index * width, (index + 1) * width))
        if self._bad is None:
            # The roots are those that were signed, so it is the subtree itself that was changed.
            for start, past in self._subtrees[:1]:
                self._find(Fault(kind=Wrong.SUBTREE, index=start, last=past - 1))
            return
        start, past = self._bad
        for one in self._subtrees:
            # Kept subtrees that still are those of before narrow it down.
            low, high = max(start, one[0]), min(past, one[1])
            if low < high:
                start, past = low, high
                break
        ends = dict(
            session.execute(
                select(LogLeaf.index, LogLeaf.event_id).where(LogLeaf.index.in_((start, past - 1)))
            )
            .tuples()
            .all()
        )
        fault = Fault(
            kind=Wrong.REWRITTEN,
            index=start,
            last=past - 1,
            event=ends.get(start),
            other=ends.get(past - 1),
            size=self._bad[1],
        )
        self._find(fault)

    def _end(self, session: Session) -> None:
        if self._signed < self.size:
            event = session.scalar(
                select(LogLeaf.event_id).where(LogLeaf.index == self._signed).limit(1)
            )
            last = session.scalar(
                select(LogLeaf.event_id).where(LogLeaf.index == self.size - 1).limit(1)
            )
            self._find(
                Fault(
                    kind=Wrong.UNCOVERED,
                    index=self._signed,
                    last=self.size - 1,
                    event=event,
                    other=last,
                )
            )

    def _strangers(self) -> None:
        for one in self.outside:
            head = one.note.head
            if self.keys and one.note.signer(self.keys) is None:
                self._find(Fault(kind=Wrong.STRANGER, source=one.source, size=head.size))
            elif head.size > self.size:
                self._find(
                    Fault(kind=Wrong.CUT, source=one.source, size=head.size, index=self.size)
                )

    def _pending(self, session: Session) -> tuple[int, datetime | None]:
        dialect = session.get_bind().dialect.name
        statement = (
            f"SELECT p.event_id, l.event_id, e.digest, {column_texts(dialect)} FROM log_pending p "  # noqa: S608 - our own columns
            "LEFT JOIN event e ON e.id = p.event_id LEFT JOIN log_leaf l ON l.event_id = p.event_id "
            f"WHERE p.event_id > ? ORDER BY p.event_id LIMIT {_PART}"
        )
        count, after, first = 0, -1, None
        while found := rows(session, statement, after):
            for number, sealed, stored, *values in found:
                self._one_pending(number, sealed, stored, values)
            first = found[0][0] if first is None else first
            count, after = count + len(found), found[-1][0]
        since = session.scalar(select(Event.at).where(Event.id == first))
        return count, since

    def _one_pending(
        self, number: int, sealed: int | None, stored: bytes | None, values: Sequence[Any]
    ) -> None:
        if stored is None:
            kind = Wrong.PENDING_GONE
        elif sealed is not None:
            kind = Wrong.PENDING_TWICE
        elif digest_of(values) != stored:
            kind = Wrong.PENDING
        else:
            return
        self.wrong += 1
        if len(self.faults) < 2 * NAMED:
            self.faults.append(Fault(kind=kind, event=number))

    def _unlogged(self, session: Session, *, sure: bool) -> None:
        """Events in no log. ``sure``: every leaf has its event, so that counting is enough."""
        counts = rows(
            session,
            "SELECT (SELECT count(*) FROM event), (SELECT count(*) FROM log_leaf), "
            "(SELECT count(*) FROM log_pending)",
        )[0]
        if sure and self.wrong == 0 and counts[0] == counts[1] + counts[2]:
            return
        beside = (
            "FROM event e WHERE NOT EXISTS (SELECT 1 FROM log_leaf l WHERE l.event_id = e.id) "
            "AND NOT EXISTS (SELECT 1 FROM log_pending p WHERE p.event_id = e.id)"
        )
        self.wrong += rows(session, f"SELECT count(*) {beside}")[0][0]
        for (number,) in rows(session, f"SELECT e.id {beside} ORDER BY e.id LIMIT {NAMED}"):
            self.faults.append(Fault(kind=Wrong.INSERTED, event=number))


def _told_apart(
    session: Session, faults: Sequence[Fault], bad: tuple[int, int] | None
) -> list[Fault]:
    """An event that was replaced, one that stands where another was sealed, a leaf that was changed.

    Outside of ``bad`` the leaves are those that were signed, so that it is the event that is not.
    """
    replaced = [one for one in faults if one.kind is Wrong.REPLACED]
    if not replaced:
        return list(faults)
    query = select(LogLeaf.index, LogLeaf.digest).where(
        LogLeaf.index.in_([one.index for one in replaced if one.index is not None])
    )
    leaves = {
        index: digest for index, digest in session.execute(query) if isinstance(digest, bytes)
    }
    owners = {
        bytes(digest): number
        for number, digest in session.execute(
            select(Event.id, Event.digest).where(Event.digest.in_(list(leaves.values())))
        )
    }
    found = []
    for one in faults:
        owner = owners.get(leaves.get(one.index or 0, b""))
        if one.kind is Wrong.REPLACED and owner not in {None, one.event}:
            found.append(replace(one, kind=Wrong.REORDERED, other=owner))
        elif one.kind is Wrong.REPLACED and bad is not None and bad[0] <= one.place < bad[1]:
            found.append(replace(one, kind=Wrong.LEAF))
        else:
            found.append(one)
    return found
