"""A small history and its log, for tests that seal, verify and tamper."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, make_url, select, text
from sqlalchemy.exc import DatabaseError

from models.engine import Database
from models.tables import Base
from operations.history import Change, record
from operations.log_found import Outside, Verified
from operations.stamp import Stamp
from runtime.clock import FixedClock
from runtime.settings import Settings
from runtime.verifying import verify
from runtime.wiring import Runtime, open_runtime
from tests import world


@dataclass
class Log:
    """A database, a key folder, and a clock that stands still."""

    runtime: Runtime
    clock: FixedClock
    small: bool = True
    written: int = field(default=0)

    def write(self, count: int, *, first_id: int | None = None) -> Sequence[int]:
        """Record events, each about another agency."""
        stamp = Stamp(at=self.clock.now(), as_of=world.TODAY, actor=world.coordinator().actor)
        changes = []
        for _ in range(count):
            self.written += 1
            key = f"co_quan_{self.written}"
            snapshot = {"key": key, "name": f"Cơ quan số {self.written}", "pilot": False}
            changes.append(
                Change(entity="agency", entity_id=key, action="add", snapshot=snapshot, agency=key)
            )
        with self.runtime.database.write() as session:
            if first_id is not None:
                with pytest.MonkeyPatch.context() as patch:
                    numbers = range(first_id, first_id + count)
                    patch.setattr("operations.history.allocate_ids", lambda *_: numbers)
                    return record(session, stamp, changes)
            return record(session, stamp, changes)

    def later(self, minutes: int = 15) -> None:
        """Let time pass; a negative number sets the clock back."""
        self.clock.instant += timedelta(minutes=minutes)

    def verify(self, *against: Outside, workers: int = 1, **more: Any) -> Verified:
        """Verify the whole, with the key folder's own checkpoints and these."""
        return verify(self.runtime, by="thử", against=against, workers=workers, **more)

    def count(self, table: type[Base]) -> int:
        """How many rows a table has."""
        with self.runtime.database.read() as session:
            return session.scalar(select(func.count()).select_from(table)) or 0

    def refused(self, statement: str) -> str:
        """What the database answers to a statement that it must refuse."""
        with (
            pytest.raises(DatabaseError) as error,
            self.runtime.database.write() as session,
        ):
            session.execute(text(statement))
        return str(error.value)

    def behind(self, *statements: str) -> None:
        """Change rows as somebody would who owns the database: no trigger, no foreign key."""
        database = self.runtime.database
        if database.is_sqlite:
            self._behind_sqlite(statements)
            return
        with database.write() as session:
            session.execute(text("SET LOCAL session_replication_role = replica"))
            for statement in statements:
                session.execute(text(statement))

    def _behind_sqlite(self, statements: Sequence[str]) -> None:
        path = make_url(self.runtime.database.url).database
        with contextlib.closing(sqlite3.connect(str(path), isolation_level=None)) as raw:
            triggers = raw.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
            ).fetchall()
            raw.execute("BEGIN IMMEDIATE")
            for name, _ in triggers:
                raw.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                raw.execute(statement)
            for _, sql in triggers:
                raw.execute(sql)
            raw.execute("COMMIT")


@contextmanager
def sealed_log(url: str, folder: Path, **settings: object) -> Iterator[Log]:
    """An empty history at Monday morning, with a key folder of its own."""
    values: dict[str, object] = {"data_dir": folder / "var", "database_url": url, **settings}
    clock = FixedClock(world.at(world.TODAY))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("runtime.wiring.Database", partial(Database, durable=False))
        runtime = open_runtime(Settings(_env_file=None, **values), clock=clock)  # type: ignore[arg-type]
    try:
        yield Log(runtime=runtime, clock=clock)
    finally:
        runtime.close()
