"""Numbers that many transactions draw at once (docs/reliability.md)."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event as Flag
from threading import Thread

import pytest
from sqlalchemy import text

from models.bulk import allocate_ids
from models.engine import Database
from tests.databases import Copies

ROUNDS, BLOCK = 60, 25


@pytest.fixture
def postgres(postgres_copies: Copies, tmp_path: Path) -> Iterator[str]:
    """PostgreSQL only: a SQLite writer is alone."""
    with postgres_copies.one(tmp_path, migrated=True) as url:
        yield url


def test_a_block_of_ids_never_overlaps_with_single_ones(postgres: str) -> None:
    """A sweep draws blocks of notices and letters while people add single ones."""
    database, over = Database(postgres), Flag()
    single: list[int] = []

    def draw() -> None:
        with database.engine.connect() as connection:
            while not over.is_set():
                single.append(
                    connection.execute(text("SELECT nextval('notice_id_seq')")).scalar_one()
                )

    thread = Thread(target=draw)
    thread.start()
    blocks: list[int] = []
    try:
        for _ in range(ROUNDS):
            with database.write() as session:
                found = allocate_ids(session, "notice", BLOCK)
                assert len(found) == BLOCK
                blocks += found
    finally:
        over.set()
        thread.join()
        database.close()
    assert single
    assert len(set(blocks)) == ROUNDS * BLOCK
    assert not set(blocks) & set(single)
