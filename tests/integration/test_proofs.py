"""What a third party can check without us: proofs, exports, another language (rule 38)."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.tables import Checkpoint
from operations.errors import NotFound, Refused
from operations.proofs import check_proof, export_lines, prove, prove_consistency
from rules.merkle import roots_by_consistency
from rules.notes import SigningKey, parse_note
from tests import tampering
from tests.sealed import Log, sealed_log

VERIFIER = Path(__file__).parents[2] / "docs" / "verifiers" / "verify.pl"
DOCUMENT = Path(__file__).parents[2] / "docs" / "history.md"


@pytest.fixture
def log(database_url: str, tmp_path: Path) -> Iterator[Log]:
    with sealed_log(database_url, tmp_path) as made:
        tampering.lived(made)
        yield made


def _export(log: Log, folder: Path) -> Path:
    path = folder / "lich-su.jsonl"
    with log.runtime.database.read() as session:
        text = "".join(f"{line}\n" for line in export_lines(session))
    path.write_text(text, encoding="utf-8")
    return path


def _perl(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["perl", VERIFIER, path], capture_output=True, text=True, check=False)


def test_an_event_is_proven_to_somebody_who_has_the_key_and_nothing_else(log: Log) -> None:
    """(38) Every number of the proof counts."""
    keys = log.runtime.key_folder.verifying()
    with log.runtime.database.read() as session:
        for event in (1, 41, 256, 301):
            told = prove(session, event, keys).as_json()
            assert check_proof(json.loads(json.dumps(told)), keys) is None
            assert len(told["path"]) <= 9  # type: ignore[arg-type]
    strange = [SigningKey.make("tiendo.test/lich-su", b"s" * 32).verifying]
    assert "khóa" in str(check_proof(told, strange))
    for field, value in (
        ("canonical", str(told["canonical"]).replace("Cơ quan", "Co quan")),
        ("index", 3),
        ("path", []),
        ("checkpoint", "x"),
    ):
        assert check_proof({**told, field: value}, keys) is not None, field
    assert check_proof({}, keys) is not None


def test_what_cannot_be_proven_is_refused_with_the_reason(log: Log) -> None:
    """(38) Pending, missing, changed."""
    keys = log.runtime.key_folder.verifying()
    tampering.edit(log)
    with log.runtime.database.read() as session:
        with pytest.raises(Refused, match="còn chờ niêm phong"):
            prove(session, 302, keys)
        with pytest.raises(NotFound):
            prove(session, 999, keys)
        with pytest.raises(Refused, match="không còn là nội dung đã niêm phong"):
            prove(session, tampering.EVENT, keys)


def test_a_log_is_proven_to_go_on_from_an_older_checkpoint(log: Log) -> None:
    """(38) By the hashes alone, without any event."""
    with log.runtime.database.read() as session:
        first = parse_note(session.get_one(Checkpoint, 151).note)
        told = prove_consistency(session, first, log.runtime.key_folder.verifying())
    path = [bytes.fromhex(one) for one in told["path"]]  # type: ignore[attr-defined]
    head = parse_note(str(told["checkpoint"])).head
    found = roots_by_consistency(first.head.size, head.size, first.head.root, path)
    assert found == (first.head.root, head.root)
    tampering.forged_with_stolen_key(log)
    with (
        log.runtime.database.read() as session,
        pytest.raises(Refused, match="viết lại"),
    ):
        prove_consistency(session, first, log.runtime.key_folder.verifying())


def test_twenty_lines_of_another_language_verify_an_export(log: Log, tmp_path: Path) -> None:
    """(38) Perl as every Debian has it; the signature by openssl, as docs/history.md says."""
    path = _export(log, tmp_path)
    done = _perl(path)
    assert (done.returncode, done.stderr) == (0, "301 events, as signed\n")
    note = parse_note(done.stdout)
    key = log.runtime.key_folder.verifying()[-1]
    assert note.signer([key]) == key
    (tmp_path / "checkpoint.txt").write_text(done.stdout, encoding="utf-8")
    block = DOCUMENT.read_text(encoding="utf-8").partition("```bash\n")[2].partition("```")[0]
    assert "openssl" in block
    script = block.replace("KHOA", key.text)
    ran = subprocess.run(
        ["bash", "-euc", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "Signature Verified Successfully" in ran.stdout
    other = SigningKey.make(key.name, b"o" * 32).verifying
    script = block.replace("KHOA", other.text)
    assert subprocess.run(["bash", "-euc", script], cwd=tmp_path, check=False).returncode != 0


@pytest.mark.parametrize("way", ["edited", "deleted", "swapped", "rewritten", "cut"])
def test_that_verifier_sees_what_was_done_to_an_export(log: Log, tmp_path: Path, way: str) -> None:
    """(38)"""
    path = _export(log, tmp_path)
    lines = path.read_text(encoding="utf-8").splitlines()
    if way == "edited":
        lines[7] = lines[7].replace("Cơ quan", "Co quan")
    elif way == "deleted":
        del lines[7]
    elif way == "swapped":
        lines[7], lines[8] = lines[8], lines[7]
    elif way == "rewritten":
        lines[7] = lines[8].replace('"index":8', '"index":7')
    else:
        del lines[-2]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = _perl(path)
    assert done.returncode != 0
    assert done.stdout == ""
