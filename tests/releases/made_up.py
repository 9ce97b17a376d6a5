"""One made-up row for each table that the story does not reach, so that no table is migrated empty."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

UNTOUCHED = frozenset({"log_leaf", "log_subtree", "log_pending", "checkpoint"})
"""A made-up row would be a hole in the log."""
_WORDS = re.compile(r"(\w+) IN \('([^']+)'")
_BY_TYPE: tuple[tuple[str, Any], ...] = (
    ("BLOB", b"\x00" * 32),
    ("BOOL", 0),
    ("INT", 1),
    ("DATE", "2027-01-04"),
    ("VARCHAR(27)", "2027-01-04T01:00:00.000000Z"),
)


def fill_up(raw: sqlite3.Connection) -> list[str]:
    """Add the rows; the tables that would take none."""
    raw.execute("PRAGMA foreign_keys = ON")
    tables = raw.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
    empty = {name: sql for name, sql in tables if name not in UNTOUCHED and not _rows(raw, name)}
    while empty:
        done = [name for name, sql in empty.items() if _add(raw, name, sql)]
        if not done:
            break
        for name in done:
            del empty[name]
    raw.commit()
    return sorted(empty)


def _rows(raw: sqlite3.Connection, name: str) -> int:
    return int(raw.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0])


def _add(raw: sqlite3.Connection, name: str, sql: str) -> bool:
    """Try with what has to be there, then with every column."""
    parents = {
        row[3]: (row[2], row[4] or "id")
        for row in raw.execute(f'PRAGMA foreign_key_list("{name}")')
    }
    words = dict(_WORDS.findall(sql))
    columns = raw.execute(f'PRAGMA table_info("{name}")').fetchall()
    for whole in (False, True):
        row = {}
        for _, column, kind, needed, _, key in columns:
            if not (needed or key or whole):
                continue
            row[column] = words.get(column) or _value(raw, kind, parents.get(column))
        names = ", ".join(f'"{one}"' for one in row)
        marks = ", ".join("?" * len(row))
        try:
            raw.execute(f'INSERT INTO "{name}" ({names}) VALUES ({marks})', list(row.values()))
        except sqlite3.IntegrityError:
            continue
        return True
    return False


def _value(raw: sqlite3.Connection, kind: str, parent: tuple[str, str] | None) -> Any:
    if parent is not None:
        found = raw.execute(f'SELECT "{parent[1]}" FROM "{parent[0]}" LIMIT 1').fetchone()
        return found[0] if found else None
    return next((value for word, value in _BY_TYPE if word in kind.upper()), "{}")
