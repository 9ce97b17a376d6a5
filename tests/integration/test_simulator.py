"""The simulator: lives hold, the same seed lives the same life, and what breaks is named (issue 5)."""

from __future__ import annotations

import json
import random
import shutil
import smtplib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from cli.main import run
from models.engine import Database
from notifications.answers import (
    NotConnected,
    PermanentFailure,
    Sent,
    SessionRefused,
    TemporaryFailure,
    Unknown,
)
from notifications.smtp import MailSession, Security, SmtpSettings
from operations.day_effects import DayOrder
from operations.days import change_days
from operations.state import load_calendar
from simulator import daily, monthly
from simulator.clock import SimulatedClock
from simulator.fate import Died, Fate, MortalDatabase, Place
from simulator.life import Asked, Life
from simulator.lives import live, live_all, replay, seeds_from, silenced
from simulator.mail import MailServer
from simulator.promises_of_letters import DaysOff
from simulator.promises_of_work import events_are_in_the_log
from simulator.report import DOCUMENT, write
from tests.databases import Copies
from tests.world import coordinator

SHORT = 35
"""Days: a month's look is in it."""


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with silenced():
        yield


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Life, Database]]:
    """A short life whose database is still there."""
    url = f"sqlite:///{tmp_path_factory.mktemp('life')}/a.sqlite"
    with silenced():
        life = Life(Asked(seed=3, years=1, days=70, database=url))
        life.live()
    database = Database(url)
    yield life, database
    database.close()


def test_a_life_keeps_every_promise(lived: tuple[Life, Database]) -> None:
    story = lived[0].story
    assert not story.broken, "\n".join([replay(story.asked), str(story.day), *story.broken])
    assert story.events > 100
    assert story.met, "no fault was injected"
    assert story.checks["cells_sum_up"] >= 2


def test_the_same_seed_lives_the_same_life_in_another_process(
    lived: tuple[Life, Database],
) -> None:
    """Each process has its own order of hashes: nothing of a life depends on it."""
    one = Asked(seed=5, years=1, days=21)
    first, second = live_all([one, one], jobs=2)
    assert (first.digest, first.met, first.done) == (second.digest, second.met, second.done)
    assert first.digest != lived[0].story.digest


class _Forgetful(Life):
    """Somebody changes a status behind the engine's back."""

    def _act(self) -> None:
        with self.database.write() as session:
            session.execute(text("UPDATE assignment SET status = 'in_progress' WHERE id = 1"))


def test_what_breaks_is_told_with_its_day() -> None:
    story = _Forgetful(Asked(seed=3, years=1, days=70)).live()
    assert story.day is not None
    assert any("assignment 1" in line for line in story.broken)


def test_an_error_that_nobody_foresaw_is_told_with_its_place() -> None:
    class Stumbling(Life):
        def _act(self) -> None:
            raise ZeroDivisionError("stumbled")

    story = Stumbling(Asked(seed=3, years=1, days=SHORT)).live()
    assert story.broken[0] == "unforeseen ZeroDivisionError: stumbled"
    assert any("_act" in line for line in story.broken)


BROKEN = {
    "a status without an event": (
        "UPDATE assignment SET status = 'submitted', next_reminder_on = NULL WHERE role = 'lead'",
        "without a result in its round",
    ),
    "confirmed by whoever submitted": (
        "UPDATE assignment SET confirmed_by = submitted_by WHERE status = 'confirmed'",
        "was confirmed by whoever submitted it",
    ),
    "moved on to nobody": (
        "UPDATE assignment SET status = 'transferred', next_reminder_on = NULL WHERE id = 1",
        "moved on to nobody",
    ),
    "an occurrence of nobody": (
        "UPDATE assignment SET occurrence_id = occurrence_id + 1000",
        "an occurrence of nobody",
    ),
    "a letter that never arrived": (
        "UPDATE letter SET message_id = '<other@tinh.example>' WHERE state = 'sent'",
        "is called sent and never arrived",
    ),
    "an arrived letter that is called queued": (
        "UPDATE letter SET state = 'queued' WHERE state = 'sent'",
        "arrived and is queued",
    ),
    "a period that never opened": (
        "UPDATE occurrence SET item_key = 'X.' || id",
        "should be open since",
    ),
    "a letter on a day off": (
        (
            "INSERT INTO day (day, working, name, source) SELECT DISTINCT day, 0, 'Bão', 'library' "
            "FROM letter WHERE state = 'sent' AND kind = 'digest' LIMIT 1"
        ),
        ", a day off",
    ),
    "an event outside the log": (
        "INSERT INTO log_pending (event_id) SELECT event_id FROM log_leaf",
        "is not in the log exactly once",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_the_looks_see_what_is_broken(lived: tuple[Life, Database], what: str) -> None:
    life, database = lived
    statement, told = BROKEN[what]
    with database.read() as session:  # whatever it does is rolled back
        session.execute(text("PRAGMA foreign_keys = OFF"))
        session.execute(text("PRAGMA defer_foreign_keys = ON"))
        session.execute(text(statement))
        day = life.clock.day
        seen = daily.Seen()
        found = [line for one in daily.CHECKS for line in one(session, seen, life.server, day)]
        looks = (*monthly.CHECKS, *monthly.AT_THE_END)
        found += [line for one in looks for line in one(session, day)]
        assert any(told in line for line in found), found[:5]


def test_a_day_declared_off_at_noon_was_a_working_day_until_then(
    lived: tuple[Life, Database],
) -> None:
    """(5) What went in the morning of such a day is no broken promise; what goes later is one."""
    life, database = lived
    noon = life.clock.now()
    with database.read() as session:
        calendar = load_calendar(session)
        ahead = (life.clock.day + timedelta(days=n) for n in range(9))
        day = next(one for one in ahead if calendar.is_working(one))
        change_days(
            session,
            replace(coordinator(life.clock.day), at=noon),
            [DayOrder(day=day, working=False)],
            name="Nghỉ bão",
            document="12/TB-BNV",
        )
        days = DaysOff(session)
        assert not days.was_off(day, noon - timedelta(hours=1))
        assert days.was_off(day, noon + timedelta(hours=1))


def test_letters_above_the_cap_are_seen(lived: tuple[Life, Database]) -> None:
    """(32) With one mailbox left, a day of many digests is above any cap."""
    life, database = lived
    with database.read() as session:
        session.execute(text("UPDATE contact SET active = 0"))
        days = text(
            "SELECT day FROM letter WHERE kind = 'digest' AND state = 'sent'"
            " GROUP BY day ORDER BY COUNT(*) DESC"
        )
        busiest = date.fromisoformat(session.scalars(days).first() or "")
        seen = daily.Seen(cap=(1, 0.1))
        assert list(daily.the_blast_cap_holds(session, seen, life.server, busiest))


def test_a_step_that_is_not_in_the_table_is_seen(lived: tuple[Life, Database]) -> None:
    """(20, 37) Even where status and history say the same."""
    life, database = lived
    with database.read() as session:
        session.execute(text("DROP TRIGGER IF EXISTS event_no_update"))
        for (name,) in session.execute(
            text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'event'")
        ).all():
            session.execute(text(f"DROP TRIGGER {name}"))
        session.execute(
            text(
                "UPDATE event SET action = 'withdraw' WHERE entity = 'assignment'"
                " AND action = 'submit'"
            )
        )
        found = list(
            daily.every_event_has_its_cause(session, daily.Seen(), life.server, life.clock.day)
        )
        assert any("by withdraw" in line for line in found)
        assert any("digest" in line for line in events_are_in_the_log(session))


def test_a_dead_process_does_nothing_more() -> None:
    """Not even in a ``finally``: its session is thrown away, and others go on."""
    fate = Fate(random.Random(1), deaths=0, failures=0)
    database = MortalDatabase("sqlite://", fate)
    with database.write() as session:
        session.execute(text("CREATE TABLE t (x INTEGER)"))
    with fate.process("p") as one:
        one.dies_at = 4  # begin, BEGIN, insert, insert
        try:
            with database.write() as session:
                session.execute(text("INSERT INTO t VALUES (1)"))
                session.execute(text("INSERT INTO t VALUES (2)"))
        finally:
            with pytest.raises(Died), database.write():
                raise AssertionError("it acts after its death")
    assert fate.alive(one.owner) is (None if one.afar else False)
    with database.read() as session:
        assert session.execute(text("SELECT COUNT(*) FROM t")).scalar() == 0
    database.close()


def test_what_was_committed_outlives_its_process() -> None:
    fate = Fate(random.Random(1), deaths=0, failures=0)
    database = MortalDatabase("sqlite://", fate)
    with database.write() as session:
        session.execute(text("CREATE TABLE t (x INTEGER)"))
    with fate.process("p") as one:
        one.dies_at = 5  # begin, BEGIN, insert, before and after the commit
        with database.write() as session:
            session.execute(text("INSERT INTO t VALUES (1)"))
    assert one.dead
    assert fate.met == Counter({f"death {Place.AFTER_COMMIT.value}": 1})
    with database.read() as session:
        assert session.execute(text("SELECT COUNT(*) FROM t")).scalar() == 1
    database.close()


def test_a_dead_process_ends_its_conversation() -> None:
    """Whatever is cleared away of it later, the mail server hears nothing more."""
    fate = Fate(random.Random(1), deaths=0, failures=0)
    server = MailServer(
        random=random.Random(1),
        clock=SimulatedClock(datetime(2027, 3, 1, tzinfo=UTC)),
        met=Counter(),
        moment=lambda: fate.moment(Place.MAIL),
        between=lambda: None,
        process=lambda: fate.now,
        trouble=0,
    )
    with fate.process("p") as one:
        wire = server.connection()
        for command in ("ehlo x", "mail FROM:<a@tinh.example>", "rcpt TO:<b@tinh.example>", "data"):
            wire.docmd(command)
        one.dies_at = one.moments + 1
        wire.send(b"Message-ID: <1@x>\r\n\r\nchao\r\n.\r\n")
    assert one.dead
    for command in ("", "quit"):
        with pytest.raises(smtplib.SMTPServerDisconnected), fate.process(command):
            wire.send(f"{command}\r\n")
    assert not server.taken


class _Answering(MailServer):
    """Answers as told in one phase."""

    phase, code = "", 250

    def answer(self, phase: str, *, to: str = "") -> int | None:
        return self.code if phase == self.phase else super().answer(phase, to=to)


def _offered(phase: str, code: int | None) -> object:
    server = _Answering(
        random=random.Random(1),
        clock=SimulatedClock(datetime(2027, 3, 1, tzinfo=UTC)),
        met=Counter(),
        moment=lambda: None,
        between=lambda: None,
        process=lambda: None,
        trouble=0,
    )
    server.phase, server.code = phase, code  # type: ignore[assignment]
    settings = SmtpSettings(
        host="mail.tinh.example", port=25, security=Security.NONE, helo_name="x"
    )
    with MailSession(settings, over=server.connection) as session:
        message = b"Message-ID: <1@x>\r\n\r\nchao\r\n"
        return session.send(message, sender="a@tinh.example", to="b@tinh.example")


@pytest.mark.parametrize(
    ("phase", "code", "outcome"),
    [
        ("none", 250, Sent),
        ("connect", 421, NotConnected),
        ("connect", 554, NotConnected),
        ("mail", 450, TemporaryFailure),
        ("mail", 550, SessionRefused),
        ("rcpt", 421, TemporaryFailure),
        ("rcpt", 550, PermanentFailure),
        ("rcpt", None, TemporaryFailure),
        ("data", 552, PermanentFailure),
        ("data", 0, TemporaryFailure),
        ("body", 451, TemporaryFailure),
        ("body", 554, PermanentFailure),
        ("body", None, Unknown),
        ("body", 0, Unknown),
    ],
)
def test_the_real_conversation_meets_each_answer(
    phase: str, code: int | None, outcome: type
) -> None:
    """(33) smtplib and our session are the real ones; only the other end is made up."""
    found = _offered(phase, code)
    assert isinstance(found, outcome | SessionRefused if phase == "connect" else outcome)


def _said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, kind: type[Life]
) -> tuple[int, dict[str, object]]:
    """What ``tiendo simulate`` says of a life that is cut short, and its exit code."""
    monkeypatch.setattr(
        "simulator.lives.live", lambda asked: kind(replace(asked, days=SHORT)).live()
    )
    code = run(["simulate", "--seed", "3", "--years", "1", "--json"])
    return code, json.loads(capsys.readouterr().out.splitlines()[0])


def test_the_command_tells_what_came_of_a_life(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, said = _said(capsys, monkeypatch, Life)
    assert (code, said["broken"], said["days"]) == (0, [], SHORT)
    assert said["replay"] == "tiendo simulate --seed 3 --years 1 --agencies 12"


def test_the_command_fails_with_a_life_that_broke(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, said = _said(capsys, monkeypatch, _Forgetful)
    assert code == 1
    assert said["broken"]
    assert said["day"]


def test_only_an_empty_database_is_taken(
    capsys: pytest.CaptureFixture[str], database_url: str
) -> None:
    assert run(["simulate", "--database", database_url]) == 2
    assert "còn trống" in capsys.readouterr().err


def test_a_life_keeps_every_promise_on_postgresql(postgres_copies: Copies, tmp_path: Path) -> None:
    with postgres_copies.one(tmp_path, migrated=True) as url:
        story = live(Asked(seed=3, years=1, days=SHORT, database=url))
    assert not story.broken, "\n".join([str(story.day), *story.broken])
    assert story.letters


def test_no_life_begins_after_its_time() -> None:
    asked = seeds_from(Asked(seed=1, years=1, days=1), 3)
    assert not list(live_all(asked, until=0))
    assert not list(live_all(asked, jobs=2, until=0))


def test_what_came_of_lives_stands_between_its_marks(tmp_path: Path) -> None:
    document = tmp_path / "reliability.md"
    shutil.copyfile(DOCUMENT, document)
    write(["first lives"], document=document)
    write(["lives elsewhere"], document=document, on_postgresql=True)
    write(["later lives"], document=document)
    whole = document.read_text(encoding="utf-8")
    assert "first lives" not in whole
    assert whole.index("later lives") < whole.index("lives elsewhere")


def test_lengths_are_drawn_from_the_seed() -> None:
    some = seeds_from(Asked(seed=1), 300, mixed=True)
    assert some == seeds_from(Asked(seed=1), 300, mixed=True)
    assert {one.years for one in some} == {1, 2, 4, 8}
