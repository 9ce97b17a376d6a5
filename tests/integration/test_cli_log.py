"""``tiendo seal``, ``verify``, ``prove``, ``checkpoint``, ``database`` (rule 38)."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from models.tables import Letter
from rules.notes import SigningKey, parse_note
from tests.command_line import CommandLine, command_line

DOCUMENT = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")


@pytest.fixture
def tiendo(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    made = command_line(database_url, tmp_path, monkeypatch)
    made.good("open")
    return made


def _file(tiendo: CommandLine, name: str, text: str) -> Path:
    path = tiendo.folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_seal_then_verify(tiendo: CommandLine) -> None:
    """(38) The first seal makes the key; the second has nothing to do."""
    assert "chưa được bảo vệ" in tiendo.good("verify").out
    assert "Đã niêm phong thêm" in tiendo.good("seal").out
    assert "Không có sự kiện mới" in tiendo.good("seal").out
    assert "Lịch sử còn nguyên vẹn." in tiendo.good("verify").out


def test_a_checkpoint_kept_outside_finds_a_history_written_anew(
    tiendo: CommandLine, bare_database_url: str
) -> None:
    """(38) Another database under the same name and key is not that history."""
    tiendo.good("seal")
    kept = _file(tiendo, "thu.txt", f"Kính gửi\n\n{tiendo.good('checkpoint', 'show').out}\n")
    assert tiendo.good("verify", "--against", kept).code == 0
    tiendo.clock.instant += timedelta(days=1)
    other = ("--database", bare_database_url)
    tiendo.good("seal", *other)
    assert tiendo.good("verify", *other).code == 0
    answer = tiendo("verify", "--against", kept, *other)
    assert answer.code == 1
    assert "LỊCH SỬ KHÔNG CÒN NGUYÊN VẸN" in answer.out
    assert "thu.txt" in answer.out
    nothing = tiendo("verify", "--against", _file(tiendo, "khac.txt", "không có gì"))
    assert nothing.code == 1
    assert "không có niêm phong trong tệp này" in nothing.err


def test_an_auditor_trusts_the_key_that_was_kept(tiendo: CommandLine) -> None:
    """(38)"""
    tiendo.good("seal")
    key = tiendo.good("checkpoint", "key").out.strip()
    assert tiendo.good("verify", "--key", key).code == 0
    other = SigningKey.make("tiendo.test/lich-su", b"o" * 32).verifying.text
    assert tiendo("verify", "--key", other).code == 1
    assert tiendo("verify", "--key", "x").code == 2


def test_a_proof_is_written_and_checked(tiendo: CommandLine) -> None:
    """(38)"""
    tiendo.good("seal")
    path = tiendo.folder / "bang-chung.json"
    tiendo.good("prove", 3, "--out", path)
    assert "Bằng chứng đúng." in tiendo.good("prove", "--check", path).out
    told = json.loads(path.read_text(encoding="utf-8"))
    _file(tiendo, "bang-chung.json", json.dumps({**told, "index": 5}))
    assert tiendo("prove", "--check", path).code == 1
    assert tiendo("prove", "--check", _file(tiendo, "x.json", "[")).code == 1
    assert tiendo("prove").code == 2
    assert tiendo("prove", 999_999).code == 1


def test_the_key_changes_and_old_checkpoints_still_hold(tiendo: CommandLine) -> None:
    """(38) The change itself stands in the history."""
    tiendo.good("seal")
    before = _file(tiendo, "truoc.txt", tiendo.good("checkpoint", "show").out)
    tiendo.clock.instant += timedelta(minutes=15)
    tiendo.good("checkpoint", "rotate", "--reason", "Hằng năm")
    assert len(tiendo.json("checkpoint", "key")) == 2
    assert tiendo.good("verify", "--against", before).code == 0
    assert [one["action"] for one in tiendo.json("history") if one["entity"] == "log"] == [
        "make_key",
        "rotate_key",
    ]
    (extends,) = tiendo.json("checkpoint", "extends", before)
    assert extends["path"]


def test_the_checkpoint_goes_to_the_auditors_once(
    tiendo: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """(38) As a letter that holds it word for word."""
    tiendo.good("seal")
    assert tiendo("checkpoint", "send").code == 2
    monkeypatch.setenv("TIENDO_AUDITORS_ADDRESS", "thanhtra@example.gov.vn")
    tiendo.good("verify")
    assert [one["queued"] for one in tiendo.json("checkpoint", "send")] == [True]
    assert [one["queued"] for one in tiendo.json("checkpoint", "send")] == [False]
    with tiendo.database() as database, database.read() as session:
        letter = session.scalars(select(Letter).where(Letter.kind == "checkpoint")).one()
        payload = json.loads(letter.payload)
    assert letter.mailbox == "thanhtra@example.gov.vn"
    assert parse_note(payload["note"]).head.size == payload["size"]


def test_the_doctor_looks_at_key_seal_and_verification(tiendo: CommandLine) -> None:
    """(38) A key that others may read is wrong."""

    def told() -> list[dict[str, str]]:
        return [one for one in tiendo("doctor", "--json").lines if one["check"] == "log"]

    assert [one["level"] for one in told()] == ["note"]
    tiendo.good("seal")
    tiendo.good("verify")
    assert [one["level"] for one in told()] == ["ok"]
    key = tiendo.folder / "var" / "seal" / "seal.key"
    key.chmod(0o644)
    assert "wrong" in [one["level"] for one in told()]
    key.unlink()
    assert [one["level"] for one in told()] == ["wrong"]
    key.with_name("seal.key").touch(mode=0o600)
    tiendo.clock.instant += timedelta(hours=3)
    tiendo.good("open")


def test_each_answers_as_documented(tiendo: CommandLine) -> None:
    """The JSON contract of docs/cli.md."""
    old = _file(tiendo, "cu.txt", tiendo.good("seal").out and tiendo.good("checkpoint", "show").out)
    proof = tiendo.folder / "p.json"
    tiendo.good("prove", 1, "--out", proof)
    asked: list[tuple[str, list[object]]] = [
        ("seal", ["seal"]),
        ("verify", ["verify", "--against", old]),
        ("prove", ["prove", 1]),
        ("prove", ["prove", "--check", proof]),
        ("checkpoint show", ["checkpoint", "show"]),
        ("checkpoint key", ["checkpoint", "key"]),
        ("checkpoint extends", ["checkpoint", "extends", old]),
        ("checkpoint export", ["checkpoint", "export", tiendo.folder / "x.jsonl"]),
        ("checkpoint rotate", ["checkpoint", "rotate", "--reason", "x"]),
        ("database upgrade", ["database", "upgrade"]),
        ("database roles", ["database", "roles", "--worker", "tiendo_app"]),
    ]
    for name, words in asked:
        (line,) = (one for one in DOCUMENT.splitlines() if re.match(rf"\| `{name}` \| `\{{", one))
        for row in tiendo.json(*words):
            for key in row:
                assert f'"{key}"' in line, f"{name}: {key} is not in docs/cli.md"
    assert tiendo("database", "roles", "--worker", "Tên").code == 2
