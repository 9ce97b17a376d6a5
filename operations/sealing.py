"""Sealing: pending events get their place in the log, and the log a signed checkpoint (rule 38).

Each seal is one transaction that adds leaves, completed subtrees and a checkpoint, and takes the
events off ``log_pending``. It reads what is pending and at most some hundreds of hashes of what is
sealed. Before it signs, it makes sure that the log still is what the last checkpoint says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Table, delete, func, select, text
from sqlalchemy.orm import Session

from models.bulk import insert_rows
from models.tables import (
    Base,
    Checkpoint,
    Event,
    LogLeaf,
    LogPending,
    LogSubtree,
    Verification,
)
from operations.errors import Conflict, Refused
from operations.log_rows import rows
from operations.stamp import Stamp
from rules.merkle import EMPTY_ROOT, LogTree, resume
from rules.notes import BadNote, Head, SigningKey, VerifyingKey, parse_note, signed

BATCH: Final = 20_000
"""Events of one seal: how long one transaction may get."""
_CHUNK: Final = 5_000
_ONE_SEALER: Final = 1_718_038
"""The number of PostgreSQL's lock; on SQLite every writer is alone."""


class LogDamaged(Refused):
    """The log is not what its last checkpoint says: nothing is signed before a person has looked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What a seal did. ``note`` None: nothing was pending, and no checkpoint was made."""

    events: int
    size: int
    root: bytes
    note: str | None = None


def seal(
    session: Session,
    stamp: Stamp,
    keys: Sequence[SigningKey],
    trusted: Sequence[VerifyingKey],
    *,
    limit: int = BATCH,
) -> Sealed:
    """Seal up to ``limit`` pending events, signed by each of ``keys``.

    Raises:
        Conflict: another sealer is at work.
        LogDamaged: the log or its last checkpoint was changed; see :func:`whole_so_far`.
    """
    _alone(session)
    if session.scalar(select(LogPending.event_id).limit(1)) is None:
        last = last_checkpoint(session)
        size, root = (last.size, last.root) if last else (0, EMPTY_ROOT)
        return Sealed(events=0, size=size, root=root)
    last, tree = whole_so_far(session, trusted)
    before = tree.size
    for chunk in _pending(session, limit):
        _append(session, tree, chunk)
    insert_rows(session, _table(LogSubtree), ("tier", "index", "root"), tree.completed)
    head = Head(
        origin=keys[0].name,
        size=tree.size,
        root=tree.root,
        at=stamp.at,
        after=0 if last is None else last.size,
    )
    note = signed(head, keys)
    session.add(Checkpoint(size=head.size, root=head.root, at=head.at, note=note))
    session.flush()
    return Sealed(events=tree.size - before, size=head.size, root=head.root, note=note)


def _alone(session: Session) -> None:
    if session.get_bind().dialect.name == "sqlite":
        return
    asked = text("SELECT pg_try_advisory_xact_lock(:number)")
    if not session.scalar(asked, {"number": _ONE_SEALER}):
        raise Conflict("Một tiến trình khác đang niêm phong; lần sau sẽ làm tiếp phần còn lại.")


def _table(mapped: type[Base]) -> Table:
    return Base.metadata.tables[mapped.__tablename__]


_PENDING: Final = (
    "SELECT p.event_id, e.digest FROM log_pending p JOIN event e ON e.id = p.event_id "
    "WHERE p.event_id > ? ORDER BY p.event_id LIMIT ?"
)


def _pending(session: Session, limit: int) -> Iterator[Sequence[tuple[int, bytes]]]:
    """Pending events in the order of their ids, which within one seal always rise.

    One that is committed meanwhile under a smaller id waits for the next seal: it stays pending.
    """
    after, left = 0, limit
    while left > 0:
        found = rows(session, _PENDING, after, min(_CHUNK, left))
        if not found:
            return
        yield found
        after, left = found[-1][0], left - len(found)


def _append(session: Session, tree: LogTree, chunk: Sequence[tuple[int, bytes]]) -> None:
    first = tree.size
    tree.add_all(digest for _, digest in chunk)
    insert_rows(
        session,
        _table(LogLeaf),
        ("index", "event_id", "digest"),
        ((first + place, number, digest) for place, (number, digest) in enumerate(chunk)),
    )
    now_sealed = select(LogLeaf.event_id).where(LogLeaf.index >= first)
    session.execute(
        delete(LogPending).where(LogPending.event_id.in_(now_sealed)),
        execution_options={"synchronize_session": False},
    )


def last_checkpoint(session: Session) -> Checkpoint | None:
    """The newest checkpoint; None before the first seal."""
    return session.scalar(select(Checkpoint).order_by(Checkpoint.size.desc()).limit(1))


def whole_so_far(
    session: Session, trusted: Sequence[VerifyingKey]
) -> tuple[Checkpoint | None, LogTree]:
    """The last checkpoint and the tree that goes on from it.

    A cheap look, not a verification: it reads the last checkpoint, the completed subtrees and the
    leaves beyond them.

    Raises:
        LogDamaged: leaves and checkpoint differ, or the checkpoint is signed by nobody we know.
    """
    last = last_checkpoint(session)
    size = 0 if last is None else last.size
    if session.scalar(select(func.coalesce(func.max(LogLeaf.index), -1))) != size - 1:
        raise LogDamaged(
            f"Nhật ký niêm phong không dừng ở niêm phong cuối cùng (cỡ {size}): có lá bị xóa hoặc "
            f"thêm ngoài phần mềm. {_LOOK}"
        )
    tree = resume(size, hashes_of(session))
    if last is None:
        return None, tree
    if tree.root != last.root:
        raise LogDamaged(f"Gốc của nhật ký khác với niêm phong cuối cùng (cỡ {size}). {_LOOK}")
    try:
        note = parse_note(last.note)
    except BadNote:
        note = None
    if note is None or note.head.root != last.root or note.signer(trusted) is None:
        raise LogDamaged(
            f"Niêm phong cuối cùng (cỡ {size}) không do khóa của hệ thống này ký. {_LOOK}"
        )
    return last, tree


_LOOK: Final = (
    "Chưa niêm phong thêm. Đề nghị chạy “tiendo verify” để biết chỗ sai, đối chiếu với bản sao lưu, "
    "và báo người phụ trách an toàn thông tin."
)


def hashes_of(session: Session) -> Callable[[int, int, int], Sequence[bytes]]:
    """The hashes that are kept of the log, for :mod:`rules.merkle`.

    What it gives back raises :class:`LogDamaged` where one is missing.
    """

    def read(tier: int, first: int, count: int) -> Sequence[bytes]:
        if tier == 0:
            query = select(LogLeaf.digest).where(
                LogLeaf.index >= first, LogLeaf.index < first + count
            )
            found = session.scalars(query.order_by(LogLeaf.index)).all()
        else:
            asked = select(LogSubtree.root).where(
                LogSubtree.tier == tier, LogSubtree.index >= first, LogSubtree.index < first + count
            )
            found = session.scalars(asked.order_by(LogSubtree.index)).all()
        if len(found) != count:
            raise LogDamaged(f"Nhật ký niêm phong thiếu dữ liệu ở tầng {tier}, từ {first}. {_LOOK}")
        return [bytes(one) for one in found]

    return read


@dataclass(frozen=True, slots=True, kw_only=True)
class LogAges:
    """How old things are, for pages, ``doctor`` and metrics; None: never, or nothing there.

    ``pending_age`` is that of the oldest event that is not yet protected.
    """

    sealed: int
    pending: int
    sealed_at: datetime | None
    pending_since: datetime | None
    verified_at: datetime | None
    verified_wrong: int | None
    at: datetime

    @property
    def seal_age(self) -> timedelta | None:
        """Since the last checkpoint."""
        return None if self.sealed_at is None else self.at - self.sealed_at

    @property
    def pending_age(self) -> timedelta | None:
        """Since the oldest pending event."""
        return None if self.pending_since is None else self.at - self.pending_since

    @property
    def verify_age(self) -> timedelta | None:
        """Since the last verification, whatever it found."""
        return None if self.verified_at is None else self.at - self.verified_at


def ages(session: Session, at: datetime) -> LogAges:
    """How the log stands at ``at``; cheap however long it is."""
    last = last_checkpoint(session)
    verified = last_verification(session)
    oldest = select(func.min(LogPending.event_id)).scalar_subquery()
    return LogAges(
        sealed=0 if last is None else last.size,
        pending=session.scalar(select(func.count()).select_from(LogPending)) or 0,
        sealed_at=None if last is None else last.at,
        pending_since=session.scalar(select(Event.at).where(Event.id == oldest)),
        verified_at=None if verified is None else verified.finished_at,
        verified_wrong=None if verified is None else verified.wrong,
        at=at,
    )


def last_verification(session: Session) -> Verification | None:
    """What the newest comparison of history and log found."""
    return session.scalar(select(Verification).order_by(Verification.id.desc()).limit(1))
