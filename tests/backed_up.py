"""A small system worth backing up: work done, a file filed and one quarantined, some history."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.engine import Database
from models.tables import Assignment, Base
from operations.files import Stored, quarantine_file, store_file
from rules.actors import AccountRole
from rules.lifecycle import Action, Status
from rules.values import Role
from runtime.clock import FixedClock
from runtime.settings import Settings
from runtime.wiring import Runtime, open_runtime
from tests import engine

NIGHT = datetime(2027, 3, 1, 18, 30, tzinfo=UTC)
"""Half past one on 2 March 2027 in Viet Nam."""
_DAY = date(2027, 3, 1)
_MOST = 10_000_000


@dataclass
class Kept:
    """The system, its clock, and what is in it."""

    runtime: Runtime
    clock: FixedClock
    engine: engine.Engine
    filed: Stored
    aside: Stored

    def upload(self, content: str) -> Stored:
        """Somebody uploads a file."""
        with self.runtime.database.write() as session:
            return _store(session, self.runtime.uploads, content)

    def work_on(self) -> None:
        """Somebody does something: more history."""
        query = select(Assignment).where(
            Assignment.role == Role.LEAD, Assignment.status == Status.NOT_STARTED
        )
        with self.engine.database.read() as session:
            row = session.scalars(query.order_by(Assignment.id)).all()[0]
        actor = engine.person(AccountRole.AGENCY, row.agency_key)
        self.engine.act(row, Action.START, actor, _DAY)


def pdf(content: str) -> bytes:
    """The smallest thing that is taken for a PDF."""
    return f"%PDF-1.4\n% {content}\n%%EOF\n".encode()


@contextmanager
def kept(url: str, folder: Path, **more: Any) -> Iterator[Kept]:
    """A system on the database at ``url`` with its data in ``folder``."""
    settings = Settings(_env_file=None, data_dir=folder / "var", database_url=url, **more)
    clock = FixedClock(NIGHT)
    with open_runtime(settings, clock=clock) as runtime, engine.engine(url) as made:
        made.run(_DAY)
        found = Kept(runtime, clock, made, *_files(runtime))
        yield found


def _files(runtime: Runtime) -> tuple[Stored, Stored]:
    admin = engine.stamp(_DAY, engine.person(AccountRole.ADMIN, "phong_mot"))
    with runtime.database.write() as session:
        filed, aside = (_store(session, runtime.uploads, one) for one in ("kết quả", "nhầm"))
        quarantine_file(session, admin, aside.sha256, folder=runtime.uploads, reason="Nộp nhầm")
    return filed, aside


def _store(session: Session, folder: Path, content: str) -> Stored:
    return store_file(
        session,
        engine.stamp(_DAY),
        folder=folder,
        name="bao-cao.pdf",
        stream=io.BytesIO(pdf(content)),
        max_bytes=_MOST,
    )


def everything(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables, sorted, for comparing two databases."""
    with database.read() as session:
        return {
            name: sorted((tuple(row) for row in session.execute(select(table))), key=str)
            for name, table in Base.metadata.tables.items()
        }
