"""The sealer: seals until nothing is pending, a transaction each time, and changes its key.

One sealer at a time on a machine (a lock on a file) and on a database (PostgreSQL's own lock).
Level-triggered: a run seals whatever is pending, however many runs were missed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from models.tables import Event, LogPending
from operations.errors import Conflict, Refused
from operations.history import Change, record
from operations.sealing import BATCH, Sealed, last_checkpoint, seal
from operations.stamp import Stamp
from operations.state import Facts, fact, set_fact
from rules.actors import Actor, flow_actor
from rules.notes import BadNote, SigningKey, VerifyingKey
from runtime.locks import AlreadyHeld, FolderLock

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from runtime.wiring import Runtime

LOCK_FILE: Final = "seal.lock"
SEALER: Final = flow_actor("niêm phong")


@dataclass(frozen=True, slots=True, kw_only=True)
class SealRun:
    """What a run sealed: how many events in how many checkpoints, and the last one."""

    events: int
    checkpoints: int
    size: int
    note: str | None


def seal_now(
    runtime: Runtime, *, actor: Actor = SEALER, run: str | None = None, batch: int = BATCH
) -> SealRun:
    """Seal everything that is pending. The key is made at the first time.

    Raises:
        Conflict: another sealer is at work.
        Refused: the key is missing or another one, or the log was damaged; see ``tiendo verify``.
    """
    try:
        with FolderLock(runtime.settings.data_dir / LOCK_FILE):
            return _seal_all(runtime, actor, run, batch)
    except AlreadyHeld as held:
        pid = held.told.get("pid", "?")
        raise Conflict(f"Tiến trình {pid} đang niêm phong; lần sau sẽ làm tiếp.") from None


def _seal_all(runtime: Runtime, actor: Actor, run: str | None, batch: int) -> SealRun:
    key = ready_key(runtime, actor=actor, run=run)
    if key is None:
        return SealRun(events=0, checkpoints=0, size=0, note=None)
    folder = runtime.key_folder
    events = checkpoints = 0
    while True:
        with runtime.database.write() as session:
            done = seal(
                session, _stamp(runtime, actor, run), [key], folder.verifying(), limit=batch
            )
        events += done.events
        if done.note is not None:
            checkpoints += 1
            keep_checkpoint(runtime, done.note)
        if done.events < batch:
            return SealRun(events=events, checkpoints=checkpoints, size=done.size, note=done.note)


def keep_checkpoint(runtime: Runtime, note: str) -> None:
    """Keep a checkpoint outside the database, as its day's last."""
    with runtime.database.read() as session:
        begun = first_event_at(session)
    runtime.key_folder.keep(note, time_zone=runtime.settings.time_zone, not_before=begun)


def first_event_at(session: Session) -> datetime | None:
    """When this database's history began."""
    first = select(func.min(Event.id)).scalar_subquery()
    return session.scalar(select(Event.at).where(Event.id == first))


def _stamp(runtime: Runtime, actor: Actor, run: str | None) -> Stamp:
    today = runtime.clock.today(runtime.settings.time_zone)
    return Stamp(at=runtime.clock.now(), as_of=today, actor=actor, run=run)


def ready_key(
    runtime: Runtime, *, actor: Actor = SEALER, run: str | None = None
) -> SigningKey | None:
    """The key that this database's history knows; made, and told to the history, at the first time.

    None: there is no history yet, so nothing to sign.

    Raises:
        Refused: the key is not where it was, or is another one than the history says.
    """
    folder = runtime.key_folder
    with runtime.database.read() as session:
        known = fact(session, Facts.LOG_KEY)
        empty = session.scalar(select(LogPending.event_id).limit(1)) is None
        if known is None and empty and last_checkpoint(session) is None:
            return None
    try:
        waiting = folder.next()
        if waiting is not None and waiting.verifying.text == known:
            folder.take_next()
        key = folder.signing()
        if key is None and known is None:
            key = folder.make(runtime.settings.log_origin)
    except BadNote as error:
        raise Refused(
            f"Tệp khóa niêm phong ở {folder.path} không đọc được ({error}). {_HOW}"
        ) from None
    if key is None or known not in {None, key.verifying.text}:
        there = "không thấy khóa niêm phong" if key is None else "khóa niêm phong là khóa khác"
        raise Refused(f"Ở {folder.path} {there} so với lịch sử đã ghi. {_HOW}")
    folder.trust(key.verifying)
    if known is None:
        with runtime.database.write() as session:
            if fact(session, Facts.LOG_KEY) is None:
                _tell_key(session, _stamp(runtime, actor, run), "make_key", key.verifying)
    return key


_HOW: Final = (
    "Đặt TIENDO_SEAL_DIR đúng thư mục có tệp seal.key, hoặc lấy lại tệp này từ bản sao lưu riêng; "
    "nếu khóa đã mất hẳn: tiendo checkpoint rotate --lost."
)


def _tell_key(
    session: Session,
    stamp: Stamp,
    action: str,
    key: VerifyingKey,
    *,
    before: str | None = None,
    reason: str | None = None,
) -> None:
    set_fact(session, stamp, Facts.LOG_KEY, key.text)
    change = Change(
        entity="log",
        entity_id="log",
        action=action,
        snapshot={"key": key.text, "key_before": before},
        reason=reason,
    )
    record(session, stamp, [change])


def rotate(runtime: Runtime, *, actor: Actor, reason: str, lost: bool = False) -> Sealed:
    """Change the key: an event, and a checkpoint signed by both keys, or, lost, by the new one.

    Everything that is pending is sealed. The old private key is gone afterwards; its public half
    stays among those that count, for the checkpoints that it signed.

    Raises:
        Conflict: a sealer is at work.
        Refused: no key is in use yet, or it is missing and not said to be lost.
    """
    try:
        with FolderLock(runtime.settings.data_dir / LOCK_FILE):
            return _rotate(runtime, actor, reason, lost=lost)
    except AlreadyHeld as held:
        pid = held.told.get("pid", "?")
        raise Conflict(f"Tiến trình {pid} đang niêm phong; đợi xong rồi làm lại.") from None


def _rotate(runtime: Runtime, actor: Actor, reason: str, *, lost: bool) -> Sealed:
    folder = runtime.key_folder
    with runtime.database.read() as session:
        known = fact(session, Facts.LOG_KEY)
        told = _told_keys(session)
    if known is None:
        raise Refused(
            "Chưa có khóa niêm phong nào để đổi: chạy “tiendo seal” để tạo khóa đầu tiên."
        )
    old: SigningKey | None = None
    if lost:
        folder.trust(*told)
    else:
        old = ready_key(runtime, actor=actor)
        _seal_all(runtime, actor, None, BATCH)
    new = folder.make_next(runtime.settings.log_origin if old is None else old.name)
    keys = [new] if old is None else [old, new]
    with runtime.database.write() as session:
        stamp = _stamp(runtime, actor, None)
        action = "rotate_key" if old is not None else "replace_lost_key"
        _tell_key(session, stamp, action, new.verifying, before=known, reason=reason)
        done = seal(session, stamp, keys, folder.verifying())
    folder.take_next()
    if done.note is not None:
        keep_checkpoint(runtime, done.note)
    return done


def _told_keys(session: Session) -> list[VerifyingKey]:
    """The keys that the history tells of, the oldest first."""
    query = select(Event.snapshot).where(Event.entity == "log").order_by(Event.id)
    return [VerifyingKey.parse(json.loads(one)["key"]) for one in session.scalars(query)]
