"""`tiendo agencies change`: a preview, the change, and mistakes by their line (rules 9, 35)."""

from pathlib import Path

import pytest

from tests.command_line import CommandLine, command_line


@pytest.fixture
def tiendo(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    made = command_line(database_url, tmp_path, monkeypatch)
    made.good("open")
    return made


def _file(tiendo: CommandLine, tmp_path: Path) -> tuple[Path, str]:
    key = next(
        row["agency"]
        for row in tiendo.json("work", "list")
        if row["role"] == "lead" and row["status"] == "not_started" and row["agency"][:2] == "xa"
    )
    path = tmp_path / "sap-xep.yaml"
    path.write_text(
        "reorganisations:\n"
        "  - kind: rename\n"
        "    effective_on: 2027-03-01\n"
        "    document: {code: 12/NQ-HĐND}\n"
        f"    predecessors: [{key}]\n"
        "    successors:\n"
        "      - new: {name: Xã Vạn Giã}\n"
        "    late: true\n",
        encoding="utf-8",
    )
    return path, key


def test_a_preview_changes_nothing_and_apply_does_what_it_showed(
    tiendo: CommandLine, tmp_path: Path
) -> None:
    """(35)"""
    path, key = _file(tiendo, tmp_path)
    shown = tiendo.json("agencies", "change", path)
    assert shown[-1] == {"changes": 1, "applied": False}
    assert {one["to"] for one in shown[:-1]} == {"Xã Vạn Giã"}
    assert key in {row["agency"] for row in tiendo.json("agencies", "list")}
    done = tiendo.json("agencies", "change", path, "--apply", "--yes")
    assert done[:-1] == shown[:-1]
    keys = {row["agency"] for row in tiendo.json("agencies", "list")}
    assert (key in keys, "xa_van_gia" in keys) == (False, True)
    again = tiendo("agencies", "change", path)
    assert again.code == 1
    assert "Xã Vạn Giã" in again.err


def test_a_mistake_names_file_line_field_and_remedy(tiendo: CommandLine, tmp_path: Path) -> None:
    """(9)"""
    path, key = _file(tiendo, tmp_path)
    path.write_text(path.read_text(encoding="utf-8").replace(key, "xa_la"), encoding="utf-8")
    answer = tiendo("agencies", "change", path, "--json")
    assert answer.code == 1
    (error,) = answer.errors
    assert (error["line"], error["field"]) == (5, "reorganisations > #1 > predecessors > #1")
    assert "chọn trong danh mục cơ quan" in error["error"]
