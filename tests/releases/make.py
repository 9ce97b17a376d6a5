"""``python -m tests.releases.make``: the rows that each earlier release wrote, as small files.

For each migration the last commit that stood at it is checked out beside this one, and its own
code plays :mod:`tests.releases.story` on a new SQLite file, whose rows are kept; a table that the
story does not reach gets one made-up row. Run it when a migration has landed; files that are there
stay as they are.
"""

from __future__ import annotations

import gzip
import json
import re
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.releases.made_up import fill_up

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
_VERSIONS = "models/migrations/versions/"
_PLAN = "tests/catalogs/huyen_mau"


def git(*words: str) -> str:
    """What git says in this checkout."""
    said = subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True)
    return said.stdout


def _migrations(commit: str) -> dict[str, str]:
    """The number of each migration to the digest of its file; empty when two have one number."""
    found: dict[str, str] = {}
    for line in git("ls-tree", commit, _VERSIONS).splitlines():
        about, _, path = line.partition("\t")
        number = re.match(r"\d{4}(?=_)", Path(path).name)
        if number is None:
            continue
        if number[0] in found:
            return {}
        found[number[0]] = about.split()[2]
    return found


def releases() -> dict[str, str]:
    """Each migration to the last commit that stood at it, with the very files of today."""
    now, found = _migrations("HEAD"), dict[str, str]()
    for commit in git("rev-list", "--reverse", "HEAD").split():
        then = _migrations(commit)
        if then and then == {number: now[number] for number in sorted(now)[: len(then)]}:
            found[max(then)] = commit
    return found


def _value(value: Any) -> Any:
    return {"hex": value.hex()} if isinstance(value, bytes) else value


def dump(path: Path) -> dict[str, Any]:
    """Every table with its columns and rows; bytes as ``{"hex": …}``."""
    tables = {}
    with closing(sqlite3.connect(path)) as raw:
        names = raw.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        for (name,) in names.fetchall():
            rows = raw.execute(f'SELECT * FROM "{name}"')
            columns = [one[0] for one in rows.description]
            if found := [[_value(value) for value in row] for row in rows.fetchall()]:
                tables[name] = {"columns": columns, "rows": found}
    return tables


def play(commit: str) -> tuple[dict[str, Any], list[str]]:
    """The tables after the story as the code of ``commit`` plays it, and what it refused."""
    with tempfile.TemporaryDirectory() as name:
        tree, var = Path(name) / "tree", Path(name) / "var"
        git("worktree", "add", "--detach", str(tree), commit)
        try:
            file = var / "release.sqlite"
            said = subprocess.run(
                [sys.executable, HERE / "story.py", f"sqlite:///{file}", var, tree / _PLAN],
                cwd=tree,
                env={"PYTHONPATH": str(tree), "PATH": "/usr/bin:/bin", "HOME": name},
                check=True,
                capture_output=True,
                text=True,
            )
            with closing(sqlite3.connect(file)) as raw:
                left = fill_up(raw)
            return dump(file), [*said.stdout.splitlines(), f"left empty: {', '.join(left) or '-'}"]
        finally:
            git("worktree", "remove", "--force", str(tree))


def files() -> Iterator[tuple[str, Path]]:
    """The number of each earlier release and its file."""
    for path in sorted(HERE.glob("[0-9]*.json.gz")):
        yield path.name[:4], path


def main() -> None:
    """Make what is missing; says what each release did not know."""
    there = dict(files())
    for number, commit in releases().items():
        if number in there:
            continue
        tables, refused = play(commit)
        tables["release"] = {"commit": commit}
        text = json.dumps(tables, ensure_ascii=False, separators=(",", ":"))
        (HERE / f"{number}.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
        rows = {name: len(one["rows"]) for name, one in tables.items() if "rows" in one}
        print(f"{number} {commit[:8]}: {sum(rows.values())} rows in {len(rows)} tables")  # noqa: T201
        for line in refused:
            print(f"    {line[:160]}")  # noqa: T201


if __name__ == "__main__":
    main()
