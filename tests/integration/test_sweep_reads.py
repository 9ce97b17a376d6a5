"""What a sweep reads (rules 27-32): what is due, and not what is stored."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event

from operations.reminding import remind
from tests.databases import Copies
from tests.engine import engine, stamp

GROWS = ("assignment", "reminder", "letter", "letter_line", "notice", "event", "occurrence")


def test_a_sweep_scans_no_table_that_grows_with_the_years(
    sqlite_copies: Copies, tmp_path: Path
) -> None:
    """SQLite tells how it reads, whatever stands in the tables: each of these by an index."""
    asked: list[tuple[str, Any]] = []

    def note(
        _connection: Connection,
        _cursor: Any,
        statement: str,
        parameters: Any,
        _context: Any,
        many: bool,
    ) -> None:
        if not many and statement.startswith(("SELECT", "UPDATE", "DELETE")):
            asked.append((statement, parameters))

    with sqlite_copies.one(tmp_path, migrated=True) as url, engine(url) as one:
        one.run(date(2026, 3, 2))
        event.listen(one.database.engine, "before_cursor_execute", note)
        for day in (date(2026, 3, 2), date(2026, 3, 9), date(2026, 3, 9)):
            with one.database.write() as session:
                remind(session, stamp(day))
        event.remove(one.database.engine, "before_cursor_execute", note)
        with one.database.engine.connect() as connection:
            ways = [line for each in asked for line in _ways(connection, *each)]
    assert any("assignment" in way for way in ways)
    assert [way for way in ways if way in {f"SCAN {name}" for name in GROWS}] == []


def _ways(connection: Connection, statement: str, parameters: Any) -> Sequence[str]:
    rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
    return [str(row[3]) for row in rows]
