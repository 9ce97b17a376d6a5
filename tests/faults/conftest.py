"""The grounds on which workers are killed, and the table of what came of it."""

from collections.abc import Callable
from functools import cache

import pytest

from tests.databases import Copies
from tests.faults.kills import Ground, Kill, Undisturbed, leave_in_peace
from tests.faults.report import table

KILLS = pytest.StashKey[list[Kill]]()

Grounds = Callable[[str], tuple[Ground, Undisturbed]]


@pytest.fixture(scope="session")
def grounds(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Grounds:
    """The ground of a store and its undisturbed run, made when the first kill on it asks."""

    @cache
    def of(store: str) -> tuple[Ground, Undisturbed]:
        name = "sqlite_copies" if store == "sqlite" else "postgres_copies"
        copies = request.getfixturevalue(name)
        assert isinstance(copies, Copies)
        ground = Ground(copies, tmp_path_factory.mktemp(f"kills-{store}"))
        return ground, leave_in_peace(ground)

    return of


@pytest.fixture
def kills(pytestconfig: pytest.Config) -> list[Kill]:
    """The kills of this run so far, for the table at its end."""
    return pytestconfig.stash.setdefault(KILLS, [])


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the table, so that a kill that hit nothing is seen."""
    kills: list[Kill] = config.stash.get(KILLS, [])
    for line in table(kills):
        terminalreporter.write_line(line)
