"""Every way to tamper, by raw SQL with the triggers out of the way (rule 38)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from operations.log_faults import Wrong
from tests.sealed import Log, sealed_log
from tests.tampering import BEGIN, END, WAYS, Tampering, lived, verified


@pytest.fixture
def log(database_url: str, tmp_path: Path) -> Iterator[Log]:
    with sealed_log(database_url, tmp_path) as made:
        yield made


def test_an_honest_history_is_whole_also_against_what_was_kept_outside(log: Log) -> None:
    """(38)"""
    alone, outside = verified(log, lived(log))
    assert alone.whole
    assert outside.whole
    assert not outside.remarks
    assert (outside.sealed, outside.pending, outside.outside) == (301, 2, 2)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_what_verify_says(log: Log, way: Tampering) -> None:
    """(38) Names what it sees; what it cannot see it does not claim."""
    kept = lived(log)
    way.does(log)
    alone, outside = verified(log, kept)
    if way.alone is None:
        assert alone.whole
        assert not alone.remarks
    elif isinstance(way.alone, Wrong):
        assert alone.first is not None
        assert alone.first.kind is way.alone, alone.faults
    else:
        assert alone.whole
        assert way.alone in [one.kind for one in alone.remarks]
    if way.names is not None:
        assert f"số {way.names} " in f"{(alone.first or alone.remarks[0]).text} "
    kinds = {one.kind for one in outside.faults}
    assert (way.outside in kinds) if way.outside else kinds == {one.kind for one in alone.faults}


def test_bytes_that_are_no_text_are_named_and_stop_nothing(log: Log) -> None:
    """(38) SQLite takes anything into any column; PostgreSQL does not."""
    lived(log)
    if not log.runtime.database.is_sqlite:
        return
    log.behind(
        "UPDATE event SET reason = CAST(x'ff' AS TEXT) WHERE id = 41",
        "UPDATE event SET snapshot = x'00ff', id = 42 WHERE id = 42",
        """UPDATE log_leaf SET digest = 'text' WHERE "index" = 50""",
    )
    found = log.verify()
    assert [one.event for one in found.faults[:3]] == [41, 42, 51]
    assert found.faults[0].kind is Wrong.EDITED


def test_the_table_of_the_document_has_every_way() -> None:
    """(38) ``python -m tests.tampering`` writes it."""
    text = (Path(__file__).parents[2] / "docs" / "reliability.md").read_text(encoding="utf-8")
    table = text.partition(BEGIN)[2].partition(END)[0]
    told = [line.split(" | ")[0].removeprefix("| ") for line in table.splitlines() if "|" in line]
    assert told[2:] == [way.name for way in WAYS]
