"""Everything that people type wrong ends in a sentence, the right exit code, and no traceback."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command_line import CommandLine, command_line

WRONG_USE = [
    [],
    ["work"],
    ["wrk"],
    ["work", "lst"],
    ["work", "list", "thừa"],
    ["work", "list", "--statuz", "submitted"],
    ["work", "list", "--status"],
    ["work", "list", "--status", "xong"],
    ["work", "list", "--role", "chủ trì"],
    ["work", "list", "--period", "2027-Q5"],
    ["work", "list", "--as-of", "2027-02-30"],
    ["work", "list", "--as-of", "mai"],
    ["work", "list", "--overdue=có"],
    ["work", "show"],
    ["work", "show", "abc"],
    ["work", "show", "-1"],
    ["act", "1", "submit"],
    ["act", "--as", "dong"],
    ["act", "1", "submit", "--as", "dong", "--file", "/khong/co/tep.pdf"],
    ["act", "1", "submit", "--as", "dong", "--file", "/tmp"],
    ["act", "1", "submit", "--as", "dong", "--figure", "12"],
    ["act", "1", "submit", "--as", "dong", "--issued-on", "32/1/2027"],
    ["act", "1", "nhay", "--as", "dong"],
    ["history", "--since", "2027-03-01T08:00"],
    ["history", "--limit", "0"],
    ["rehearse", "--from", "2027-03-01"],
    ["rehearse", "--from", "2027-03-02", "--to", "2027-03-01"],
    ["rehearse", "--from", "2027-03-01", "--to", "2027-03-02", "--assume", "late"],
    ["contacts", "import", "/khong/co.csv"],
    ["contacts", "import", "/etc/hostname"],
    ["accounts", "add", "lan", "--name", "Lan"],
    ["accounts", "add", "lan", "--name", "Lan", "--role", "boss"],
    ["days", "set", "2027-03-05", "--document", "1/TB-UBND"],
    ["year-dates", "2027", "--document", "1/KH-UBND"],
    ["year-dates", "27", "--date", "A.2=2027-07-01", "--document", "1/KH-UBND"],
    ["catalog", "check", "/khong/co"],
    ["--database", "mysql://localhost/x", "work", "list"],
    ["--database", "://", "work", "list"],
]

REFUSED = [
    ["work", "show", "999999"],
    ["work", "list", "--item", "Z.9"],
    ["work", "list", "--agency", "xa_khong_co"],
    ["work", "list", "--plan", "khong_co"],
    ["act", "1", "start", "--as", "khongai"],
    ["act", "999999", "start", "--as", "dong"],
    ["act", "1", "submit", "--as", "dong"],
    ["act", "1", "confirm", "--as", "dieuphoi"],
    ["act", "1", "proposal_approve", "--as", "lanhdao"],
    ["act", "1", "extension_grant", "--as", "dieuphoi", "--reason", "x"],
    ["history", "--assignment", "999999"],
    ["open", "--plan", "khong_co"],
    ["remind", "--item", "Z.9"],
    ["release", "77"],
    ["rehearse", "--from", "2090-01-01", "--to", "2090-02-01"],
    ["catalog", "apply", "/tmp"],
    ["accounts", "disable", "khongai", "--reason", "x"],
    ["agencies", "pilot", "khong_co", "--reason", "x"],
    ["days", "set", "2099-01-01", "--off", "--document", "1/TB-UBND"],
    ["year-dates", "2027", "--date", "Z.9=2027-07-01", "--document", "1/KH-UBND", "--yes"],
    ["go-live", "--yes"],
]


@pytest.fixture
def tiendo(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return command_line(database_url, tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def peopled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """One database with open work and accounts, which no mistake changes."""
    folder = tmp_path_factory.mktemp("mistakes")
    patch = pytest.MonkeyPatch()
    tiendo = command_line(f"sqlite:///{folder / 'one.sqlite'}", folder, patch)
    tiendo.people()
    before = tiendo.json("history")
    yield tiendo
    after = tiendo.json("history")
    patch.undo()
    assert after == before


def told(tiendo: CommandLine, words: list[str], code: int) -> None:
    plain = tiendo(*words)
    assert plain.code == code, plain
    assert "Traceback" not in plain.err
    assert "Lỗi ngoài dự kiến" not in plain.err
    assert plain.err.strip()
    machine = tiendo(*words, "--json")
    assert machine.code == code, machine
    assert machine.errors
    assert all({"error", "field"} <= set(one) for one in machine.errors)
    english = ("Error", "Usage", "No such", "Missing", "Invalid", "Got unexpected", "requires")
    assert not [word for word in english for one in machine.errors if word in one["error"]]


@pytest.mark.parametrize("words", WRONG_USE, ids=" ".join)
def test_wrong_use_is_told_and_ends_with_2(peopled: CommandLine, words: list[str]) -> None:
    told(peopled, words, 2)


@pytest.mark.parametrize("words", REFUSED, ids=" ".join)
def test_what_cannot_be_done_is_told_and_ends_with_1(
    peopled: CommandLine, words: list[str]
) -> None:
    told(peopled, words, 1)


def test_a_wrong_setting_is_told(tiendo: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIENDO_SMTP_PORT", "cổng")
    answer = tiendo("work", "list", "--json")
    assert answer.code == 2
    assert answer.errors[0]["field"] == "TIENDO_SMTP_PORT"


def test_a_database_that_is_not_there_is_told(tiendo: CommandLine, tmp_path: Path) -> None:
    answer = tiendo("work", "list", "--database", "postgresql://nobody@127.0.0.1:1/x")
    assert answer.code == 1
    assert "Không làm việc được với cơ sở dữ liệu" in answer.err
    file = tmp_path / "khong-phai.sqlite"
    file.write_text("đây không phải cơ sở dữ liệu" * 100, encoding="utf-8")
    answer = tiendo("work", "list", "--database", file)
    assert answer.code == 1
    assert "Traceback" not in answer.err


def test_a_newer_database_is_told(tiendo: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "moi.sqlite"
    tiendo.good("work", "list", "--database", file)
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    answer = tiendo("work", "list", "--database", file)
    assert answer.code == 1
    assert "mới hơn phần mềm này" in answer.err


def test_a_folder_that_cannot_be_written_is_told(
    tiendo: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_the_way = tmp_path / "tep"
    in_the_way.write_text("x", encoding="utf-8")
    monkeypatch.setenv("TIENDO_DATA_DIR", str(in_the_way / "var"))
    answer = tiendo("work", "list")
    assert answer.code == 1
    assert "Traceback" not in answer.err
    assert str(in_the_way) in answer.err
