"""``tiendo`` run within the test, on a real database, with a clock that stands still."""

import contextlib
import io
import json
import logging
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cli.main import run
from models.engine import Database
from models.tables import Account
from operations.stamp import Stamp
from rules.actors import AccountRole, Actor, ActorKind
from runtime.clock import FixedClock

SMALL = Path(__file__).parent / "catalogs" / "huyen_mau"
NOW = datetime(2027, 3, 1, 2, 0, tzinfo=UTC)
"""Nine o'clock on Monday 1 March 2027 in Viet Nam."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command line left behind."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The objects of ``--json``."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The objects of ``--json`` on stderr."""
        return [json.loads(line) for line in self.err.splitlines() if line.startswith("{")]


@dataclass(slots=True)
class CommandLine:
    """Types commands at one database. ``clock`` is what they take for now."""

    url: str
    folder: Path
    clock: FixedClock

    def __call__(self, *words: object, typed: str = "") -> Answer:
        """Run ``tiendo`` with these words and ``typed`` on its stdin."""
        out, err = io.StringIO(), io.StringIO()
        before, stdin = logging.getLogger().handlers[:], sys.stdin
        sys.stdin = io.StringIO(typed)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = run([str(word) for word in words])
        finally:
            sys.stdin = stdin
            logging.getLogger().handlers = before
        return Answer(code, out.getvalue(), err.getvalue())

    def good(self, *words: object, typed: str = "") -> Answer:
        """The same; it has to succeed."""
        answer = self(*words, typed=typed)
        assert answer.code == 0, answer
        return answer

    def json(self, *words: object) -> list[dict[str, Any]]:
        """The same with ``--json``: the objects on stdout."""
        return self.good(*words, "--json").lines

    @contextlib.contextmanager
    def database(self) -> Iterator[Database]:
        """The database itself."""
        database = Database(self.url, durable=False)
        try:
            yield database
        finally:
            database.close()

    def people(self) -> None:
        """Accounts of the coordinator, its leadership and two communes, without passwords."""
        self.good("open")
        stamp = Stamp(
            at=self.clock.now(),
            as_of=self.clock.today("Asia/Ho_Chi_Minh"),
            actor=Actor(kind=ActorKind.OPERATOR, name="thử"),
        )
        people = (
            ("dieuphoi", "Trần Thị Điều", AccountRole.COORDINATOR, "phong_mot"),
            ("lanhdao", "Lê Văn Lãnh", AccountRole.LEADERSHIP, "phong_mot"),
            ("dong", "Phạm Thị Đông", AccountRole.AGENCY, "xa_dong"),
            ("tay", "Ngô Văn Tây", AccountRole.AGENCY, "xa_tay"),
            ("kiemtra", "Đỗ Kiểm Tra", AccountRole.AUDITOR, None),
        )
        with self.database() as database, database.write() as session:
            for username, name, role, agency in people:
                session.add(
                    Account(
                        username=username,
                        name=name,
                        role=role.value,
                        agency_key=agency,
                        created_at=stamp.at,
                    )
                )

    def assignment(self, item: str, period: str, agency: str, role: str = "lead") -> int:
        """The number of an assignment that is open."""
        words = ("work", "list", "--item", item, "--period", period, "--agency", agency)
        rows = self.json(*words, "--role", role)
        assert len(rows) == 1, rows
        return int(rows[0]["id"])


def command_line(
    url: str, folder: Path, monkeypatch: pytest.MonkeyPatch, *, plans: Sequence[Path] = (SMALL,)
) -> CommandLine:
    """A command line on the database at ``url``, with nothing else of this machine's set."""
    for name in ("SMTP_HOST", "PREFECT_API_URL", "LINK_SECRET", "LOG_LEVEL"):
        monkeypatch.delenv(f"TIENDO_{name}", raising=False)
    monkeypatch.setenv("TIENDO_ENV_FILE", "")
    monkeypatch.setenv("TIENDO_DATA_DIR", str(folder / "var"))
    monkeypatch.setenv("TIENDO_DATABASE_URL", url)
    monkeypatch.setenv("TIENDO_PLAN_FOLDERS", ":".join(map(str, plans)))
    # Ports that nobody listens on, whatever else runs on this machine.
    monkeypatch.setenv("TIENDO_LOCAL_MAIL_PORT", "1")
    monkeypatch.setenv("TIENDO_PREFECT_PORT", "1")
    # The tests throw their data away, so nothing waits for the disk.
    monkeypatch.setattr("runtime.wiring.Database", partial(Database, durable=False))
    clock = FixedClock(NOW)
    monkeypatch.setattr("runtime.wiring.SystemClock", lambda: clock)
    monkeypatch.setattr("runtime.clock.SystemClock", lambda: clock)
    return CommandLine(url, folder, clock)
