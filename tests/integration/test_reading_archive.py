"""Old years of the log of reading leave the database only for a file, and only when told to."""

from __future__ import annotations

import gzip
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from models.tables import AccessLog, Event
from tests.command_line import CommandLine, command_line


@pytest.fixture
def tiendo(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """A system of March 2027 whose log of reading goes back to the end of 2023."""
    made = command_line(database_url, tmp_path, monkeypatch)
    made.good("open")
    moments = (
        datetime(2023, 12, 31, 16, 59, tzinfo=UTC),  # a minute before 2024 in Viet Nam
        datetime(2023, 12, 31, 17, 0, tzinfo=UTC),
        datetime(2024, 6, 1, tzinfo=UTC),
        datetime(2026, 1, 5, tzinfo=UTC),
        datetime(2027, 1, 5, tzinfo=UTC),
    )
    with made.database() as database, database.write() as session:
        for at in moments:
            session.add(
                AccessLog(
                    at=at,
                    actor="account:hoa",
                    method="GET",
                    path="/lich-su?nội-dung=é",
                    maybe_scanner=False,
                )
            )
    return made


def lines(tiendo: CommandLine) -> int:
    with tiendo.database() as database, database.read() as session:
        return session.scalar(select(func.count()).select_from(AccessLog)) or 0


def test_nothing_goes_unless_a_person_set_how_much_stays(tiendo: CommandLine) -> None:
    answer = tiendo("archive", "access-log", "--apply", "--yes")
    assert (answer.code, "TIENDO_ACCESS_KEEP_YEARS" in answer.err) == (1, True)
    assert lines(tiendo) == 5


def test_a_look_shows_the_years_and_changes_nothing(
    tiendo: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIENDO_ACCESS_KEEP_YEARS", "2")
    rows = tiendo.json("archive", "access-log")
    assert [(one["year"], one["rows"]) for one in rows] == [(2023, 1), (2024, 2)]
    assert lines(tiendo) == 5
    assert tiendo("archive", "access-log", "--apply", typed="k\n").code == 1
    assert lines(tiendo) == 5


def test_what_goes_lies_in_a_file_first_and_stands_in_the_history(tiendo: CommandLine) -> None:
    done = tiendo.json("archive", "access-log", "--years", "2", "--apply", "--yes")
    assert [(one["year"], one["rows"]) for one in done] == [(2023, 1), (2024, 2)]
    content = Path(done[1]["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == done[1]["sha256"]
    kept = [json.loads(line) for line in gzip.decompress(content).decode().splitlines()]
    assert [one["at"] for one in kept] == [
        "2023-12-31T17:00:00.000000Z",
        "2024-06-01T00:00:00.000000Z",
    ]
    assert kept[0]["path"] == "/lich-su?nội-dung=é"
    assert lines(tiendo) == 2
    with tiendo.database() as database, database.read() as session:
        events = session.scalars(
            select(Event).where(Event.entity == "access_log").order_by(Event.id)
        ).all()
    assert [one.action for one in events] == ["archive", "archive"]
    assert json.loads(events[1].snapshot)["sha256"] == done[1]["sha256"]
    assert tiendo.json("archive", "access-log", "--years", "2", "--apply", "--yes") == []


def test_a_removal_that_fails_keeps_the_rows_and_goes_on_later(
    tiendo: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the machine fails here")

    with monkeypatch.context() as patch:
        patch.setattr("runtime.archiving.forget", fail)
        assert tiendo("archive", "access-log", "--years", "2", "--apply", "--yes").code == 1
    assert lines(tiendo) == 5
    done = tiendo.json("archive", "access-log", "--years", "2", "--apply", "--yes")
    assert lines(tiendo) == 2
    folder = Path(done[0]["file"]).parent
    assert sorted(one.name for one in folder.iterdir()) == [
        "nhat-ky-truy-cap-2023.jsonl.gz",
        "nhat-ky-truy-cap-2024.jsonl.gz",
    ]
