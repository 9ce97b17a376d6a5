"""A sealer that is killed at any moment: the log is whole, and the next sealer goes on (rule 38)."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select

from models.tables import Event, LogLeaf
from runtime.sealing import seal_now
from runtime.verifying import verify
from tests.faults.sealer import opened
from tests.faults.tried import Tried
from tests.invariants import check_invariants

Note = Callable[[Tried], None]
SAMPLE, ALL = 2, 30
"""Kills on each database: in every run, and in ``make faults``."""


def strike(url: str, folder: Path, delay: float) -> None:
    """Start a sealer and kill it so many seconds after its work began."""
    words = [sys.executable, "-m", "tests.faults.sealer", url, str(folder)]
    with subprocess.Popen(words, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        time.sleep(delay)
        child.kill()


def kill_often(url: str, folder: Path, store: str, note: Note, *, kills: int) -> None:
    draw = random.Random(f"sealer {store}")
    folder.mkdir()
    with opened(url, folder) as runtime:
        for _ in range(kills):
            strike(url, folder, draw.uniform(0.0, 0.4))
            between = verify(runtime, by="thử")
            assert not between.faults, between
            began = time.monotonic()
            seal_now(runtime)
            seconds = time.monotonic() - began
            after = verify(runtime, by="thử")
            with runtime.database.read() as session:
                events = session.scalar(select(func.count()).select_from(Event)) or 0
                leaves = session.scalar(select(func.count()).select_from(LogLeaf)) or 0
            note(
                Tried(
                    fault="sealer killed",
                    store=store,
                    happened="log whole before and after the next seal",
                    lost=events - leaves,
                    doubled=max(leaves - events, 0),
                    seconds=seconds,
                )
            )
            assert not after.faults, after
            assert events == leaves
        check_invariants(runtime.database)


@pytest.mark.timeout(180)
def test_the_log_is_whole_whenever_its_sealer_dies(
    small_url: str, store: str, tmp_path: Path, note: Note
) -> None:
    """Rule 38: a sample."""
    kill_often(small_url, tmp_path / "var", store, note, kills=SAMPLE)


@pytest.mark.faults
@pytest.mark.timeout(1200)
def test_thirty_kills_of_a_sealer(small_url: str, store: str, tmp_path: Path, note: Note) -> None:
    """All of them."""
    kill_often(small_url, tmp_path / "var", store, note, kills=ALL)
