"""A worker that is killed at any moment loses nothing and does nothing twice (rules 11, 28, 33)."""

import pytest

from tests.faults.conftest import Grounds
from tests.faults.kills import SAMPLE, SEEDS, Kill, kill, kill_until_hit, store_of

pytestmark = pytest.mark.timeout(400)  # the first of a store waits for its undisturbed run as well


def _survives(
    seed: int,
    grounds: Grounds,
    kills: list[Kill],
    record: pytest.FixtureRequest,
    *,
    again: bool,
) -> None:
    store = store_of(seed)
    record.node.user_properties.append(("store", store))
    done = kill_until_hit(seed, *grounds(store)) if again else [kill(seed, *grounds(store))]
    kills += done
    for one in done:
        assert not one.broken, "\n".join((f"{one.phase} {one.day}, {one.where}:", *one.broken))
    assert done[-1].hit or not again


@pytest.mark.parametrize("seed", SAMPLE)
def test_after_one_more_run_everything_is_there_once(
    seed: int, grounds: Grounds, kills: list[Kill], request: pytest.FixtureRequest
) -> None:
    """A sample: each phase on each store."""
    _survives(seed, grounds, kills, request, again=False)


@pytest.mark.faults
@pytest.mark.parametrize("seed", SEEDS)
def test_fifty_kills_leave_everything_there_once(
    seed: int, grounds: Grounds, kills: list[Kill], request: pytest.FixtureRequest
) -> None:
    """All of them; a kill that hit nothing is counted apart and another takes its place."""
    _survives(seed, grounds, kills, request, again=True)
