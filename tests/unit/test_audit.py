"""What the checks of dependencies, secrets and exceptions to the security rules see, and say."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import date
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests import audit, secret_scan
from tests.audit import AuditError, accepted, locked, main, matches

HOUSE = Path(__file__).parents[2]
TODAY = date(2026, 11, 23)


def advisory(**how: object) -> dict[str, object]:
    package = {"ecosystem": "PyPI", "name": "Mau.Goi"}
    affected = {"package": package, **how}
    return {"id": "GHSA-x", "aliases": ["CVE-1"], "modified": "2026-11-20", "affected": [affected]}


def spoken_of(version: str, **how: object) -> bool:
    return bool(list(matches(advisory(**how), {"mau-goi": version})))


def ranges(*events: dict[str, str]) -> list[dict[str, object]]:
    return [{"type": "ECOSYSTEM", "events": list(events)}]


def test_lock_files_name_every_package_once() -> None:
    pins = locked([(HOUSE / name).read_text(encoding="utf-8") for name in audit.LOCKS])
    assert len(pins) > 100
    assert {"fastapi", "sqlalchemy", "authlib", "pytest"} <= set(pins)


def test_version_is_looked_for_in_lists_and_in_ranges() -> None:
    fixed = ranges({"introduced": "0"}, {"fixed": "2.0"})
    twice = ranges(
        {"introduced": "1.0"}, {"fixed": "1.5"}, {"introduced": "2.0"}, {"last_affected": "2.3"}
    )
    assert spoken_of("1.2", versions=["1.1", "1.2"])
    assert not spoken_of("1.3", versions=["1.1", "1.2"])
    assert spoken_of("1.10", ranges=fixed)
    assert not spoken_of("2.0", ranges=fixed)
    assert [spoken_of(one, ranges=twice) for one in ("0.9", "1.0", "1.5", "2.0", "2.3", "2.4")] == [
        False,
        True,
        False,
        True,
        True,
        False,
    ]
    assert not list(matches({**advisory(versions=["1"]), "withdrawn": "2026"}, {"mau-goi": "1"}))
    assert not list(matches(advisory(versions=["1"]), {"goi-khac": "1"}))


def test_kept_export_is_compared_and_a_finding_stops_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "all.zip"
    hit = advisory()
    hit["affected"] = [
        {
            "package": {"ecosystem": "PyPI", "name": "FastAPI"},
            "ranges": ranges({"introduced": "0"}),
        }
    ]
    with ZipFile(kept, "w") as made:
        made.writestr("GHSA-x.json", json.dumps(hit))
    monkeypatch.setenv("ADVISORIES", str(kept))
    assert main([]) == 1
    assert "fastapi" in capsys.readouterr().out
    told = tmp_path / "accepted.toml"
    told.write_text(
        '[[accepted]]\nadvisory = "CVE-1"\nuntil = 2999-01-01\n'
        'why = "The part that it speaks of is not used here."\n'
    )
    monkeypatch.setattr(audit, "ACCEPTED", told)
    assert main([]) == 0
    assert "0 found, 1 accepted" in capsys.readouterr().out
    kept.write_bytes(b"not a zip")
    assert main([]) == 1


def test_without_an_export_it_says_plainly_that_nothing_was_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ADVISORIES", str(tmp_path / "none.zip"))
    assert main([]) == 0
    assert "NOT compared" in capsys.readouterr().out


@pytest.mark.parametrize(
    "wrong",
    [
        'advisory = "CVE-1"\nwhy = "ok"\nuntil = 2999-01-01',
        'advisory = "CVE-1"\nwhy = "The part that it speaks of is not used here."',
        'advisory = "CVE-1"\nwhy = "The part that it speaks of is not used."\nuntil = 2026-11-22',
    ],
)
def test_acceptance_needs_a_reason_and_a_day_that_has_not_come(wrong: str) -> None:
    with pytest.raises(AuditError):
        accepted(f"[[accepted]]\n{wrong}\n", TODAY)


def test_new_secret_is_seen_and_not_repeated(tmp_path: Path) -> None:
    token = "ghp_" + "a1B2c3D4e5" * 3 + "f6G7h8"
    (tmp_path / "a.py").write_text(f'TOKEN = "{token}"\n')
    key = "-----BEGIN " + "RSA PRIVATE KEY-----\n"
    (tmp_path / "b.txt").write_text(key)
    found = secret_scan.scan(["a.py", "b.txt"], tmp_path)
    told = secret_scan.news(found, {})
    assert {one.partition(":")[0] for one in told} == {"a.py", "b.txt"}
    assert token not in str(told)
    assert secret_scan.news(found, found) == []


def test_every_exception_to_the_security_rules_says_why() -> None:
    """Ruff's S rules: each exception in the code has its reason beside it, for tests as a whole."""
    bare, seen = [], 0
    for path in sorted(HOUSE.rglob("*.py")):
        inside = path.relative_to(HOUSE)
        if inside.parts[0] in {"tests", ".venv", "build", "dist"}:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            found = re.search(r"# noqa:[^#]*\bS\d{3}\b(.*)", line)
            seen += found is not None
            if found and not re.match(r"[A-Z0-9, ]*\s-\s\S.{4,}", found[1]):
                bare.append(f"{inside}:{number}")
    assert seen > 20
    assert not bare
    text = (HOUSE / "pyproject.toml").read_text(encoding="utf-8")
    lint = tomllib.loads(text)["tool"]["ruff"]["lint"]
    assert "S" in lint["select"]
    assert not [one for one in lint["ignore"] if re.fullmatch(r"S\d*", one)]
    per_file = lint["per-file-ignores"]
    assert [
        name for name, ones in per_file.items() if any(re.match(r"S\d*$", x) for x in ones)
    ] == ["tests/**"]
