"""The grounds of the faults, what was tried, and the tables of what came of it."""

import os
import platform
import sqlite3
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.databases import Copies
from tests.faults import report, tried
from tests.faults.kills import Ground, Kill, Undisturbed, leave_in_peace
from tests.faults.small import SmallGround
from tests.faults.tried import Tried

KILLS = pytest.StashKey[list[Kill]]()
PEACE = pytest.StashKey[dict[str, Undisturbed]]()
TRIED = pytest.StashKey[list[Tried]]()
BEGAN = time.monotonic()

Grounds = Callable[[str], tuple[Ground, Undisturbed]]
SmallGrounds = Callable[[str], SmallGround]


def _copies(request: pytest.FixtureRequest, store: str) -> Copies:
    copies = request.getfixturevalue("sqlite_copies" if store == "sqlite" else "postgres_copies")
    assert isinstance(copies, Copies)
    return copies


@pytest.fixture(scope="session")
def grounds(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Grounds:
    """The ground of a store and its undisturbed run, made when the first kill on it asks."""

    @cache
    def of(store: str) -> tuple[Ground, Undisturbed]:
        ground = Ground(_copies(request, store), tmp_path_factory.mktemp(f"kills-{store}"))
        peace = leave_in_peace(ground)
        request.config.stash.setdefault(PEACE, {})[store] = peace
        return ground, peace

    return of


@pytest.fixture(scope="session")
def small_grounds(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> SmallGrounds:
    """The small district of a store, made when the first test on it asks."""

    @cache
    def of(store: str) -> SmallGround:
        return SmallGround(_copies(request, store), tmp_path_factory.mktemp(f"small-{store}"))

    return of


@pytest.fixture
def small_url(store: str, small_grounds: SmallGrounds, tmp_path: Path) -> Iterator[str]:
    """A database of the small district, as a URL; a test that asks runs on each store."""
    with small_grounds(store).one(tmp_path) as url:
        yield url


@pytest.fixture
def kills(pytestconfig: pytest.Config) -> list[Kill]:
    """The kills of this run so far, for the table at its end."""
    return pytestconfig.stash.setdefault(KILLS, [])


@pytest.fixture
def note(pytestconfig: pytest.Config) -> Callable[[Tried], None]:
    """Takes what was tried into the table at the end."""
    found = pytestconfig.stash.setdefault(TRIED, [])

    def take(one: Tried) -> None:
        found.append(one)
        tried.keep(one)

    return take


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the tables, so that a kill that hit nothing is seen.

    With FAULTS_DOCUMENT set (``make faults``) they go into ``docs/reliability.md`` as well.
    """
    kills, found = config.stash.get(KILLS, []), config.stash.get(TRIED, [])
    for line in (*report.table(kills), *tried.table(found)):
        terminalreporter.write_line(line)
    document = os.environ.get("FAULTS_DOCUMENT")
    if document is None or not found:
        return
    seconds = time.monotonic() - BEGAN
    head = (
        f"Tried in {seconds / 60:.0f} minutes on {os.cpu_count()} cores; Python "
        f"{platform.python_version()}, SQLite {sqlite3.sqlite_version}."
    )
    lines = [head, "", *tried.table(found)]
    tried.write(lines, Path(document))
    if kills:
        peace = config.stash.get(PEACE, {})
        told = report.told(kills, peace, seconds=None, version=None)
        report.write(told, Path(document))
