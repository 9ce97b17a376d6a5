"""A worker that is killed at any moment loses nothing and does nothing twice (rules 11, 28, 33)."""

import pytest

from tests.faults.conftest import Grounds
from tests.faults.kills import SAMPLE, SEEDS, Kill, kill, store_of


def _survives(
    seed: int, grounds: Grounds, kills: list[Kill], record: pytest.FixtureRequest
) -> None:
    store = store_of(seed)
    record.node.user_properties.append(("store", store))
    done = kill(seed, *grounds(store))
    kills.append(done)
    assert not done.broken, f"{done.phase} {done.day}, {done.where}:\n" + "\n".join(done.broken)


@pytest.mark.parametrize("seed", SAMPLE)
def test_after_one_more_run_everything_is_there_once(
    seed: int, grounds: Grounds, kills: list[Kill], request: pytest.FixtureRequest
) -> None:
    """A sample: each phase on each store."""
    _survives(seed, grounds, kills, request)


@pytest.mark.faults
@pytest.mark.parametrize("seed", SEEDS)
def test_fifty_kills_leave_everything_there_once(
    seed: int, grounds: Grounds, kills: list[Kill], request: pytest.FixtureRequest
) -> None:
    """All of them."""
    _survives(seed, grounds, kills, request)
