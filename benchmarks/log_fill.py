"""A sealed log of any size: rows of a small real one, copied under new numbers with new digests.

The first events are the engine's own shapes (:mod:`benchmarks.portal_fill`), sealed by the engine.
The rest are raw copies: each with its own number, instant, canonical form and digest, a leaf, the
subtrees over it and a signed checkpoint every so often, as the sealer would have written them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import islice
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateIndex, DropIndex

from benchmarks.portal_fill import fill
from models.base import INSTANT_FORMAT
from models.tables import Base, Checkpoint
from operations.sealing import BATCH, whole_so_far
from rules.events import canonical_v1, leaf_digest
from rules.merkle import LogTree
from rules.notes import Head, SigningKey, signed
from runtime.sealing import keep_checkpoint, seal_now
from runtime.wiring import Runtime

SEED: Final = 30_000
"""Events that the engine seals itself; those of assignments among them are the patterns."""
_STEP: Final = timedelta(milliseconds=20)
_CHUNK: Final = 100_000
"""Events of one transaction."""
_EVENT = Base.metadata.tables["event"]
_COLUMNS: Final = tuple(column.name for column in _EVENT.columns)


def fill_sealed(runtime: Runtime, events: int) -> int:
    """Fill a migrated database with ``events`` sealed events; returns how many there are.

    ``events`` is at least :data:`SEED`. Indexes over the events are made at the end.
    """
    database = runtime.database
    fill(database, SEED)
    seal_now(runtime)
    key = runtime.key_folder.signing()
    if key is None:
        raise RuntimeError("the sealer made no key")
    patterns = _patterns(runtime)
    with database.write() as session:
        for one in _indexes():
            session.execute(DropIndex(one))
        last, tree = whole_so_far(session, runtime.key_folder.verifying())
        number: int = session.execute(text("SELECT max(id) FROM event")).scalar_one()
    at = datetime.now(UTC) if last is None else last.at
    made = _copies(patterns, number + 1, at)
    note = ""
    while tree.size < events:
        count = min(_CHUNK, events - tree.size)
        note = _write(runtime, tree, list(islice(made, count)), key)
    with database.write() as session:
        for one in _indexes():
            session.execute(CreateIndex(one))
        if not database.is_sqlite:
            session.execute(text("SELECT setval('event_id_seq', (SELECT max(id) FROM event))"))
            session.execute(text("ANALYZE"))  # as the server does by itself
    if note:
        keep_checkpoint(runtime, note)
    return tree.size


def _indexes() -> list[Any]:
    return sorted(_EVENT.indexes, key=lambda one: str(one.name))


class _Pattern:
    """An event cut open where number and instant stand, its values as the driver has them."""

    def __init__(self, values: dict[str, Any], fields: dict[str, Any]) -> None:
        digest = fields.pop("digest")
        form = canonical_v1(fields)
        if leaf_digest(form) != digest:
            raise AssertionError("the pattern has another digest than the engine's")
        moment = json.dumps(fields["at"].astimezone(UTC).strftime(INSTANT_FORMAT)).encode()
        self._first, rest = (b"\x00" + form).split(b'"at":' + moment, 1)
        self._middle, self._end = rest.split(b',"id":%d,' % fields["id"], 1)
        self._values = values

    def copy(self, number: int, moment: str) -> tuple[Any, ...]:
        """The row under another number, at another instant."""
        form = b'%b"at":"%b"%b,"id":%d,%b' % (
            self._first,
            moment.encode(),
            self._middle,
            number,
            self._end,
        )
        values = self._values
        values["id"], values["at"], values["digest"] = number, moment, sha256(form).digest()
        return tuple(values.values())


def _patterns(runtime: Runtime) -> list[_Pattern]:
    """Every event of an assignment or a letter, with its values in the order of the columns."""
    query = select(_EVENT).where(_EVENT.c.entity.in_(("assignment", "letter")))
    with runtime.database.read() as session:
        fields = session.execute(query.order_by(_EVENT.c.id)).mappings().all()
        names = ", ".join(_COLUMNS)
        raw = session.connection().exec_driver_sql(
            f"SELECT {names} FROM event WHERE entity IN ('assignment', 'letter') ORDER BY id"  # noqa: S608 - our own columns
        )
        found = [dict(zip(_COLUMNS, row, strict=True)) for row in raw]
    return [_Pattern(*pair) for pair in zip(found, map(dict, fields), strict=True)]


def _copies(patterns: list[_Pattern], number: int, at: datetime) -> Iterator[tuple[Any, ...]]:
    at = at.replace(tzinfo=None)
    while True:
        for one in patterns:
            at += _STEP
            yield one.copy(number, f"{at.isoformat(timespec='microseconds')}Z")
            number += 1


def _write(
    runtime: Runtime, tree: LogTree, rows: Sequence[tuple[Any, ...]], key: SigningKey
) -> str:
    """Events, leaves, subtrees and checkpoints of one transaction; returns the last checkpoint."""
    number, digest = _COLUMNS.index("id"), _COLUMNS.index("digest")
    note = ""
    with runtime.database.write() as session:
        _put(session, "event", _COLUMNS, rows)
        for start in range(0, len(rows), BATCH):
            part = rows[start : start + BATCH]
            first = tree.size
            tree.add_all(row[digest] for row in part)
            leaves = [(first + n, row[number], row[digest]) for n, row in enumerate(part)]
            _put(session, "log_leaf", ("index", "event_id", "digest"), leaves)
            _put(session, "log_subtree", ("tier", "index", "root"), tree.completed)
            tree.completed.clear()
            at = datetime.fromisoformat(part[-1][_COLUMNS.index("at")])
            head = Head(origin=key.name, size=tree.size, root=tree.root, at=at, after=first)
            note = signed(head, [key])
            session.add(Checkpoint(size=head.size, root=head.root, at=head.at, note=note))
            session.flush()
    return note


def _put(
    session: Session, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Rows as the driver takes them, by ``executemany`` or COPY."""
    names = ", ".join(f'"{name}"' for name in columns)
    raw: Any = session.connection().connection.dbapi_connection
    if session.get_bind().dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        raw.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)  # noqa: S608 - our own names
        return
    with raw.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
