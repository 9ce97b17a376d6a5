"""The JSON contract of docs/cli.md: keys, types, closed words, one object a line."""

import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from cli.words import CELLS, ROLES, STATUSES
from operations.obstacles import raise_obstacle
from operations.stamp import Stamp
from rules.actors import AccountRole, Actor, ActorKind
from tests.command_line import CommandLine, command_line

DOCUMENT = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
SOON = "2027-12-31"
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")

WORK = (
    *("id", "plan", "item", "period", "agency", "agency_name", "role", "status", "timeliness"),
    *("nominal_due_on", "original_due_on", "due_on", "opens_on", "provisional", "submitted_at"),
    *("confirmed_at", "extensions", "round"),
)
EVENT = (
    *("id", "at", "effective_on", "entity", "entity_id", "action", "plan", "item", "period"),
    *("agency", "actor_kind", "actor_name", "actor_post", "actor_account", "actor_mailbox"),
    *("actor_agency", "on_behalf_of", "reason", "document", "run", "address", "snapshot"),
    *("canonical_version", "digest"),
)
LINE = ("item", "period", "agency", "role", "rung", "due_on", "provisional")


@pytest.fixture
def tiendo(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    made = command_line(database_url, tmp_path, monkeypatch)
    made.people()
    return made


def documented(keys: tuple[str, ...]) -> bool:
    """Whether the document shows these keys in this order, whatever stands for their values."""
    shown = re.sub(r"\s+", "", DOCUMENT)
    shown = re.sub(r'":(\[\w+\]|[\w|]+)', '"', shown)
    return ",".join(f'"{key}"' for key in keys) in shown


def is_day(text: Any) -> bool:
    return isinstance(text, str) and date.fromisoformat(text).isoformat() == text


def is_instant(text: Any) -> bool:
    return bool(INSTANT.fullmatch(text)) and datetime.fromisoformat(text).tzinfo is not None


def check_work(row: dict[str, Any]) -> None:
    assert tuple(row)[: len(WORK)] == WORK
    assert row["role"] in ROLES
    assert row["status"] in STATUSES
    assert row["timeliness"] is None or row["timeliness"] in CELLS
    assert all(is_day(row[key]) for key in WORK if key.endswith("_on"))
    for key in ("submitted_at", "confirmed_at"):
        assert row[key] is None or is_instant(row[key])
    assert isinstance(row["provisional"], bool)
    assert all(isinstance(row[key], int) for key in ("id", "extensions", "round"))


def check_event(row: dict[str, Any]) -> None:
    assert tuple(row) == EVENT
    assert is_instant(row["at"])
    assert is_day(row["effective_on"])
    assert row["actor_kind"] in set(ActorKind)
    assert re.fullmatch(r"[0-9a-f]{64}", row["digest"])


def test_work_list(tiendo: CommandLine) -> None:
    rows = tiendo.json("work", "list")
    assert rows
    for row in rows:
        assert tuple(row) == WORK
        check_work(row)
    assert documented(WORK)


def test_work_show(tiendo: CommandLine) -> None:
    number = tiendo.assignment("A.1", "2027-03", "xa_dong")
    tiendo.good("act", number, "start", "--as", "dong")
    (row,) = tiendo.json("work", "show", number)
    check_work(row)
    assert tuple(row)[len(WORK) :] == (
        *("task", "expected", "kind", "mode", "lead_mode", "milestone", "document"),
        *("respond_by", "submitted_on", "completed_on", "late_entry", "self_confirmed"),
        *("returns", "version", "history"),
    )
    assert documented(tuple(row)[len(WORK) : -1])
    for event in row["history"]:
        check_event(event)


def test_history(tiendo: CommandLine) -> None:
    rows = tiendo.json("history")
    assert rows
    for row in rows:
        check_event(row)
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    assert documented(EVENT)


def test_rehearse(tiendo: CommandLine) -> None:
    rows = tiendo.json("rehearse", "--from", "2026-01-05", "--to", "2026-02-27")
    assert rows
    for row in rows:
        assert tuple(row) == ("date", "to", "subject", "lines")
        assert is_day(row["date"])
        assert row["to"]
        assert all(isinstance(one, str) for one in row["to"])
        for line in row["lines"]:
            assert tuple(line) == LINE
            assert line["role"] in ROLES
            assert line["rung"] is None or isinstance(line["rung"], int)
            assert is_day(line["due_on"])
            assert isinstance(line["provisional"], bool)
    assert documented(LINE)


def _folder(tiendo: CommandLine) -> Path:
    return tiendo.folder / "out" / "huyen_mau"


def test_every_other_command_answers_as_documented(tiendo: CommandLine) -> None:
    number = tiendo.assignment("A.1", "2027-03", "xa_dong")
    contacts = tiendo.folder / "lien-he.csv"
    contacts.write_text(
        "Cơ quan;Loại liên hệ;Thư điện tử\nXã Đông;Hộp thư cơ quan;dong@example.gov.vn\n",
        encoding="utf-8",
    )
    asked: list[tuple[str, list[object]]] = [
        ("act", ["act", number, "start", "--as", "dong"]),
        ("catalog check", ["catalog", "check"]),
        ("catalog export", ["catalog", "export", _folder(tiendo)]),
        ("catalog apply", ["catalog", "apply", _folder(tiendo)]),
        ("open", ["open"]),
        ("remind", ["remind"]),
        ("release", ["release"]),
        ("contacts import", ["contacts", "import", contacts]),
        ("contacts list", ["contacts", "list"]),
        ("contacts drop-samples", ["contacts", "drop-samples", "--yes"]),
        ("agencies list", ["agencies", "list"]),
        ("agencies letters", ["agencies", "letters", "xa_dao", "--on", "--reason", "x"]),
        ("agencies pilot", ["agencies", "pilot", "xa_dong", "--reason", "x"]),
        (
            "accounts add",
            ["accounts", "add", "hai", "--name", "Hai", "--role", "admin", "--no-password"],
        ),
        ("accounts list", ["accounts", "list"]),
        ("accounts disable", ["accounts", "disable", "tay", "--reason", "x"]),
        ("accounts enable", ["accounts", "enable", "tay", "--reason", "x"]),
        (
            "tokens add",
            ["tokens", "add", "--name", "QLVB", "--purpose", "x", "--valid-to", "2028-01-31"],
        ),
        ("tokens list", ["tokens", "list"]),
        ("days set", ["days", "set", "2027-03-10", "--off", "--document", "1/TB-UBND"]),
        (
            "year-dates",
            ["year-dates", "2027", "--date", "A.2=2027-07-15", "--document", "9/KH-UBND", "--yes"],
        ),
    ]
    asked += _asked_later(tiendo)
    for name, words in asked:
        rows = tiendo.json(*words)
        assert rows, name
        (line,) = (one for one in DOCUMENT.splitlines() if re.match(rf"\|.*`{name}`.*\| `\{{", one))
        promised = line.split("|", 2)[2].partition("`{")[2]
        for row in rows:
            for key in row:
                assert f'"{key}"' in promised, f"{name}: {key} is not in docs/cli.md"


def _asked_later(tiendo: CommandLine) -> list[tuple[str, list[object]]]:
    """What needs something to be there: work, an obstacle, a token, a file."""
    number = tiendo.assignment("A.1", "2027-03", "xa_dong")
    other = tiendo.assignment("A.1", "2027-03", "xa_dao")
    (token,) = tiendo.json("tokens", "add", "--name", "x", "--purpose", "x", "--valid-to", SOON)
    paper, change = tiendo.folder / "bao-cao.docx", tiendo.folder / "sap-xep.yaml"
    change.write_text(
        "reorganisations:\n"
        "  - {kind: rename, effective_on: 2027-03-01, document: {code: 12/NQ-HĐND},\n"
        "     predecessors: [xa_dong], successors: [new: {name: Xã Vạn Giã}], late: true}\n",
        encoding="utf-8",
    )
    first, *rest = (_obstacle(tiendo) for _ in range(3))
    why, by = ["--reason", "x"], ["--as", "dieuphoi"]
    basis = ["--basis", "31/CV-UBND", "--basis-on", "2027-02-26", "--task", "x", "--product", "x"]
    answer = ["--text", "x", *by]
    return [
        ("import", ["import", "--template", tiendo.folder / "mau.xlsx"]),
        ("agencies change", ["agencies", "change", change]),
        ("documents yearly", ["documents", "yearly", paper, "--year", 2027]),
        ("documents urge", ["documents", "urge", paper]),
        ("documents dossier", ["documents", "dossier", 1, paper]),
        ("work reschedule", ["work", "reschedule", number, "--until", "2027-04-20", *why, *by]),
        ("work drop-agency", ["work", "drop-agency", other, *why, *by]),
        ("work add-agency", ["work", "add-agency", "A.1", "2027-03", "xa_dao", *why, *by]),
        ("work assign", ["work", "assign", *basis, "--due-on", SOON, "--lead", "xa_dong", *by]),
        ("obstacles list", ["obstacles", "list"]),
        ("obstacles answer", ["obstacles", "answer", first, *answer]),
        ("obstacles consolidate", ["obstacles", "consolidate", *rest, "--document", "2/BC-P", *by]),
        (
            "obstacles answer-all",
            ["obstacles", "answer-all", "--sent", "2/BC-P", "--document", "3/CV-UB", *answer],
        ),
        ("tokens revoke", ["tokens", "revoke", token["id"], *why]),
        ("accounts invite", ["accounts", "invite", "dong"]),
    ]


def _obstacle(tiendo: CommandLine) -> int:
    actor = Actor(kind=ActorKind.PERSON, name="Cán bộ", role=AccountRole.AGENCY, agency="xa_dong")
    stamp = Stamp(at=tiendo.clock.now(), as_of=tiendo.clock.now().date(), actor=actor)
    with tiendo.database() as database, database.write() as session:
        return raise_obstacle(session, stamp, text="x")
