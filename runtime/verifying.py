"""Verifying the whole history: spans read here or shared out to processes, then put together."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from models.engine import Database
from operations.errors import Refused
from operations.log_found import Outside, Verified, note_verification
from operations.log_reading import Span, parts, read_span
from operations.verifying import Verifier, extent
from rules.notes import BadNote, VerifyingKey, parse_note
from runtime.sealing import first_event_at

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from runtime.wiring import Runtime

MOST_BYTES = 1_000_000
"""A file that is larger holds no checkpoint."""


def read_checkpoint_file(path: Path) -> Outside:
    """A checkpoint kept outside: a file of its own, or a letter that holds it.

    Raises:
        Refused: there is none in it.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BadNote("the file is too large")
        note = parse_note(path.read_text(encoding="utf-8"))
    except (BadNote, UnicodeDecodeError) as error:
        msg = (
            f"{path}: không có niêm phong trong tệp này ({error}); cần tệp đã tải từ trang "
            "“Kiểm chứng lịch sử” hoặc lưu từ thư gửi kiểm tra viên."
        )
        raise Refused(msg, field="against") from None
    return Outside(source=path.name, note=note)


def verify(
    runtime: Runtime,
    *,
    by: str,
    against: Sequence[Outside] = (),
    keys: Sequence[VerifyingKey] | None = None,
    workers: int = 1,
) -> Verified:
    """Compare the whole history with the log, and write down what was found.

    The checkpoints kept beside the key are compared as well as those of ``against``. ``keys`` are
    those to believe, the folder's own unless given. Memory does not grow with the history.

    Raises:
        Refused: a file beside the key cannot be read.
    """
    started = runtime.clock.now()
    database, folder = runtime.database, runtime.key_folder
    with database.read() as session:
        begun = first_event_at(session)
    try:
        trusted = folder.verifying() if keys is None else tuple(keys)
        own = [Outside(source=name, note=note) for name, note in folder.kept(not_before=begun)]
    except BadNote as error:
        raise Refused(f"Tệp trong {folder.path} không đọc được: {error}") from None
    with database.read() as session:
        # After the files: what is sealed meanwhile may be in a file and is not in the extent.
        size = extent(session)
    verifier = Verifier(trusted, [*own, *against])
    for span in _spans(database, size, trusted, verifier.sizes, workers):
        verifier.take(span)
    with database.read() as session:
        found = verifier.finish(session)
    with database.write() as session:
        finished = runtime.clock.now()
        note_verification(session, found, at=started, finished=finished, by=by)
    return found


def verified(
    session: Session, keys: Sequence[VerifyingKey] = (), against: Sequence[Outside] = ()
) -> Verified:
    """The same of whatever this session sees, such as a backup put back; nothing is written down."""
    verifier = Verifier(keys, against)
    for start, end in parts(extent(session)):
        verifier.take(read_span(session, start, end, keys, verifier.sizes))
    return verifier.finish(session)


def _spans(
    database: Database,
    size: int,
    keys: Sequence[VerifyingKey],
    sizes: Sequence[int],
    workers: int,
) -> Iterator[Span]:
    todo = list(parts(size))
    if workers <= 1 or len(todo) <= 1:
        for start, end in todo:
            with database.read() as session:
                yield read_span(session, start, end, keys, sizes)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        min(workers, len(todo)),
        mp_context=context,
        initializer=_open,
        initargs=(database.url, tuple(keys), tuple(sizes)),
    ) as pool:
        yield from pool.map(_one, todo)


class _Worker:
    """What a process works with."""

    database: Database
    keys: Sequence[VerifyingKey]
    sizes: Sequence[int]


def _open(url: str, keys: Sequence[VerifyingKey], sizes: Sequence[int]) -> None:
    _Worker.database, _Worker.keys, _Worker.sizes = Database(url), keys, sizes


def _one(part: tuple[int, int]) -> Span:
    start, end = part
    with _Worker.database.read() as session:
        return read_span(session, start, end, _Worker.keys, _Worker.sizes)
