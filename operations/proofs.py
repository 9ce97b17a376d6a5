"""Proofs that a third party can check: an event is in the log; one log goes on from another (38)."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import Checkpoint, LogLeaf
from operations.errors import NotFound, Refused
from operations.log_rows import canonical_of, column_texts, rows
from operations.sealing import hashes_of, last_checkpoint
from rules.merkle import consistency_path, inclusion_path, root_by_path, roots_by_consistency
from rules.notes import BadNote, Note, VerifyingKey, parse_note

PROOF: Final = "tiendo-inclusion-v1"
CONSISTENCY: Final = "tiendo-consistency-v1"
_PART: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """That an event stands at ``index`` of a log whose ``checkpoint`` is signed.

    ``canonical`` is the event in canonical form v1, the very bytes that are hashed.
    """

    event: int
    canonical: str
    digest: bytes
    index: int
    path: tuple[bytes, ...]
    checkpoint: str
    keys: tuple[str, ...]

    @property
    def note(self) -> Note:
        """The checkpoint, read."""
        return parse_note(self.checkpoint)

    def as_json(self) -> dict[str, object]:
        """The proof as an object: hashes in hexadecimal."""
        return {
            "format": PROOF,
            "event": self.event,
            "canonical": self.canonical,
            "digest": self.digest.hex(),
            "index": self.index,
            "path": [one.hex() for one in self.path],
            "checkpoint": self.checkpoint,
            "keys": list(self.keys),
        }


def prove(session: Session, event_id: int, keys: Sequence[VerifyingKey]) -> Proof:
    """The proof of an event against the newest checkpoint; reads some hundreds of hashes.

    Raises:
        NotFound: there is no such event.
        Refused: it is not sealed yet, or is not what was sealed.
    """
    dialect = session.get_bind().dialect.name
    found = rows(session, f"SELECT {column_texts(dialect)} FROM event e WHERE e.id = ?", event_id)  # noqa: S608 - our own columns
    if not found:
        raise NotFound(f"Không có sự kiện số {event_id} trong lịch sử.", field="event")
    leaf = session.scalar(select(LogLeaf).where(LogLeaf.event_id == event_id))
    last = last_checkpoint(session)
    if leaf is None or last is None or leaf.index >= last.size:
        raise Refused(
            f"Sự kiện số {event_id} còn chờ niêm phong nên chưa có bằng chứng; "
            "đề nghị thử lại sau lần niêm phong tới (15 phút một lần), hoặc chạy “tiendo seal”.",
            field="event",
        )
    canonical = canonical_of(found[0])
    if hashlib.sha256(b"\x00" + canonical).digest() != leaf.digest:
        raise Refused(
            f"Nội dung sự kiện số {event_id} không còn là nội dung đã niêm phong. "
            "Đề nghị chạy “tiendo verify” và báo người phụ trách an toàn thông tin.",
            field="event",
        )
    path = inclusion_path(leaf.index, last.size, hashes_of(session))
    return Proof(
        event=event_id,
        canonical=canonical.decode(),
        digest=bytes(leaf.digest),
        index=leaf.index,
        path=tuple(path),
        checkpoint=last.note,
        keys=tuple(key.text for key in keys),
    )


def check_proof(told: Mapping[str, Any], keys: Sequence[VerifyingKey]) -> str | None:
    """What is wrong with a proof, in Vietnamese; None: it holds.

    ``keys`` are those that the reader trusts, never those that the proof brings along.
    """
    try:
        canonical, path = str(told["canonical"]), [bytes.fromhex(one) for one in told["path"]]
        note, index = parse_note(str(told["checkpoint"])), int(told["index"])
        leaf = hashlib.sha256(b"\x00" + canonical.encode()).digest()
        root = root_by_path(leaf, index, note.head.size, path)
    except (BadNote, KeyError, TypeError, ValueError) as error:
        return f"Tệp không phải bằng chứng đọc được ({error})."
    if note.signer(keys) is None:
        return "Niêm phong trong bằng chứng không do khóa đã cho ký."
    if root != note.head.root:
        return "Sự kiện không có trong nhật ký đã ký: đường dẫn không tới gốc của niêm phong."
    return None


def prove_consistency(
    session: Session, old: Note, keys: Sequence[VerifyingKey]
) -> dict[str, object]:
    """That the log of the newest checkpoint begins with the one of ``old``.

    Raises:
        Refused: it does not, or there is nothing to compare.
    """
    last = last_checkpoint(session)
    if last is None or not 0 < old.head.size <= last.size:
        have = 0 if last is None else last.size
        raise Refused(
            f"Niêm phong đưa vào có {old.head.size} sự kiện, hệ thống này có {have}: "
            "không nối tiếp được. Đề nghị chạy “tiendo verify --against” với tệp đó.",
            field="file",
        )
    path = consistency_path(old.head.size, last.size, hashes_of(session))
    first, second = roots_by_consistency(old.head.size, last.size, old.head.root, path)
    if (first, second) != (old.head.root, bytes(last.root)):
        raise Refused(
            "Lịch sử hiện tại không nối tiếp niêm phong đưa vào: các sự kiện đầu đã bị viết lại.",
            field="file",
        )
    return {
        "format": CONSISTENCY,
        "old_size": old.head.size,
        "old_root": old.head.root.hex(),
        "path": [one.hex() for one in path],
        "checkpoint": last.note,
        "keys": [key.text for key in keys],
    }


def sealed_at(session: Session, event_id: int) -> Checkpoint | None:
    """The first checkpoint that covers an event; None while it is pending."""
    index = select(LogLeaf.index).where(LogLeaf.event_id == event_id).scalar_subquery()
    return session.scalar(
        select(Checkpoint).where(Checkpoint.size > index).order_by(Checkpoint.size).limit(1)
    )


def pending_among(session: Session, events: Sequence[int]) -> set[int]:
    """Which of these events have no place in the log yet."""
    sealed = select(LogLeaf.event_id).where(LogLeaf.event_id.in_(events))
    return set(events) - set(session.scalars(sealed))


def export_lines(session: Session) -> Iterator[str]:
    """The whole sealed history, a line an event in the order of the log, the checkpoint last.

    ``{"digest":…,"index":…,"event":…}`` with the event in its canonical form, so that whoever
    hashes the very text behind ``"event":`` gets the digest.
    """
    last = last_checkpoint(session)
    if last is None:
        raise Refused("Chưa có niêm phong nào để xuất; chạy “tiendo seal” trước.")
    dialect = session.get_bind().dialect.name
    statement = (
        f'SELECT l."index", l.digest, {column_texts(dialect)} FROM log_leaf l '  # noqa: S608 - our own columns
        'JOIN event e ON e.id = l.event_id WHERE l."index" >= ? AND l."index" < ? '
        'ORDER BY l."index"'
    )
    for first in range(0, last.size, _PART):
        past = min(first + _PART, last.size)
        for index, digest, *values in rows(session, statement, first, past):
            event = canonical_of(values).decode()
            yield f'{{"digest":"{digest.hex()}","index":{index},"event":{event}}}'
    note = json.dumps(last.note, ensure_ascii=False)
    yield f'{{"checkpoint":{note}}}'


def readable(proof: Proof) -> list[tuple[str, str]]:
    """The proof in words: name and value, for a page or a terminal."""
    head = proof.note.head
    return [
        ("Sự kiện số", str(proof.event)),
        ("Mã băm của sự kiện (SHA-256)", proof.digest.hex()),
        ("Vị trí trong nhật ký niêm phong", str(proof.index)),
        ("Số sự kiện của niêm phong", str(head.size)),
        ("Gốc đã ký", base64.b64encode(head.root).decode()),
        ("Số mã băm trên đường dẫn", str(len(proof.path))),
    ]
